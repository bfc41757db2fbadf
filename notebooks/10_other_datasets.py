# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 10 · Other images: the same library, other data
#
# In this notebook you will
#
# - see what a dataset must bring along, and which ones the library knows by name;
# - let the builders derive both networks from the images' size, and meet one that they refuse;
# - train on handwritten digits that need no network;
# - train on coloured shapes, and watch them take form;
# - ask our evaluator of digits about hearts and stars, and learn when not to believe a score;
# - check a generator without any evaluator: average, colours, nearest neighbours;
# - train on a folder of pictures and pack an `.npz`, as you would with your own;
# - watch D learn a hundred digits by heart, and cure it;
# - read how far a small DCGAN gets on Fashion-MNIST and on CIFAR-10, and try it.
#
# **You need** Python and a little Keras. Of GANs only this: a *generator* G draws images from
# random numbers, and a *discriminator* D learns to tell them from real ones
# ([notebook 04](04_training.ipynb)). **Run time**: about seven minutes on two processor cores, no
# GPU.

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
# Our tests run this notebook with `DCGAN_PROFILE=quick`: a few steps on few images, whose pictures
# show nothing. Leave the variable unset and you get the real thing.

# %%
import os
from pathlib import Path

QUICK = os.environ.get("DCGAN_PROFILE", "full") == "quick"
FEW = {"steps": 12, "max_images": 1000, "sample_every": 4, "log_every": 4}
SHORT = FEW if QUICK else {}
RUNS = Path("runs") / "10"

# %% [markdown]
# ## 1 · What a dataset must bring
#
# Everything so far learned from one kind of image: a grey digit of 28×28 **pixels** (the dots that
# an image is made of). Nothing in a GAN is about digits. Let us see what else the library can load.
#
# `load_images` gives three things: the images, a **label** for each (a whole number that says what
# is on it), and a name. The images are whole numbers from 0 to 255, an array of shape (number,
# height, width) if they are grey and (number, height, width, 3) if they are in colour. The 3 are
# the **channels**: how much red, green and blue.

# %% tags=["nbval-check-output"]
from dcgan_lib import load_images

for name in ("digits", "shapes"):
    data = load_images(name)
    print(f"{name}: {data.images.shape} {data.images.dtype}, labels 0 to {data.labels.max()}")

# %% [markdown]
# Both come without any network. `digits` are 1,500 real handwritten digits that scikit-learn
# brings along (and 297 more for testing); the library enlarges each and adds seven slightly turned
# and shifted copies. `shapes` are drawn by a small function in `dcgan_lib/data.py`: one shape in a
# random colour on a dark or a light ground. Size, place and turn are random too, but only a little.

# %%
from dcgan_lib import SHAPES, plot_images, scale

shapes = load_images("shapes")
names = [SHAPES[label] for label in shapes.labels[:20]]
plot_images(scale(shapes.images[:20]), columns=10, titles=names, title="Coloured shapes")

# %% [markdown]
# Why drawn shapes, when there are so many photographs? Because we know exactly what is in them:
# six classes, a sixth of the images each; every colour equally likely; no image twice. So we shall
# be able to say what a generator got wrong.
#
# They are easy on purpose, so that a small network can learn something in a few minutes: every
# shape is large, is shifted by at most one pixel in each direction, and is turned by at most nine
# degrees. Pictures of your own will be harder.
#
# A name that the library does not know is refused, and the message lists what it does know:

# %% tags=["nbval-check-output"]
from dcgan_lib import UserError

try:
    load_images("photos")
except UserError as error:
    print(error)

# %% [markdown]
# `auto` and `mnist` are the digits of the other notebooks, `mnist10k` is the part of them that
# comes with the library. `fashion_mnist` and `cifar10` come in section 9, your own folder or file
# in section 7.
#
# ## 2 · From the size to the networks
#
# **Which numbers of a recipe depend on the size of the images?** (A **recipe** is a named set of
# settings; ours is `fast`.) The generator begins with a small picture of many channels and enlarges
# it by **transposed convolutions**: layers whose **stride** says how many times larger the picture
# becomes ([notebook 02](02_generator.ipynb)). The small picture must have a whole number of
# pixels. This is the library's own function:

# %%
import math

from dcgan_lib import ImageShape, Recipe


def first_size(recipe: Recipe, image_shape: ImageShape) -> tuple[int, int]:
    """Returns (rows, columns) of the small picture that the strides enlarge to `image_shape`."""
    growth = math.prod(recipe.generator_strides)
    height, width, _ = image_shape
    if height % growth or width % growth:
        raise UserError(
            f"generator_strides={recipe.generator_strides} cannot reach {height}x{width} images: "
            f"both sides must be multiples of {growth}"
        )
    return height // growth, width // growth


