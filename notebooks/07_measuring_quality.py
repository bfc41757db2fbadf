# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 07 · Measuring quality: an evaluator for drawn digits
#
# In this notebook you will
#
# - see that the losses stand still while the images get better;
# - ask a classifier to rate images, and find out why its confidence is worth nothing;
# - build the Fréchet distance step by step, from features to one number;
# - see in a plane what precision, recall, density and coverage count;
# - damage real images in eight ways, and see which number notices which damage;
# - find out why two numbers compare only at the same sample size;
# - read a quality curve, decide when to stop, and meet a case where the number misleads.
#
# **You need** Python, a little Keras, and what a mean is. Of GANs only this: a *generator* G draws
# images from random numbers, and a *discriminator* D learns to tell them from real ones
# ([notebook 04](04_training.ipynb)). **Run time**: about a minute on two processor cores, no GPU.

# %% [markdown]
# The first cell only finds the library `dcgan_lib`: in a copy of the project it uses that copy,
# elsewhere it installs it. You need not read it.

# %%
import os
import sys

sys.path.insert(0, os.path.abspath(".."))  # in a clone, its own library comes first
try:
    import dcgan_lib
except ModuleNotFoundError:  # alone, as in Colab: install it
    source = os.environ["DCGAN_SOURCE"]  # set it to a folder or a git address
    assert os.system(f'"{sys.executable}" -m pip install -q "{source}"') == 0
    import dcgan_lib
dcgan_lib.import_tensorflow()

# %% [markdown]
# Two switches. With `TRAIN = False` section 1 loads a generator that comes with the library, and
# the log of its training; with `True` it trains the same one anew, which takes a minute or two.
#
# And our tests run this notebook with `DCGAN_PROFILE=quick`: a few steps on few images, whose
# numbers mean nothing. Leave the variable unset and you get the real thing.

# %%
import os
from pathlib import Path

TRAIN = False
QUICK = os.environ.get("DCGAN_PROFILE", "full") == "quick"
FEW = {"steps": 12, "max_images": 1000, "sample_every": 4, "log_every": 4, "quality_every": 4}
SHORT = FEW if QUICK else {}
RUNS = Path("runs") / "07"

# %% [markdown]
# ## 1 · The loss cannot tell
#
# First a trained generator. Its recipe (a named set of settings) is `fast`, the project's default.
# A **loss** is the number that a player makes smaller in training, and a **step** is one move of
# both players. The training wrote down the losses, and every so many steps it drew 1,000 images and
# measured a distance from real ones (`frechet_distance`). How, is the subject of this notebook; for
# now, smaller is better.

# %%
import numpy as np

from dcgan_lib import (
    QualityCallback,
    load_images,
    load_pretrained,
    model_card,
    read_log,
    train_dcgan_mnist,
)

data = load_images()


def trained_here():
    run = train_dcgan_mnist("fast", RUNS / "fast", data.name, resume=False, verbose=False, **SHORT)
    path = run.folder / "quality.csv"
    empty = {name: np.full(1, np.nan) for name in QualityCallback.COLUMNS}
    return run.generator, run.log, read_log(path) if path.exists() else empty


# %% [markdown]
# A published generator has a *model card*, a file that says what it is: the command that made it,
# its data, its scores, its losses and its quality curve. Now train, or load, as you chose above.
#
# (Where MNIST is not at hand, 9,000 of its images stand in, which come with the library. What
# follows holds for them too, but the published generator was trained on most of them.)

# %%
card = model_card("fast")
if TRAIN:
    generator, log, curve = trained_here()
else:
    generator, log, curve = load_pretrained("fast"), card["log"], card["quality_curve"]
print("trained just now" if TRAIN else f"loaded; made by: {card['command']}")
print(*curve)

# %% [markdown]
# The last line has the columns of the measurements. We need `step` and `frechet_distance`; `floor`
# comes in section 3, `modes` and `distance_from_uniform` in section 4. The plot leaves out step 0:
# before any training the distance is so large that the rest of the curve would lie flat on the
# axis.
#
# **Predict, then run:** the distance falls all the time, so the images get better. What do the
# losses do meanwhile?

# %%
import matplotlib.pyplot as plt

figure, (left, right) = plt.subplots(1, 2, figsize=(8.5, 3), layout="constrained")
left.plot(log["step"], log["d_loss"], label="discriminator")
left.plot(log["step"], log["g_loss"], label="generator")
left.set(xlabel="step", ylabel="loss", title="The losses", ylim=(0, None))
left.legend()
right.plot(curve["step"][1:], curve["frechet_distance"][1:], "o-", color="tab:red")
right.set(xlabel="step", ylabel="distance from real images", title="The quality", ylim=(0, None))
plt.show()

# %% [markdown]
# After some 200 steps the losses stay about where they are, and the quality gets better and better:
# the distance falls to about a fortieth.
# Each player's loss is measured against the other player, and both improve: like two runners side
# by side, who cannot tell from each other how fast they are. To know how fast they run, they need
# something outside that does not move.
#
# ## 2 · An evaluator that does not move
#
# ### Images that nobody trained on
#
# An evaluator needs real images to compare with, and not those that G was trained on: a generator
# that learned them by heart would look perfect. So 10,000 of MNIST's 60,000 training images are
# **held-out** images: by default no training in this project sees them.
#
# MNIST also has 10,000 *test* images. We leave them alone here. They are for the final report: who
# looks at them while choosing settings chooses what happens to suit them.

# %%
from dcgan_lib import hold_out_indices, plot_images, scale

