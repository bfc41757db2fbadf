# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 01 · Data: what the networks learn from
#
# In this notebook you will
#
# - look at MNIST, and see an image as a table of numbers;
# - scale images to the range from -1 to 1, and see what happens if you don't;
# - cut the images into shuffled batches, and meet the bug that the last batch causes;
# - find out what "a distribution of digits" is: what is common, and what varies;
# - draw images pixel by pixel from the right histograms, and see why that gives no digits;
# - see that a classifier does not know what a digit looks like;
# - set images aside, and see what they reveal.
#
# **You need** Python and a little NumPy. Nothing about GANs. **Run time**: less than a minute on
# two processor cores, no GPU. Nothing is trained here.
#
# **Where we are.** The goal of the whole series is a program that draws new handwritten digits.
# Nobody tells it how a digit is drawn. It gets examples and nothing else, so everything that it
# will ever know is in the data of this notebook.

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
# Our tests run this notebook with `DCGAN_PROFILE=quick`, on fewer images. Leave the variable
# unset and you get the real thing.

# %%
import os

QUICK = os.environ.get("DCGAN_PROFILE", "full") == "quick"

# %% [markdown]
# ## 1 · MNIST
#
# MNIST is a collection of 70,000 handwritten digits, written by clerks and pupils in the United
# States, scanned, and brought to one size: 60,000 to learn from and 10,000 for a last test.
# `load_images` gives the 60,000. (Where MNIST is not at hand, it says so and gives
# 9,000 of them, which come with the library. Everything below runs with these too.)

# %%
from dcgan_lib import load_images

data = load_images()
print("name:  ", data.name)
print("images:", data.images.shape, data.images.dtype)
print("labels:", data.labels.shape, data.labels.dtype)

# %% [markdown]
# Each image comes with a **label**: the digit that its writer meant. All images with the same
# label form a **class**; there are ten. The first images, with their labels above:

# %%
from dcgan_lib import plot_images, scale

titles = [str(label) for label in data.labels[:20]]
plot_images(scale(data.images[:20]), columns=10, titles=titles)

# %% [markdown]
# ### An image is a table of numbers
#
# 28 rows, 28 columns, one whole number for each dot (**pixel**): 0 is paper, 255 is full ink. (We
# show paper black and ink white, as is the custom with MNIST.)

# %%
import matplotlib.pyplot as plt


def show_numbers(axis, image):
    """Draws an image and writes into each pixel its value."""
    axis.imshow(image, cmap="gray", vmin=0, vmax=255)
    for (row, column), value in np.ndenumerate(image):
        colour = "white" if value < 140 else "black"
        axis.text(column, row, value, ha="center", va="center", fontsize=6, color=colour)


# %% [markdown]
# The first image, and a part of it in close-up:

# %%
import numpy as np

figure, axes = plt.subplots(1, 2, figsize=(9, 4.5), layout="constrained")
axes[0].imshow(data.images[0], cmap="gray")
axes[0].add_patch(plt.Rectangle((7.5, 7.5), 14, 14, fill=False, edgecolor="tab:orange", lw=2))
axes[0].set(title="28 × 28 pixels", xlabel="column", ylabel="row")
show_numbers(axes[1], data.images[0, 8:22, 8:22])
axes[1].set(title="The orange square: its numbers", xticks=[], yticks=[])
plt.show()

# %% [markdown]
# A network sees the numbers, not the picture. That two numbers are neighbours, that white dots
# form a stroke: all this it has to find out, or we have to build it in (notebook 02).
#
# Keras wants to know how many numbers belong to each pixel. These are the **channels**: a colour
# image has three (red, green, blue), a grey one has one. So for Keras an image is not (28, 28)
# but (28, 28, 1); leave the 1 away and the first layer complains about the shape.
#
# ## 2 · Scaling to [-1, 1]
#
# To **normalise** data is to bring its numbers into an agreed range. We divide by 127.5 and
# subtract 1: then 0 becomes -1 and 255 becomes 1. This is the library's function for it, and the
# one that goes back. (`as_pixels` lets images like ours through as they are. It is for images in
# another range, say from 0 to 1, which it brings to 0…255: dividing these by 127.5 is a common
# mistake.)

# %%
from dcgan_lib import as_pixels


def with_channels(images: np.ndarray) -> np.ndarray:
    """Returns grey images (N, H, W) as (N, H, W, 1), and others as they are."""
    return images[..., np.newaxis] if images.ndim == 3 else images


def scale(images: np.ndarray) -> np.ndarray:
    """Turns uint8 (N, H, W) or (N, H, W, C) into float32 (N, H, W, C) in [-1, 1]."""
    return with_channels(as_pixels(images)).astype(np.float32) / 127.5 - 1.0