# %% [markdown]
# `fast` has the strides 2 and 2, and **widths** (numbers of channels) of 64 and 32. For larger
# images there is a choice: a larger small picture, or one more doubling. `deeper` is `fast` with
# three of each.
#
# **Predict, then run:** with which will the 64-pixel generator be larger?

# %%
from dcgan_lib import RECIPES

fast = RECIPES["fast"]
deeper = fast.replace(
    generator_widths=(128, 64, 32),
    generator_strides=(2, 2, 2),
    discriminator_widths=(32, 64, 128),
)

# %% [markdown]
# The **parameters** are the numbers that training changes. We build both players for images of
# different sizes and count them:

# %% tags=["nbval-check-output"]
from dcgan_lib import build_discriminator, build_generator


def describe_networks(title, recipe, shape):
    """Prints where the generator begins, and how many parameters both players have."""
    rows, columns = first_size(recipe, shape)
    g, d = (build(recipe, shape).count_params() for build in (build_generator, build_discriminator))
    print(f"{shape} {title:7} begins at {rows:2}×{columns:<2}  parameters: G {g:9,}  D {d:9,}")


describe_networks("fast", fast, (28, 28, 1))
for shape in ((32, 32, 3), (64, 64, 3)):
    describe_networks("fast", fast, shape)
    describe_networks("deeper", deeper, shape)

# %% [markdown]
# Colour costs next to nothing: three channels instead of one, in the last layer of G and in the
# first of D, make about a thousand parameters more for each. Size costs much. With two doublings a
# 64-pixel image begins at 16×16, and the **Dense** layer before it (where every input is connected
# with every output) has to fill 16 · 16 · 64 numbers. With one more doubling it begins at 8×8, and
# both players have about half as many parameters. So the rule:
#
# - 28 or 32 pixels: two strides of 2, as `fast` has them (it begins at 7×7 or 8×8);
# - 64 pixels: three strides of 2, three widths for each player;
# - grey or colour: nothing to change, the builders look at the data.
#
# And 28 pixels with three doublings? 28 / 8 is no whole number:

# %% tags=["nbval-check-output"]
try:
    build_generator(deeper, (28, 28, 1))
except UserError as error:
    print(error)

# %% [markdown]
# `train_dcgan_mnist` makes this test before it writes a single file. Without it you would be
# stopped later, by an error about shapes deep inside Keras.
#
# More layers are not better as such: each is one more thing that must learn in step with the
# others. Begin with the shallowest network that fits.
#
# ## 3 · Digits without a network
#
# First the smallest change: other images of the same size. `fast` trains on the digits of
# scikit-learn as it is; only the word `data="digits"` is new. We take 300 **steps** (a step is one
# move of both players, on one **batch** of 64 images), a little less than a third of `fast`'s
# 1,000.

# %%
from dcgan_lib import train_dcgan_mnist

options = {"resume": False, "verbose": False, "hold_out": 0} | (SHORT or {"steps": 300})
digits_run = train_dcgan_mnist("fast", RUNS / "digits", data="digits", **options)
print("trained into", digits_run.folder.as_posix())

# %% [markdown]
# The **run folder** holds all that came out: settings, losses, pictures, both networks.
# (`hold_out=0`: by default a part of the images is kept apart for measuring quality. We measure
# with the test images here, so all others may be learned from.) Real ones above, drawn ones below;
# G draws each from a **latent vector**, its list of random numbers:

# %%
import numpy as np

from dcgan_lib import sample_latent

digits = load_images("digits")
drawn = digits_run.generator(sample_latent(20, 100, seed=1), training=False)
both = np.concatenate([scale(digits.images[:20]), drawn])
plot_images(both, columns=10, title="Two rows real, two rows drawn")

# %% [markdown]
# Three hundred steps give first digits: most of the drawn ones can be read, and many are cloudy.
# The strokes of the real ones are thick and soft because they *were* 8×8 pixels and have been
# enlarged.
#
# ## 4 · The first GAN in colour
#
# Now the shapes. G must learn more than with digits: six outlines, a smooth ground, and a colour
# that is the same all over a shape. `fast` again, with three changes:
#
# - Both **learning rates** (the size of a player's steps) fall along a cosine curve to a tenth, so
#   that the last steps are small ones.
# - 1,400 steps in place of 2,000.
# - Both players move at once, as on all of MNIST: `simultaneous`. On so few images they would take
#   turns.
#
# The last two settings keep no images apart, as before, and draw 36 samples.

# %%
recipe = RECIPES["fast"].replace(
    g_schedule="cosine",
    d_schedule="cosine",
    steps=1400,
    simultaneous=True,
    hold_out=0,
    num_samples=36,
)
print(f"rates: G {recipe.g_learning_rate}, D {recipe.d_learning_rate}; {recipe.steps} steps")