allowed, held_out = hold_out_indices(len(data.images), 10_000)
held_out = held_out[:500] if QUICK else held_out
held, labels = scale(data.images[held_out]), data.labels[held_out]
train = scale(data.images[allowed[: 2000 if QUICK else 10_000]])
print("held out:", held.shape, "trained on (a part):", train.shape)

# %% [markdown]
# ### The evaluator
#
# Why not compare pixel by pixel? Two drawings of a 4, one shifted by two pixels, are far apart in
# pixels and alike to us. We need something that looks at shapes.
#
# A **classifier** is a network that says which kind of thing an image shows: ten numbers, its
# probabilities for the digits 0 to 9. To get there, its layers turn pixels into ever more useful
# numbers. The last of them before the answer are 64 numbers that describe strokes, loops and
# corners. Each is called a **feature**: a number computed from an image that says something about
# what it shows.
#
# Our **evaluator** is such a classifier, so called because it measures and never plays. It learned
# MNIST's digits, without the held-out images.

# %% tags=["nbval-check-output"]
from dcgan_lib import Evaluator

evaluator = Evaluator()
some_features, some_probabilities = evaluator(held[:5])
print("for 5 images: features", some_features.shape, "probabilities", some_probabilities.shape)
print("evaluator:", evaluator.name, evaluator.hash)

# %% [markdown]
# The last word is a hash: a short text computed from all weights of the evaluator; change one
# weight, and it is another. It stands beside every number that we report, because another evaluator
# gives other numbers. The evaluator is **frozen**: it comes with the library and is not trained
# again while recipes are tuned. Whoever may choose the evaluator will find one that likes the
# result.
#
# The evaluator looks at all held-out images:

# %%
held_features, held_probabilities = evaluator(held)
accuracy = np.mean(held_probabilities.argmax(axis=1) == labels)
print(f"right on {accuracy:.1%} of the held-out images")

# %% [markdown]
# ### A first idea that fails
#
# The largest of the ten probabilities is the classifier's **confidence**. A clear digit should
# give a high one, a scribble a low one. Could the mean confidence be our measure of quality?
#
# **Predict, then run:** how confident is the classifier about real digits, and how about pure
# noise, every pixel a random number?

# %%
from dcgan_lib import blurred, class_balance, noise_like

noise = noise_like(held[:500])
_, noise_probabilities = evaluator(noise)
print(f"real images: mean confidence {class_balance(held_probabilities).confidence:.4f}")
print(f"pure noise:  mean confidence {class_balance(noise_probabilities).confidence:.4f}")

# %% [markdown]
# It is surer of noise than of digits. What does it see in there?

# %%
seen = noise_probabilities.argmax(axis=1)[:8]
surely = noise_probabilities.max(axis=1)[:8]
titles = [f"a {digit}: {p:.2f}" for digit, p in zip(seen, surely, strict=True)]
plot_images(noise[:8], columns=8, titles=titles, size=1.0)

# %% [markdown]
# Eights, every one, and no doubt about it. A classifier must choose one of ten; it never learned to
# say "none of these". Far from all that it knows, its numbers become huge, and with them its
# confidence. And even where confidence works it is not enough: a generator that draws one perfect 3
# again and again would win.
#
# So we do not ask the evaluator for its answer. We ask what it *sees*, its features, and compare
# that with what it sees in real images.
#
# ## 3 · From features to one number: the Fréchet distance
#
# ### A cloud of points
#
# 64 features make every image a point in a space of 64 dimensions, and a set of images a cloud. To
# look at it we need a plane. `PCA` (principal component analysis) finds the two directions in which
# the cloud is widest.

# %%
from sklearn.decomposition import PCA

plane = PCA(2).fit(held_features)
points = plane.transform(held_features)
print("images and coordinates:", points.shape)

# %% [markdown]
# One dot for each held-out image, coloured by its digit (which the plane was not told):

# %%
figure, axis = plt.subplots(figsize=(6, 4.4), layout="constrained")
dots = axis.scatter(*points[:4000].T, c=labels[:4000], cmap="tab10", s=4, vmin=-0.5, vmax=9.5)
figure.colorbar(dots, ticks=range(10), label="digit")
axis.set(xlabel="first direction", ylabel="second direction", title="What the evaluator sees")
plt.show()

# %% [markdown]
# Digits of one kind lie together: the evaluator has sorted them by shape. If G draws well, the
# cloud of its images lies on the cloud of the real ones. How far apart are two clouds?
#
# ### One dimension first
#
# Two sets of plain numbers. The **mean** (the average) says where a set lies, the standard
# deviation (here called the **spread**) how wide it is.

# %%
draw = np.random.default_rng(0)
a = draw.normal(0, 1.0, 10_000)
b = draw.normal(2, 0.5, 10_000)
print(f"a: mean {a.mean():.2f}, spread {a.std():.2f}   b: mean {b.mean():.2f}, {b.std():.2f}")

# %% [markdown]
# Both have the shape of a bell. A **Gaussian** is this bell, fully described by its mean and its
# spread.

# %%
figure, axis = plt.subplots(figsize=(6, 2.4), layout="constrained")
for name, values in {"a": a, "b": b}.items():
    axis.hist(values, bins=np.linspace(-4, 4, 81), density=True, alpha=0.6, label=name)
    axis.axvline(values.mean(), color="black", linewidth=1, linestyle=":")
axis.set(xlabel="value", ylabel="density", title="Two sets, their means dotted")
axis.legend()
plt.show()