# %% [markdown]
# (`np.newaxis` adds the channel.) Going back we round, and clip whatever lies outside:


# %%
def unscale(images: np.ndarray) -> np.ndarray:
    """Turns floats in [-1, 1] into uint8 from 0 to 255: the inverse of `scale`."""
    return np.clip(np.rint((np.asarray(images) + 1.0) * 127.5), 0, 255).astype(np.uint8)


# %% [markdown]
# Does the way there and back change anything? We try it on all 256 values that a pixel can have.

# %% tags=["nbval-check-output"]
values = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
scaled = scale(values)
print(scaled.shape, scaled.dtype, "from", scaled.min(), "to", scaled.max())
print("back again, the same:", np.array_equal(unscale(scaled)[..., 0], values))

# %% [markdown]
# ### Why just this range?
#
# The network that draws (the *generator*, notebook 02) ends with the function **tanh**. It
# squeezes any number to one between -1 and 1: large negative numbers to almost -1, large positive
# ones to almost 1. So whatever the generator draws lies between -1 and 1, and the real images
# must lie there too.
#
# **Predict, then run:** suppose we forget to scale. Real images then go from 0 to 255, drawn ones
# from -1 to 1. A second network has to tell the two apart. How hard is that?

# %%
draw = np.random.default_rng(0)
forgotten = data.images[:1000].astype(np.float32)
drawn = np.tanh(draw.normal(size=(1000, 28, 28)))  # whatever comes out of a tanh
print(f"brightest pixel above 1: {(forgotten.max(axis=(1, 2)) > 1).mean():.0%} of the real images")
print(f"brightest pixel above 1: {(drawn.max(axis=(1, 2)) > 1).mean():.0%} of the drawn ones")

# %% [markdown]
# One comparison is right every time, without a look at any shape. The second network would learn
# this comparison and nothing about digits; and the generator could do nothing about it, because
# no tanh reaches 2. (Notebook 08 has more ways to break a training.)
#
# ### And why not from 0 to 1?
#
# That range is within reach. To see the difference we ask what a tanh layer can draw when its
# inputs are nearly right, but not quite, as the outputs of a network always are. `np.arctanh`
# gives the inputs that would be exactly right; we shake them a little.


# %%
def redraw(wanted, shake=0.5):
    """What a tanh draws whose inputs are nearly right for the image `wanted`."""
    inputs = np.arctanh(np.clip(wanted, -0.999, 0.999))
    return np.tanh(inputs + shake * draw.standard_normal(wanted.shape))


# %% [markdown]
# **Predict, then run:** the same digit in three ranges, the same amount of shaking. Which of the
# three will look best?

# %%
digit = data.images[0] / 255.0
ranges = {"0 to 255": (0, 255), "0 to 1": (0, 1), "-1 to 1": (-1, 1)}
figure, axes = plt.subplots(1, 4, figsize=(9, 2.7), layout="constrained")
axes[0].imshow(digit, cmap="gray")
axes[0].set_title("wanted digit")
for axis, (name, (low, high)) in zip(axes[1:], ranges.items(), strict=True):
    axis.imshow(redraw(low + (high - low) * digit), cmap="gray", vmin=low, vmax=high)
    axis.set_title(f"range {name}")
for axis in axes:
    axis.axis("off")
plt.show()

# %% [markdown]
# - From 0 to 255: black. The brightest that tanh can do is 1, and that is next to nothing here.
# - From 0 to 1: the digit is there, the paper is dirty. Paper is 0, where tanh is steep, so each
#   small error of the inputs shows; half of the range is never used.
# - From -1 to 1: clean. Paper and ink lie at the two flat ends of tanh, where errors vanish.
#
# The curve shows why:

# %%
x = np.linspace(-4, 4, 200)
figure, axis = plt.subplots(figsize=(6.5, 3), layout="constrained")
axis.plot(x, np.tanh(x), color="black")
for value, name, colour in (
    (-1, "paper if scaled to [-1, 1]", "tab:blue"),
    (0, "paper if scaled to [0, 1]", "tab:red"),
    (1, "ink", "tab:orange"),
):
    axis.axhline(value, color=colour, linestyle="--", label=name)
axis.set(title="tanh", xlabel="input", ylabel="output")
axis.legend(loc="upper left", bbox_to_anchor=(0.0, 0.93), fontsize=8)
axis.grid(alpha=0.25)
plt.show()