# %% [markdown]
# How were these settings found? By eye, on the pictures of one **seed** (the number that all chance
# is drawn from). That is no measurement, and another seed may do worse. With rates half as large
# the shapes were more mottled. And with the recipe `spectral`, whose D is held back
# ([notebook 09](09_beyond_dcgan.ipynb)), G came to draw light grounds only: keep that in mind for
# section 6.
#
# The picture shows 36 latent vectors, always the same. **Predict, then run:** what will G learn
# first: ground, colours or outlines?

# %%
run = train_dcgan_mnist(
    recipe, RUNS / "shapes", data="shapes", resume=False, show=True, verbose=False, **SHORT
)

# %% [markdown]
# The run folder has the picture of every hundredth step (`samples`). We cut the top row out of five
# of them:

# %%
import imageio.v3 as iio
import matplotlib.pyplot as plt

paths = sorted((run.folder / "samples").glob("*.png"))
chosen = [paths[round(share * (len(paths) - 1))] for share in (0, 0.1, 0.25, 0.5, 1)]
figure, axes = plt.subplots(len(chosen), 1, figsize=(6.5, 4.6), layout="constrained")
for axis, path in zip(axes, chosen, strict=True):
    row = iio.imread(path)[22:90]  # below the caption: one row of images
    axis.imshow(row, interpolation="nearest")
    axis.set_ylabel(f"step {int(path.stem.split('_')[1])}", rotation=0, ha="right", va="center")
    axis.set(xticks=[], yticks=[])
plt.show()

# %% [markdown]
# At step 100 there are grey clouds, and in some of them a ring. By step 400 both grounds stand in
# the row, with rings, a star, a heart and two blots. From then on most vectors keep their
# ground, while colours and outlines go on changing: a vector may end with another shape than it had
# at step 400. An outline is hard, probably because many pixels must agree on it. Now sixty latent
# vectors that G has never met:

# %%
from dcgan_lib import image_grid

fresh = run.generator.predict(sample_latent(60, 100, seed=5), verbose=0)
figure, axis = plt.subplots(figsize=(8.5, 3.9), layout="constrained")
axis.imshow(image_grid(fresh, columns=12), interpolation="nearest")
axis.set_title("Sixty fresh latent vectors: drawn, not copied")
axis.axis("off")
plt.show()

# %% [markdown]
# Discs, rings, hearts, triangles and stars: more than half can be named at once. Others are between
# two shapes. What is still wrong is plain to see. The squares look like cushions. All surfaces are
# mottled, or have a fine grid on them, and some change their colour half-way. And some grounds are
# light in one place and dark in another, which no real image has. A minute or two of training
# gets this far.
#
# ### Between two shapes
#
# Between two latent vectors lie others, and G draws an image for each
# ([notebook 05](05_latent_exploration.ipynb) is about these walks). Six walks, one in each row.
#
# **Predict, then run:** does a shape fade out while the other fades in, or does one turn into the
# other?

# %%
from dcgan_lib import interpolate

corners = sample_latent(12, 100, seed=11)
walks = [interpolate(corners[i], corners[i + 6], 11) for i in range(6)]
images = run.generator.predict(np.concatenate(walks), verbose=0)
figure, axis = plt.subplots(figsize=(8.5, 5), layout="constrained")
axis.imshow(image_grid(images, columns=11), interpolation="nearest")
axis.set_title("Walks through latent space: one shape turns into another")
axis.axis("off")
plt.show()

# %% [markdown]
# One turns into the other: outline and colour change on the way. Where the ground changes between
# dark and light, most of it does so within a few steps, and there it is in patches. No real
# image has such a ground or such a shape between two shapes. G must go through them because it is
# **continuous**: a small change of the latent vector changes the image a little, so there is no
# leap.
#
# ## 5 · An evaluator that knows only digits
#
# In [notebook 07](07_measuring_quality.ipynb) we measured quality with an **evaluator**: a
# **classifier** (a network that says which digit an image shows) trained once on MNIST and frozen.
# Can it measure shapes? It takes grey images of 28×28 pixels only, so we turn *real* shapes into
# such: light on black, as digits are, and two pixels cut off at each side.

# %%
from dcgan_lib import Evaluator

test = load_images("shapes", "test")
contrast = np.abs(test.images.astype(int) - test.images[:, :1, :1]).max(axis=-1)
grey = scale(contrast[:, 2:-2, 2:-2].astype(np.uint8))
plot_images(grey[:10], columns=10, title="Real shapes, dressed up as digits")

# %% [markdown]
# **Predict, then run:** it has ten answers, 0 to 9, and "none of these" is not among them. What
# will it say of a heart, and how sure will it be?

# %%
features, probabilities = Evaluator()(grey)
for label, name in enumerate(SHAPES):
    said = probabilities[test.labels == label]
    votes = np.bincount(said.argmax(axis=1), minlength=10) / len(said)
    confidence = said.max(axis=1).mean()
    print(f"{name:8} “{votes.argmax()}” for {votes.max():4.0%}, mean confidence {confidence:.2f}")