# %% [markdown]
# The **Fréchet distance** between two Gaussians asks: how far must the points of one bell travel
# to make the other? (It is the mean of the squared way, if every point takes the shortest.) Moving
# the bell costs the squared difference of the means. Making it narrower costs the squared
# difference of the spreads. By hand: 2² + 0.5² = 4.25. (The cell says a little less: it takes the
# means and spreads of the 10,000 numbers drawn, which are not exactly 0, 2, 1 and 0.5.)
#
# The library's function takes tables with a row for each image and a column for each feature, here
# one: `a[:, np.newaxis]` makes a column of a row.

# %%

from dcgan_lib import (
    copied_share,
    frechet_distance,
    kernel_distance,
    precision_recall_density_coverage,
)

by_hand = (a.mean() - b.mean()) ** 2 + (a.std() - b.std()) ** 2
by_library = frechet_distance(a[:, np.newaxis], b[:, np.newaxis])
print(f"by hand {by_hand:.3f}, by the library {by_library:.3f}")

# %% [markdown]
# ### Many dimensions
#
# With more features a spread for each is not enough: features go together. An image with a loop on
# top mostly has a certain stroke, too. The **covariance** is a table that says of every two
# features how much they rise and fall together, and on its diagonal how wide each is alone
# (squared). Cloud → mean and covariance → distance: the formula is the one above for many
# dimensions,
#
# |m₁ − m₂|² + trace(C₁ + C₂ − 2 (C₁C₂)^½),
#
# with the means m and the covariances C; the trace is the sum of the diagonal. With one feature C
# is the spread squared, s², and s₁² + s₂² − 2 s₁s₂ is (s₁ − s₂)², as by hand. This is the library's
# function. (The sum of the square roots of the eigenvalues is the trace of the matrix root, which
# it need not compute. `check_features` refuses wrong shapes.)

# %%
from scipy import linalg

from dcgan_lib import check_features


def frechet_distance(real: np.ndarray, fake: np.ndarray) -> float:
    """The distance between two Gaussians fitted to two sets of features; 0 is best."""
    check_features(real, fake, at_least=real.shape[-1] + 1)
    means = real.mean(axis=0) - fake.mean(axis=0)
    covariances = [np.atleast_2d(np.cov(features, rowvar=False)) for features in (real, fake)]
    # The eigenvalues of C1 C2 are real and not negative: no matrix root is needed for the trace.
    eigenvalues = linalg.eigvals(covariances[0] @ covariances[1])
    root_trace = np.sqrt(np.clip(eigenvalues.real, 0.0, None)).sum()
    distance = means @ means + np.trace(covariances[0] + covariances[1]) - 2 * root_trace
    return float(max(distance, 0.0))


# %% [markdown]
# Let us see it at work in the plane. We compare one half of the held-out images with the other,
# and with the other half blurred. First a function that draws a cloud and, as an ellipse, the
# Gaussian that fits it: the curve that lies two spreads from the mean in every direction.


# %%
def plot_cloud(axis, cloud, color, label):
    """Points in a plane, and the ellipse of their mean and covariance."""
    axis.scatter(*cloud[:1500].T, s=3, alpha=0.25, color=color)
    values, directions = np.linalg.eigh(np.cov(cloud, rowvar=False))
    turn = np.linspace(0, 2 * np.pi, 100)
    circle = np.stack([np.cos(turn), np.sin(turn)])
    ellipse = directions @ (2 * np.sqrt(values)[:, np.newaxis] * circle)
    axis.plot(*(ellipse + cloud.mean(axis=0)[:, np.newaxis]), color=color, linewidth=2.5)
    axis.plot(*cloud.mean(axis=0), "o", color=color, markeredgecolor="black", label=label)


# %% [markdown]
# **Predict, then run:** which of the two pairs of ellipses will lie on each other?

# %%
half = len(held) // 2
blurred_half, _ = evaluator(blurred(held[half:]))
clouds = {"other real images": held_features[half:], "blurred images": blurred_half}
figure, axes = plt.subplots(
    1, 2, figsize=(8.5, 3.6), sharex=True, sharey=True, layout="constrained"
)
for axis, (name, cloud) in zip(axes, clouds.items(), strict=True):
    plot_cloud(axis, points[:half], "tab:blue", "real images")
    plot_cloud(axis, plane.transform(cloud), "tab:orange", name)
    distance = frechet_distance(points[:half], plane.transform(cloud))
    axis.set(title=f"Fréchet distance in this plane: {distance:.2f}", xlabel="first direction")
    axis.legend(loc="upper right")
axes[0].set_ylabel("second direction")
plt.show()

# %% [markdown]
# Real against real: the ellipses agree. Blurring moves the cloud and makes it smaller. In all 64
# dimensions:

# %%
for name, cloud in clouds.items():
    print(f"{name}: {frechet_distance(held_features[:half], cloud):.2f}")

# %% [markdown]
# What real images reach against other real images is the **floor**: nobody should expect to get
# below. A distance without its floor says nothing, because the unit depends on the evaluator.
#
# The picture also shows what is wrong with the formula: the clouds are no ellipses but clumps and
# arms. Two clouds of quite different shape with the same mean and covariance have the distance 0.
# (With the features of a network called Inception the same formula is known as FID; Heusel et al.
# 2017.)
#
# ### The kernel distance
#
# The **kernel distance** (KID; Binkowski et al. 2018) fits no bell. A *kernel* is a function that
# says how alike two points are. If two sets come from the same source, then pairs within a set are
# as alike as pairs across, and "mean within, plus mean within, minus twice the mean across" is 0
# on average, whatever the shape of the clouds. It is *unbiased*: its average does not depend on
# how many images we have (section 6), and so a single value may even be a little below 0. The
# function computes it for several random subsets and returns their mean; the number after ± says
# how far that mean may be off by chance.

