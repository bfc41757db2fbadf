# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 06 · GAN and DCGAN: what convolutions change
#
# In this notebook you will
#
# - read the players of the first GANs, made of dense layers only, and what else differs;
# - count parameters and multiplications, and find out that they are not the same thing;
# - see locality and weight sharing as pictures;
# - see both pairs draw from the same noise, after the same steps and after the same seconds;
# - compare 60 epochs of the one with 20 of the other;
# - shuffle the pixels, and see which of the two notices;
# - take one thing at a time away from the DCGAN, train what is left, and see what it was worth.
#
# **You need** notebooks [02](02_generator.ipynb), [03](03_discriminator.ipynb),
# [04](04_training.ipynb), and one number that [07](07_measuring_quality.ipynb) takes apart, the
# Fréchet distance; here a sentence in section 4 is enough.
# **Run time**: about a minute on two processor cores, no GPU.
#
# **Where we are.** You have trained a DCGAN: a GAN whose two players, the generator G and the
# discriminator D, are made of convolutions. The first GANs that drew MNIST (Goodfellow et al.,
# 2014) had none. This notebook asks what the convolutions are good for, and the other habits that
# came with them.

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
# Two switches. With `TRAIN = False` most trainings come with the library, as results that were made
# beforehand; only one runs here, in section 7. With `True` those of sections 4 and 6 run here, too,
# which takes several minutes.
#
# And our tests run this notebook with `DCGAN_PROFILE=quick`: a few steps on few images, whose
# pictures show nothing. Leave the variable unset and you get the real thing.

# %%
import os

TRAIN = False
QUICK = os.environ.get("DCGAN_PROFILE", "full") == "quick"
STEPS, EVERY = (8, 4) if QUICK else (400, 100)  # of each training; when we look at it
COUNT = 100 if QUICK else 10_000  # images that are measured

# %% [markdown]
# ## 1 · Two pairs of players
#
# ### All dense
#
# In a **dense** layer (also: fully connected) each output is a weighted sum of *all* inputs. The
# weights, and the numbers that are added to the sums (the **biases**), are the layer's
# **parameters**: what training changes. The first GANs were stacks of such layers, for MNIST at
# least. This is the library's own code. A **recipe** is a set of named settings;
# `generator_widths` are here the numbers of outputs of the layers.

# %%
import math

import keras
from keras import layers

from dcgan_lib import MNIST_SHAPE, ImageShape, Recipe, add_norm_and_activation


def build_dense_generator(
    recipe: Recipe, image_shape: ImageShape = MNIST_SHAPE
) -> keras.Sequential:
    """Builds the generator of the first GANs, of fully connected layers only."""
    model = keras.Sequential(name="generator")
    model.add(keras.Input((recipe.latent_dim,)))
    for units in recipe.generator_widths:
        model.add(layers.Dense(units, use_bias=not recipe.generator_batch_norm))
        add_norm_and_activation(model, recipe)
    model.add(layers.Dense(math.prod(image_shape), activation="tanh", dtype="float32"))
    model.add(layers.Reshape(image_shape, dtype="float32"))
    assert model.output_shape == (None, *image_shape)
    return model


# %% [markdown]
# To this G an image is a list of 784 numbers. Only the last line cuts the list into 28 rows; no
# layer knows which pixels are neighbours. `add_norm_and_activation` is the one of notebook 02:
# **BatchNorm** (it brings the numbers that pass through to mean 0 and spread 1), then the **bend**
# (the activation function between two layers: here LeakyReLU).
#
# D goes the other way. `Flatten` throws the rows and columns away before any layer has seen them:

# %%
from dcgan_lib import add_norm_leak_dropout, add_verdict


def build_dense_discriminator(recipe: Recipe, image_shape: ImageShape = MNIST_SHAPE) -> keras.Model:
    """Builds the discriminator of the first GANs, of fully connected layers only."""
    images = keras.Input(image_shape, name="image")
    x = layers.Flatten()(images)
    for units in recipe.discriminator_widths:
        x = add_norm_leak_dropout(layers.Dense(units)(x), recipe, norm=False)
    return keras.Model(images, add_verdict(x, recipe), name="discriminator")


# %% [markdown]
# The recipe `vanilla` builds these two, `fast` (the project's default) the convolutional pair of
# notebooks 02 and 03.

# %% tags=["nbval-check-output"]
from dcgan_lib import RECIPES, build_discriminator, build_generator

vanilla, fast = RECIPES["vanilla"], RECIPES["fast"]
networks = {
    "vanilla G": build_dense_generator(vanilla),
    "fast G": build_generator(fast),
    "vanilla D": build_dense_discriminator(vanilla),
    "fast D": build_discriminator(fast),
}
for name, network in networks.items():
    print(f"{name:10} {network.input_shape} → {network.output_shape}")

# %% [markdown]
# ### What else differs
#
# If two things differ in ten ways, a comparison of the two does not say which way mattered. So let
# us look, before we compare: which settings are not the same?

# %% tags=["nbval-check-output"]
import dataclasses

schedule = ("name", "steps", "epochs", "sample_every", "quality_every")
for field in dataclasses.fields(fast):
    dense, convolutional = getattr(vanilla, field.name), getattr(fast, field.name)
    if dense != convolutional and field.name not in schedule:
        print(f"{field.name:25}{dense!s:>18}{convolutional!s:>12}")

# %% [markdown]
# Much more than the architecture. `vanilla` is set as such GANs usually were: a small
# **learning rate** (how far each move goes), 128 images in each **batch** (what the players see in
# one move), no BatchNorm in D and no minibatch standard deviation (notebook 03), a tanh that gets
# all of the last layer and not half (notebook 02), and samples from G itself and not from an
# average of its recent weights (`ema_decay`). So there will be a third pair, the **control**: dense
# players, and everything else as in `fast`. Where the control does as badly as `vanilla`, the
# layers are to blame; where it does as well as `fast`, the settings were.

# %%
from dcgan_lib import get_recipe

control = get_recipe(
    "fast",
    architecture="dense",
    generator_hidden=0,
    generator_widths=vanilla.generator_widths,
    generator_strides=(),
    discriminator_hidden=0,
    discriminator_widths=vanilla.discriminator_widths,
)