# %% [markdown]
# It answers every time. Of rings it is as sure as of real digits (0.995 in notebook 07), and of
# stars (0.93) surer than of the digits that a generator drew there (0.83). Of hearts and squares it
# is less sure (0.61 and 0.37), yet most hearts are a “9” to it. **Confidence**, the probability of
# its first choice, need not fall because a question makes no sense. So:
#
# - Scores that rest on this evaluator (Fréchet distance, precision, coverage, classes drawn) mean
#   something for MNIST, and with care for other handwritten digits of 28×28 pixels. Its features
#   are strokes and loops of digits; what sets a sleeve apart from a trouser leg it never learned.
# - For Fashion-MNIST the format fits, so that a program could compute a distance. The number would
#   be worth nothing. The library therefore writes a quality curve for digits only.
# - A score for other images needs an evaluator that was trained on them, or on something richer.
#   The usual one for photographs is a network trained on a million of them; it is not part of this
#   project.
#
# ## 6 · Checks that need no evaluator
#
# Three checks work with any images. None is a score of quality; each finds one kind of failure.
# We draw as many images as there are test images, which nobody trained on. The first line brings
# the real ones to the generator's scale, from -1 to 1.

# %%
real, unseen = scale(shapes.images), scale(test.images)
count = 100 if QUICK else len(unseen)
drawn = run.generator.predict(sample_latent(count, 100, seed=9), verbose=0)
print("drawn:", drawn.shape)

# %% [markdown]
# ### The average image
#
# The mean over all images shows where things are. The **standard deviation** of each pixel shows
# how much it differs from image to image: it is dark where images agree, bright where they differ.
# If G had **collapsed** to a few images, or always put the shape in the same place, it would show
# here.


# %%
def plot_mean_and_spread(sets):
    """Shows the mean and the standard deviation of each pixel, for two sets of images."""
    figure, axes = plt.subplots(1, 4, figsize=(9, 2.7), layout="constrained")
    for i, (title, images) in enumerate(sets.items()):
        axes[i].imshow(np.clip(images.mean(axis=0) * 2 + 0.5, 0, 1))
        axes[i + 2].imshow(images.std(axis=0).mean(axis=-1), vmin=0.4, vmax=1, cmap="magma")
        axes[i].set_title(f"mean, {title}", fontsize=10)
        axes[i + 2].set_title(f"spread, {title}", fontsize=10)
    for axis in axes:
        axis.axis("off")
    plt.show()


# %% [markdown]
# Real images nobody trained on beside drawn ones:

# %%
plot_mean_and_spread({"real": unseen, "drawn": drawn})

# %% [markdown]
# The mean of the real ones is grey (the contrast of both is raised four times): dark and light
# grounds cancel out, and so do the colours. The drawn one is lighter where the shapes stand, too,
# and speckled. A mean that was clearly darker or lighter all over would say that G prefers one of
# the grounds. The spread is brightest *outside*, since nothing differs more than a dark and a light
# ground. Where the shapes stand it is darker, and the drawn ones stand about where the real ones
# do. The drawn pictures are mottled: with a thousand images chance should cancel out, so G makes
# some mistakes at the same pixels again and again.
#
# ### The colours
#
# A **hue** is the place of a colour on the colour wheel, whatever its brightness. We count the
# hues of all strongly coloured pixels. Do not expect level bars for the real images: a bar rests on
# only about thirty of them, and the function that picked the colours divides the wheel a little
# differently from this one.


# %%
from matplotlib.colors import hsv_to_rgb, rgb_to_hsv

from dcgan_lib import unscale


def hues_of(images):
    """Returns the hues, from 0 to 1, of all pixels that are neither pale nor dark."""
    hue, saturation, value = np.moveaxis(rgb_to_hsv(unscale(images) / 255), -1, 0)
    return hue[(saturation > 0.35) & (value > 0.35)]


# %% [markdown]
# Colours that G never uses would be gaps; a favourite colour would be a tower.

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 2.6), sharey=True, layout="constrained")
edges = np.linspace(0, 1, 37)
colours = hsv_to_rgb(np.stack([edges[:-1] + 1 / 72, np.full(36, 0.75), np.full(36, 0.9)], axis=1))
for axis, (title, images) in zip(axes, {"real": unseen, "drawn": drawn}.items(), strict=True):
    shares = np.histogram(hues_of(images), edges)[0] / len(hues_of(images))
    axis.bar(edges[:-1], shares, width=1 / 36, align="edge", color=colours)
    axis.set(title=f"Hues of {title} images", xlabel="hue", xlim=(0, 1))
axes[0].set_ylabel("share of coloured pixels")
plt.show()