# %% [markdown]
# ## 3 · Batches, epochs, shuffling
#
# A network learns in small steps. For each step it is shown a handful of images, a **batch**. One
# batch, one **iteration** (or **step**). When every image has been used once, an **epoch** is
# over and the next begins. Why not all 60,000 images in one step? It would take a thousand times
# as long and be hardly better. Why not one image? Each step would suit that one image, and the
# next might undo it.
#
# **Predict, then run:** how many steps has an epoch, and how large is its last batch? (50,000 is
# what remains for learning when section 7 has set some images aside.)

# %% tags=["nbval-check-output"]
for images in (60_000, 50_000):
    for batch_size in (64, 256):
        full, rest = divmod(images, batch_size)
        print(f"{images} images, batches of {batch_size}: {full} full ones and one of {rest}")

# %% [markdown]
# No epoch comes out even: 64 and 256 are powers of two, 60,000 is not a multiple of either. So
# the last batch is always smaller.
#
# ### The bug in the last batch
#
# A training step needs random numbers, as many vectors as the batch has images. Programs often
# write the size of the batch as a constant there, and run without trouble for 781 steps. Then
# comes the last batch of the epoch. Take one with 16 real images:

# %%
batch_size = 64
last_batch = scale(data.images[:16])
noise = draw.standard_normal((batch_size, 100))  # the bug: always 64
print("real images:", len(last_batch), " images to be drawn from noise:", len(noise))

# %% [markdown]
# If you are lucky, it crashes. Here a little noise is added to the real images, one of the tricks
# of notebook 09:

# %% tags=["nbval-check-output"]
try:
    last_batch + 0.05 * draw.standard_normal((batch_size, 28, 28, 1))
except ValueError as error:
    print("ValueError:", error)

# %% [markdown]
# If you are unlucky, it does not crash. Here is a discriminator that has learned nothing and says
# "drawn" to every image. How often is it right?

# %% tags=["nbval-check-output"]
for real in (64, 16):
    fake = 64  # the bug again
    print(f"{real} real and {fake} drawn images: right on {fake / (real + fake):.0%}")

# %% [markdown]
# In the last batch it seems to know something: the number measures the bug. The two networks get
# unequal amounts to learn from as well, once in each epoch. The cure is to ask the batch: write
# `len(real_images)` where the constant stood. (To throw the last batch away,
# `drop_remainder=True` in TensorFlow, cures it too. Then up to 63 images are not used in an
# epoch, which is harmless if the next epoch leaves out others.)
#
# ### Why shuffle?
#
# Suppose the images are sorted by label, as they come out of many archives. What do the batches
# hold?

# %%
by_label = np.argsort(data.labels, kind="stable")
sorted_labels = data.labels[by_label]
mixed = draw.permutation(data.labels)
for name, labels in (("sorted", sorted_labels), ("shuffled", mixed)):
    print(f"{name:>8}: first batch", np.unique(labels[:64]), " last", np.unique(labels[-64:]))

# %% [markdown]
# Sorted, a network would learn for hundreds of steps that all digits are zeros, then that all are
# ones, and forget the zeros meanwhile. So each batch should be a fair sample of the whole. Each
# epoch needs an order of its own, too: otherwise the same images always meet in the same batch.
#
# ### A shuffle buffer does not always shuffle
#
# The usual tool is TensorFlow's `shuffle`. It has a **shuffle buffer**: a box filled with the
# next images of the row. Each draw takes a random one from the box, and the next of the row takes
# its place. If everything fits into the box, that is a perfect shuffle.
#
# **Predict, then run:** our images sorted by label, and a box for 1,000. How well are they mixed?

# %%
import tensorflow as tf

stream = tf.data.Dataset.from_tensor_slices(sorted_labels).shuffle(1000, seed=0)
buffered = next(iter(stream.batch(len(sorted_labels)))).numpy()
print("first batch of 64:", np.unique(buffered[:64]))

# %% [markdown]
# Each dot below is an image: when it comes, and its label.

# %%
orders = {"sorted": sorted_labels, "shuffle buffer of 1,000": buffered, "shuffled": mixed}
figure, axes = plt.subplots(1, 3, figsize=(9, 2.8), sharey=True, layout="constrained")
for axis, (name, labels) in zip(axes, orders.items(), strict=True):
    when = np.arange(0, len(labels), 20)
    jitter = draw.uniform(-0.3, 0.3, len(when))
    axis.plot(when, labels[when] + jitter, ".", markersize=1.5, color="tab:blue")
    axis.set(title=name, xlabel="position in the epoch", yticks=range(10))
axes[0].set_ylabel("label")
plt.show()