# %% [markdown]
# (Some differences stay, whatever the recipe says: the library's dense D has no BatchNorm and no
# minibatch standard deviation, and its dense G does not halve what tanh gets.)
#
# ## 2 · Parameters and multiplications
#
# A **convolution** lays a small table of weights, its **kernel**, on a place of the picture, adds
# up weight times number, moves on by its **stride** (here 2 pixels) and does the same with the same
# weights. A **transposed convolution** goes the other way: each number of a small picture stamps
# the kernel into a larger one. So one weight is used many times, and we must count twice:
#
# - the *parameters* are what is stored and learned;
# - the *multiplications* are what an image costs.
#
# **The rule.** A layer's kernel has inputs × outputs weights (dense), or side² × input channels ×
# output channels (convolutions; a **channel** is one of the pictures that lie upon each other).
# Each weight is multiplied
#
# - once in a dense layer,
# - once for each place of the *output* in a convolution,
# - once for each place of the *input* in a transposed convolution.
#
# (We count the rim as if it were inside, and leave out biases and BatchNorm: they are few.)


# %%
def multiplications(layer):
    """How many products of a weight and a number one image costs in this layer."""
    if isinstance(layer, keras.Sequential):  # a layer made of layers
        return sum(multiplications(part) for part in layer.layers)
    if not hasattr(layer, "kernel"):
        return 0
    places = ()
    if isinstance(layer, layers.Conv2D):
        places = layer.output.shape[1:3]
    if isinstance(layer, layers.Conv2DTranspose):
        places = layer.input.shape[1:3]
    return math.prod(layer.kernel.shape) * math.prod(places)


# %% [markdown]
# **Predict, then run:** `fast` makes its images from a small picture of 7 × 7 places. In which of
# G's layers are most of its parameters, and in which most of the multiplications?

# %% tags=["nbval-check-output"]
print(f"{'fast G':18}{'gives':>16}{'parameters':>12}{'multiplications':>17}")
for layer in networks["fast G"].layers:
    if hasattr(layer, "kernel"):
        shape = str(layer.output.shape[1:])
        print(f"{type(layer).__name__:18}{shape:>16}{layer.count_params():12,}", end="")
        print(f"{multiplications(layer):17,}")

# %% [markdown]
# Over nine tenths of the parameters sit in one dense layer, the one that makes the small picture.
# The first transposed convolution has a twenty-fifth as many and does twice as much work. Now all
# four networks. This function adds up, dense layers and the rest apart:


# %%
def sums(network, count):
    """What dense layers and what convolutions have of something, in millions."""
    parts = [layer for layer in network.layers if layer.count_params()]
    dense = sum(count(layer) for layer in parts if isinstance(layer, layers.Dense))
    return dense / 1e6, (sum(map(count, parts)) - dense) / 1e6


def count_parameters(layer):
    return layer.count_params()


# %% [markdown]
# The sums, for the four networks:

# %% tags=["nbval-check-output"]
for name, network in networks.items():
    total = [sum(sums(network, count)) for count in (count_parameters, multiplications)]
    print(f"{name:10} {total[0]:.2f} million parameters, {total[1]:.2f} million multiplications")

# %% [markdown]
# And as a picture, dense layers and convolutions told apart:

# %%
import matplotlib.pyplot as plt

counts = {"Parameters": count_parameters, "Multiplications per image": multiplications}
figure, axes = plt.subplots(1, 2, figsize=(8.5, 2.6), sharey=True, layout="constrained")
for axis, (title, count) in zip(axes, counts.items(), strict=True):
    for row, network in enumerate(networks.values()):
        dense, rest = sums(network, count)
        axis.barh(row, dense, color="tab:blue", label="" if row else "dense layers")
        axis.barh(row, rest, left=dense, color="tab:orange", label="" if row else "all others")
    axis.set(title=title, xlabel="millions", yticks=range(4), yticklabels=networks)
axes[0].invert_yaxis()
axes[1].legend()
plt.show()

# %% [markdown]
# (The orange sliver of `vanilla` G is its BatchNorm.) Two surprises. The convolutional players have
# *fewer* parameters, but they *multiply more*: what a convolution saves in weights, it spends by
# using each one at 49 or 196 places. And nearly all the parameters of `fast` are in its dense
# layers. It is no purely convolutional GAN: each player has hidden dense layers that deal with
# the whole picture at once (section 7 takes them away).
#
# ## 3 · Locality and weight sharing
#
# A convolution is a dense layer under two restrictions:
#
# - **locality**: each output looks at a small patch only; all other weights are 0;
# - **weight sharing**: all outputs of a channel use the same weights, each on its own patch.
#
# That can be made visible. Every layer that only adds up weighted inputs is a table: a row for each
# output, a column for each input. For pictures of 8 × 8 pixels, 64 rows and 64 columns. To find
# the columns we send pictures through in which one pixel is 1 and all others are 0.

# %%
import numpy as np


def as_table(layer):
    """The weights from 64 pixels to 64 outputs, as a table: a row for each output."""
    single_pixels = np.eye(64, dtype="float32").reshape(64, 8, 8, 1)
    return np.reshape(layer(single_pixels), (64, 64)).T


# %% [markdown]
# A dense layer and a convolution, both from 8 × 8 to 8 × 8 and fresh from the factory, with random
# weights:

# %%
keras.utils.set_random_seed(0)
flat = keras.Sequential([layers.Flatten(), layers.Dense(64)])
tables = {"dense": as_table(flat)}
tables["convolution"] = as_table(layers.Conv2D(1, 3, padding="same"))

# %% [markdown]
# **Predict, then run:** how many connections has each (weights that are not 0), and how many
# different weights?

# %%
for name, table in tables.items():
    different = len(np.unique(table[table != 0].round(6)))
    print(f"{name:12} {np.count_nonzero(table)} connections, {different} different weights")

# %% [markdown]
# (Of the 4,096 weights of the dense layer a few agree to six decimals by chance.) Now the whole
# tables, and beside them what three of the 64 outputs look at: three rows of the table, laid out as
# pictures. White is 0, blue is positive, red negative.

# %%
figure, axes = plt.subplots(2, 4, figsize=(8.5, 4.4), layout="constrained")
for row, (name, table) in zip(axes, tables.items(), strict=True):
    limit = np.abs(table).max()
    views = [table, *(table[unit].reshape(8, 8) for unit in (18, 21, 44))]
    for axis, view in zip(row, views, strict=True):
        axis.imshow(view, "RdBu", vmin=-limit, vmax=limit, interpolation="nearest")
        axis.set(xticks=[], yticks=[])
    row[0].set(title=name, xlabel="64 pixels", ylabel="64 outputs")
    for axis, unit in zip(row[1:], (18, 21, 44), strict=True):
        axis.set_title(f"output {unit} looks at")