# %%
size = min(1000, half)
for name, cloud in clouds.items():
    value, error = kernel_distance(held_features[:half], cloud, subsets=20, subset_size=size)
    print(f"{name}: {value:.1f} ± {error:.1f}")

# %% [markdown]
# ## 4 · Two questions instead of one
#
# One number cannot say *what* is wrong. There are two different faults: images that look unlike
# any real one, and kinds of real images that never come. Four numbers ask about them separately,
# and all four rest on one idea: around each point we draw a ball that reaches to its k-th nearest
# neighbour in its own set. In a crowd the balls are small, in thin regions large; together they
# mark where such images live.
#
# - **Precision**: the share of drawn images that lie in some ball of a real one. Do they look
#   real?
# - **Recall**: the share of real images that lie in some ball of a drawn one. Could G have drawn
#   it?
# - **Density**: in how many real balls a drawn image lies on average, divided by k. Like
#   precision, but one odd real image with a large ball cannot spoil it. May be above 1.
# - **Coverage**: the share of real balls that hold a drawn image. Like recall, but odd *drawn*
#   images with large balls cannot spoil it.
#
# (Kynkäänniemi et al. 2019; Naeem et al. 2020.) A toy in the plane: real points in two groups. G
# knows one group only, and draws some nonsense besides.

# %%
draw = np.random.default_rng(5)
real_points = np.concatenate([draw.normal((0, 0), 0.5, (12, 2)), draw.normal((4, 0), 0.5, (12, 2))])
fake_points = np.concatenate(
    [draw.normal((0, 0), 0.5, (15, 2)), draw.normal((2, 2.2), 0.3, (5, 2))]
)
print("real:", real_points.shape, "drawn:", fake_points.shape)

# %% [markdown]
# A function for the picture: the balls of one set, and which points of the other lie inside.

# %%
from sklearn.neighbors import NearestNeighbors


def plot_balls(axis, own, other, colors, k=3):
    """Balls around `own` up to the k-th neighbour; `other` is filled where a ball holds it."""
    radii = NearestNeighbors(n_neighbors=k + 1).fit(own).kneighbors(own)[0][:, -1]
    for point, radius in zip(own, radii, strict=True):
        axis.add_patch(plt.Circle(point, radius, color=colors[0], alpha=0.1))
    inside = (np.linalg.norm(other[:, np.newaxis] - own, axis=-1) <= radii).any(axis=1)
    axis.plot(*own.T, "s", color=colors[0], markersize=4)
    axis.plot(*other[inside].T, "o", color=colors[1])
    axis.plot(*other[~inside].T, "o", color=colors[1], fillstyle="none")
    axis.set(xlim=(-1.7, 5.7), ylim=(-2.1, 3.1), aspect="equal")
    return f"{inside.sum()} of {len(other)} inside"


# %% [markdown]
# **Predict, then run:** which of precision and recall suffers from the nonsense, and which from
# the group that G does not know?

# %%
figure, axes = plt.subplots(1, 2, figsize=(8.5, 3.1), layout="constrained")
blue, orange = "tab:blue", "tab:orange"
inside = plot_balls(axes[0], real_points, fake_points, (blue, orange))
axes[0].set_title(f"Precision: drawn points in real balls\n({inside})", fontsize=10)
inside = plot_balls(axes[1], fake_points, real_points, (orange, blue))
axes[1].set_title(f"Recall: real points in drawn balls\n({inside})", fontsize=10)
figure.supxlabel(
    "blue: real, orange: drawn; squares have the balls, a hollow dot lies in none", fontsize=10
)
plt.show()

# %% [markdown]
# Left, the nonsense lies in no real ball: precision falls. Right, the group that G does not know
# lies in no drawn ball: recall falls. The library's function counts the same:

# %% tags=["nbval-check-output"]
shares = precision_recall_density_coverage(real_points, fake_points, neighbours=3)
for name, value in shares._asdict().items():
    print(f"{name}: {value:.2f}")

# %% [markdown]
# ### Classes and copies
#
# Two more questions need no geometry.
#
# **Are all digits there?** A **mode** is a kind of image of which the data have many; here we take
# the ten digits. We let the evaluator sort the images and count the classes that get at least 1 %.
# How unequal the shares are is the *imbalance*: the share of images that would have to change class
# to make all ten equal. (`class_balance` calls it the distance from uniform. Real digits have a
# small imbalance, too: MNIST has more ones than fives.)
#
# **Are they copies?** A network that knows its training images by heart has learned nothing about
# other ones. That is **overfitting**, and a generator that does it draws copies. We look for the
# nearest training image of a drawn one, pixel by pixel. Here are eight images of our
# generator with their nearest neighbours:

# %%
from dcgan_lib import sample_latent


def samples(count, seed):
    """Draws images from our generator."""
    noise = sample_latent(count, generator.input_shape[-1], seed)
    return generator.predict(noise, batch_size=500, verbose=0)


# %% [markdown]
# (A **seed** is the number that a computer's random numbers start from: the same seed, the same
# images.)

# %%
drawn = samples(8, seed=3)
search = NearestNeighbors(n_neighbors=1).fit(train.reshape(len(train), -1))
nearest = search.kneighbors(drawn.reshape(8, -1))[1][:, 0]
titles = ["drawn"] * 8 + ["nearest"] * 8
plot_images(np.concatenate([drawn, train[nearest]]), columns=8, titles=titles)

# %% [markdown]
# Related, and not the same. `copied_share` makes a number of it: the share of images that are
# nearer to a training image than 99 of 100 real images that were not trained on. Honest images
# reach about 0.01, copies 1.
#
# ## 5 · What does each number see?
#
# Now we test the tests. We take *real* images, damage them in ways that we know, and see which
# number moves. One part of the held-out images is what we compare with; another part is damaged.