# %% [markdown]
# The box of 1,000 hardly helps. An image may lie in the box for long and come late (the thin tails
# to the right), but none comes more than 1,000 places early: no nine can reach the first batch.
# Make the box as large as the dataset, or do it another way.
#
# ### How the library shuffles
#
# It shuffles no images at all, but their *numbers*: `training_batches` draws the order of an
# epoch as a list of numbers, cuts it into batches, and looks the images up. The order is computed
# from two numbers, a **seed** and the number of the epoch. A computer's random numbers are a
# fixed sequence that begins at the seed: the same seed, the same order, on your computer as on
# ours. So a training that broke off can go on in the middle of an epoch (`first_step`) as if
# nothing had happened. An ordinary shuffle buffer cannot: nobody knows what was in the box.

# %%
from dcgan_lib import check_batch_size, endless


def training_batches(
    images: np.ndarray,
    batch_size: int,
    seed: int = 0,
    first_step: int = 0,
    labels: np.ndarray | None = None,
) -> tf.data.Dataset:
    """An endless stream of shuffled batches, each a pure function of (seed, step)."""
    import tensorflow as tf

    check_batch_size(len(images), batch_size)
    steps_per_epoch = -(-len(images) // batch_size)
    first_epoch, skip = divmod(first_step, steps_per_epoch)
    pixels = tf.constant(with_channels(as_pixels(images)))

    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        order = tf.random.experimental.stateless_shuffle(
            tf.range(len(images)), seed=tf.stack([tf.cast(seed, tf.int64), epoch])
        )
        batches = tf.data.Dataset.from_tensor_slices(order).batch(batch_size)
        return batches.skip(skip) if epoch == first_epoch else batches

    def look_up(indices: tf.Tensor) -> tf.Tensor | tuple[tf.Tensor, tf.Tensor]:
        batch = tf.cast(tf.gather(pixels, indices), tf.float32) / 127.5 - 1.0
        return batch if labels is None else (batch, tf.gather(labels, indices))

    epochs = tf.data.Dataset.range(first_epoch, 2**31, output_type=tf.int64)
    return endless(epochs.flat_map(one_epoch).map(look_up).prefetch(4), steps_per_epoch)


# %% [markdown]
# - `-(-a // b)` divides and rounds up: the last, smaller batch counts.
# - `one_epoch` makes the batches of one epoch. They are small lists of numbers, which costs
#   almost no memory; `flat_map` strings the epochs together.
# - `look_up` fetches the images of a batch and scales them, in the moment they are needed. Scaled
#   beforehand, all images as floats would take four times the memory. Labels come along only if
#   they are given: nothing before notebook 09 needs them.
# - `prefetch(4)` prepares the next batches while the network works on the present one.
# - The stream says that it never ends, and how many batches are an epoch: `fit` (notebook 04) asks.

# %% tags=["nbval-check-output"]
batch = next(iter(training_batches(data.images, 64)))
print(batch.shape, batch.dtype.name)
print("from", float(tf.reduce_min(batch)), "to", float(tf.reduce_max(batch)))

# %% [markdown]
# Is it as we say? We need images that can be told apart: a thousand "images" of two pixels, which
# hold the image's number, its hundreds and the rest. The function gives the numbers that come in
# the first two epochs.

# %%
numbered = np.stack(np.divmod(np.arange(1000), 100), axis=-1).astype(np.uint8)[:, np.newaxis]


def numbers_in_batches(seed, first_step=0, count=32):
    stream = training_batches(numbered, 64, seed, first_step).take(count)
    return [unscale(batch)[:, 0, :, 0] @ [100, 1] for batch in stream]


# %% [markdown]
# A thousand images make 15 batches of 64 and one of 40, so 32 batches are two epochs.

# %% tags=["nbval-check-output"]
batches = numbers_in_batches(seed=1)
first, second = np.concatenate(batches[:16]), np.concatenate(batches[16:])
print("sizes of the first 16 batches:", *map(len, batches[:16]))
print("each image once in an epoch:  ", np.array_equal(np.sort(first), np.arange(1000)))
print("a new order in epoch 2:       ", not np.array_equal(first, second))

# %% [markdown]
# And with the same seed, with another one, and beginning at step 20?

# %% tags=["nbval-check-output"]
again, other = numbers_in_batches(seed=1), numbers_in_batches(seed=2)
resumed = numbers_in_batches(seed=1, first_step=20, count=12)
print("same seed, same order:    ", np.array_equal(np.concatenate(again[:16]), first))
print("other seed, same order:   ", np.array_equal(np.concatenate(other[:16]), first))
late = np.concatenate(batches[20:])
print("from step 20 on, the same:", np.array_equal(np.concatenate(resumed), late))

# %% [markdown]
# ## 4 · A distribution of digits
#
# An image is 784 numbers, each of 256 values. How many different images are there?

# %% tags=["nbval-check-output"]
print(f"a one with {784 * np.log10(256):.0f} zeros")

# %% [markdown]
# Nearly all of them look like the noise of a television without a signal. Very few are digits,
# and among these, too, some are common and some are rare. A **distribution** is a rule that says
# how likely each image is. MNIST was drawn from such a rule: that of people writing digits.
# Nobody can write this rule down; we only have 60,000 examples of what came out. To *learn the
# distribution* means to build something whose new examples look as if they came from the same
# rule: of the same kinds, equally often, with the same variety.
#
# ### Kinds: the class histogram

# %%
figure, axis = plt.subplots(figsize=(6.5, 2.6), layout="constrained")
axis.bar(range(10), np.bincount(data.labels, minlength=10), color="tab:blue")
axis.set(title="How often is each digit written?", xlabel="class", ylabel="images")
axis.set_xticks(range(10))
plt.show()

# %% [markdown]
# All ten, about equally often, but not exactly. A program that draws nothing but the digit 1 has
# not learned this distribution, however perfect each 1 is.
#
# ### What is common: the mean
#
# The mean image: each pixel is the mean of that pixel over all images. First over all, then over
# each class.

# %%
means = [data.images.mean(axis=0)]
means += [data.images[data.labels == k].mean(axis=0) for k in range(10)]
titles = ["all", *map(str, range(10))]
plot_images(scale(np.stack(means)), columns=11, titles=titles)

# %% [markdown]
# The mean of all is a cloud: digits sit in the middle, more cannot be said. The mean of a class
# can be read, but nobody writes such blurred digits. The mean of a distribution need not be
# likely in it. A network trained to make the smallest mean error draws such blurs; a GAN does
# not.
#
# ### What varies: many sevens

# %%
sevens = data.images[data.labels == 7]
plot_images(scale(sevens[:60]), columns=15, size=0.58, title="Sixty sevens")

# %% [markdown]
# With and without a bar, steep and flat, thick and thin. All are sevens, no two are alike. How
# far apart are they? As the distance of two images we take the square root of the summed squares
# of the pixels' differences, as with points in space. Which sevens are nearest to the mean seven,
# and which are farthest from it?

# %%
mean_seven = sevens.mean(axis=0)
distances = np.sqrt(((sevens - mean_seven) ** 2).sum(axis=(1, 2)))
order = np.argsort(distances)
chosen = sevens[np.concatenate([order[:10], order[-10:]])]
plot_images(scale(chosen), columns=10, title="Nearest to the mean (above), farthest (below)")

# %% [markdown]
# Two of the far ones are mere blots; but several can be read as sevens, thick or wide or with a
# hook. A program that draws only what is near the mean leaves them out. Where do sevens differ?
# The **spread** (standard deviation) of each pixel says how far it typically is from its mean.

# %%
figure, axes = plt.subplots(1, 2, figsize=(7.5, 3.2), layout="constrained")
pictures = {"mean seven": mean_seven, "spread of each pixel": sevens.std(axis=0)}
for axis, (name, picture) in zip(axes, pictures.items(), strict=True):
    shown = axis.imshow(picture, cmap="magma")
    axis.set(title=name, xticks=[], yticks=[])
    figure.colorbar(shown, ax=axis, label="pixel value")
plt.show()

# %% [markdown]
# The mean is high where most sevens have ink. The spread is high where they disagree: at both
# ends of the stroke, and along its edges. In the corners nothing ever happens.
#
# ### Pixels
#
# **Predict, then run:** paper, ink, or grey in between: what share of all pixels is each?

# %%
counts = np.bincount(data.images.ravel(), minlength=256)
ink = data.images.mean(axis=(1, 2)) / 255
print(f"paper (0): {counts[0] / counts.sum():.0%}")
print(f"full or nearly full ink (250 and above): {counts[250:].sum() / counts.sum():.0%}")
print(f"in between: {counts[1:250].sum() / counts.sum():.0%}")

# %% [markdown]
# The whole histogram, and beside it how much ink each image has. The left axis is logarithmic:
# each mark is ten times the one below, or nothing but the bar of the paper could be seen.

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 2.8), layout="constrained")
axes[0].bar(range(256), counts / counts.sum(), width=1.0, color="tab:blue")
axes[0].set(yscale="log", title="Values of all pixels", xlabel="value", ylabel="share (log)")
axes[1].hist(ink, bins=60, color="tab:blue")
axes[1].set(title="Ink on each image", xlabel="share of the image", ylabel="images")
plt.show()