plt.show()

# %% [markdown]
# Above, every output has an eye of its own for the whole picture. Below, one small eye, nine
# weights, is moved over the picture. What good is that?
#
# - *Locality* fits images: what makes a stroke a stroke is decided among neighbouring pixels.
# - *Sharing* makes examples go further. A stroke bends alike, wherever it is. What the kernel
#   learns at one place it knows at all others; the dense layer must see it anew at each place.
#
# The second can be checked. **Predict, then run:** the digit moves two pixels to the right. What
# happens to what the first layer of D (stride 2) gives?

# %%
from dcgan_lib import load_images, scale

data = load_images()
digit = scale(data.images[:1])
moved = np.full_like(digit, -1)  # black
moved[:, :, 2:] = digit[:, :, :-2]
print("digit and moved digit:", digit.shape, moved.shape)

# %% [markdown]
# Is what the layer gives for the second what it gives for the first, one place further right? (We
# leave out the rim, where the picture's edge takes part.)

# %% tags=["nbval-check-output"]
first_layer = networks["fast D"].layers[1]  # layer 0 is the input
of_digit, of_moved = first_layer(digit).numpy(), first_layer(moved).numpy()
print("what the first layer gives:", of_digit.shape)
print("moved along:", np.allclose(of_digit[:, :, 2:-2], of_moved[:, :, 3:-1], atol=1e-5))

# %% [markdown]
# The answer moves along with the digit. In a dense layer it cannot: its outputs have no order in
# which one could lie to the right of another.
#
# ## 4 · Side by side
#
# ### A diary of each training
#
# To see the pairs learn we keep a diary. A **callback** is an object that Keras calls during
# training, here after each **step** (one batch, one move of each player). Ours writes a page every
# so many steps: the images from fixed **latent vectors** (the random numbers that G draws from),
# their distance from real ones, and the seconds of training so far. What it needs itself does not
# count. With a `limit` it writes one more page when these seconds are over, and then ends the
# training as soon as the `STEPS` are done, too.

# %%
import time


class Diary(keras.callbacks.Callback):
    def __init__(self, every=EVERY, limit=math.inf, **of_images):
        super().__init__()
        self.every, self.limit, self.of_images = every, limit, of_images
        self.pages, self.paused = [], 0.0

    def on_train_batch_end(self, batch, logs=None):
        step, now = batch + 1, time.perf_counter()
        if step == 1:
            self.begin = now  # the first step takes long: Keras prepares the others
        seconds = now - self.begin - self.paused
        over = seconds >= self.limit
        first = over and all(page["seconds"] < self.limit for page in self.pages)
        if step % self.every == 0 or first:
            page = measured_images(self.model.sampler, **self.of_images)
            self.pages.append(page | {"step": step, "seconds": seconds})
            self.paused += time.perf_counter() - now
        self.model.stop_training = over and step >= STEPS


# %% [markdown]
# The evaluator is that of notebook 07: a network that has learned to tell real digits apart, and
# turns each image into a row of numbers. It compares 10,000 images with 10,000 real ones that no
# training sees. The **Fréchet distance** says how far the two crowds are apart in these numbers; 0
# is best. `sampler` is the network that draws the samples: the average of G, if the recipe has one.
# What `put_back` is for, section 6 tells.

# %%
from dcgan_lib import Evaluator, frechet_distance, hold_out_indices, sample_latent

allowed, held_out = hold_out_indices(len(data.images), 10_000)
evaluator = Evaluator()
real_features, _ = evaluator(scale(data.images[held_out[:COUNT]]))


def measured_images(generator, put_back=lambda images: images):
    size = generator.input_shape[-1]
    fixed, noise = sample_latent(64, size, seed=0), sample_latent(COUNT, size, seed=77)
    crowd = put_back(generator.predict(noise, batch_size=500, verbose=0))
    distance = frechet_distance(real_features, evaluator(crowd)[0])
    return {"images": put_back(generator.predict(fixed, verbose=0)), "distance": distance}


# %% [markdown]
# `fixed` is our *fixed noise*: all players get the same, at every step, so that pictures can be
# compared. Now the training itself, as in notebook 04, for any recipe:

# %%
from dcgan_lib import build_gan, training_batches

images = data.images[allowed[: 1000 if QUICK else None]]


def play_it(recipe, images, steps=STEPS, **of_diary):
    """Trains a recipe; returns the pages of its diary."""
    gan = build_gan(recipe, len(images))
    diary = Diary(**of_diary)
    batches = training_batches(images, recipe.batch_size, recipe.seed)
    gan.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0, callbacks=[diary])
    return diary.pages


# %% [markdown]
# ### Three trainings
#
# What there is to train: `fast`; then `vanilla`, for at least as many steps and as many seconds
# (twenty times the steps are the upper end, should it be that much quicker); then the control.


# %%
def train_all():
    diaries = {"fast": play_it(fast, images)}
    seconds = diaries["fast"][-1]["seconds"]
    diaries["vanilla"] = play_it(vanilla, images, steps=20 * STEPS, limit=seconds)
    return diaries | {"control": play_it(control, images)}


# %% [markdown]
# The library has the results of such trainings, a **study**: rows of numbers, and pictures. There
# each training had one processor core, and the seconds are those of that core. (All studies of this
# notebook were made with an older `fast`: one hidden layer in G, a wider D that was not told how
# far a batch differs, players that took turns, and a tanh that got all of the last layer.) This
# function makes pages of the rows:


# %%
def pages_of(study, variant):
    """The pages of a training that was made beforehand."""
    pages = []
    for row in study.rows:
        if row["variant"] == variant and row["seed"] == 0:
            page = {"step": row["step"], "seconds": row["seconds"]}
            pages.append(page | {"distance": row["frechet_distance"]})
            picture = study.pictures.get(f"{variant}, step {row['step']}")
            if picture is not None:
                pages[-1]["images"] = scale(picture)
    return pages


# %% [markdown]
# Now train or load, as you chose above. How long does a step take in each?

# %%
from dcgan_lib import load_study

side_by_side = load_study("side_by_side")
if TRAIN:
    diaries = train_all()
else:
    diaries = {name: pages_of(side_by_side, name) for name in ("fast", "vanilla", "control")}