# %%
count = len(held) // 5
reference, reference_features = held[:count], held_features[:count]
rest, rest_labels = held[count:], labels[count:]
victims = rest[:count]
print(f"{count} real images to compare with, as many to damage")

# %% [markdown]
# Eight damages, and none at all:

# %%
draw = np.random.default_rng(1)
grain = draw.normal(0, 0.3, victims.shape).astype(np.float32)
damaged = {
    "nothing (the floor)": victims,
    "no sevens": rest[rest_labels != 7][:count],
    "only 100 images, repeated": np.resize(victims[:100], victims.shape),
    "training images": train[:count],
    "with noise": np.clip(victims + grain, -1, 1),
    "blurred": blurred(victims),
    "shifted by 3 pixels": np.roll(victims, 3, axis=2),
    "half the contrast": (victims + 1) / 2 - 1,
    "pure noise": noise_like(victims),
}

# %% [markdown]
# Six images of each, every hundredth (so "only 100 images" shows the same one six times):

# %%
from dcgan_lib import image_grid

figure, axes = plt.subplots(3, 3, figsize=(8.5, 2.9), layout="constrained")
for axis, (name, images) in zip(axes.flat, damaged.items(), strict=True):
    axis.imshow(image_grid(images[::100][:6], columns=6), cmap="gray", vmin=0, vmax=255)
    axis.set_title(name, fontsize=10)
    axis.axis("off")
plt.show()

# %% [markdown]
# One function computes every number for a set of images. (`confident` is the mean confidence,
# `copied` the copied share.)


# %%
def all_numbers(images, judged, real_images, real_features):
    """Every number of this notebook for one set of images, against real ones."""
    features, probabilities = judged
    size = min(1000, len(features))
    kernel, _ = kernel_distance(real_features, features, subsets=10, subset_size=size)
    classes = class_balance(probabilities)
    return {
        "Fréchet": frechet_distance(real_features, features),
        "kernel": kernel,
        **precision_recall_density_coverage(real_features, features)._asdict(),
        "confident": classes.confidence,
        "classes": classes.modes,
        "imbalance": classes.distance_from_uniform,
        "copied": copied_share(images[:500], train, real_images[:500]),
    }


# %% [markdown]
# **Predict before you run:** which numbers will notice that the sevens are missing? Which that only
# 100 images come again and again? Which that these are the training images themselves? And is
# there a damage that makes a number *better*?

# %%
real = reference, reference_features
table = {name: all_numbers(images, evaluator(images), *real) for name, images in damaged.items()}
columns = {name: max(9, len(name) + 1) for name in table["blurred"]}  # and how wide they are
print(" " * 25 + "".join(f"{name:>{width}}" for name, width in columns.items()))
for name, row in table.items():
    print(f"{name:25}" + "".join(f"{row[c]:{width}.3g}" for c, width in columns.items()))

# %% [markdown]
# Ninety numbers are hard to read. When is a difference from the floor worth attention? When it is
# larger than chance makes it. So we measure the floor several times, each time with other real
# images, and take its spread.

# %%
floors = []
for seed in range(5):
    order = np.random.default_rng(seed).permutation(len(held))
    one, two = order[:count], order[count : 2 * count]
    judged = held_features[two], held_probabilities[two]
    floors.append(list(all_numbers(held[two], judged, held[one], held_features[one]).values()))
floor, floor_spread = np.mean(floors, axis=0), np.std(floors, axis=0, ddof=1)

# %% [markdown]
# Now each difference from the floor in units of that spread (of at least 0.001: the number of
# classes never varies among real images, and we may not divide by 0).

# %%
values = np.array([list(row.values()) for row in table.values()])
surprise = np.abs(values - floor) / np.maximum(floor_spread, 0.001)
print("rows and columns:", surprise.shape)

# %% [markdown]
# The figure shows it as a heat map: pale yellow is "as real images are", dark red is "never seen in
# real images". Read it column by column: what does this number see? Then row by row: who notices
# this damage?

# %%
figure, axis = plt.subplots(figsize=(9, 4), layout="constrained")
shown = np.log10(np.clip(surprise, 1, 1000))
picture = axis.imshow(shown, cmap="YlOrRd", vmin=0, vmax=3, aspect="auto")
for (i, j), times in np.ndenumerate(surprise):
    text = f"{times:.0f}" if times < 1000 else "1000+"
    axis.text(j, i, text, ha="center", va="center", color="white" if times > 200 else "black")
axis.set_xticks(range(len(columns)), columns, rotation=30, ha="right")
axis.set_yticks(range(len(table)), table)
axis.set_title("Difference from the floor, in spreads of the floor")
bar = figure.colorbar(picture, ticks=range(4))
bar.set_ticklabels(["1 or less", "10", "100", "1000 or more"])
plt.show()

