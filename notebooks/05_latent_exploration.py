# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 05 · Latent space: what lies between two digits?
#
# In this notebook you will
#
# - draw digits with a trained generator, and ask an evaluator what they are;
# - see how long a latent vector is, and why nearly all have the same length;
# - walk from one digit to another on a straight line and on an arc, and measure both;
# - fill the space between four digits;
# - look at the neighbours of a digit, and measure how far it is to another one;
# - calculate with digits (3 − 5 + a five), and see where that works and where it does not;
# - make latent vectors shorter and longer, and watch the variety;
# - film an endless walk;
# - find the directions that move the digits most, and steer them with sliders;
# - check that the generator does not copy its training images;
# - find the latent vector of a digit that it has never seen.
#
# **You need** Python and a little Keras: layers, models, `fit`. Nothing about GANs that is not
# said here. **Run time**: about a minute on two processor cores, no GPU: nothing is trained here.
#
# **Where we are.** A GAN has two players. The *generator* G draws images from random numbers; the
# *discriminator* D says whether an image is real or drawn by G. In
# [notebook 04](04_training.ipynb) they taught each other. Now the training is over, D may go, and
# we explore what G has learned.

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
# Our tests run this notebook with `DCGAN_PROFILE=quick`, on fewer images. Leave the variable unset
# and you get the real thing.

# %%
import os
from pathlib import Path

QUICK = os.environ.get("DCGAN_PROFILE", "full") == "quick"
RUNS = Path("runs") / "05"
RUNS.mkdir(parents=True, exist_ok=True)

# %% [markdown]
# ## 1 · A trained generator and an evaluator
#
# The project's default settings, the **recipe** `fast`, were trained once and *published*: the
# weights of G come with the library. `load_pretrained` loads them; its **model card** says where
# they come from and how good they are. (The Fréchet distance is explained in
# [notebook 07](07_measuring_quality.ipynb): lower is better, and real images reach the floor.)

# %%
from dcgan_lib import load_pretrained, model_card

generator, card = load_pretrained("fast"), model_card("fast")
scores = card["scores"]["quality"]
print("made by:", card["command"], "in", round(card["training_seconds"]), "seconds")
print("trained on", card["data"]["images"], "images of", card["data"]["name"])
print(f"Fréchet distance {scores['generator']['frechet_distance']:.1f},", end=" ")
print(f"floor {scores['floor']['frechet_distance']:.2f}")

# %% [markdown]
# A run of your own does as well: `dcgan train` trains it in a minute or two, and
# `dcgan_lib.training.load_generator("runs/...")` loads it.
#
# G draws each image from a **latent vector**: a list of random numbers, here 100, that says which
# image to draw ("latent" means hidden: you see the image, not the numbers). All possible lists
# together are the **latent space**. Each list is one point of it, and each point one image.
#
# The numbers come from the **standard normal** distribution: around 0, mostly between −2 and 2,
# each drawn independently of the others. `sample_latent` draws them. Its **seed** says where in the
# computer's fixed sequence of random numbers to begin: the same seed gives the same vectors.

# %% tags=["nbval-check-output"]
from dcgan_lib import sample_latent

LATENT_DIM = 100
latent = sample_latent(200 if QUICK else 2000, LATENT_DIM, seed=0)
print("a latent vector:", latent[0].shape, latent.dtype)

# %% [markdown]
# `paint` turns latent vectors into images. It calls G directly: `generator.predict` is made for
# many images and has a start-up cost at each call, which would make a slider sluggish.
# `training=False` is **inference mode**: what G draws for one vector does not depend on the others
# that are drawn at the same time ([notebook 02](02_generator.ipynb)).

# %%
from dcgan_lib import plot_images


def paint(latent):
    """Latent vectors (N, latent_dim) to images (N, 28, 28, 1) in [-1, 1]."""
    return generator(latent, training=False).numpy()


plot_images(paint(latent[:45]), columns=15, size=0.55, title="Points of latent space")

# %% [markdown]
# Which digits are these? You can see it, but later we want to ask about thousands. So we need a
# **evaluator**: a network that was trained to name the digits of
# MNIST, the real handwriting that our G learned from. It comes with the library and knows nothing
# of our G. For each image it gives ten probabilities. The largest one says which digit the
# evaluator *calls* it, and how sure it is: its **confidence**. (It also computes *features*; more
# about them in section 10.)

# %%
import numpy as np

from dcgan_lib import Evaluator

evaluator = Evaluator()


def ask(latent):
    """The evaluator's word on what G paints: probabilities (N, 10)."""
    return evaluator(paint(latent))[1]


# %% [markdown]
# What does it say about our sample, and how sure is it? If a number seems to be missing from the
# list, G did not draw that digit even once.

# %%
probabilities = ask(latent)
called, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
for digit in sorted(set(called.tolist())):
    print(f"called {digit}: {100 * (called == digit).mean():.0f} %")
print(f"average confidence: {confidence.mean():.2f}")

# %% [markdown]
# G draws all ten, none much more often than another. But an evaluator that has to say *some* digit
# will call even a scribble a 3 or a 9. Its confidence helps: low means "between two digits, or
# none". (High proves nothing, as section 7 shows.)
#
# For what follows we pick, for each digit, the vector whose image is the clearest in the
# evaluator's eyes.

# %%
clearest = latent[probabilities.argmax(axis=0)]  # for each digit the vector it is surest of
plot_images(paint(clearest), columns=10, titles=[f"{digit}" for digit in range(10)])

# %% [markdown]
# ## 2 · How long is a latent vector?
#
# The **norm** or **length** of a vector is its distance from 0: the root of the sum of the squares
# of its numbers. Each number is most likely near 0.
#
# **Predict, then run:** are most vectors of 100 such numbers near 0, too? Draw the histogram of
# their lengths in your mind, then run the two cells.

# %%
import matplotlib.pyplot as plt


def plot_lengths(dimensions):
    """Histograms of the lengths of standard normal vectors of so many numbers."""
    figure, axis = plt.subplots(figsize=(7, 2.8), layout="constrained")
    for dimension in dimensions:
        lengths = np.linalg.norm(sample_latent(20_000, dimension, seed=1), axis=1)
        axis.hist(lengths, bins=np.arange(0, 14, 0.1), alpha=0.6, label=f"{dimension} numbers")
        axis.axvline(np.sqrt(dimension), color="black", linestyle=":", linewidth=1)
    axis.set(xlabel="length of the vector", ylabel="vectors", xlim=(0, 14))
    axis.legend(title="dotted: √numbers", fontsize=9)
    plt.show()