# %% [markdown]
# Mostly paper, some ink, some in between. On the right: every image has some ink, none is half
# full.
#
# ## 5 · Pixel by pixel
#
# Now a first attempt at drawing. We know for each of the 784 pixels how often it has each value.
# So let us draw each pixel from its own histogram. The easiest way to do that: for every pixel
# anew, pick some image at random and copy just that pixel from it.


# %%
def draw_each_pixel(images, count, seed=0):
    """Draws each pixel from its own histogram, without a look at the other pixels."""
    chosen = np.random.default_rng(seed).integers(len(images), size=(count, 28, 28))
    row, column = np.indices((28, 28))
    return images[chosen, row, column]


# %% [markdown]
# First let us see that it does what it should. Is the mean image right? And the histogram of all
# pixels?

# %%
count = 500 if QUICK else 5000
naive = draw_each_pixel(data.images, count)
naive_counts = np.bincount(naive.ravel(), minlength=256)
print(f"paper: {naive_counts[0] / naive_counts.sum():.1%} of the drawn pixels,")
print(f"       {counts[0] / counts.sum():.1%} of the real ones")
pair = np.stack([data.images.mean(axis=0), naive.mean(axis=0)])
plot_images(scale(pair), titles=["mean, real", "mean, drawn"], size=1.4)