print("trained just now" if TRAIN else f"loaded; made by: {side_by_side.about['command']}")
for name, pages in diaries.items():
    step, passed = pages[-1]["step"], pages[-1]["seconds"]
    print(f"{name:8} {step:5} steps, {1000 * passed / step:4.0f} milliseconds each")

# %% [markdown]
# ### At the same step, and after the same time
#
# Sixteen images each, from the same noise. **Predict, then run:** which pair is ahead after as many
# steps, and which after as many seconds?


# %%
from dcgan_lib import image_grid


def show_grids(grids, columns=4, rows=1, width=8.5):
    """Grids of images side by side, each with its title."""
    across = math.ceil(len(grids) / rows)
    size = (width, rows * (width / across + 0.35))
    figure, axes = plt.subplots(rows, across, figsize=size, squeeze=False, layout="constrained")
    for axis in axes.flat:
        axis.axis("off")
    for axis, (title, some) in zip(axes.flat, grids.items(), strict=False):
        grid = image_grid(some, columns=columns, zoom=1)
        axis.imshow(grid, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axis.set_title(title, fontsize=10)
    plt.show()


# %% [markdown]
# And three that look things up in the diaries. (Of a study, not every page has pictures.)


# %%
def last_page(name):
    return next(page for page in diaries[name] if page["step"] >= STEPS and "images" in page)


def timely_page(name):
    """The page that is nearest to the moment when `fast` was done."""
    pages = [page for page in diaries[name] if "images" in page]
    return min(pages, key=lambda page: abs(page["seconds"] - last_page("fast")["seconds"]))


def tell_distances(pages):
    for name, page in pages.items():
        print(f"{name:26}{page['step']} steps, distance {page['distance']:5,.0f}")


# %% [markdown]
# At the same step:

# %%
at_step = {name: last_page(name) for name in diaries}
show_grids({f"{name}, step {page['step']}": page["images"][:16] for name, page in at_step.items()})
tell_distances(at_step)

# %% [markdown]
# After the same time. (The study's 800 steps of `vanilla` were chosen to take as long as 400 of
# `fast`. The control made its steps in less time, so it is missing here.)

# %%
in_time = {name: timely_page(name) for name in ("fast", "vanilla")}
after = {name: f"{page['step']} steps, {page['seconds']:.0f} s" for name, page in in_time.items()}
show_grids({f"{name}, {after[name]}": in_time[name]["images"][:24] for name in after}, columns=8)
tell_distances(in_time)

# %% [markdown]
# Now the whole diaries, on a logarithmic axis: the same way up is always the same factor. A
# function that writes plain numbers to such an axis:

# %%
from matplotlib.ticker import LogLocator, NullFormatter


def label_plainly(axis):
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:,.0f}")
    axis.set_minor_formatter(NullFormatter())


# %% [markdown]
# Left against the steps, right against the time. (After 100 steps `fast` is the worst of the three.
# Its samples come from an average of G's weights; so early that still holds much of their random
# beginning.)

# %%
figure, axes = plt.subplots(1, 2, figsize=(8.5, 3), sharey=True, layout="constrained")
for name, pages in diaries.items():
    distances = [page["distance"] for page in pages]
    for axis, key in zip(axes, ("step", "seconds"), strict=True):
        axis.semilogy([page[key] for page in pages], distances, "o-", label=name)
label_plainly(axes[0].yaxis)
axes[0].set(xlabel="step", ylabel="Fréchet distance", title="By steps")
axes[1].set(xlabel="seconds of training", title="By time")
axes[1].legend()
for axis in axes:
    axis.grid(alpha=0.3)
plt.show()

# %% [markdown]
# After 400 steps `fast` is far ahead, and it is far ahead after the same time, too, although
# `vanilla` gets twice as many steps into it: a dense layer is a single large multiplication, which
# processors like best. The dense G of `vanilla` begins with sprinkled pixels and takes long to lose
# them, because nothing tells it that neighbours belong together. It has to learn that, for each
# pair of pixels on its own.
#
# And the control? It has the learning rates, the batches and the averaging of `fast`, and still
# draws blurred, speckled shapes, most of them on grey. Its distance is not far below that of
# `vanilla`, and nearly twenty times that of `fast`. So the settings make a small part of the
# difference, and the networks the large one. (One seed, and few steps; but the gap is no small one.
# Part of it may come from the BatchNorm that the control's D lacks: section 7 measures that alone.)
#
# ## 5 · Sixty epochs against twenty
#
# Perhaps the dense pair only needs more time. An **epoch** is one pass over all training images. To
# wait for 60 of them would take too long here, whatever you chose above, so we load another study:
# one training of each, from one **seed** of random numbers. The command runs anywhere, and takes
# half an hour.

# %%
long_run = load_study("gan_vs_dcgan")
print(long_run.about["command"])
print(f"{len(long_run.rows)} rows, {len(long_run.pictures)} pictures; the columns of a row:")
print(*long_run.rows[0])

# %% [markdown]
# First the pictures, at the same epochs (counted from 0), from the same noise. (An epoch of
# `vanilla` has half as many steps: its batches are twice as large.)


# %%
def from_study(study, name, count):
    """Pictures of a study, from -1 to 1."""
    return scale(study.pictures[name][:count])


same_epochs = [f"{name}, epoch {epoch}" for name in ("vanilla", "fast") for epoch in (0, 1, 4, 19)]
show_grids({name: from_study(long_run, name, 16) for name in same_epochs}, rows=2)

# %% [markdown]
# And the end of each training, epoch 59 of `vanilla` and epoch 19 of `fast`:

# %%
ends = ["vanilla, epoch 59", "fast, epoch 19"]
show_grids({name: from_study(long_run, name, 64) for name in ends}, columns=8)

# %% [markdown]
# Now the quality curves. A function that fetches one column of a study, a line for each seed:


# %%
def column(study, variant, key):
    """One row for each seed, one number for each moment."""
    rows = [row for row in study.rows if row["variant"] == variant]
    seeds = sorted({row["seed"] for row in rows})
    values = [[row[key] for row in rows if row["seed"] == seed] for seed in seeds]
    return np.array(values, dtype=float)


# %% [markdown]
# One line for each of the two trainings, left against the epochs, right against the time:

# %%
figure, axes = plt.subplots(1, 2, figsize=(8.5, 3.2), sharey=True, layout="constrained")
for name, color in {"vanilla": "tab:blue", "fast": "tab:orange"}.items():
    distance = column(long_run, name, "frechet_distance")
    minutes = column(long_run, name, "seconds") / 60
    epochs = np.arange(distance.shape[1])
    for axis, x in zip(axes, (epochs, minutes.mean(axis=0)), strict=True):
        axis.semilogy(x, distance.T, color=color, alpha=0.4, linewidth=1)
        axis.semilogy(x, distance.mean(axis=0), color=color, linewidth=2.5, label=name)
label_plainly(axes[0].yaxis)
axes[0].set(xlabel="epoch (counted from 0)", ylabel="Fréchet distance", title="By epochs")
axes[1].set(xlabel="minutes of one processor core", title="By time")
axes[1].legend()
for axis in axes:
    axis.grid(alpha=0.3)
plt.show()

# %% [markdown]
# Some numbers from it. The last column is the smallest share that one of the ten digits has among
# the images (0.1 if all come equally often).

# %%
for name, epoch in (("vanilla", 0), ("vanilla", 19), ("vanilla", 59), ("fast", 0), ("fast", 19)):
    distances = " ".join(f"{x:7.1f}" for x in column(long_run, name, "frechet_distance")[:, epoch])
    smallest = column(long_run, name, "smallest_class")[:, epoch].mean()
    print(f"{name:8} epoch {epoch:2}:  distances {distances}   smallest class {smallest:.3f}")

# %% [markdown]
# So the dense pair does learn digits; it needs far longer. After its first epoch some digit never
# comes (in fact the evaluator takes 99.8 % of the images for one and the same digit: the column
# `largest_class` of the study), later all ten are there. White specks remain to the end: a single
# pixel means nothing to its neighbours.
#
# When you read the curves, ask three things. Is `vanilla` still getting better at its end? Yes, but
# ever more slowly: the last ten epochs bring little. How much does a line jump up and down between
# two epochs? That of `fast` by two or three (7 to 10) in its second half, so do not build on the
# difference between two single epochs. And how much of the time of the long training did `fast`
# need to get as far? The last answer by code:

# %%
goal = column(long_run, "vanilla", "frechet_distance")[:, -1].mean()
curve = column(long_run, "fast", "frechet_distance").mean(axis=0)
minutes = [column(long_run, name, "seconds").mean(axis=0) / 60 for name in ("vanilla", "fast")]
print(f"vanilla after epoch 59: distance {goal:.1f}, {minutes[0][-1]:.0f} minutes of one core")
for epoch in np.flatnonzero(curve <= goal)[:1]:
    print(f"fast gets there in epoch {epoch}, after {minutes[1][epoch]:.1f} minutes")

# %% [markdown]
# One epoch of `fast` is worth more than 60 of `vanilla`, and takes less than a tenth of the time.
#
# ## 6 · Shuffled pixels
#
# Is it locality that helps? Here is a test that takes locality away and nothing else. We choose one
# order of the 784 pixels at random and put *every* image into this order. No information is lost:
# with the order reversed we get each image back. But neighbours are neighbours no longer.

# %%
order = np.random.default_rng(6).permutation(784)
back = np.argsort(order)  # where each pixel must go to be at its old place again


def reordered(images, order):
    shape = images.shape
    return images.reshape(-1, 784)[:, order].reshape(shape)


# %% [markdown]
# Three digits, their shuffled twins, and the twins put back:

# %%
from dcgan_lib import plot_images

three = data.images[:3]
twins = reordered(three, order)
row = np.concatenate([three, twins, reordered(twins, back)])
plot_images(scale(row), columns=9, titles=["real"] * 3 + ["shuffled"] * 3 + ["put back"] * 3)

# %% [markdown]
# Now all three pairs learn from shuffled images. What they draw is put back (`put_back`) before we
# look at it and the evaluator does. (The study has an order of its own, and puts back, too.)
#
# **Predict, then run:** who will notice that the pixels are shuffled: `vanilla`, the control or
# `fast`?

# %%
shuffled = reordered(images, order)


def put_back(drawn):
    return reordered(drawn, back)


for name, recipe in {"vanilla": vanilla, "control": control, "fast": fast}.items():
    twin = f"{name}, pixels shuffled"
    trained = (
        play_it(recipe, shuffled, put_back=put_back) if TRAIN else pages_of(side_by_side, twin)
    )
    diaries[twin] = trained

# %% [markdown]
# Above with the pixels in place, below shuffled:

# %%
names = ["vanilla", "control", "fast"]
pairs = {name: last_page(name) for name in names + [f"{name}, pixels shuffled" for name in names]}
show_grids({name: page["images"][:16] for name, page in pairs.items()}, rows=2)
tell_distances(pairs)

# %% [markdown]
# To the dense players it makes no difference but chance: `vanilla` comes out a little worse, the
# control a little better, because other random weights meet at each pixel. For them the pixels have
# no order that could be disturbed. (Put the weights into the shuffled order as well, and every
# number inside the network is the same as before.) The convolutional pair is thrown back by far, to
# nearly four times its distance: a patch of 4 × 4 neighbours is now sixteen pixels from anywhere,
# and what a kernel learns in one patch is of no use in another. Both restrictions of section 3 are
# still in force, but they no longer fit the images.
#
# But it is not thrown back as far as the dense pairs are: 462 is still a fifth of 2,225. Locality
# does not make this lead: the shuffled images have none to offer. It must come from something that
# shuffling does not touch. (BatchNorm in D, for example, which the control lacks; or the dense
# layers of `fast`, which do not care about the order of the pixels.) This experiment cannot tell.
# For that, one must change one thing at a time.
#
# ## 7 · One thing at a time
#
# The DCGAN paper (Radford et al., 2016) came with a list of advice: strides and no pooling,
# BatchNorm in both players, no hidden dense layers, ReLU in G, LeakyReLU in D. To find out what a
# piece of advice is worth, take it away and leave everything else as it is. That is called an
# **ablation**. In our recipes each takes a word or two.

# %%
ablations = {
    "no hidden Dense": {"generator_hidden": 0, "discriminator_hidden": 0},
    "no BatchNorm in G": {"generator_batch_norm": False},
    "no BatchNorm in D": {"discriminator_batch_norm": False},
    "pooling in D": {"discriminator_pooling": True},
    "ReLU in D": {"discriminator_negative_slope": 0.0},
    "LeakyReLU in G": {"generator_negative_slope": 0.2},
    "G linear": {"generator_negative_slope": 1.0},
    "D linear": {"discriminator_negative_slope": 1.0},
}