# %% [markdown]
# No hue is missing on the right, and none towers above the rest: the tallest bar is two to three
# times the lowest, as on the left. So G uses all colours. The bars on the right are more even
# from one to the next, because drawn shapes are mottled: one shape counts for several hues.
#
# ### Is it copying?
#
# A generator that learned its training images by heart would draw perfect shapes, and nothing new.
# So for each drawn image we look for its **nearest neighbour**: the training image with the
# smallest **distance**, the root of the summed squares of all pixel differences.


# %%
def nearest_in_training(images):
    """Returns the number of the nearest training image, and the distance to it."""
    a, b = images.reshape(len(images), -1), real.reshape(len(real), -1)
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    return squares.argmin(axis=1), np.sqrt(squares.min(axis=1).clip(0))


# %% [markdown]
# Ten drawn images above, and below each the training image that is most like it:

# %%
where, distances = nearest_in_training(drawn)
plot_images(
    np.concatenate([drawn[:10], real[where[:10]]]),
    columns=10,
    size=0.85,
    title="Drawn, and the nearest training image",
)

# %% [markdown]
# Alike in place, colour and ground, often in outline too, but never the same. Is this near, or
# suspiciously near? A number alone does not tell. We need something to compare with: how near are
# *real* images that nobody trained on? And what would copies look like? We make some: training
# images with a little noise.

# %%
noise = np.random.default_rng(0).normal(0, 0.05, real[:count].shape).astype(np.float32)
sets = {"drawn": drawn, "real, unseen": unseen, "copies with a little noise": real[:count] + noise}
figure, axis = plt.subplots(figsize=(7, 2.8), layout="constrained")
for title, images in sets.items():
    axis.hist(nearest_in_training(images)[1], np.linspace(0, 60, 121), alpha=0.6, label=title)
axis.set(xlabel="distance to the nearest training image", ylabel="images", ylim=(0, 250))
axis.legend(fontsize=9)
plt.show()

# %% [markdown]
# Copies stand in one narrow heap at about 3, where few unseen images lie (the axis is cut at 250:
# all of them are in it). The drawn images are on the other side: most lie further right than any
# unseen one, so this generator does not recite. But further right means less like any real image:
# mottled surfaces, patched grounds and odd forms cost distance. It is a sign of poor quality, too.
# The library's `copied_share` makes one number of it: the share of images that are nearer to the
# training set than all but one in a hundred of the unseen.

# %%
from dcgan_lib import copied_share

for title, images in sets.items():
    print(f"{title:28} {copied_share(images, real, unseen):.3f}")

# %% [markdown]
# For copies it is 1, for unseen images 0.01 by definition. For the drawn ones it is 0. That says
# only that they are no copies, not that they are good.
#
# ## 7 · Your own pictures
#
# ### A folder
#
# Give the library the path of a folder. Pictures may be whatever Pillow opens; sub-folders are
# **classes** (kinds of images), numbered in the order of their names. To have some, we write 400 of
# the test shapes as PNG files, one sub-folder for each shape.

# %%
folder = RUNS / "pictures"
for number in range(400):
    place = folder / SHAPES[test.labels[number]]
    place.mkdir(parents=True, exist_ok=True)
    iio.imwrite(place / f"{number:04d}.png", test.images[number])

# %% [markdown]
# And load them. Every sixth picture becomes a test image. (A training on fewer than 500 pictures
# takes these too: it cannot spare them, unless you put some aside with `hold_out=`.)

# %% tags=["nbval-check-output"]
print("sub-folders:", *sorted(place.name for place in folder.iterdir()))
for split in ("train", "test"):
    own = load_images(str(folder), split)
    print(f"{split}: {own.images.shape}, labels {np.unique(own.labels)}, name {own.name!r}")

# %% [markdown]
# What happens to pictures that are not so tidy?
#
# - Each is cropped to a square around its middle, for a photograph squeezed to a square would teach
#   G squeezed things, and then shrunk.
# - All get the same size: 64, 32 or 28 pixels, the largest that the smallest picture can fill.
#   Enlarging would teach G to blur. One tiny picture among a few thus makes all of them small: take
#   it out. (Of many, one in a hundred may be too small: it is left out. So is a picture below 28
#   pixels.)
# - They are grey if all of them are, else in colour. What is transparent becomes white.
# - Sub-folders called `train`, `val` and `test`, and no others beside them, are no classes: what is
#   in `test` is the test split, and the rest is trained on.
# - A file that ends in `.png` and is none is left out, and named rather than passed over in
#   silence:

# %% tags=["nbval-check-output"]
import contextlib
import io

bad = folder / "circle" / "notes.png"
bad.write_text("this is not an image")
notice = io.StringIO()
with contextlib.redirect_stderr(notice):
    print(len(load_images(str(folder)).images), "images to train on")