# %% [markdown]
# Both are right. **Predict, then run:** every pixel is exactly as often black, grey and white as
# in MNIST. What do the images look like?

# %%
plot_images(scale(naive[:30]), columns=10, title="Each pixel from its own histogram")

# %% [markdown]
# Not one digit. Each pixel is right, and the image is wrong: what makes a digit is how pixels *go
# together*. White dots stand in lines; where there is a bar on top there is no loop below.
#
# We can make that visible. The **correlation** of two pixels is a number from -1 to 1: near 1 if
# both are bright on the same images, near 0 if knowing one says nothing about the other, below 0
# if one tends to be dark when the other is bright.


# %%
def correlations_with(images, row, column):
    """The correlation of one pixel with each of the 784."""
    flat = images.reshape(len(images), -1) / 255.0
    flat = flat - flat.mean(axis=0)
    one = flat[:, row * 28 + column]
    spread = flat.std(axis=0) * one.std()
    return ((flat.T @ one) / len(flat) / np.maximum(spread, 1e-6)).reshape(28, 28)


# %% [markdown]
# Two pixels (the green crosses), and how they go with all others, in real images and in those of
# our first attempt:

# %%
figure, axes = plt.subplots(1, 4, figsize=(9.5, 2.7), layout="constrained")
pixels = [(14, 14), (20, 11)]
pairs = [
    (name, images, pixel)
    for name, images in (("real", data.images[:5000]), ("pixel by pixel", naive))
    for pixel in pixels
]
for axis, (name, images, (row, column)) in zip(axes, pairs, strict=True):
    picture = correlations_with(images, row, column)
    shown = axis.imshow(picture, cmap="RdBu_r", vmin=-0.6, vmax=0.6)
    axis.plot(column, row, "x", color="lime")
    axis.set(title=name, xticks=[], yticks=[])
figure.colorbar(shown, ax=axes, label="correlation", extend="both")
plt.show()

# %% [markdown]
# In real images each pixel is tied to its neighbours (red), and to others farther away (red: where
# there is ink here, there is often ink there; blue: there is often none). In ours it is tied to
# itself alone. A model of digits has to know all these ties, of all pixels at once. Tables of them
# soon become impossible: there are 307,000 pairs of pixels, and pairs are not enough. The way out
# is a network that draws the whole image in one go, from a few random numbers that all pixels share
# ([notebook 02](02_generator.ipynb)).
#
# ## 6 · A classifier does not know what a digit looks like
#
# Networks that recognise digits are easy to get and nearly always right. Does not such a network,
# a **classifier**, know all about digits? The library has one (it measures quality in [notebook
# 07](07_measuring_quality.ipynb)). For each image it gives ten probabilities, one for each class.

# %%
from dcgan_lib import Evaluator

classifier = Evaluator()
count = 200 if QUICK else 2000
_, probabilities = classifier(scale(data.images[:count]))
right = probabilities.argmax(axis=1) == data.labels[:count]
print(f"right on {right.mean():.1%}, sure of its answer: {probabilities.max(axis=1).mean():.1%}")