# %% [markdown]
# What to take from it (up to about 5 can be chance: five repeats give only a rough spread):
#
# - **No sevens.** The number of classes says it at once; both distances notice. Coverage and recall
#   lose about the tenth that are sevens. Precision sees nothing: what is drawn is fine.
# - **Only 100 images.** Precision and density are as good as ever, and all ten classes are there.
#   Recall and coverage collapse, recall even to 0: with every image there twenty times, the nearest
#   neighbours of an image are its own copies, and the balls have no size.
# - **Training images.** All numbers stay at the floor but one: only the copied share knows. No
#   distance protects you from a generator that recites.
# - **Noise and pure noise.** Nearly everything notices. But look at the confidence in the table:
#   noise on the digits lowers it, pure noise makes it 1.
# - **Blurred, half the contrast.** Both distances, recall and coverage notice. Precision does not
#   fall, it even rises a little, and at half the contrast density rises with it. These images
#   huddle in the middle of the real ones, where many balls overlap. High precision alone proves
#   nothing.
# - **Shifted.** All numbers that compare features notice, although you and I hardly would: in MNIST
#   every digit is centred. What the evaluator notices is not always what matters to you.
#
# No number sees everything. Between them, they leave little unseen.
#
# ## 6 · Only compare at the same sample size
#
# We compare real images with real images, at different sample sizes, ten times each. Both sides
# come from the same source. **Predict, then run:** will the Fréchet distance be 0 on average? Will
# it depend on the size?