print(notice.getvalue().replace(str(folder), "pictures").rpartition(":")[0])
bad.unlink()

# %% [markdown]
# Training is the same line as before, with the path for `data`. Twenty-four steps only show that
# it runs. In earnest, give it pictures that are much alike; section 8 shows how few will do.

# %%
few = {"steps": 24, "batch_size": 32, "resume": False, "verbose": False}
own_run = train_dcgan_mnist("fast", RUNS / "own", data=str(folder), **few)
print("draws images of shape", own_run.generator.output_shape[1:])

# %% [markdown]
# The run remembers the folder by its full path (in `recipe.json`), so it resumes from anywhere as
# long as the pictures stay where they are. In a terminal it would be
# `dcgan train --data pictures --steps 2000`.
#
# ### An `.npz` file
#
# NumPy's `.npz` holds several arrays in one file. The library knows many forms of it (`load_images`
# lists them). The plainest has four arrays: `x_train` and `x_test`, the images (`uint8`: whole
# numbers from 0 to 255), and `y_train` and `y_test`, their labels. It is the format of `mnist.npz`,
# and much quicker to read than thousands of files.

# %% tags=["nbval-check-output"]
arrays = {"x_train": shapes.images[:600], "y_train": shapes.labels[:600]}
arrays |= {"x_test": test.images[:100], "y_test": test.labels[:100]}
np.savez(RUNS / "own.npz", **arrays)
print(load_images(str(RUNS / "own.npz")).images.shape)

# %% [markdown]
# ## 8 · From a hundred images
#
# People come with a hundred pictures, not with sixty thousand. Nothing keeps D from learning a
# hundred by heart. It then calls *these* real and all others fake, and teaches G nothing more about
# digits. Let us see it, on 100 digits of MNIST, with the cure switched off (and with
# `restart=False`: otherwise the run would begin again and again, see
# [notebook 08](08_when_training_fails.ipynb)):

# %%
DIGITS = {"max_images": 100, "hold_out": 0, "steps": 12 if QUICK else 1500, "verbose": False}
DIGITS |= {"sample_every": 500, "data": "mnist10k", "resume": False}
off = {"augmentations": (), "restart": False}
by_heart = train_dcgan_mnist("fast", RUNS / "by_heart", **off, **DIGITS)
latent = sample_latent(24, 100, seed=1)
plot_images(by_heart.generator.predict(latent, verbose=0), columns=12, title="By heart")

# %% [markdown]
# The cure is to never show D the same image twice. Each image that D sees, real or drawn, is moved
# a little, turned and scaled, differently every time (Zhao et al. 2020, "Differentiable
# Augmentation for Data-Efficient GAN Training"; Karras et al. 2020). G must learn *through* the
# change: else it would draw crooked digits.
#
# The library does this in a layer of its own at D's entrance, which is active only in training. Its
# heart is this method. For each image it draws an angle, a size and a shift, and says from where
# in the image each pixel is taken: the six numbers of an affine map (two more are for perspective,
# and 0).

# %%
import tensorflow as tf
from keras import ops


def movements(self, images: tf.Tensor) -> tf.Tensor:
    """Returns (batch, 8): from where each pixel (x, y) is taken, as `affine_transform` asks."""
    height, width = images.shape[1:3]
    angle = self.draw("turn", images, np.pi / 18)
    size = ops.exp(self.draw("scale", images, 0.1))
    mirror = ops.sign(self.draw("flip", images, 1.0) + 1e-9)
    a, b = size * ops.cos(angle), size * ops.sin(angle)
    x, y = (width - 1) / 2, (height - 1) / 2  # the middle stays, but for the shift
    right = x + self.draw("shift", images, width / 8)
    down = y + self.draw("shift", images, height / 8)
    rows = [mirror * a, -b, right - mirror * a * x + b * y]
    rows += [mirror * b, a, down - mirror * b * x - a * y, 0 * a, 0 * a]
    return ops.stack(rows, axis=1)


# %% [markdown]
# What D sees of the same eight digits, at four steps of the training:

# %%
from dcgan_lib.beyond.augmentation import Augmentation

hundred = scale(load_images("mnist10k").images[:100])
layer = Augmentation(("shift", "turn", "scale"))
seen = [hundred[:8]] + [layer(hundred[:8], training=True) for _ in range(4)]
plot_images(np.concatenate(seen), columns=8, size=0.7, title="Digits, and what D sees of them")

# %% [markdown]
# With fewer than 5,000 images the library switches this on by itself, and says so. (It also lets
# the players take turns, which is safer; see [notebook 04](04_training.ipynb).) The same training
# again, with nothing switched off:

# %%
cured = train_dcgan_mnist("fast", RUNS / "cured", **DIGITS)
plot_images(cured.generator.predict(latent, verbose=0), columns=12, title="Changed at random")