# %% [markdown]
# First what each of them changes in the networks, then what comes of it.
#
# ### BatchNorm
#
# Each layer makes the numbers that pass through a little larger or smaller, and the next one
# multiplies that. **Predict, then run:** G without BatchNorm, fresh from the factory. How wide do
# the numbers spread after each layer? (A spread is a standard deviation.)


# %%
def spreads(network, inputs):
    found = []
    for layer in network.layers:
        inputs = layer(inputs, training=True)
        if isinstance(layer, (layers.ReLU, layers.Activation)):
            found.append(float(np.std(inputs)))
    return found


# %% [markdown]
# The layers from first to last, with and without:

# %%
noise = sample_latent(64, fast.latent_dim, seed=2)
for title, change in {"with BatchNorm": {}, "without": ablations["no BatchNorm in G"]}.items():
    keras.utils.set_random_seed(0)
    found = spreads(build_generator(get_recipe("fast", **change)), noise)
    print(f"{title:15}", *(f"{spread:.3f}" for spread in found))

# %% [markdown]
# Without it the numbers shrink from layer to layer, and what is left at the end is a nearly even
# grey. A **gradient** says how much the loss (the number that a player wants to make small) would
# change with each weight; gradients shrink on their way back through the layers in the same manner.
# With BatchNorm each layer starts from numbers of the same size, whatever the ones before it do;
# that is one reason why large learning rates are possible. It has a price, too: in training an
# image depends on the others in its batch (notebook 02).
#
# ### Strides instead of pooling
#
# D must get from 28 × 28 places to 7 × 7. Classifiers of the time used **max pooling**: of each
# square of 2 × 2 numbers only the largest goes on. A DCGAN lets the convolution step two pixels at
# a time. The library can exchange one for the other in a finished D:


# %%
def with_pooling(discriminator: keras.Model) -> keras.Model:
    """Returns a copy that halves the picture by max pooling, not by strides."""

    def copy(layer: layers.Layer) -> layers.Layer:
        config = layer.get_config()
        if not isinstance(layer, layers.Conv2D):
            return type(layer).from_config(config)
        convolution = type(layer).from_config(config | {"strides": 1})
        return keras.Sequential([convolution, layers.MaxPooling2D()], name=layer.name)

    return keras.models.clone_model(discriminator, clone_function=copy)


# %% [markdown]
# **Predict, then run:** has D more parameters now? More multiplications?

# %% tags=["nbval-check-output"]
pooled = with_pooling(networks["fast D"])
for name, network in {"strides": networks["fast D"], "pooling": pooled}.items():
    total = sum(multiplications(layer) for layer in network.layers)
    print(f"{name}: {network.count_params():,} parameters, {total:,} multiplications")

# %% [markdown]
# The same kernels, so the same parameters. But each kernel is now laid on every pixel, four times
# as many places, and three of four results are thrown away. That matters for G, too: it learns only
# from what comes back through D. Through max pooling the gradient goes only to the winner of each
# square; the three others send nothing back. How many are these in all?

# %%
import tensorflow as tf


def share_of_zeros(layer, inputs):
    """How many of a layer's outputs get no gradient through the pooling that follows."""
    outputs = tf.Variable(layer(inputs))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layers.MaxPooling2D()(outputs))
    return float(np.mean(tape.gradient(total, outputs) == 0))


convolution = layers.Conv2D(32, 4, padding="same")
print(f"no gradient: {share_of_zeros(convolution, digit):.0%} of the convolution's outputs")

# %% [markdown]
# ### ReLU and LeakyReLU
#
# **ReLU** lets positive numbers through and makes negative ones 0. **LeakyReLU** multiplies the
# negative ones by a small slope instead, so that some gradient always comes through. A slope of 0
# is ReLU; a slope of 1 is no bend at all. The paper takes ReLU in G, and LeakyReLU in D, where it
# was found to work well. A likely reason: whatever G learns has to come back through D.
#
# Without any bend layers collapse: a weighted sum of weighted sums is one weighted sum. "G linear"
# still has all its layers, but up to the **tanh** at the end (it squeezes numbers to between -1 and
# 1) it can do no more than a single dense layer. Check: for such a network, what it gives for a + b
# is what it gives for a plus what it gives for b (less what it gives for 0).

# %% tags=["nbval-check-output"]
for title, slope in {"ReLU": 0.0, "LeakyReLU": 0.2, "linear": 1.0}.items():
    network = build_generator(get_recipe("fast", generator_negative_slope=slope))
    body = keras.Sequential(network.layers[:-1])  # without the tanh
    a, b = noise[:1], noise[1:2]
    one_by_one = body(a) + body(b) - body(0 * a)
    print(f"{title:10} adds up: {np.allclose(body(a + b), one_by_one, atol=1e-4)}")

# %% [markdown]
# Up to the tanh such a G can only mix images like colours: twice as much of one, half of another. A
# 3 and an 8 mixed are not a digit. The same goes for a linear D: its verdict is a weighted sum of
# pixels. It cannot ask which pixels go together; at best it tells G how bright each pixel should be
# on average.
#
# ### The dense layers in the middle
#
# The paper advises against hidden dense layers, and yet `fast` has one in each player. The reason
# is the price of locality. A transposed convolution knows only its own patch: the upper half of a
# digit cannot know what the lower half is about to draw, unless something before has settled it for
# both. In G the hidden layer can do that, before there is any picture. In D it looks at the whole
# digit before the verdict. "No hidden Dense" takes both away. (Two dense layers are left: the one
# that makes the small picture, now straight from the noise, and D's last sum, the verdict.)
#
# ### What else changes along
#
# "One thing at a time" is easily said. Some of our words change more than one:
#
# - *no BatchNorm in G*: BatchNorm also adds a trainable number to each channel, in place of a bias.
#   G's layers have no biases, so that number is gone, too.
# - *no hidden Dense*: fewer parameters, one bend and one BatchNorm fewer in each player.
# - *pooling in D*: three to four times as many multiplications.
# - *G linear*, *D linear*: the depth goes with the bends, as we have just seen.
# - *no convolutions* (the control of section 1, which will be in the table, too): D has no
#   BatchNorm any more.
#
# ### One ablation, live
#
# Now train one. Choose any line of `ablations` above; the rest is the same for all. As it stands it
# takes about 20 seconds; *pooling in D* takes three times as long.
#
# **Predict, then run:** G without BatchNorm, and everything else as it is: slower, worse, or
# nothing at all?