# %% [markdown]
# Nearly always right, and rightly sure. (It has learned from most of these images, so that is no
# fair exam; section 7 has more on that.)
#
# **Predict, then run:** we show it pure noise. Which digit does it see, and how sure is it? And
# of the images drawn pixel by pixel, and of digits flipped top to bottom?

# %%
noise_images = draw.integers(0, 256, size=(count, 28, 28), dtype=np.uint8)
unreal = {"noise": noise_images, "pixel by pixel": naive[:count]}
unreal["flipped"] = data.images[:count, ::-1]
for name, images in unreal.items():
    _, probabilities = classifier(scale(images))
    favourite = np.bincount(probabilities.argmax(axis=1)).argmax()
    print(f"{name}: sure of its answer {probabilities.max(axis=1).mean():.1%}, mostly {favourite}")

# %% [markdown]
# Some of them, with its answers:

# %%
examples = np.concatenate([images[:5] for images in unreal.values()])
_, probabilities = classifier(scale(examples))
titles = [f"{row.argmax()}: {row.max():.0%}" for row in probabilities]
plot_images(scale(examples), columns=5, titles=titles, size=1.0)

# %% [markdown]
# Noise is an 8 for it, without a doubt; the first flipped digit, a 5, is a 2. It is not broken: it
# was asked *which* of the ten digits this is, and its ten probabilities add up to 1, so it has no
# way to say "none of them".
#
# - A classifier learns p(label | image): *given* an image, how likely is each label? It only
#   needs what tells the classes apart.
# - We need p(image): how likely is such an image at all? Noise: practically never.
#
# In a GAN the question "is that an image like those in the data?" is asked by the discriminator
# ([notebook 03](03_discriminator.ipynb)). It uses no labels, and neither does the generator: from
# here on we need the labels only for measuring.
#
# ## 7 · Images set aside
#
# There is an easy way to draw perfect digits: keep the examples, and hand out copies. It has
# learned nothing: there will never be a new one. Whoever compares its drawings with the examples
# will find them perfect. So we keep some images away from it. (The library asks for 10,000; of a
# smaller dataset it takes a sixth.)

# %%
from dcgan_lib import hold_out_indices

train, held_out = hold_out_indices(len(data.images), 10_000)
print(len(train), "images to learn from,", len(held_out), "set aside")
print("in both:", len(np.intersect1d(train, held_out)))

# %% [markdown]
# `hold_out_indices` chose at random, but always the same. The images set aside are called
# **held-out**: nothing may learn from them. What that is good for can be seen with the laziest of
# classifiers: it stores some images, and gives the label of the stored one that is nearest.
#
# **Predict, then run:** how often is the lazy one right on the images that it has stored, and how
# often on held-out ones?

# %%
from sklearn.neighbors import KNeighborsClassifier

stored = train[:300]
flat = data.images.reshape(len(data.images), -1).astype(np.float32)
lazy = KNeighborsClassifier(n_neighbors=1).fit(flat[stored], data.labels[stored])
for name, numbers in (("stored", stored), ("held-out", held_out[:1000])):
    print(f"right on {lazy.score(flat[numbers], data.labels[numbers]):.1%} of the {name} images")

# %% [markdown]
# On what it has stored it cannot go wrong: the nearest image is the image itself. Only images
# that it has never seen show what it is worth. Some of them, and below each the stored image
# nearest to it:

# %%
seen = held_out[:10]
nearest = stored[lazy.kneighbors(flat[seen], return_distance=False)[:, 0]]
pairs = np.concatenate([data.images[seen], data.images[nearest]])
plot_images(scale(pairs), columns=10, title="Held-out images (above), nearest stored one (below)")

# %% [markdown]
# So of the 60,000 images the library sets 10,000 aside, trains on 50,000, and measures a
# generator against the 10,000 only. Measured against the 50,000, a copying machine would win. Why
# not take MNIST's own 10,000 test images? Whoever looks at a measure and then turns a knob has
# learned a little from the images behind it. So the held-out images are for turning knobs; the
# test images wait for a last look ([notebook 07](07_measuring_quality.ipynb)).
#
# ## Exercises
#
# Each has a cell for your answer, with a check that tells you if it is right. The solutions are
# folded below; open them when you have tried.
#
# ### 1 · Mend the noise
#
# This function makes what a training step needs besides a batch of real images: noise for as many
# images, and a column of ones. (In a GAN the word "label" has a second meaning: 1 for a real
# image, 0 for a drawn one.) It works until the last batch comes. Mend it, so that it works with
# any batch.


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 1 (run it, no need to read)
def check_noise(function):
    for size in (64, 40, 1):
        noise, labels = function(scale(np.zeros((size, 28, 28), np.uint8)))
        if np.shape(noise) != (size, 100):
            print(f"Not yet: for {size} real images the noise has the shape {np.shape(noise)}.")
            print(f"Wanted: ({size}, 100). Hint: len(real_images).")
            return
        if np.shape(labels) != (size, 1) or not np.all(np.asarray(labels) == 1):
            print(f"The noise is right. For {size} real images the labels should be")
            print(f"ones of the shape ({size}, 1), not {np.shape(labels)}.")
            return
    print("Right: any batch will do, the last one too.")