# %% [markdown]
# How would you notice without looking? Show D real digits that it was *not* trained on. If it calls
# them fake, it has learned the others by heart:

# %%
others = scale(load_images("mnist10k").images[1000:2000])
for title, run in {"by heart": by_heart, "changed at random": cured}.items():
    known, unknown = (run.discriminator(x).numpy() > 0 for x in (hundred, others))
    drawn = run.generator(sample_latent(1000, 100, seed=2)).numpy()
    copied = copied_share(drawn, hundred, others)
    print(f"{title}: called real: {known.mean():.0%} of the 100, {unknown.mean():.0%} of others;")
    print(f"    copies among the drawn: {copied:.1%}")

# %% [markdown]
# A run with images held out watches this gap and names it. `dcgan train --data FOLDER` is all you
# need for pictures of your own. If you have time, give it `--steps 5000`.
#
# ## 9 · Fashion-MNIST and CIFAR-10
#
# **Not trained here.** Keras downloads both datasets from the internet, and the computer on which
# this notebook was made could not reach it. So the outputs below show nothing of them, and there
# is no score of ours to quote. The code is complete: set `DOWNLOAD = True` where you have internet
# (Colab, for instance) and run the cells.

# %%
DOWNLOAD = False  # True: download (30 MB for Fashion-MNIST, 170 MB for CIFAR-10) and train


def train_if_wanted(name, recipe, **settings):
    """Trains on a dataset from the internet and returns real images above drawn ones."""
    if not DOWNLOAD:
        return print(f"{name}: not tried, because DOWNLOAD is False")
    try:
        found = load_images(name)
    except UserError as error:  # out of reach: it says what to do
        return print(error)
    trained = train_dcgan_mnist(recipe, data=name, verbose=False, **settings)
    drawn = trained.generator.predict(sample_latent(20, 100, seed=1), verbose=0)
    return plot_images(np.concatenate([scale(found.images[:20]), drawn]), columns=10, title=name)


# %% [markdown]
# **Fashion-MNIST** (Xiao, Rasul and Vollgraf 2017) was made to replace MNIST one to one: 60,000
# grey images of 28×28, ten kinds of clothes. So `fast` fits as it is. Whole garments have grey
# shades and patterns where digits are black and white, which is more for G to learn.

# %%
train_if_wanted("fashion_mnist", "fast")

# %% [markdown]
# **CIFAR-10** (Krizhevsky 2009) has 50,000 colour photographs of 32×32 pixels: aeroplanes, cars,
# birds, cats and six more. The size is that of our shapes, and so would the settings be. We have
# not tried them; expect to change them.

# %%
train_if_wanted("cifar10", recipe)

# %% [markdown]
# What may you hope for? Photographs are far harder than shapes: every image has another ground,
# and a cat has no outline that two cats share. A figure from the literature, the *inception score*
# (higher is better; computed with a classifier of photographs, so it has nothing to do with our
# evaluator):
#
# - real images of CIFAR-10: 11.24 (Salimans et al. 2016, "Improved Techniques for Training GANs",
#   table 3);
# - a DCGAN without labels: 6.16 (as listed by Gulrajani et al. 2017, "Improved Training of
#   Wasserstein GANs", table 3);
# - in the same table, a residual network (a deeper kind) with the loss of that paper: 7.86.
#
# So even a full-sized DCGAN, trained long on a graphics card, stays far from the real images, and
# ours is smaller. What to expect from it is colour, ground and something like an object, seldom one
# that you can name. How to get further: more channels, more steps, the losses of
# [notebook 09](09_beyond_dcgan.ipynb), and telling both players the class.
#
# ## Exercises
#
# Each has a cell for your answer, with a check that tells you if it is right. The solutions are
# folded below; open them when you have tried.
#
# ### 1 · Which size?
#
# A folder holds three photographs of 640×480, 1024×768 and 60×45 pixels. What size will
# `load_images` give them all, and what size would it be without the third?


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 1 (run it, no need to read)
def check_sizes(with_third, without_third):
    if with_third is ... or without_third is ...:
        print("Not yet: replace both ... by numbers.")
    elif with_third in (45, 60):
        print("Not yet: there are only three sizes to choose from. See section 7.")
    elif with_third == 64:
        print("Not yet: 64 pixels would enlarge the third picture. Its shorter side counts.")
    elif with_third != 32:
        print("Not yet. Hint: which of 64, 32 and 28 is the largest that fits into 45?")
    elif without_third != 64:
        print("The first is right. Hint: the other two are larger than the largest size.")
    else:
        print("Right: one small picture halves the size of all.")


# %% [markdown]
# Your answer, and the check:

# %% tags=["nbval-check-output"]
size_with_third, size_without_third = ..., ...  # your answer
check_sizes(size_with_third, size_without_third)