# %%
chosen = "no BatchNorm in G"
changed = get_recipe("fast", **ablations[chosen])
diaries[chosen] = play_it(changed, images, every=STEPS)

# %% [markdown]
# Beside `fast` itself, at the same step. Do not only look whether these are digits: are the images
# of one picture different from each other?

# %%
pair = {name: last_page(name) for name in ("fast", chosen)}
show_grids({name: page["images"][:24] for name, page in pair.items()}, columns=8)
tell_distances(pair)

# %% [markdown]
# (If you left the choice as it is:) no digits at all, and one and the same pattern of black and
# white in every image. G pays no attention to its noise. (Your number may be quite another one: a
# training that falls apart magnifies the smallest differences of rounding. The study below, made on
# one core from the same seed with the older `fast`, has 3,905 at this step, and no digits either.)
#
# Still, one seed and few steps are a hint, no more: a change that only slows the beginning down
# looks like one that spoils the end. For a verdict we need more of both.
#
# ### All of them, measured
#
# A third study trained each for more steps. One more is among them: *no convolutions*, which is the
# control of section 1. Pictures at the end, from the first seed:

# %%
study = load_study("ablations")
print(study.about["command"])
names = ["fast", *ablations, "no convolutions"]
steps = column(study, "fast", "step")[0].astype(int)
print("measured after", *steps, "steps")
show_grids({name: from_study(study, name, 9) for name in names}, columns=3, rows=2)

# %% [markdown]
# The distances at the end: a dot for each seed, a bar at their mean. Further left is better; the
# axis is logarithmic.


# %%
def final(name):
    return column(study, name, "frechet_distance")[:, -1]


in_order = sorted(names, key=lambda name: final(name).mean())
figure, axis = plt.subplots(figsize=(8, 3.6), layout="constrained")
for row, name in enumerate(in_order):
    color = "tab:orange" if name == "fast" else "tab:blue"
    axis.plot(final(name), [row] * len(final(name)), "o", color=color, alpha=0.6)
    axis.plot(final(name).mean(), row, "|", color=color, markersize=18, markeredgewidth=2)
axis.axvspan(final("fast").min(), final("fast").max(), color="tab:orange", alpha=0.12)
axis.set(yticks=range(len(names)), yticklabels=in_order, xscale="log")
axis.set(
    xlabel=f"Fréchet distance after {steps[-1]} steps",
    title="One thing taken away from fast",
)
axis.invert_yaxis()
label_plainly(axis.xaxis)
axis.grid(axis="x", alpha=0.3)
plt.show()

# %% [markdown]
# The shaded strip goes from one seed of `fast` to the other. A dot inside it, or close to it, says
# nothing: another seed would change as much. Two of the variants near `fast` were trained with two
# seeds, too, all others with one. For the far ones that is enough to tell them from `fast`, but not
# to put neighbours among them (197 and 239) in order. The same in numbers, with a verdict that asks
# whether *all* dots of a variant lie outside the strip, the distance on the way, and the time:


# %%
def verdict(name):
    lowest, highest = final("fast").min(), final("fast").max()
    if name == "fast":
        return "(the measure)"
    if final(name).min() > highest:
        return "worse"
    return "better" if final(name).max() < lowest else "no clear difference"