# %%
plot_lengths([2, 10, 100])

# %% [markdown]
# With 100 numbers the length is nearly always between 8 and 12, and hardly ever below 7. The
# reason: each square is 1 on average, so the sum of 100 squares is about 100 and the length about
# √100 = 10. One square may be tiny, but a hundred squares all tiny at once do not happen.
#
# So the latent vectors that G met in training all lie in a thin shell around a sphere of radius
# 10. What lies deep inside, G has never been asked to paint.
#
# Two independent vectors are also nearly at a right angle, for a similar reason: in the sum of
# their 100 products, plus and minus cancel. That makes them about √2 · 10 ≈ 14 apart.

# %%
first, second = latent[: len(latent) // 2], latent[len(latent) // 2 :]
norms = np.linalg.norm(first, axis=1), np.linalg.norm(second, axis=1)
angles = np.degrees(np.arccos(np.sum(first * second, axis=1) / (norms[0] * norms[1])))
apart = np.linalg.norm(first - second, axis=1).mean()
print(f"angles: {angles.mean():.0f}° ± {angles.std():.0f}°, {apart:.1f} apart on average")

# %% [markdown]
# ## 3 · A walk between two digits
#
# **Interpolation** means finding points between two given ones. There are two natural ways:
#
# - **linear interpolation** follows the straight line from `start` to `end`: (1 − t) · start +
#   t · end, while the fraction t goes from 0 to 1;
# - **spherical interpolation** stays on the sphere and turns from `start` to `end` at an even
#   pace, as an aeroplane follows the curve of the earth and does not dig through it.
#
# This is the library's code for the turn. `angle` is the angle between the two vectors. The
# weights are chosen such that the length stays; for two vectors at a right angle they are cos and
# sin of the angle turned so far.


# %%
from dcgan_lib import UserError


def _spherical(start: np.ndarray, end: np.ndarray, fractions: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(start), np.linalg.norm(end)
    if min(lengths) == 0.0:
        raise UserError("a spherical walk needs two vectors that are not zero")
    cosine = np.clip(start @ end / (lengths[0] * lengths[1]), -1.0, 1.0)
    angle = np.arccos(cosine)
    if np.sin(angle) < 1e-6:  # (anti)parallel: the arc is not defined, the line is
        return (1 - fractions) * start + fractions * end
    weights = np.sin((1 - fractions) * angle), np.sin(fractions * angle)
    return (weights[0] * start + weights[1] * end) / np.sin(angle)


# %% [markdown]
# And `interpolate`, which checks its arguments and takes equal steps. `fractions` is a column, so
# that NumPy makes one row of the result for each step.

# %%
from typing import Literal


def interpolate(
    start: np.ndarray,
    end: np.ndarray,
    steps: int = 10,
    method: Literal["linear", "spherical"] = "spherical",
) -> np.ndarray:
    """Walks from one latent vector to another in equal steps, both ends included."""
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    if start.shape != end.shape or start.ndim != 1:
        raise UserError(f"shapes {start.shape} and {end.shape}: two vectors of one length needed")
    if steps < 2:
        raise UserError(f"steps={steps} is impossible; accepted: 2 or more")
    fractions = np.linspace(0.0, 1.0, steps)[:, np.newaxis]
    if method == "linear":
        return ((1 - fractions) * start + fractions * end).astype(np.float32)
    if method == "spherical":
        return _spherical(start, end, fractions).astype(np.float32)
    raise UserError(f"unknown method {method!r}; known: linear, spherical")


# %% [markdown]
# Both walks, from the clearest 5 to the clearest 8:

# %% tags=["nbval-check-output"]
start, end = clearest[5], clearest[8]
walks = {method: interpolate(start, end, 9, method) for method in ("linear", "spherical")}
for method, walk in walks.items():
    print(f"{method}: {walk.shape}")

# %% [markdown]
# We cannot look at 100 dimensions, but start, end and 0 lie in one plane, and so do both walks:
# the left picture is a true slice through latent space, turned so that the start lies straight to
# the right of 0. On the right is the length along the way; the grey band holds 98 of 100 latent
# vectors.

# %%
right = start / np.linalg.norm(start)
up = end - (end @ right) * right
up /= np.linalg.norm(up)
band = np.quantile(np.linalg.norm(sample_latent(5000, 100), axis=1), [0.01, 0.99])


def plot_walks(walks):
    """The walks in the plane of their ends, and the lengths along them."""
    figure, (plane, length) = plt.subplots(1, 2, figsize=(7.5, 3), layout="constrained")
    for method, walk in walks.items():
        plane.plot(walk @ right, walk @ up, marker=".")
        lengths = np.linalg.norm(walk, axis=1)
        length.plot(np.linspace(0, 1, len(walk)), lengths, marker=".", label=method)
    plane.plot(0, 0, "k+", markersize=10)
    for name, point in (("0", np.zeros(len(start))), ("start", start), ("end", end)):
        place = (point @ right, point @ up)
        plane.annotate(name, place, xytext=(5, 5), textcoords="offset points")
    plane.set(aspect="equal", title="The slice with 0, start and end", xlim=(-3, 13), ylim=(-1, 12))
    plane.set(xlabel="along the start", ylabel="at a right angle to it")
    length.legend(fontsize=9, loc="lower left")
    length.axhspan(*band, color="grey", alpha=0.25)
    length.set(ylim=(0, 13), xlabel="fraction t of the way", ylabel="length", title="Length")
    plt.show()


# %%
plot_walks(walks)

# %% [markdown]
# The middle of the straight line is shorter by a factor of about √2, far below the grey band. No
# vector of the training was ever so short. The arc keeps to the lengths of its two ends, and so
# stays in the band.
#
# Now the pictures. We shall often need rows of images with a label each:


# %%
def plot_rows(rows, labels, title=""):
    """Rows of as many images each, with a label on the left."""
    size = 7 / len(rows[0]), len(rows) + 0.5 * bool(title)
    figure, axes = plt.subplots(len(rows), 1, figsize=(7.6, size[0] * size[1]))
    for axis, row, label in zip(axes, rows, labels, strict=True):
        framed = np.pad(row[..., 0], ((0, 0), (1, 1), (1, 1)), constant_values=1)
        axis.imshow(np.hstack(list(framed)), cmap="gray", vmin=-1, vmax=1, interpolation="nearest")
        axis.set_ylabel(label, rotation=0, ha="right", va="center")
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    figure.suptitle(title)
    figure.set_layout_engine("constrained", h_pad=0.01)
    plt.show()


# %% [markdown]
# **Predict, then run:** will you see the difference between the walks?

# %%
plot_rows([paint(walk) for walk in walks.values()], list(walks))

# %% [markdown]
# Look closely at the middles: they are rather alike. Many pages claim that the straight line spoils
# the images in the middle. One walk proves nothing, so we measure many: how sure is the evaluator
# at each fraction of the way, and how much **variety** is there, as the average distance between
# two images that stand at the same fraction of different walks? (**Pixel distance**: subtract one
# image from the other, and take the length of what is left.) The function also returns the share of
# the commonest digit, which we need in section 7.


# %%
def gauge(latent):
    """Confidence, pixel distance of two images (averages), share of the commonest digit."""
    images = paint(latent)
    features, probabilities = evaluator(images)
    half = len(images) // 2
    pairs = (images[:half] - images[half : 2 * half]).reshape(half, -1)
    counts = np.bincount(probabilities.argmax(axis=1))
    distance = np.linalg.norm(pairs, axis=1).mean()
    return probabilities.max(axis=1).mean(), distance, counts.max() / len(images)


# %% [markdown]
# We walk between many random pairs. The walks of one method are stacked to an array (walks,
# steps, 100), of which `[:, i]` is the i-th step of all.

# %%
pairs = 10 if QUICK else 300
along = {}
for method in ("linear", "spherical"):
    ways = zip(latent[:pairs], latent[-pairs:], strict=True)
    points = np.stack([interpolate(a, b, 7, method) for a, b in ways])
    along[method] = np.array([gauge(points[:, i]) for i in range(7)])

# %%
figure, axes = plt.subplots(1, 2, figsize=(7.5, 2.8), layout="constrained")
for method, values in along.items():
    axes[0].plot(np.linspace(0, 1, 7), values[:, 0], marker=".", label=method)
    axes[1].plot(np.linspace(0, 1, 7), values[:, 1], marker=".", label=method)
axes[0].set(ylim=(0, 1), ylabel="evaluator's confidence", xlabel="fraction of the way")
axes[1].set(ylim=(0, 25), ylabel="distance of two images", xlabel="fraction of the way")
axes[0].legend(loc="lower left", fontsize=9)
figure.suptitle(f"{pairs} walks of each kind")
plt.show()

# %% [markdown]
# That is the honest result. The evaluator is as sure on the line as on the arc: the straight line
# does not spoil the images. Seven tenths of the usual length is short enough to be unusual, but our
# G copes. It has learned nothing inside the shell, but it is smooth enough to paint something
# sensible there. The right panel shows a small difference: in the middle of the line two images are
# a little more alike, about 6 % less apart than on the arc. Shorter vectors, less variety; section
# 7 goes farther that way.
#
# So why is the arc the library's default?
#
# - It keeps the variety: its curve in the right panel is level.
# - The line gets much shorter than this when the angle is larger than 90°: the way from `z` to `-z`
#   leads right through 0. Section 7 shows what G paints there.
# - Another G may be less good-natured; you do not know before you have looked.
# - The arc is as easy to compute.
#
# (The idea: White, *Sampling Generative Networks*, 2016.)
#
# ## 4 · Between four digits
#
# Two digits span a line, four span a square. `latent_grid` walks down the left side and down the
# right side, then from left to right in each row:


# %%
def latent_grid(corners: np.ndarray, rows: int = 8, columns: int = 8) -> np.ndarray:
    """Fills the square between four latent vectors, spherically in both directions."""
    corners = np.asarray(corners, np.float32)
    if corners.ndim != 2 or len(corners) != 4:
        raise UserError(f"corners of shape {corners.shape}; accepted: (4, latent_dim)")
    if rows < 2 or columns < 2:
        raise UserError(f"rows={rows}, columns={columns}; accepted: 2 or more of each")
    left = interpolate(corners[0], corners[2], rows)
    right = interpolate(corners[1], corners[3], rows)
    return np.concatenate([interpolate(*ends, columns) for ends in zip(left, right, strict=True)])


# %% [markdown]
# The corners are the clearest 0 and 1 (top), 2 and 3 (bottom). On the left what G paints, on the
# right what the evaluator calls it. **Predict, then run:** will there be other digits than these
# four?

# %%
from dcgan_lib import image_grid

square = latent_grid(clearest[[0, 1, 2, 3]], rows=8, columns=8)
said = ask(square)
figure, axes = plt.subplots(1, 2, figsize=(7.8, 3.7), layout="constrained")
axes[0].imshow(image_grid(paint(square), columns=8), cmap="gray", interpolation="nearest")
colours = axes[1].imshow(said.max(axis=1).reshape(8, 8), vmin=0, vmax=1, cmap="viridis")
for i, (digit, sure) in enumerate(zip(said.argmax(axis=1), said.max(axis=1), strict=True)):
    ink = "black" if sure > 0.6 else "white"
    axes[1].text(i % 8, i // 8, digit, ha="center", va="center", color=ink, fontsize=12)
for axis, title in zip(axes, ("G paints", "The evaluator says"), strict=True):
    axis.set(title=title, xticks=[], yticks=[])
figure.colorbar(colours, label="confidence", shrink=0.8)
plt.show()

# %% [markdown]
# Each digit owns a region, and neighbouring images look alike: G is **continuous**, a small step
# in latent space changes the image a little. At the borders between two regions stand images that
# are neither the one nor the other, and sometimes a third digit lies in between: follow an edge
# from corner to corner, and read what the evaluator says. Real digits have no such in-between
# forms. G must have them: there is no way from one region into another without crossing a border.
# But the borders are narrow: the evaluator is unsure of a few squares only.
#
# ## 5 · Neighbours
#
# A **neighbour** of a latent vector is another one at a small distance. We want neighbours in
# random directions, but still as long as the vector itself: otherwise we could not tell whether an
# image changes because of the direction or because of the length. `rescale` gives vectors a
# length; without one, that of an average latent vector, √100 = 10.


# %%
def rescale(latent: np.ndarray, length: float | None = None) -> np.ndarray:
    """Gives latent vectors a length, without turning them."""
    latent = np.asarray(latent, np.float64)
    length = np.sqrt(latent.shape[-1]) if length is None else length
    norms = np.linalg.norm(latent, axis=-1, keepdims=True)
    if not np.all(norms > 0) or not length > 0:
        raise UserError(f"length={length}; accepted: above 0, of vectors that are not zero")
    return (length * latent / norms).astype(np.float32)


# %% [markdown]
# `neighbours` draws random directions, takes from each what points along `z` itself, so that it
# is at a right angle to `z`, and turns `z` that way until it is `radius` from where it was. (A
# turn by an angle moves the tip of the vector by 2 · length · sin(angle / 2).)


# %%
def neighbours(z: np.ndarray, count: int = 10, radius: float = 1.0, seed: int = 0) -> np.ndarray:
    """Goes from one latent vector a given distance, in random directions, at constant length."""
    z = np.asarray(z, np.float64)
    length = np.linalg.norm(z)
    if z.ndim != 1 or z.size < 2 or length == 0:
        raise UserError(f"z of shape {z.shape}; accepted: one vector (latent_dim,), not zero")
    if not 0 <= radius <= 2 * length:
        raise UserError(f"radius={radius} is impossible; accepted: from 0 to {2 * length:g}")
    unit = z / length
    directions = sample_latent(count, z.size, seed).astype(np.float64)
    directions -= np.outer(directions @ unit, unit)  # what is left is at a right angle to z
    angle = 2 * np.arcsin(radius / (2 * length))
    turned = np.cos(angle) * unit + np.sin(angle) * rescale(directions, 1.0)
    return (length * turned).astype(np.float32)


# %% [markdown]
# Around the clearest 3: each column is one direction, each row a distance.
#
# **Predict, then run:** in which row do you see the first change, in which the first other digit?

# %%
radii = [0.5, 1, 2, 4, 8, 14]
around = [paint(neighbours(clearest[3], 12, radius)) for radius in radii]
plot_rows(around, [f"{radius}" for radius in radii], "Neighbours of a 3, by distance")

# %% [markdown]
# Small steps change the manner: thickness, the length of a stroke, how far the hook is open. From a
# distance of about 4 on, some directions lead to another digit (an 8, a 9); others keep the 3 much
# longer. At 14 nothing is left of it. (You have seen the last row: it is the beginning of "Points
# of latent space". `neighbours` drew its directions with the same seed, and who turns by nearly 90°
# arrives at the direction itself.)
#
# Now we measure: how many neighbours does the evaluator still call the same digit? We begin
# with images that the evaluator is sure of (the surer half), for those on a border change at once.

# %%
clear = np.flatnonzero(confidence >= np.median(confidence))[: 5 if QUICK else 120]
radii = np.linspace(0, 14, 3 if QUICK else 8)
same = []
for radius in radii:
    points = [neighbours(latent[i], 8, radius, seed=int(i)) for i in clear]
    now = ask(np.concatenate(points)).argmax(axis=1).reshape(len(clear), 8)
    same.append(now == called[clear, np.newaxis])
share = np.mean(same, axis=(1, 2))

# %% [markdown]
# `same` holds yes or no for each radius, start and direction. How large is the share of yes?

# %%
figure, axis = plt.subplots(figsize=(6, 2.8), layout="constrained")
axis.plot(radii, share, marker=".")
axis.axhline((np.bincount(called) ** 2).sum() / len(called) ** 2, color="grey", linestyle=":")
axis.axvline(apart, color="grey", linestyle=":")
axis.annotate("two random vectors ", (apart, 0.8), ha="right", color="dimgrey")
axis.annotate("two random images", (0, 0.13), color="dimgrey")
axis.set(ylim=(0, 1.05), xlabel="distance from the start", ylabel="still the same digit")
plt.show()
half = np.interp(-0.5, -share, radii)
print(f"Half of the neighbours are another digit at a distance of about {half:.1f}.")

# %% [markdown]
# Compare this with the distance of two random vectors, about 14. On the way there, in most
# directions, one digit turns into another sooner or later, and the share falls steadily, with no
# sharp edge. At the end of the curve the start is forgotten: the neighbours are the same digit
# about as often as two random images are (the horizontal dotted line).
#
# These are averages. The picture of the 3 showed that it depends on the direction how far a digit
# reaches: its region is no ball around the clearest digit.
#
# ## 6 · Averages, and calculating with digits
#
# All vectors whose images are called 3: what have they in common? We take their average. Each
# vector is (the common part) + (something random), and in the average the random parts cancel.
#
# **Predict, then run:** each vector has a length of about 10. How long is the average of two
# hundred of them?


# %%
def average_of(digit):
    """The average latent vector of the images called so; of the clearest if there is none."""
    members = latent[called == digit]
    return members.mean(axis=0) if len(members) else clearest[digit]


averages = np.stack([average_of(digit) for digit in range(10)])
print(np.linalg.norm(averages, axis=1).round(1))

# %% [markdown]
# Short, but not as short as an average of as many vectors picked blindly (10 / √200 ≈ 0.7): what
# is left is the common part. It could hardly be longer, whatever G does: even that tenth of all
# vectors which lies farthest along some direction is on average only 1.75 along it. So the vectors
# of one digit have little in common, and nearly all of their length differs from one to the next.
#
# No vector in the training was so short. Is it safe to paint them? We show the averages as they
# are, and rescaled to the length 10.

# %%
plot_rows([paint(averages), paint(rescale(averages))], ["average", "rescaled"])

# %% [markdown]
# The short vectors give bold, smooth digits in their most common form. Rescaled, what is typical of
# the digit is taken to the full length, and the strokes are more like those of the other samples;
# what is special is overdone, and some look odd. Neither is wrong. But they differ, so one should
# say which was shown.
#
# ### 3 − 5 + a five
#
# **Arithmetic of latent vectors**: if average(5) is "what is common to fives", then average(3) −
# average(5) should be the step from five to three. Add it to the vector of *some* five: do we get
# a three in the same handwriting? (Radford, Metz and Chintala, 2016, section 6.3.2, did this with
# faces and glasses.)
#
# We take fives that were not in the average, the ten that the evaluator is surest of, and add the
# step once, and three times.

# %%
fresh = sample_latent(60 if QUICK else 600, LATENT_DIM, seed=1)
fresh_said = ask(fresh)
fresh_called = fresh_said.argmax(axis=1)
fives = fresh[np.argsort(-fresh_said[:, 5])[:10]]
step = averages[3] - averages[5]
print(f"the step has a length of {np.linalg.norm(step):.1f}")

# %%
rows = [paint(rescale(fives + times * step)) for times in (0, 1, 3)]
plot_rows(rows, ["five", "+ step", "+ 3 steps"])

# %% [markdown]
# Most turn into threes, some with the first step, some later. Ten images are an
# anecdote, so we measure it for all pairs of digits, on the 600 vectors in `fresh`, which had no
# part in the averages: each gets a target other than its own digit, and we add the step to the
# target 0 to 4 times. How many arrive? A result like this needs a **control**, a comparison that
# shows what chance would do: steps of the same length in random directions.

# %%
shifts = np.random.default_rng(0).integers(1, 10, len(fresh))
target = (fresh_called + shifts) % 10
steps = averages[target] - averages[fresh_called]
random_steps = rescale(sample_latent(len(fresh), LATENT_DIM, seed=2), 1.0)
random_steps *= np.linalg.norm(steps, axis=1, keepdims=True)

# %% [markdown]
# `arrived(steps, times)`: which share of the vectors is then called the target?

# %%
times = np.arange(0, 5, 2 if QUICK else 1)


def arrived(steps, times):
    return (ask(rescale(fresh + times * steps)).argmax(axis=1) == target).mean()


figure, axis = plt.subplots(figsize=(6, 2.8), layout="constrained")
axis.plot(times, [arrived(steps, n) for n in times], marker=".", label="average − average")
axis.plot(times, [arrived(random_steps, n) for n in times], marker=".", label="random direction")
axis.set(ylim=(0, 1), xlabel="times the step was added", ylabel="called the target digit")
axis.set_xticks(times)
axis.legend(fontsize=9)
plt.show()

# %% [markdown]
# Three things to see:
#
# - It is no accident: one step brings more than half of the vectors to the target, two steps about
#   six in seven. Random steps of the same length bring hardly any.
# - It is no law either: after two steps the curve is nearly level, and one in seven is still
#   somewhere else. "One direction for each digit" is a good rule, with exceptions.
# - The more steps, the less is left of the five we came from: the threes of the last row are much
#   alike. What we add drowns the handwriting.
#
# Papers show the examples that worked. That is why we counted.
#
# ### A direction for the manner
#
# Thickness is easy to measure without any evaluator: the average brightness of the pixels. Here is
# a trap. If we compared the brightest with the darkest images *of all*, we should mostly compare
# zeros with ones, since a 1 needs little ink. So we compare within each digit: the third with the
# most ink minus the third with the least, averaged over the digits.

# %%
ink = paint(latent).mean(axis=(1, 2, 3))
differences = []
for digit in set(called.tolist()):
    members = latent[called == digit][np.argsort(ink[called == digit])]
    third = -(-len(members) // 3)
    differences.append(members[-third:].mean(axis=0) - members[:third].mean(axis=0))
thicker = np.mean(differences, axis=0)

# %% [markdown]
# We add it to the clearest digits: twice subtracted (top), not at all, twice added (bottom).

# %%
amounts = [-2, -1, 0, 1, 2]
rows = [paint(rescale(clearest + amount * thicker)) for amount in amounts]
plot_rows(rows, [f"{amount:+d}" for amount in amounts])

# %% [markdown]
# And the numbers, for the fresh vectors: the ink, and how many are still called the same digit.

# %%
for amount in amounts:
    moved = rescale(fresh + amount * thicker)
    brightness = (paint(moved).mean() + 1) / 2
    kept = (ask(moved).argmax(axis=1) == fresh_called).mean()
    print(f"{amount:+d}: ink {100 * brightness:.0f} %, the same digit {100 * kept:.0f} %")

# %% [markdown]
# The ink grows from line to line, as we wanted. The digit should stay, but one step up or down
# already changes nearly four in ten. The picture shows how: with less ink the 0 ends as a 3 and the
# 2 as a 1, with more the 1 and the 3 become a 0. The directions of manner and of digit are
# mixed in G. Nobody asked it to keep them apart; there are kinds of GANs that try (InfoGAN,
# StyleGAN). (Why not 100 % at +0? `rescale` gives all the length 10, and that alone tips a few that
# stood on a border.)
#
# ## 7 · Shorter and longer vectors
#
# Multiply all numbers by a **temperature**: below 1 the vectors are shorter, above 1 longer. Short
# vectors lie near the middle of the distribution, so one expects less variety and surer, more
# typical images. Large GANs trade one for the other in this way. A relative is **truncation**:
# numbers that are too far from 0 are drawn again.
#
# **Predict, then run:** what does G paint at temperature 0, when all vectors are the same?

# %%
temperatures = [0, 0.25, 0.5, 1, 2, 3]
rows = [paint(t * latent[:12]) for t in temperatures]
plot_rows(rows, [f"{t:g}" for t in temperatures], "The same vectors, by temperature")

# %% [markdown]
# At 0 there is one image, here a kind of 9. It need not be a digit at all, although 0 is the centre
# of all latent vectors: none of them was ever near it, and G has never been asked about it. Now the
# numbers for many vectors: confidence, variety, and the share of the commonest digit (`gauge` from
# section 3).

# %%
scales = np.linspace(0, 3, 4 if QUICK else 13)
some = latent[: 20 if QUICK else 400]
measured = np.array([gauge(t * some) for t in scales])

# %%
figure, axes = plt.subplots(1, 3, figsize=(7.8, 2.6), layout="constrained")
axes[0].plot(scales, measured[:, 0], marker=".")
axes[1].plot(scales, measured[:, 1], marker=".", color="tab:green")
axes[2].plot(scales, measured[:, 2], marker=".", color="tab:red")
axes[0].set(title="confidence", ylim=(0, 1.05))
axes[1].set(title="variety (pixel distance)", ylim=(0, None))
axes[2].set(title="commonest digit's share", ylim=(0, 1.05))
for axis in axes:
    axis.axvline(1, color="grey", linestyle=":", linewidth=1)
    axis.set_xlabel("temperature")
plt.show()

# %% [markdown]
# Read the panels from the dotted line, temperature 1, to the left. Variety falls slowly at first
# and then quickly, to nothing at 0, where one digit has the whole market. The sureness rises, as
# expected, but little and late: it was about 0.97 and ends at 1. The price is high. At 0.5, more
# than four in ten images are the same digit; at 0.25, more than eight in ten. The images do get
# smoother, but most of them become smooth nines: our G makes a poor trade.
#
# (Sure does not mean good: at temperature 3 the evaluator's confidence is still about 0.9, and the
# last row shows of what. How to measure quality is the subject of [notebook
# 07](07_measuring_quality.ipynb).)
#
# To the right, look at the pictures rather than the numbers: strokes fray and specks appear, for
# G has never been asked to paint vectors as long as these.
#
# ## 8 · An endless walk
#
# `tour` visits several latent vectors one after the other and returns to the first, on arcs. It
# drops the end of each leg, which is also the start of the next: otherwise the film would stop
# there for a frame.


# %%
def tour(corners: np.ndarray, steps: int = 10) -> np.ndarray:
    """Walks from each latent vector to the next, and from the last back to the first."""
    corners = np.asarray(corners, np.float32)
    if corners.ndim != 2 or len(corners) < 2:
        raise UserError(f"corners of shape {corners.shape}; accepted: (2 or more, latent_dim)")
    if steps < 1:
        raise UserError(f"steps={steps} is impossible; accepted: 1 or more")
    following = np.roll(corners, -1, axis=0)
    legs = zip(corners, following, strict=True)
    return np.concatenate([interpolate(a, b, steps + 1)[:-1] for a, b in legs])


# %% [markdown]
# Through all ten digits, and a film of it. `make_gif` lets the last frame stay for two seconds; we
# put the start there, so that the film rests on the 0.

# %% tags=["nbval-check-output"]
from dcgan_lib import make_gif

path = tour(clearest, steps=10)
frames = [image_grid(image[np.newaxis], zoom=4) for image in paint(path)]
gif = make_gif(frames[1:] + frames[:1], RUNS / "tour.gif", milliseconds=90)
print(path.shape, "→", len(frames), "frames of", frames[0].shape)

# %% [markdown]
# `embed_file` writes the file itself into the notebook, since a page that only links to a GIF often
# shows nothing; where tensorflow-docs is not installed, IPython can do it.

# %%
try:
    from tensorflow_docs.vis.embed import embed_file

    film = embed_file(gif)
except ImportError:
    from IPython.display import Image

    film = Image(filename=str(gif))
film

# %% [markdown]
# ## 9 · An explorer
#
# A hundred sliders, one for each latent number, would be of little use: each of them changes the
# image a bit, and none of them means anything. Are there directions that matter more than others?
#
# **Principal component analysis** (PCA) finds the ways in which a set of points differs most. The
# points are 2,000 drawn images. Each way of differing is then traced back to latent space: the
# **direction** whose latent numbers go with it.


# %%
import keras
from sklearn.decomposition import PCA

from dcgan_lib import generator_input, latent_dim_of


def principal_directions(
    generator: keras.Model, count: int = 4, samples: int = 2000, seed: int = 0
) -> np.ndarray:
    """Finds the directions of latent space in which the drawn images change most."""
    latent_dim = latent_dim_of(generator)
    if not 1 <= count <= latent_dim or samples <= count:
        raise UserError(
            f"count={count}, samples={samples}; accepted: a count from 1 to {latent_dim}, "
            "and more samples than that"
        )
    latent = sample_latent(samples, latent_dim, seed)
    images = generator.predict(generator_input(generator, latent), batch_size=500, verbose=0)
    ways = PCA(count, random_state=seed).fit_transform(images.reshape(samples, -1))
    slopes = latent.T @ ways / samples  # least squares: the numbers of z are independent
    directions, _ = np.linalg.qr(slopes)
    return directions.T.astype(np.float32)


# %% [markdown]
# The last lines: each column of `slopes` says how strongly each latent number goes with one way of
# differing, and `qr` turns the columns to right angles and gives them length 1. So one step along
# a direction is as long as any other.
#
# Each row goes from −5 to 5 along one direction, through the same 3 in the middle. Look for what
# changes from left to right.

# %%
directions = principal_directions(generator, 4, samples=200 if QUICK else 2000)
amounts = np.linspace(-5, 5, 11)
ways = [paint(clearest[3] + amounts[:, np.newaxis] * direction) for direction in directions]
names = [f"direction {number}" for number in range(1, 5)]
plot_rows(ways, names, "−5 ← along a direction → 5")

# %% [markdown]
# Five steps are much less than the distance between two random vectors (about 14, section 5), and
# still the digit becomes another one. A random direction does far less: **predict** what these
# rows would look like, then see.

# %%
others = rescale(sample_latent(4, LATENT_DIM, seed=3), 1.0)
ways = [paint(clearest[3] + amounts[:, np.newaxis] * direction) for direction in others]
plot_rows(ways, [f"at random {number}" for number in range(1, 5)], "−5 ← at random → 5")

# %% [markdown]
# Now the explorer. Its place is a `base` vector, plus so much of each direction, times the
# temperature of section 7. (Below 1: fewer surprises, less variety.)

# %%
import imageio.v3 as iio
import ipywidgets as widgets

wide = {"style": {"description_width": "8em"}}  # as wide as "temperature"
along = [widgets.FloatSlider(0, min=-6, max=6, description=name, **wide) for name in names]
warmth = widgets.FloatSlider(1, min=0, max=2, description="temperature", **wide)
picture = widgets.Image(format="png", width=224)
state = {"base": clearest[3], "seed": 100}


def repaint(change=None):
    shift = np.array([slider.value for slider in along]) @ directions
    image = paint(warmth.value * (state["base"] + shift)[np.newaxis])
    picture.value = iio.imwrite("<bytes>", image_grid(image, zoom=8), extension=".png")


# %% [markdown]
# Two ways to get to another base. A button draws a random one. And a walk leads from one digit to
# another, on the arc of section 3; `Play` moves its slider for you.

# %%
dice = widgets.Button(description="random digit")
start = widgets.Dropdown(options=range(10), value=3, description="walk from", **wide)
end = widgets.Dropdown(options=range(10), value=8, description="to", **wide)
play = widgets.Play(max=40, interval=100)
place = widgets.IntSlider(max=40, description="place", **wide)


def draw_at_random(button):
    state["seed"] += 1
    state["base"] = sample_latent(1, LATENT_DIM, state["seed"])[0]
    repaint()


def walk(change=None):
    state["base"] = interpolate(clearest[start.value], clearest[end.value], 41)[place.value]
    repaint()


# %% [markdown]
# `observe` says: whenever this value changes, call that. `jslink` ties the slider to the player
# within the page. The sliders work where the notebook is running, by mouse and by keyboard (Tab to
# a slider, then the arrow keys); a page on the web shows at most the first picture.

# %%
widgets.jslink((play, "value"), (place, "value"))
dice.on_click(draw_at_random)
for widget in (*along, warmth):
    widget.observe(repaint, "value")
for widget in (start, end, place):
    widget.observe(walk, "value")
repaint()
controls = widgets.VBox([*along, warmth, dice, start, end, place, play])
widgets.HBox([controls, picture], layout=widgets.Layout(align_items="flex-start"))

# %% [markdown]
# Things to try: find the direction that leads from 1 to 0. Set the temperature to 0 and move the
# sliders: why does nothing change? Walk from 4 to 9, then from 0 to 1, and watch where the
# digits in between are no digits.
#
# How long does a move of a slider take?

# %%
import time

started = time.perf_counter()
for number in range(10):
    along[0].value = number / 10 + 0.1  # this calls repaint
print(f"{100 * (time.perf_counter() - started):.0f} ms a move")
along[0].value = 0

# %% [markdown]
# The same without Python: a small generator that can be told which digit to draw
# ([notebook 09](09_beyond_dcgan.ipynb) explains how) runs *inside a web page*, a single file. It
# has a map of all ten digits, walks, four corners, arithmetic, the layers from inside, and a
# training to scrub through. Run the cell to see it here, or open
# [explorer.html](../dcgan_lib/shelf/explorer.html) in a browser; it needs no network.

# %% tags=["live"]
import html

from IPython.display import HTML

from dcgan_lib import EXPLORER_PAGE

page = html.escape(EXPLORER_PAGE.read_text())
frame = f'<iframe srcdoc="{page}" width="100%" height="800" title="latent explorer"></iframe>'
HTML(f"<div>{frame}</div>")

# %% [markdown]
# ## 10 · Does G copy?
#
# G never sees a real image; it only hears from D. Still, it could have learned training images by
# heart, and all our walks would be cross-fades between copies. So we look for the
# **nearest neighbour** of each drawing: the training image at the smallest distance.
#
# A distance alone says nothing. As a yardstick we take real images on which G was *not* trained
# (MNIST's test images): how far are *they* from their nearest training image? A copy would be much
# nearer.

# %%
from dcgan_lib import get_recipe, load_images, load_training_set, scale

recipe = get_recipe("fast")  # it says which images are held out and were never trained on
known = scale(load_training_set(recipe, "auto", 1000 if QUICK else None).images)
unseen = scale(load_images(split="test").images[: 40 if QUICK else 500])
drawn = paint(fresh[: len(unseen)])
print(f"{len(known)} training images, {len(drawn)} drawings, {len(unseen)} unseen real images")

# %% [markdown]
# Two distances. The pixel distance notices each shift by a pixel: the same digit drawn two pixels
# to the side counts as far away. So we also compare **features**: the numbers that the evaluator
# computes in its layer before the last, 64 for each image. They describe what matters for telling
# digits apart; where exactly a stroke lies matters less.

# %%
from sklearn.neighbors import NearestNeighbors


def nearest(points, known_points):
    """For each point, the distance to the nearest known one, and its number."""
    index = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(known_points)
    distances, numbers = index.kneighbors(points)
    return distances[:, 0], numbers[:, 0]


# %% [markdown]
# Each image becomes one row of numbers: its 784 pixels, or its 64 features. (Features take time,
# so for them we look through 10,000 of the training images only.)

# %%
by_pixels = [image.reshape(len(image), -1) for image in (drawn, unseen, known)]
by_features = [evaluator(image)[0] for image in (drawn, unseen, known[:10_000])]
found = {}
for name, (ours, real, theirs) in {"pixels": by_pixels, "features": by_features}.items():
    found[name] = nearest(ours, theirs), nearest(real, theirs)

# %% [markdown]
# First with our eyes: ten drawings, and under each its nearest training image by either distance.

# %%
rows = [drawn[:10]] + [known[found[name][0][1][:10]] for name in found]
plot_rows(rows, ["drawing", "by pixels", "by features"])

# %% [markdown]
# Related, but not the same: other slants, other hooks. (The two distances may disagree: the first
# drawing is nearest to a broken 9 by pixels, to a 5 by features.) Now all of them, next to the
# yardstick:

# %%
figure, axes = plt.subplots(1, 2, figsize=(7.8, 2.8), layout="constrained")
for axis, (name, (ours, real)) in zip(axes, found.items(), strict=True):
    bins = np.linspace(0, max(ours[0].max(), real[0].max()), 31)
    axis.hist(real[0], bins=bins, alpha=0.6, label="unseen real images")
    axis.hist(ours[0], bins=bins, alpha=0.6, label="drawings")
    axis.set(title=f"by {name}", xlabel="distance to the nearest training image", ylabel="images")
axes[1].legend(fontsize=9)
plt.show()
for name, (ours, real) in found.items():
    print(f"{name}: half are nearer than {np.median(ours[0]):.2f} (drawings),", end=" ")
    print(f"{np.median(real[0]):.2f} (unseen real images)")

# %% [markdown]
# (The small heaps at the left of the left panel are the ones, whose plain strokes are all alike.)
# A copying G would have a heap at distance 0, left of all real images.
# There is none: the drawings are as far from the training images as new real handwriting is, or
# farther. (Farther is no merit: it also comes from drawings that are no good digits.) Tests like
# this find only plain copies. The library's `copied_share` counts suspiciously near ones
# ([notebook 07](07_measuring_quality.ipynb)).
#
# ## 11 · Where is this digit?
#
# G turns vectors into images. For the way back, **GAN inversion**, we go downhill: draw, compare
# with the image, and move `z` along the gradient. G stays as it is. Vectors too short or too long
# for G (section 2) are pulled back.


# %%
from collections.abc import Callable

import tensorflow as tf


def descend(
    draw: Callable[[tf.Tensor], tf.Tensor], latent: np.ndarray, targets: np.ndarray, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Moves latent vectors (N, latent_dim) until they draw the targets (N, H, W, C)."""
    z, usual = tf.Variable(latent), latent.shape[1] ** 0.5
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.2, steps))
    optimizer.build([z])

    def errors() -> tf.Tensor:
        return tf.reduce_mean(tf.square(draw(z) - targets), axis=(1, 2, 3))

    @tf.function
    def step() -> None:
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(errors())
        optimizer.apply([tape.gradient(total, z)], [z])
        length = tf.norm(z, axis=1, keepdims=True)
        z.assign(z * tf.clip_by_value(length, usual - 2, usual + 2) / length)

    for _ in range(steps):
        step()
    return z.numpy(), errors().numpy()


# %% [markdown]
# Some starts end in a bad valley. `find_latent` therefore takes the four nearest of 2,000
# drawings as starts, and keeps the best end. Ten real digits that G never saw:

# %%
from dcgan_lib import find_latent

some = unseen[: 2 if QUICK else 10]
inverted = find_latent(generator, some, steps=20 if QUICK else 300)
redrawn = paint(inverted.latent)
plot_rows([some, redrawn, (redrawn - some) / 2], ["real", "found", "error"])
print("mean squared errors:", inverted.errors.round(2))

# %% [markdown]
# Now they are points like any other: we walk from the first to the second, and let the second
# change its hand (its neighbours at a distance of 2, 3 and 4).

# %%
here, there = inverted.latent[:2]
rows = [paint(interpolate(here, there, 10))]
rows += [paint(neighbours(there, 10, radius)) for radius in (2, 3, 4)]
plot_rows(rows, ["walk", "2", "3", "4"])

# %% [markdown]
# (The idea: Creswell and Bharath, 2016; Lipton and Tripathi, 2017.)
#
# ## Exercises
#
# Each has a cell for your answer, with a check that tells you if it is right. The solutions are
# folded below; open them when you have tried.
#
# ### 1 · The length of an average
#
# You draw 25 independent latent vectors of 100 standard normal numbers and take their average.
# About how long is it? (The average of 25 independent standard normal numbers has a spread of
# 1 / √25.) Try to find it on paper, then with `sample_latent`.


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 1 (run it, no need to read)
def check_length(length):
    if length is ...:
        print("Not yet: replace the ... by a number.")
    elif abs(length - 10) < 1:
        print("Not yet: that is the length of one vector. In the average, plus and minus cancel.")
    elif abs(length - 0.4) < 0.05:
        print("Not quite: dividing by 25 would be right if all numbers cancelled. They do not.")
    elif abs(length - 2) > 0.5:
        print("Not yet. Hint: each of the 100 numbers now has a spread of 1/5 instead of 1.")
    else:
        print("Right: 10 / √25 = 2. The average of many is close to 0.")


# %% [markdown]
# Your answer, and the check:

# %% tags=["nbval-check-output"]
length_of_average = ...  # your answer
check_length(length_of_average)

# %% [markdown]
# *Solution, folded:*

# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 1
check_length(np.linalg.norm(sample_latent(25, 100, seed=4).mean(axis=0)))

# %% [markdown]
# ### 2 · Seven, please
#
# G has no switch for the digit. But with an evaluator one can search: paint many, keep what fits.
# Write `find_digit`: given latent vectors (N, 100), the evaluator's probabilities (N, 10) for their
# images and a digit, return the `count` vectors that the evaluator is surest of, the surest first.
# (`np.argsort` sorts from small to large.)


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 2 (run it, no need to read)
def check_find(find):
    vectors = sample_latent(50, 100, seed=6)
    made_up = np.random.default_rng(6).dirichlet(np.ones(10), 50)
    right = vectors[np.argsort(-made_up[:, 7])[:4]]
    answer = find(vectors, made_up, 7, 4)
    if answer is ...:
        print("Not yet: replace the ... by an expression.")
    elif np.shape(answer) != (4, 100):
        print(f"Not yet: the shape is {np.shape(answer)}; count vectors are needed: (4, 100).")
    elif np.array_equal(answer, right[::-1]):
        print("Nearly: these are the right ones, but the surest should come first.")
    elif not np.array_equal(answer, right):
        print("Not yet: the evaluator is surer of others. Look only at the digit's column.")
    else:
        print("Right. Try plot_images(paint(find_digit(latent, probabilities, 7, 20))).")


# %% [markdown]
# Your function; the last line checks it:


# %% tags=["nbval-check-output"]
def find_digit(latent, probabilities, digit, count):
    return ...  # your answer


check_find(find_digit)

# %% [markdown]
# *Solution, folded:*


# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 2
def found_digit(latent, probabilities, digit, count):
    order = np.argsort(probabilities[:, digit])[::-1]
    return latent[order[:count]]


check_find(found_digit)

# %% [markdown]
# ### 3 · Round the sphere
#
# `tour` returns to its start with corners on the way. There is a walk that returns without any
# corner: a circle around 0. With two vectors `a` and `b` at a right angle, the point at the angle φ
# is cos φ · a + sin φ · b. Write `circle(a, b, steps)`: `steps` points, evenly spaced, beginning
# at `a`; the last is one step *before* `a`, so that a film of it has no frame twice. The shape is
# (steps, latent_dim): make φ a column with `[:, np.newaxis]`, like `fractions` in section 3.


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 3 (run it, no need to read)
def check_circle(circle):
    a, b = np.eye(2, 100) * 10
    way = circle(a, b, 12)
    if way is ...:
        print("Not yet: replace the ... by an expression.")
    elif np.shape(way) != (12, 100):
        print(f"Not yet: the shape is {np.shape(way)}, needed: (12, 100). Make φ a column.")
    elif not np.allclose(way[0], a, atol=1e-4):
        print("Not yet: the walk should begin at a, at φ = 0.")
    elif np.allclose(way[-1], a, atol=1e-4):
        print("Nearly: the last point is a again. Hint: np.linspace has an argument endpoint.")
    elif not np.allclose(np.linalg.norm(way, axis=1), 10, atol=1e-3):
        print("Not yet: the length should stay that of a and b.")
    elif not np.allclose(way[[3, 6]], [b, -a], atol=1e-3):
        print("Not yet: a quarter of the way should be b, half of it -a. φ goes from 0 to 2π.")
    else:
        print("Right. What lies opposite a 3, at -a? Try circle(clearest[3], latent[0], 24).")


# %% [markdown]
# Your function; the last line checks it:


# %% tags=["nbval-check-output"]
def circle(a, b, steps):
    return ...  # your answer


check_circle(circle)

# %% [markdown]
# *Solution, folded:*


# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 3
def round_walk(a, b, steps):
    angle = np.linspace(0, 2 * np.pi, steps, endpoint=False)[:, np.newaxis]
    return np.cos(angle) * a + np.sin(angle) * b


check_circle(round_walk)

# %% [markdown]
# In your own programs you need not copy anything from this page:
# `from dcgan_lib.latent import interpolate, latent_grid, neighbours, rescale, sample_latent, tour`.
#
# ## What you did
#
# - You drew digits with a trained generator, and asked an evaluator what they are.
# - You saw how long a latent vector is, and why nearly all have the same length.
# - You walked from one digit to another on a straight line and on an arc, and measured both.
# - You filled the space between four digits.
# - You looked at the neighbours of a digit, and measured how far it is to another one.
# - You calculated with digits, and saw where that works and where it does not.
# - You made latent vectors shorter and longer, and watched the variety.
# - You filmed an endless walk.
# - You found the directions that move the digits most, and steered them with sliders.
# - You checked that the generator does not copy its training images.
# - You found the latent vector of a digit that it has never seen.
#
# **Next:** [notebook 06](06_gan_vs_dcgan.ipynb) takes the convolutions away: what are they good
# for?