# %% [markdown]
# *Solution, folded:*

# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 1
check_sizes(32, 64)

# %% [markdown]
# ### 2 · Networks for 64 pixels
#
# Change `fast` so that its generator for 64×64 colour images begins at 4×4 pixels. Every stride
# should be 2. You need as many widths as strides; let the discriminator have as many convolutions.


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 2 (run it, no need to read)
def check_recipe(changes):
    if changes is ...:
        return print("Not yet: replace the ... by a dictionary of settings.")
    try:
        recipe = fast.replace(**changes)
        first = first_size(recipe, (64, 64, 3))
        build_generator(recipe, (64, 64, 3)), build_discriminator(recipe, (64, 64, 3))
    except UserError as error:
        return print("Not yet:", error)
    if set(recipe.generator_strides) != {2}:
        print("Not yet: every stride should be 2. Larger ones leave gaps between the stamps.")
    elif first != (4, 4):
        print(f"Not yet: it begins at {first[0]}×{first[1]}. How many doublings from 4 to 64?")
    elif len(recipe.discriminator_widths) != len(recipe.generator_strides):
        print("Nearly: give the discriminator as many widths as the generator has strides.")
    else:
        print("Right: four doublings from 4 to 64, and four halvings back.")


# %% [markdown]
# Replace the `...` by a dictionary such as `{"generator_strides": (2, 2)}`:

# %% tags=["nbval-check-output"]
changes = ...  # your answer
check_recipe(changes)

# %% [markdown]
# *Solution, folded:*

# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 2
widths = (256, 128, 64, 32)
check_recipe(
    {
        "generator_widths": widths,
        "generator_strides": (2, 2, 2, 2),
        "discriminator_widths": widths[::-1],
    }
)

# %% [markdown]
# ### 3 · Pack an `.npz`
#
# Somebody left you `left`: 60 grey images of 32×32 as floats from 0 to 1, and words for labels.
# Turn them into the four arrays that the library accepts: the first 50 for training, the other 10
# for testing, and each word as its place in the alphabetical list of words.

# %%
left_images = shapes.images[:60].mean(axis=-1) / 255
left_words = [SHAPES[label] for label in shapes.labels[:60]]
print(left_images.shape, left_images.dtype, left_words[:3])


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 3 (run it, no need to read)
def check_arrays_of(arrays):
    if any(array is ... for array in arrays.values()):
        return print("Not yet: replace every ... by an array.")
    np.savez(RUNS / "packed.npz", **arrays)
    try:
        train, held = (load_images(str(RUNS / "packed.npz"), s) for s in ("train", "test"))
    except UserError as error:
        return print("Not yet:", str(error).split("cannot be used: ")[-1])
    words = sorted(set(left_words))
    if len(train.images) != 50 or len(held.images) != 10:
        print(f"Not yet: {len(train.images)} for training and {len(held.images)} for testing.")
    elif np.abs(np.concatenate([train.images, held.images]) / 255 - left_images).max() > 0.01:
        print("Not yet: the images have changed. Is black still 0, and white 255?")
    elif [words[i] for i in (*train.labels, *held.labels)] != left_words:
        print("Nearly: the labels do not stand for the words. Alphabetical order, from 0.")
    else:
        print("Right: the library takes it.")


# %% [markdown]
# Your answer (`uint8` numbers: multiply, round, `.astype(np.uint8)`), and the check:

# %% tags=["nbval-check-output"]
packed = {"x_train": ..., "y_train": ..., "x_test": ..., "y_test": ...}  # your answer
check_arrays_of(packed)

# %% [markdown]
# *Solution, folded:*

# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 3
pixels = np.rint(left_images * 255).astype(np.uint8)
numbers = np.array([sorted(set(left_words)).index(word) for word in left_words])
packed = {"x_train": pixels[:50], "y_train": numbers[:50]}
packed |= {"x_test": pixels[50:], "y_test": numbers[50:]}
check_arrays_of(packed)

# %% [markdown]
# ## What you did
#
# - You saw what a dataset must bring along, and which ones the library knows by name.
# - You let the builders derive both networks from the images' size, and met one that they refuse.
# - You trained on handwritten digits that need no network.
# - You trained on coloured shapes, and watched them take form.
# - You asked our evaluator of digits about hearts and stars, and learned when not to believe a
#   score.
# - You checked a generator without any evaluator: average, colours, nearest neighbours.
# - You trained on a folder of pictures and packed an `.npz`, as you would with your own.
# - You watched D learn a hundred digits by heart, and cured it.
# - You read how far a small DCGAN gets on Fashion-MNIST and on CIFAR-10, and can try it.
#
# **Next:** [notebook 08](08_when_training_fails.ipynb) helps when a training on your own pictures
# goes wrong, and [notebook 09](09_beyond_dcgan.ipynb) has the means to make it better.