print(f"{'':20}{'half-way':>10}{'at the end':>12}{'the seeds':>24}{'ms/step':>9}  verdict")
for name in in_order:
    half_way = column(study, name, "frechet_distance")[:, len(steps) // 2].mean()
    each = "  ".join(f"{value:.1f}" for value in final(name))
    pace = 1000 * column(study, name, "seconds")[:, -1].mean() / steps[-1]
    line = f"{name:20}{half_way:10.1f}{final(name).mean():12.1f}{each:>24}{pace:9.0f}  "
    print(line + verdict(name))

# %% [markdown]
# (The numbers before the verdict are the milliseconds of a step on one processor core. Take them as
# coarse: the two trainings of `fast` differ by 40 %.) The way there, each variant against `fast`
# (grey), both as the mean of the seeds. The axes are the same in all panels, and logarithmic:

# %%
figure, axes = plt.subplots(
    3, 3, figsize=(8.5, 5.6), sharex=True, sharey=True, layout="constrained"
)
for axis, name in zip(axes.flat, [name for name in in_order if name != "fast"], strict=True):
    for shown, color in (("fast", "0.6"), (name, "tab:blue")):
        mean = column(study, shown, "frechet_distance").mean(axis=0)
        axis.loglog(steps, mean, color=color, linewidth=2)
    axis.set_title(name, fontsize=10)
    axis.grid(alpha=0.3)
label_plainly(axes[0, 0].xaxis)
label_plainly(axes[0, 0].yaxis)
figure.supxlabel("step", fontsize=10)
figure.supylabel("Fréchet distance", fontsize=10)
plt.show()

# %% [markdown]
# The largest surprise is *no hidden Dense*. The paper advises it, for deeper networks; in ours the
# distance is four times as large. Look at its pictures: the strokes are good, but often they do not
# add up to a digit. A likely reason: the paper's networks were deeper and drew larger images;
# there, one layer after another halves the picture until the last sees all of it. In ours the
# second convolution of D sees 10 × 10 of 28 × 28 pixels (exercise 2). Somebody must look at the
# whole, and in two layers convolutions cannot. So this DCGAN is not "convolutions instead of dense
# layers": it is convolutions for what is near, and a dense layer in each player for what is far.
#
# What else to read from it, and what not to conclude:
#
# - *Two things could not be missed at all*: BatchNorm in G, and the bends in D. Without either, the
#   training came to nothing: with a linear D not even the dark ground came out. The convolutions
#   come next (a distance 17 times that of `fast`), then the bends in G (7 times), the hidden dense
#   layers (4 times) and BatchNorm in D (3 times). Even a linear G draws something like digits.
# - *"No clear difference" is a result.* Pooling, ReLU in D and LeakyReLU in G came out near `fast`
#   (and a step with pooling takes far longer). The paper's advice was found with larger images,
#   deeper networks and longer trainings. In a small network and a short training, some of it need
#   not matter.
# - *Early is not late.* After 100 steps *no hidden Dense* and *no BatchNorm in D* are far ahead of
#   `fast`; after 600 they are far behind. And *no BatchNorm in G* is at its best at step 200, then
#   falls apart. Nor is step 600 the end: the lines of most variants are still falling.
# - *The settings were chosen for `fast`.* Its learning rates are large because everything else was
#   in place. A variant with rates of its own might do better; so we measured what each thing is
#   worth *here*, not the best that is possible without it.
# - *Effects do not add up.* Two things that seem useless one by one may each do the other's work,
#   and be missed only when both are gone.
#
# ## Exercises
#
# Each has a cell for your answer, with a check that tells you if it is right. The solutions are
# folded below; open them when you have tried.
#
# ### 1 · Count by hand
#
# The second convolution of D in `fast`: from 14 × 14 places with 24 channels to 7 × 7 places with
# 48, kernel 4 × 4, with a bias for each output channel. How many parameters has it, how many
# multiplications does it cost an image, and how many parameters would a dense layer (with biases)
# need to give the same number of outputs from the same number of inputs?


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 1 (run it, no need to read)
def check_counts(parameters, products, parameters_if_dense):
    layer = networks["fast D"].layers[3]
    if ... in (parameters, products, parameters_if_dense):
        print("Not yet: replace all three ... by numbers.")
    elif parameters == math.prod(layer.kernel.shape):
        print("Nearly: these are the weights. Each output channel has a bias, too.")
    elif parameters != layer.count_params():
        print("Not yet: the kernel has side × side × input channels × output channels weights.")
    elif products != multiplications(layer):
        print("The parameters are right. Hint: each weight is used once for each output place.")
    elif parameters_if_dense == math.prod((*layer.input.shape[1:], *layer.output.shape[1:])):
        print("Nearly: the biases are missing, one for each output.")
    elif parameters_if_dense != (math.prod(layer.input.shape[1:]) + 1) * 7 * 7 * 48:
        print("Not yet: a dense layer has a weight from each of 14·14·24 inputs to each output.")
    else:
        print("Right: the dense layer would have 600 times as many parameters.")


# %% [markdown]
# Your answer, and the check:

# %% tags=["nbval-check-output"]
check_counts(parameters=..., products=..., parameters_if_dense=...)  # your answer

# %% [markdown]
# *Solution, folded:*

# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 1
weights = 4 * 4 * 24 * 48
check_counts(weights + 48, weights * 7 * 7, (14 * 14 * 24 + 1) * 7 * 7 * 48)

# %% [markdown]
# ### 2 · How far can a unit see?
#
# Locality has a limit: layers upon layers see more and more. One output of D's first convolution
# (kernel 4, stride 2) sees 4 × 4 pixels. One of the second sees 4 × 4 outputs of the first. How
# many pixels is that, along one side? Write it for any number of layers: a list of kernel sizes and
# a list of strides, from the image on. (`zip` goes through both at once. Keep two numbers, both 1
# at the image: how many pixels are `seen`, and how many pixels apart, `gap`, neighbours of the
# present layer lie.)


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 2 (run it, no need to read)
def check_seen(seen):
    cases = ([4], [2]), ([4, 4], [2, 2]), ([3, 3, 3], [1, 1, 1]), ([5, 3], [3, 2])
    answer = [seen(*case) for case in cases]
    if any(value is ... or value is None for value in answer):
        print("Not yet: replace ... by your lines.")
    elif answer[0] != 4:
        print("Not yet: one layer with kernel 4 sees 4 pixels, not", answer[0])
    elif answer[1] == 16:
        print("Not yet: the patches overlap. How many pixels apart do two neighbours begin?")
    elif answer[1] != 10:
        print("Not yet: the second layer adds 3 more patches, each 2 pixels further on.")
    elif answer[2:] != [7, 11]:
        print("Right for D. Hint for the others: the gap grows with each stride, by its factor.")
    else:
        print("Right: 10 × 10 pixels of 28 × 28. For the whole, D needs its dense layer.")


# %% [markdown]
# Your answer, and the check:


# %% tags=["nbval-check-output"]
def my_seen(kernels, strides):
    return ...  # your answer, in as many lines as you like


check_seen(my_seen)

# %% [markdown]
# *Solution, folded:*


# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 2
def solved_seen(kernels, strides):
    seen, gap = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        seen += (kernel - 1) * gap
        gap *= stride
    return seen


check_seen(solved_seen)

# %% [markdown]
# ### 3 · As many parameters
#
# `vanilla` has more parameters than `fast`. Is it the number that hurts it? For a fair comparison
# we need a dense G with about as many parameters as the convolutional one. Find three widths for
# which the number differs by less than 1 %. (Begin with those of `vanilla` and make them smaller;
# the check tells you the number.)


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 3 (run it, no need to read)
def check_widths(widths):
    wanted = build_generator(fast).count_params()
    if ... in widths:
        print("Not yet: replace the three ... by numbers.")
        return
    found = build_dense_generator(vanilla.replace(generator_widths=widths)).count_params()
    if len(widths) != 3:
        print("Not yet: three widths, please.")
    elif abs(found - wanted) < wanted / 100:
        print("Right: now the two have the same number of parameters, within 1 %.")
    else:
        way = "many" if found > wanted else "few"
        print(f"Not yet: {found:,} are too {way}; wanted are about {wanted:,}.")
        print("Hint: the last width counts most. It has 784 connections to the pixels.")


# %% [markdown]
# Your answer, and the check:

# %% tags=["nbval-check-output"]
my_widths = (..., ..., ...)  # your answer
check_widths(my_widths)

# %% [markdown]
# *Solution, folded:*

# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 3
check_widths((256, 400, 680))

# %% [markdown]
# Does it draw better or worse than `vanilla`? In a new cell:
# `play_it(get_recipe("vanilla", generator_widths=my_widths), images)[-1]["distance"]`.
#
# ## What you did
#
# - You read the players of the first GANs, made of dense layers only, and what else differs.
# - You counted parameters and multiplications, and found out that they are not the same thing.
# - You saw locality and weight sharing as pictures.
# - You saw both pairs draw from the same noise, after the same steps and after the same seconds.
# - You compared 60 epochs of the one with 20 of the other.
# - You shuffled the pixels, and saw which of the two notices.
# - You took one thing at a time away from the DCGAN, trained what was left, and saw what it was
#   worth.
#
# **Next:** [notebook 07](07_measuring_quality.ipynb) builds the evaluator that this notebook has
# borrowed, and shows what its number can tell and what it cannot.