# %% [markdown]
# Mend this; the last line checks it:


# %% tags=["nbval-check-output"]
def noise_and_labels(real_images):
    noise = np.random.default_rng(0).standard_normal((64, 100))
    labels = np.ones((64, 1))
    return noise, labels


check_noise(noise_and_labels)

# %% [markdown]
# *Solution, folded:*


# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 1
def mended_noise_and_labels(real_images):
    noise = np.random.default_rng(0).standard_normal((len(real_images), 100))
    labels = np.ones((len(real_images), 1))
    return noise, labels


check_noise(mended_noise_and_labels)

# %% [markdown]
# ### 2 · Sevens, pixel by pixel
#
# All digits at once, pixel by pixel, gave nothing. But the mean seven looked like a seven.
# Perhaps it works if we draw one class only? Use `draw_each_pixel` to draw 20 images from the
# histograms of the sevens alone. Before you run it: will they be sevens?


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 2 (run it, no need to read)
def check_sevens(images):
    if images is ...:
        print("Not yet: replace the ... by a call of draw_each_pixel.")
    elif np.shape(images) != (20, 28, 28):
        print("Not yet: 20 images are wanted, of the shape (20, 28, 28), not", np.shape(images))
    elif (images[:, sevens.max(axis=0) == 0] > 0).any():
        print("Not yet: there is ink where no seven ever has any. Did you draw from all images?")
    elif any((image == sevens).all(axis=(1, 2)).any() for image in images):
        print("Not yet: these are copies of real sevens. Draw each pixel by itself.")
    else:
        print("Right. Look at them: plot_images(scale(my_sevens))")


# %% [markdown]
# Your answer, and the check:

# %% tags=["nbval-check-output"]
my_sevens = ...  # your answer
check_sevens(my_sevens)

# %% [markdown]
# *Solution, folded:*

# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 2
my_sevens = draw_each_pixel(sevens, 20)
check_sevens(my_sevens)
plot_images(scale(my_sevens), columns=10)

# %% [markdown]
# (With the solution run:) a cloud of dots in which you can guess a seven. Each pixel knows the
# class now, but still not what its neighbours do: whether *this* seven is steep, or thick, or has
# a bar.
#
# ### 3 · Another way to normalise
#
# Somebody subtracts the mean of all pixels and divides by their spread (`.mean()`, `.std()`), so
# that the pixels have mean 0 and spread 1. That is usual for classifiers. Which is then the
# highest value, and can a tanh reach it?


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 3 (run it, no need to read)
def check_range(highest, tanh_reaches_it):
    wanted = (255 - data.images.mean()) / data.images.std()
    if highest is ... or tanh_reaches_it is ...:
        print("Not yet: replace both ... by a number and by True or False.")
    elif not np.isclose(float(highest), wanted, rtol=0.02):
        print("Not quite. Hint: what becomes of a pixel of value 255?")
    elif tanh_reaches_it:
        print("The number is right. Hint: what is the largest value of tanh?")
    else:
        print("Right: ink lies above 1, so a generator that ends in tanh can never draw it.")


# %% [markdown]
# Your answer, and the check:

# %% tags=["nbval-check-output"]
highest, tanh_reaches_it = ..., ...  # your answer
check_range(highest, tanh_reaches_it)

# %% [markdown]
# *Solution, folded:*

# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 3
normalised = (data.images - data.images.mean()) / data.images.std()
check_range(normalised.max(), False)

# %% [markdown]
# ## What you did
#
# - You looked at MNIST, and saw an image as a table of numbers.
# - You scaled images to the range from -1 to 1, and saw what happens if you don't.
# - You cut the images into shuffled batches, and met the bug that the last batch causes.
# - You found out what "a distribution of digits" is: what is common, and what varies.
# - You drew images pixel by pixel from the right histograms, and saw why that gives no digits.
# - You saw that a classifier does not know what a digit looks like.
# - You set images aside, and saw what they reveal.
#
# **Next:** [notebook 02](02_generator.ipynb) builds the generator: a network that turns a hundred
# random numbers into an image.