# %%
sizes = [80, 125] if len(held) < 8000 else [250, 500, 1000, 2000, 4000]
frechets, kernels = [], []
for size in sizes:
    for seed in range(10):
        order = np.random.default_rng(seed).permutation(len(held))
        one, two = held_features[order[:size]], held_features[order[size : 2 * size]]
        frechets.append(frechet_distance(one, two))
        subsets = {"subsets": max(2, size // 500), "subset_size": min(size, 1000)}
        kernels.append(kernel_distance(one, two, **subsets)[0])
frechets, kernels = np.reshape(frechets, (-1, 10)), np.reshape(kernels, (-1, 10))

# %% [markdown]
# (The kernel distance looks at subsets of up to 1,000 images; more images mean more subsets.)

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(8.5, 3.2), layout="constrained")
left.loglog(sizes, frechets, ".", color="tab:blue", alpha=0.5)
left.loglog(sizes, frechets.mean(axis=1), "o-", color="tab:blue", label="mean")
guide = frechets[0].mean() * sizes[0] / np.array(sizes)
left.loglog(sizes, guide, "--", color="grey", label="proportional to 1/N")
left.set(xlabel="N, images on each side", title="Fréchet distance", xticks=sizes)
left.set_xticks([], minor=True)
left.set_xticklabels(sizes)
left.legend()
right.axhline(0, color="grey", linestyle="--")
right.semilogx(sizes, kernels, ".", color="tab:orange", alpha=0.5)
right.semilogx(sizes, kernels.mean(axis=1), "o-", color="tab:orange")
right.set(xlabel="N, images on each side", title="Kernel distance", xticks=sizes)
right.set_xticks([], minor=True)
right.set_xticklabels(sizes)
plt.show()

# %% [markdown]
# The Fréchet distance is never 0, and twice as many images about halve it. A mean and a covariance
# estimated from few images are off by chance, and the distance counts every error, in whichever
# direction, as distance. An error that does not average out is called a **bias**. The kernel
# distance has none: single values scatter, more widely with few images, but around 0.
#
# So a Fréchet distance from 1,000 images may not be compared with one from 10,000: the second
# would look better for no reason. Same evaluator, same real images, same number of samples, or no
# comparison. (Precision, recall, density and coverage change with the size, too.)
#
# ## 7 · Reading a quality curve, and when to stop
#
# ### How exact is one measurement?
#
# G's images depend on the random numbers that it gets. So the same generator gets a somewhat
# different distance each time. Eight seeds, 1,000 images each, as in the curve:

# %%
size = min(1000, len(held) // 2)
real_side = held_features[:size]
repeats = []
for seed in range(100, 108):
    features, _ = evaluator(samples(size, seed))
    repeats.append(frechet_distance(real_side, features))
noise_of_one = np.std(repeats, ddof=1)
print(f"the finished generator: {np.mean(repeats):.1f}, spread {noise_of_one:.1f}")

# %% [markdown]
# Differences of this size between two measurements mean nothing. (A training is measured with the
# same noise each time, so its curve is smoother than that. It does not help when you compare two
# *different* trainings. And the same recipe trained with another seed gives another generator: to
# compare recipes, train each with several seeds.)
#
# ### Two marks to compare with
#
# Below, the floor: what real images reach. (It was lower in section 3, with 5,000 images on each
# side instead of 1,000: section 6 told us why.) Above, real images blurred by a pixel, a damage
# that we can see and imagine; all against the same real images, and with the same number of
# samples.

# %%
blurred_features, _ = evaluator(blurred(held[size : 2 * size]))
blurred_mark = frechet_distance(real_side, blurred_features)
floor_mark = frechet_distance(real_side, held_features[size : 2 * size])
print(f"blurred real images {blurred_mark:.1f}, the floor {floor_mark:.1f}")

# %% [markdown]
# And the curve: dots are measurements, their bars the spread from above; the dashed line is the
# best value so far.

# %%
steps, distances = curve["step"][1:], curve["frechet_distance"][1:]
figure, axis = plt.subplots(figsize=(7.5, 3.4), layout="constrained")
axis.errorbar(steps, distances, noise_of_one, fmt="o", capsize=4, label="measured")
axis.plot(steps, np.minimum.accumulate(distances), "--", color="tab:red", label="best so far")
axis.axhline(blurred_mark, color="tab:green", linestyle=":", label="blurred real images")
axis.axhline(floor_mark, color="grey", linestyle=":", label="real images (the floor)")
axis.set(xlabel="step", ylabel="Fréchet distance", ylim=(0, None), title="Quality of the training")
axis.legend(fontsize=9)
plt.show()

# %% [markdown]
# How to read such a curve:
#
# - **Still falling** by more than the error bars: go on, more steps help. This is our curve, even
#   at its end.
# - **Level** for several measurements, within the error bars: more of the same does not help.
#   Change something else, or stop.
# - **Rising** while the losses look as before: something is breaking, often a class gets lost (the
#   column `modes` of `quality.csv` tells). Go back to a checkpoint of better days.
# - **Far above the floor**: the normal state of affairs. The floor is a limit, not a goal that a
#   minute of training reaches. Ours is better than the blurred images by step 400, and ends at
#   about three times the floor.
#
# *Best so far, or last?* Here they are the same; often they are not. The last is the honest one:
# you decided beforehand when to stop. The best of many measurements was also lucky. If you choose
# it, measure it again with fresh random numbers and other real images. In this project the test
# images serve for that, once, at the end, with 10,000 images on each side: `dcgan evaluate`. Our
# generator was measured so before it was published; `card["scores"]` has the result.
#
# ## 8 · When the number misleads
#
# Two sets of images: real digits, blurred, and digits that a generator has drawn. By the curve
# above, our finished generator is far better than blur, and that is no contest. So we train a
# beginner: the same recipe, stopped after an eighth of the steps. (`build_gan` makes both players
# and their loss, ready for `fit`.)

# %%
from dcgan_lib import RECIPES, build_gan, training_batches

fast, images = RECIPES["fast"], data.images[allowed]
gan = build_gan(fast, len(images))
batches = training_batches(images, fast.batch_size, fast.seed)
gan.fit(batches, steps_per_epoch=12 if QUICK else 250, shuffle=False, verbose=0)
beginner = gan.sampler  # the network that draws the samples

# %% [markdown]
# As many images as we have damaged:

# %%
noise = sample_latent(count, beginner.input_shape[-1], seed=4)
drawn = beginner.predict(noise, batch_size=500, verbose=0)
print("drawn by the beginner:", drawn.shape)

# %% [markdown]
# Before you look at any number: which do you like better?

# %%
pair = {"blurred": damaged["blurred"], "drawn by a beginner": drawn}
figure, axes = plt.subplots(1, 2, figsize=(8.5, 3), layout="constrained")
for axis, (name, images) in zip(axes, pair.items(), strict=True):
    axis.imshow(image_grid(images[:40], columns=10), cmap="gray", vmin=0, vmax=255)
    axis.set_title("real images, blurred" if name == "blurred" else name)
    axis.axis("off")
plt.show()

# %% [markdown]
# Left: blurred, but every one a digit that somebody wrote, and all kinds of them. Right: not
# blurred, but ragged, and some of them no digit at all. Opinions differ; what does the evaluator
# say? And what would *another* evaluator say? The library has a second one, of another
# architecture, that takes no part in any tuning. Its features have another scale, so only compare
# within a column.

# %%
table["drawn by a beginner"] = all_numbers(drawn, evaluator(drawn), *real)
second = Evaluator("second")
second_reference, _ = second(reference)

# %% [markdown]
# Both evaluators, and the floor of each:

# %%
print(f"{'Fréchet distance':24}{evaluator.name:>10}{second.name:>10}")
for name, images in {"nothing (the floor)": victims, **pair}.items():
    by_second = frechet_distance(second_reference, second(images)[0])
    print(f"{name:24}{table[name]['Fréchet']:10.1f}{by_second:10.1f}")

# %% [markdown]
# The first evaluator finds the blurred digits better, the second the beginner's, and neither by a
# little. Nobody is wrong here. A distance adds up everything that an evaluator happens to look at,
# each thing with the weight that it happens to have. And an evaluator that learned to read digits
# was never asked whether they look sharp: how much it minds blur, and how much scribbles, nobody
# decided.
#
# The other numbers say more about how the two differ. **Predict, then run:** the blurred images
# have a high precision and a low recall (section 5). And the beginner's?

# %%
of_blurred, of_drawn = table["blurred"], table["drawn by a beginner"]
for column in list(columns)[2:]:
    print(f"{column:12} blurred {of_blurred[column]:6.3f}   drawn {of_drawn[column]:6.3f}")

# %% [markdown]
# The lesson is not that distances are useless. Where the faults are of one kind (the steps of one
# run, the same damage stronger and weaker) a smaller distance does mean better images. Across
# *kinds* of faults it weighs apples against pears. So: several numbers, two evaluators for what you
# publish, and always look at the images.
#
# ### Which number for which question?
#
# | Question | Number to look at |
# |---|---|
# | Is the game between G and D balanced? | the losses (they say nothing else) |
# | Is this step, or this recipe, better than that? | Fréchet distance (same evaluator, same size) |
# | … with few samples? | kernel distance with its error |
# | Do the images look real? | precision, density |
# | Is there enough variety? | recall, coverage |
# | Are all digits drawn, equally often? | classes drawn, imbalance |
# | Did it learn the training images by heart? | copied share, nearest training images |
# | Is it as good as can be? | the floor beside each of these |
# | Is the difference real? | the spread over seeds, of samples and of trainings |
# | Would others agree? | the second evaluator, and your eyes |
#
# ## Exercises
#
# Each has a cell for your answer, with a check that tells you if it is right. The solutions are
# folded below; open them when you have tried.
#
# ### 1 · The Fréchet distance by hand
#
# Write the distance for one dimension, from two arrays of numbers: squared difference of the means
# plus squared difference of the spreads.


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 1 (run it, no need to read)
def check_distance(distance):
    draw = np.random.default_rng(8)
    one, two = draw.normal(1, 3, 5000), draw.normal(5, 1, 5000)
    by_library = frechet_distance(one[:, np.newaxis], two[:, np.newaxis])
    answer, moved = distance(one, two), distance(one, one + 2)
    if answer is ... or moved is ...:
        print("Not yet: replace ... by an expression.")
    elif np.ndim(answer):
        print("Not yet: the distance is one number. Take means, not the arrays themselves.")
    elif abs(moved - 4) > 0.05:
        print("Not yet: a set and the same moved by 2 have the distance 2² = 4, not", moved)
    elif abs(distance(one, one * 2 - one.mean()) - one.std() ** 2) > 0.05:
        print("The means are right. Hint: np.std gives the spread; square the difference.")
    elif abs(answer - by_library) > 0.05:
        print("Not yet: the library says something else of means 1 and 5, spreads 3 and 1.")
    else:
        print("Right: the same as the library's, for one feature.")


# %% [markdown]
# Your answer, and the check:


# %% tags=["nbval-check-output"]
def distance_by_hand(one, two):
    return ...  # your answer


check_distance(distance_by_hand)

# %% [markdown]
# *Solution, folded:*


# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 1
def solved_distance(one, two):
    return (one.mean() - two.mean()) ** 2 + (one.std() - two.std()) ** 2


check_distance(solved_distance)

# %% [markdown]
# ### 2 · Three patients
#
# Three generators were measured. What is wrong with each? The illnesses: `"recites"` (draws its
# training images), `"no sevens"`, `"repeats"` (draws a hundred images again and again), `"blurs"`.
#
# - Patient A: precision at the floor, recall 0, coverage a fifth, all ten classes, copied share 0.
# - Patient B: all at the floor, but the copied share is 1.
# - Patient C: precision at the floor, coverage about a tenth below it, imbalance above it.


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 2 (run it, no need to read)
def check_patients(**answers):
    known = ("recites", "no sevens", "repeats", "blurs")
    right = {"a": "repeats", "b": "recites", "c": "no sevens"}
    hints = {
        "a": "What is drawn looks real, but hardly any real image has a drawn one near it, not "
        "even roughly. Blur leaves some recall and coverage.",
        "b": "Which number was the only one to notice the training images?",
        "c": "About a tenth of all real images has no drawn one near. How many digits are there?",
    }
    for name, answer in answers.items():
        if answer is ...:
            print(f"Not yet: patient {name.upper()} has no answer.")
        elif answer not in known:
            print(f"Not yet: {answer!r} is not among {', '.join(known)}.")
        elif answer != right[name]:
            print(f"Not yet: patient {name.upper()}. {hints[name]}")
    if answers == right:
        print("Right, all three.")


# %% [markdown]
# Your answer, and the check:

# %% tags=["nbval-check-output"]
check_patients(a=..., b=..., c=...)  # your answer, such as a="blurs"

# %% [markdown]
# *Solution, folded:*

# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 2
check_patients(a="repeats", b="recites", c="no sevens")

# %% [markdown]
# ### 3 · Coverage
#
# Write coverage: the share of real points whose ball holds at least one drawn point. Two tables of
# distances are given: `real_to_real` has a row and a column for each real point,
# `real_to_fake` a row for each real and a column for each drawn point. Hints: in a sorted row of
# the first, number 0 is the point itself, so number k is its k-th neighbour. To compare each row
# with its own radius, make the radii a column: `radii[:, np.newaxis]`. `.any(axis=1)` says of
# every row if anything in it is true.


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 3 (run it, no need to read)
def check_coverage(coverage, k=5):
    draw = np.random.default_rng(9)
    real, fake = draw.normal(0, 1, (200, 3)), draw.normal(0.8, 0.5, (200, 3))
    tables = [np.linalg.norm(real[:, None] - other, axis=-1) for other in (real, fake)]
    answer = coverage(*tables, k)
    right = precision_recall_density_coverage(real, fake, k)
    nearer = np.mean(tables[1].min(axis=1) <= np.sort(tables[0], axis=1)[:, k - 1])
    if answer is ...:
        print("Not yet: replace ... by an expression.")
    elif np.ndim(answer):
        print("Not yet: a share is one number. The mean of true and false is the share of true.")
    elif abs(answer - right.coverage) < 1e-9:
        print("Right: the same as the library's.")
    elif abs(answer - nearer) < 1e-9:
        print("Nearly: number 0 of a sorted row is the point itself. Which is the k-th neighbour?")
    elif abs(answer - right.recall) < 1e-9 or abs(answer - right.precision) < 1e-9:
        print("Not yet: that is precision or recall. Whose balls, and who must lie inside?")
    else:
        print("Not yet: a ball counts once, however many drawn points it holds.")


# %% [markdown]
# Your answer, and the check:


# %% tags=["nbval-check-output"]
def my_coverage(real_to_real, real_to_fake, k):
    return ...  # your answer


check_coverage(my_coverage)

# %% [markdown]
# *Solution, folded:*


# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 3
def solved_coverage(real_to_real, real_to_fake, k):
    radii = np.sort(real_to_real, axis=1)[:, k]
    inside = real_to_fake <= radii[:, np.newaxis]
    return inside.any(axis=1).mean()


check_coverage(solved_coverage)

# %% [markdown]
# ## What you did
#
# - You saw that the losses stand still while the images get better.
# - You asked a classifier to rate images, and found out why its confidence is worth nothing.
# - You built the Fréchet distance step by step, from features to one number.
# - You saw in a plane what precision, recall, density and coverage count.
# - You damaged real images in eight ways, and saw which number notices which damage.
# - You found out why two numbers compare only at the same sample size.
# - You read a quality curve, decided when to stop, and met a case where the number misleads.
#
# **Next:** [notebook 08](08_when_training_fails.ipynb) breaks trainings on
# purpose, and shows how to notice.
