# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 02 · Generator: from a hundred random numbers to an image
#
# In this notebook you will
#
# - turn random numbers into a small, deep picture, with a dense layer;
# - enlarge a picture by transposed convolution, by hand, and check it against Keras;
# - see where checkerboards come from, and how to avoid them;
# - see what activations do, and why a network without them is weak;
# - see what BatchNorm does, and why its two modes draw different images;
# - read the library's generator, and know the shape and the size of each layer;
# - watch an image come into being, layer by layer.
#
# **You need** Python and a little Keras: layers and models. Nothing about GANs. **Run time**:
# about a minute on two idle processor cores, no GPU.
#
# **Where we are.** [Notebook 01](01_data.ipynb) showed what we want: new images that look as if
# they came from MNIST. The *generator* G draws them. Here we build it. It will not draw digits
# yet: to learn that, it needs a discriminator ([notebook 03](03_discriminator.ipynb)) and a
# training ([notebook 04](04_training.ipynb)).

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
# Our tests run this notebook with `DCGAN_PROFILE=quick`: a shorter training, whose pictures show
# nothing. Leave the variable unset and you get the real thing.

# %%
import os
from pathlib import Path

QUICK = os.environ.get("DCGAN_PROFILE", "full") == "quick"
RUNS = Path("runs") / "02"

# %% [markdown]
# ## 1 · A hundred random numbers
#
# G always computes the same image from the same input. To draw many different images it needs
# many different inputs: a list of random numbers for each image, its **latent vector** z.
# ("Latent" means hidden: nobody tells G what the numbers stand for. In training it gives them a
# meaning of its own.)
#
# Each number is drawn from the normal distribution: mostly between -2 and 2, around 0. Why that
# one? It is easy to draw from, and has no corners or preferred directions. A **recipe** is a set
# of named settings of this project; `latent_dim` is the length of z.

# %%
from dcgan_lib import RECIPES, sample_latent

recipe = RECIPES["fast"]
z = sample_latent(8, recipe.latent_dim, seed=1)
print("8 latent vectors:", z.shape)

# %% [markdown]
# (The **seed** is where the fixed sequence of the computer's random numbers begins: the same seed
# gives the same vectors, on your computer too.) Each row is a vector, and all that G gets to know
# about its image:

# %%
import matplotlib.pyplot as plt
import numpy as np

figure, axis = plt.subplots(figsize=(8, 2.2), layout="constrained")
shown = axis.imshow(z, cmap="RdBu_r", vmin=-3, vmax=3, aspect="auto")
axis.set(title="Eight latent vectors", xlabel="number in the vector", ylabel="image")
figure.colorbar(shown, ax=axis, label="value")
plt.show()

# %% [markdown]
# ## 2 · A dense layer, and a reshape
#
# The vector has no rows and columns, an image has. A **dense** layer leads from one to the other.
# Each of its outputs is a weighted sum of *all* inputs. The **weights** (or **parameters**) are
# the numbers of a layer that training changes; there is one for each pair of input and output.
# Often each output has a **bias** besides, a number that is added to its sum. Ours has none,
# because the next layer (BatchNorm, section 5) would take it away again.
#
# In Keras, and the same by hand (the library puts one more dense layer before this one, section
# 6):

# %% tags=["nbval-check-output"]
import keras
from keras import layers

keras.utils.set_random_seed(0)
dense = layers.Dense(7 * 7 * 64, use_bias=False)
numbers = dense(z).numpy()
by_hand = z @ dense.kernel.numpy()
print("from", z.shape, "to", numbers.shape)
print("the same by hand:", np.allclose(numbers, by_hand, atol=1e-5))

# %% [markdown]
# Then these numbers are laid out as 64 small pictures of 7 × 7. Such pictures, one upon the
# other, are called **channels** (the three of a colour image are red, green and blue; these have
# no such names). No number changes, only how we count them. Why not 28 × 28 at once? It can be
# done, but then each pixel has weights of its own and knows nothing of its neighbours. [Notebook
# 06](06_gan_vs_dcgan.ipynb) shows such a network.

# %%
small = numbers.reshape(-1, 7, 7, 64)
print(small.shape)
figure, axes = plt.subplots(1, 8, figsize=(8, 1.4), layout="constrained")
for channel, axis in enumerate(axes):
    axis.imshow(small[0, :, :, channel], cmap="gray")
    axis.set_title(f"channel {channel}", fontsize=9)
    axis.axis("off")
plt.show()

# %% [markdown]
# Noise, as no weight has been trained. What matters is that there are places now: upper left,
# middle, lower right.
#
# ## 3 · Transposed convolution
#
# **Upsampling** means to make a picture larger: here from 7 × 7 to 14 × 14 to 28 × 28. One could
# repeat each pixel; but it is better to let the network learn how to enlarge. The layer for it
# works like a rubber stamp.
#
# - The stamp is a small picture of weights, the **kernel**.
# - For each input pixel the stamp is pressed on the larger canvas once, and the pixel's value
#   says how strongly.
# - From one pixel to the next the stamp moves on by the **stride**: with stride 2, two pixels on
#   the canvas for one of the input. That makes the picture twice as large.
# - Where stamps overlap, they add up.
#
# That is a **transposed convolution**. We write it down exactly as said:


# %%
def press(canvas, kernel, value, row, column):
    """Adds the kernel, `value` times as strong, with its upper left corner at (row, column)."""
    height, width = kernel.shape
    canvas[row : row + height, column : column + width] += value * kernel


# %% [markdown]
# And once for each input pixel. We keep the canvas after each stamp, to look at it:


# %%
def stamp_all(picture, kernel, stride):
    """Returns the canvas after each stamp; the last one is the result."""
    sides = [(n - 1) * stride + k for n, k in zip(picture.shape, kernel.shape, strict=True)]
    canvas, states = np.zeros(sides), []
    for (row, column), value in np.ndenumerate(picture):
        press(canvas, kernel, value, row * stride, column * stride)
        states.append(canvas.copy())
    return states


# %% [markdown]
# The smallest example: an input of 2 × 2, a kernel of 3 × 3, stride 2. **Predict:** how large is
# the canvas, and what is the number in its middle?

# %%
picture = np.array([[1.0, 2.0], [3.0, 4.0]])
kernel = np.array([[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]])
states = stamp_all(picture, kernel, stride=2)


def show_table(axis, table, title, top=None):
    """Draws a small array with its numbers."""
    top = top or table.max()
    axis.imshow(table, cmap="Blues", vmin=0, vmax=1.4 * top)
    for (row, column), value in np.ndenumerate(table):
        axis.text(column, row, f"{value:.0f}", ha="center", va="center")
    axis.set(title=title, xticks=[], yticks=[])


# %% [markdown]
# The input and the stamp, and the canvas after each of the four stamps. The orange square is the
# place where the stamp was pressed last:

# %%
figure, axes = plt.subplots(1, 6, figsize=(11, 2.3), layout="constrained")
show_table(axes[0], picture, "input")
show_table(axes[1], kernel, "kernel")
for i, axis in enumerate(axes[2:]):
    row, column = divmod(i, 2)
    show_table(axis, states[i], f"stamp {i + 1}: × {picture[row, column]:.0f}", states[-1].max())
    corner = (2 * column - 0.5, 2 * row - 0.5)
    axis.add_patch(plt.Rectangle(corner, 3, 3, fill=False, edgecolor="tab:orange", lw=3))
plt.show()

# %% [markdown]
# 5 × 5, and in the middle all four stamps meet: 1 + 2 + 3 + 4 = 10. Does Keras do the same? Its
# layer has a kernel for each pair of channels, in and out, so the kernel gets two more axes; the
# picture gets an axis for the batch (several pictures at once) and one for the channel.


# %%
def keras_enlarge(picture, kernel, stride, padding="valid"):
    """The same with Keras, for a picture of one channel."""
    layer = layers.Conv2DTranspose(1, kernel.shape[0], stride, padding=padding, use_bias=False)
    layer.build((None, None, None, 1))
    layer.set_weights([kernel[:, :, np.newaxis, np.newaxis]])
    return layer(picture[np.newaxis, :, :, np.newaxis]).numpy()[0, :, :, 0]


# %% [markdown]
# The same numbers?

# %% tags=["nbval-check-output"]
print(keras_enlarge(picture, kernel, stride=2))
print("equal:", np.array_equal(keras_enlarge(picture, kernel, stride=2), states[-1]))

# %% [markdown]
# ### Padding
#
# The canvas has become 5 × 5, we would like 4 × 4: exactly twice the input. The layer's argument
# **padding** says what happens at the edge. `valid` keeps the whole canvas; `same` cuts off what
# hangs over, so that the output is exactly stride times as large as the input. What hangs over is
# kernel − stride rows, and as many columns. Half of them go at the top and on the left, the rest
# (the larger half) at the bottom and on the right.


# %%
def cut_to_same(canvas, shape, kernel_size, stride):
    """Cuts off what hangs over, half of it on the left and top."""
    first = max(kernel_size - stride, 0) // 2
    height, width = (side * stride for side in shape)
    return canvas[first : first + height, first : first + width]


# %% [markdown]
# A check with random numbers, for three sizes of the kernel:

# %% tags=["nbval-check-output"]
draw = np.random.default_rng(0)
for size in (3, 4, 5):
    random_kernel = draw.normal(size=(size, size)).astype(np.float32)
    ours = cut_to_same(stamp_all(picture, random_kernel, 2)[-1], picture.shape, size, 2)
    theirs = keras_enlarge(picture, random_kernel, 2, padding="same")
    print(f"kernel {size}: shape {theirs.shape}, equal: {np.allclose(ours, theirs, atol=1e-5)}")

# %% [markdown]
# So the side of the output is, for an input side n, a kernel k at least as large as the stride s:
#
# - with padding `valid`: (n − 1) · s + k
# - with padding `same`: n · s
#
# ### The reverse of a convolution, in shape only
#
# A **convolution** goes the other way: it lays the kernel on a place of the large picture,
# multiplies number by number and adds up: one output pixel. With stride 2 the picture gets half
# as large. (The discriminator of notebook 03 is made of these.) **Predict, then run:** first a
# convolution, then a transposed one with the same kernel. The shape comes back. Do the numbers?

# %% tags=["nbval-check-output"]
large = draw.normal(size=(1, 28, 28, 1)).astype(np.float32)
down = layers.Conv2D(1, 4, 2, padding="same", use_bias=False)
up = layers.Conv2DTranspose(1, 4, 2, padding="same", use_bias=False)
halved = down(large)
up.build(halved.shape)
up.set_weights(down.get_weights())
back = up(halved)
print(large.shape, "→", tuple(halved.shape), "→", tuple(back.shape))
print("the same numbers:", np.allclose(large, back, atol=1e-5))

# %% [markdown]
# No: 784 numbers cannot come back from 196. So "deconvolution", as it is sometimes called, is a
# bad name. Where does the right name come from? Each output of a convolution is a weighted sum of
# inputs, so one can write all the weights into a large table, a matrix: a row for each output, a
# column for each input. We find its columns by sending in pictures with a single pixel of 1.


# %%
def matrix_of(layer, side):
    """The matrix of a layer without bias, for pictures of side × side and one channel."""
    single_pixels = np.eye(side * side, dtype=np.float32).reshape(-1, side, side, 1)
    return np.reshape(layer(single_pixels), (side * side, -1)).T


# %% [markdown]
# The matrix of the convolution from 8 × 8 to 4 × 4, and that of the transposed one from 4 × 4 to
# 8 × 8:

# %% tags=["nbval-check-output"]
A, B = matrix_of(down, 8), matrix_of(up, 4)
print("convolution:", A.shape, " transposed:", B.shape)
print("B is A with rows and columns exchanged:", np.allclose(B, A.T, atol=1e-6))

# %% [markdown]
# Exchanging rows and columns of a matrix is called transposing. That is all there is to the name.
#
# ### It can learn the ways of enlarging that you know
#
# A kernel of ones, as large as the stride, repeats each pixel. A tent-shaped one mixes neighbours
# smoothly (bilinear, as photo programs do). Nobody sets these kernels in a GAN; they show what is
# in reach of training.

# %%
from dcgan_lib import load_images

data = load_images()
digit = data.images[0].reshape(14, 2, 14, 2).mean(axis=(1, 3))  # half the size
slope = np.array([0.25, 0.75, 0.75, 0.25])
kernels = {"ones, 2 × 2": np.ones((2, 2)), "tent, 4 × 4": np.outer(slope, slope)}
kernels["random, 4 × 4"] = draw.normal(size=(4, 4))

# %% [markdown]
# A real digit at half size, and three kernels that make it twice as large:

# %%
figure, axes = plt.subplots(1, 4, figsize=(9, 2.6), layout="constrained")
axes[0].imshow(digit, cmap="gray")
axes[0].set_title("14 × 14")
for axis, (name, weights) in zip(axes[1:], kernels.items(), strict=True):
    axis.imshow(keras_enlarge(digit, weights, 2, padding="same"), cmap="gray")
    axis.set_title(name)
for axis in axes:
    axis.axis("off")
plt.show()

# %% [markdown]
# ### Checkerboards
#
# The last picture is full of small regular dots: its stamp is uneven, and so is each print of it.
# Training can make a stamp even. But does an even stamp always give an even picture? That depends
# on how often each output pixel is stamped. To count it, we press a stamp of ones for each pixel of
# an input of ones. **Predict, then run:** kernel 5 with stride 2, against kernel 4 with stride 2.
# Which of them stamps evenly?

# %%
ones = np.ones((5, 5))
figure, axes = plt.subplots(1, 2, figsize=(7.5, 3.8), layout="constrained")
for axis, size in zip(axes, (5, 4), strict=True):
    show_table(axis, stamp_all(ones, np.ones((size, size)), 2)[-1], f"kernel {size}, stride 2")
plt.show()

# %% [markdown]
# Apart from the edge, kernel 4 stamps each pixel four times. With kernel 5 it is 4, 6, 6 or 9
# times, in a regular pattern, a **checkerboard**: some pixels get more than twice as much as
# their neighbours. Training can work against it, but it has to learn that first, and traces often
# remain. The rule: **the kernel should be a multiple of the stride.**
#
# How does that look in untrained generators, one with kernel 5 and one with 4 (`recipe.replace`
# changes one setting)? Their weights are random, and by chance some pixels vary more than others.
# So we take the spread of each pixel over 64 images, and the mean of that over many generators:

# %%
from dcgan_lib import build_generator

many = sample_latent(64, recipe.latent_dim, seed=2)


def mean_spread(kernel_size, generators):
    """How much each pixel varies from image to image, a mean over untrained generators."""
    spreads = []
    for seed in range(generators):
        keras.utils.set_random_seed(seed)
        model = build_generator(recipe.replace(generator_kernel=kernel_size))
        spreads.append(np.std(model(many, training=True), axis=0)[:, :, 0])
    return np.mean(spreads, axis=0)


# %% [markdown]
# (`training=True` is explained in section 5.) Bright: this pixel varies much from image to image.

# %%
figure, axes = plt.subplots(1, 2, figsize=(7, 3), layout="constrained")
for axis, size in zip(axes, (5, 4), strict=True):
    spread = mean_spread(size, generators=2 if QUICK else 20)
    shown = axis.imshow(spread, cmap="magma", vmin=0)
    axis.set(title=f"untrained, kernel {size}", xticks=[], yticks=[])
    figure.colorbar(shown, ax=axis, label="spread of the pixel")
plt.show()

# %% [markdown]
# With kernel 5 a regular grid; with kernel 4 no grid (the edge is darker, because it gets fewer
# stamps). So the project's default has kernel 4. The recipe `tutorial` keeps kernel 5: it copies
# the network of TensorFlow's own DCGAN tutorial, after which it is called.
#
# ## 4 · Activations
#
# Dense layers and transposed convolutions form weighted sums. A weighted sum of weighted sums is
# a weighted sum again: two such layers can do no more than one. We check it: two dense layers,
# and a single one whose matrix is the product of theirs.

# %% tags=["nbval-check-output"]
one, two = layers.Dense(50, use_bias=False), layers.Dense(20, use_bias=False)
in_turn = two(one(z)).numpy()
product = one.kernel.numpy() @ two.kernel.numpy()
print("the same:", np.allclose(in_turn, z @ product, atol=1e-5))

# %% [markdown]
# So something has to stand between the layers that is no sum: an **activation**, a bent function
# that is applied to each number by itself. (The numbers that come out are called activations,
# too.) G and its discriminator use three:

# %%
x = np.linspace(-3, 3, 301, dtype=np.float32)
curves = {"ReLU": layers.ReLU()(x), "LeakyReLU, slope 0.2": layers.LeakyReLU(0.2)(x)}
curves["tanh"] = np.tanh(x)
figure, axes = plt.subplots(1, 3, figsize=(9, 2.6), sharey=True, layout="constrained")
for axis, (name, curve) in zip(axes, curves.items(), strict=True):
    axis.plot(x, curve, linewidth=2)
    axis.set(title=name, xlabel="input", ylim=(-1.5, 3))
    axis.grid(alpha=0.3)
axes[0].set_ylabel("output")
plt.show()

# %% [markdown]
# - **ReLU** lets positive numbers through and makes negative ones 0. It is cheap and enough for
#   the inside of G. Its weakness: where it gives 0, a small change of the weights before it
#   changes nothing, so training does not know in which direction to turn them.
# - **LeakyReLU** multiplies negative numbers by a small slope instead. Something always gets
#   through; the discriminator needs that ([notebook 03](03_discriminator.ipynb)).
# - **tanh** keeps every number between -1 and 1. It stands at the end of G, because that is the
#   range of the scaled images ([notebook 01](01_data.ipynb)). With a ReLU there, G could not draw
#   paper, which is -1.
#
# ## 5 · BatchNorm
#
# **Predict, then run:** a G of the same layers, once without what this section is about. We send
# 64 latent vectors through both. How large are the numbers that arrive at the last tanh?


# %%
def spread_before_tanh(model):
    """The spread of the numbers that the last layer, the tanh, gets."""
    inner = keras.Model(model.inputs[0], model.layers[-2].output)
    return float(np.std(inner(many, training=True)))


# %% [markdown]
# `generator_batch_norm` is the setting that leaves it out:

# %%
for batch_norm in (False, True):
    keras.utils.set_random_seed(0)
    model = build_generator(recipe.replace(generator_batch_norm=batch_norm))
    print(f"BatchNorm {batch_norm!s:>5}: spread before tanh {spread_before_tanh(model):.3f}")

# %% [markdown]
# Without it the signal nearly dies out on the way: each layer makes the numbers a little smaller.
# All images would be grey, and it would take a long training to change that. With other weights
# to begin with, the numbers would grow with each layer instead.
#
# **Batch normalisation** (BatchNorm) sets the size right after each layer. For each channel it
# takes the mean and the variance (the squared spread) of all the numbers in the batch, and brings
# them to mean 0 and spread 1: (x − mean) / √(variance + 0.001). The 0.001 keeps us from dividing
# by 0. Then it multiplies by a weight and adds a bias, which training may change; they begin at 1
# and 0.
#
# By hand, for the outputs of the dense layer in section 2 (a batch of 8):

# %% tags=["nbval-check-output"]
batch_norm = layers.BatchNormalization()
mean, variance = numbers.mean(axis=0), numbers.var(axis=0)
by_hand = (numbers - mean) / np.sqrt(variance + 0.001)
print(by_hand.shape)
print("as Keras:", np.allclose(batch_norm(numbers, training=True), by_hand, atol=1e-4))

# %% [markdown]
# After a transposed convolution, the numbers of a channel are those of all images of the batch
# *and* of all places. Here are four channels that differ in mean and spread, before and after:

# %%
wild = draw.normal(loc=[-3, 0, 2, 5], scale=[0.5, 2, 1, 3], size=(64, 7, 7, 4))
tamed = layers.BatchNormalization()(wild.astype(np.float32), training=True).numpy()
figure, axes = plt.subplots(1, 2, figsize=(9, 2.8), layout="constrained")
for axis, numbers_shown, name in ((axes[0], wild, "before"), (axes[1], tamed, "after")):
    for channel in range(4):
        part = numbers_shown[..., channel].ravel()
        axis.hist(part, bins=60, alpha=0.55, label=f"channel {channel}")
    axis.set(title=f"{name} BatchNorm", xlabel="activation", ylabel="count", xlim=(-8, 14))
axes[0].legend(fontsize=8)
plt.show()

# %% [markdown]
# All four lie upon each other now. This also shows why the layer before needs no bias: whatever
# it adds, the mean takes away.
#
# ### A trained G to look at
#
# What follows is seen best on a G that draws something. We borrow a training from [notebook
# 04](04_training.ipynb), cut short; what happens in it is explained there.

# %%
from dcgan_lib import plot_images, train_dcgan_mnist

short = {"steps": 400}
if QUICK:
    short = {"steps": 12, "max_images": 1000, "hold_out": 0, "sample_every": 4, "log_every": 4}
folder = RUNS / "short"
run = train_dcgan_mnist("fast", folder, data.name, resume=False, verbose=False, **short)
trained = run.generator
plot_images(trained(many[:20], training=False), columns=10, title="After a short training")

# %% [markdown]
# Most can be read as digits; some are nothing but strokes.
#
# ### Training mode: the neighbours matter
#
# In **training mode** (`training=True`) BatchNorm takes mean and variance from the batch. So what
# happens to an image depends on the others in its batch. We put the same z into three batches:
# among 63 others, among 63 that are nearly like it, and alone.


# %%
def first_of(model, batch, training):
    """The image of the first vector of a batch."""
    return model(batch, training=training).numpy()[0]


# %% [markdown]
# **Predict, then run:** how do the three images of the same z differ?

# %%
same_z, others = many[:1], sample_latent(63, recipe.latent_dim, seed=5)
batches = {
    "among others": np.concatenate([same_z, others]),
    "among similar": np.concatenate([same_z, same_z + 0.2 * others]),
    "alone": same_z,
}
in_training = [first_of(trained, batch, training=True) for batch in batches.values()]
plot_images(np.stack(in_training), titles=list(batches), columns=3, size=1.4)

# %% [markdown]
# Three different images. Among similar ones, the little in which z differs from them is blown up
# to spread 1. Alone it is worst: in a batch of one the dense layer's numbers *are* their mean, so
# all become 0, and nothing of z is left. (Alone, every z gives this same picture.)
#
# In training that is no harm: the batches are large and mixed. But whoever uses a G to draw wants
# an image that depends on z only.
#
# ### Inference mode: moving averages
#
# **Inference mode** (`training=False`) is for using a network instead of training it. BatchNorm
# then takes mean and variance from its **moving averages**. In each training step it has moved
# them a little towards those of the batch:
#
# new average = momentum · old average + (1 − momentum) · value of this batch
#
# (The **momentum** is a number just below 1 that we choose: the closer to 1, the slower the
# averages move.)
#
# So they are the same for every image that is drawn. Our calls with `training=True` above have
# moved those of `trained`, as every such call does; the file that the training wrote still has
# the clean ones.

# %%
from dcgan_lib import load_generator

settled = load_generator(run.folder)
for layer in settled.layers:
    if isinstance(layer, layers.BatchNormalization):
        average = layer.moving_variance.numpy()
        print(f"{average.size} moving averages of the variance, from {average.min():.3f} on")

# %% [markdown]
# Each BatchNorm has one average of the variance for each of its channels. They began at 1; shown is
# the smallest of each layer after the training.
#
# **Predict, then run:** the same three batches as above, in inference mode. What does the same z
# give now?

# %%
in_inference = [first_of(settled, batch, training=False) for batch in batches.values()]
plot_images(np.stack(in_inference), titles=list(batches), columns=3, size=1.4)

# %% [markdown]
# One and the same image. To be sure, in numbers:

# %% tags=["nbval-check-output"]
for mode, images in (("training", in_training), ("inference", in_inference)):
    same = all(np.allclose(images[0], image, atol=1e-3) for image in images)
    print(f"{mode} mode, the same image each time: {same}")

# %% [markdown]
# **Draw in training mode, and your digits depend on how many you draw at once.** Draw them one by
# one, and all are the same picture. (If nothing is said, Keras takes inference mode; but code that
# was copied from a training step says `training=True`. So say `training=False` where images are
# drawn to be looked at.)
#
# ### When the averages lag
#
# The averages begin at mean 0 and variance 1, which is wrong. How long does it take to forget
# that? After n steps momentumⁿ of the beginning is left:

# %% tags=["nbval-check-output"]
for momentum in (0.9, 0.99):
    left = {n: f"{momentum**n:.1%}" for n in (10, 30, 100, 300)}
    print(f"momentum {momentum}: left after n steps: {left}")

# %% [markdown]
# Keras's default is 0.99, which suits trainings of many thousand steps. What does the lag do to
# images? We take fresh networks, as at the start of a training, and let batches pass in training
# mode. No weight changes, only the averages do. Now and then we draw one z in inference mode.


# %%
def images_while_settling(momentum, stops):
    """One image in inference mode, each time that so many batches have passed."""
    keras.utils.set_random_seed(0)
    model = build_generator(recipe.replace(batch_norm_momentum=momentum))
    images = []
    for passed in range(max(stops) + 1):
        if passed in stops:
            images.append(first_of(model, same_z, training=False))
        model(sample_latent(32, recipe.latent_dim, seed=passed), training=True)
    return [*images, first_of(model, many, training=True)]


# %% [markdown]
# Upper row: momentum 0.9, lower row: 0.99. The last picture of each row is the same z in training
# mode: what the averages should lead to. **Predict, then run:** after how many batches is it
# reached?

# %%
stops = (0, 3, 10) if QUICK else (0, 3, 10, 30, 100, 300)
rows = [image for momentum in (0.9, 0.99) for image in images_while_settling(momentum, stops)]
titles = [*[f"{passed} batches" for passed in stops], "training mode"] * 2
plot_images(np.stack(rows), columns=len(stops) + 1, titles=titles, size=1.1)

# %% [markdown]
# The weights are the same in all of these pictures. First they are grey: the true variance of the
# layers is much smaller than 1, so dividing by the root of 1 leaves the numbers too small. With
# 0.9 the contrast is there after some tens of batches, with 0.99 it takes hundreds. In a training
# the weights change all the time, and slow averages belong to weights of long ago: a short
# training with slow averages seems to fail although its weights are good. That is why `fast` has
# quick ones.
#
# ## 6 · The library's generator
#
# Now we have all the parts. What follows is the code of the library itself. A recipe says with
# how many channels and which strides; three small helpers do the rest.
#
# How large must the first picture be? The strides multiply: with 2 and 2 the picture grows four
# times, so for 28 it must begin with 7. If that does not come out even, the function says so.

# %%
import math

from dcgan_lib import FAST, MNIST_SHAPE, ImageShape, Recipe, UserError, build_dense_generator


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
# The layer that enlarges, as in section 3: padding `same`, so that the size is multiplied by the
# stride; no bias, because of BatchNorm.


# %%
def transposed_convolution(filters: int, stride: int, recipe: Recipe) -> layers.Layer:
    """Returns a layer from (batch, h, w, c) to (batch, h * stride, w * stride, filters)."""
    return layers.Conv2DTranspose(
        filters, recipe.generator_kernel, stride, padding="same", use_bias=False
    )


# %% [markdown]
# What stands after each layer but the last: BatchNorm (section 5), then the activation (section
# 4). A slope of 0 makes a ReLU, above 0 a LeakyReLU.


# %%
def add_norm_and_activation(model: keras.Sequential, recipe: Recipe) -> None:
    """Adds the generator's BatchNorm (if any) and ReLU or LeakyReLU to `model`."""
    if recipe.generator_batch_norm:
        model.add(layers.BatchNormalization(momentum=recipe.batch_norm_momentum))
    model.add(layers.ReLU(negative_slope=recipe.generator_negative_slope))


# %% [markdown]
# Together (the first two lines are for a recipe without convolutions, see [notebook
# 06](06_gan_vs_dcgan.ipynb)):


# %%
def build_generator(
    recipe: Recipe = FAST, image_shape: ImageShape = MNIST_SHAPE
) -> keras.Sequential:
    if recipe.architecture == "dense":
        return build_dense_generator(recipe, image_shape)
    rows, columns = first_size(recipe, image_shape)
    widths, strides = recipe.generator_widths, recipe.generator_strides
    model = keras.Sequential(name="generator")
    model.add(keras.Input((recipe.latent_dim,)))
    for _ in range(recipe.generator_hidden_layers if recipe.generator_hidden else 0):
        model.add(layers.Dense(recipe.generator_hidden, use_bias=False))
        add_norm_and_activation(model, recipe)
    model.add(layers.Dense(rows * columns * widths[0], use_bias=False))
    add_norm_and_activation(model, recipe)
    model.add(layers.Reshape((rows, columns, widths[0])))
    for filters, stride in zip(widths[1:], strides, strict=False):
        model.add(transposed_convolution(filters, stride, recipe))
        add_norm_and_activation(model, recipe)
        rows, columns = rows * stride, columns * stride
        assert model.output_shape == (None, rows, columns, filters)
    model.add(transposed_convolution(image_shape[-1], strides[-1], recipe))
    if recipe.generator_output_scale != 1.0:
        model.add(layers.Rescaling(recipe.generator_output_scale))
    model.add(layers.Activation("tanh", dtype="float32"))  # also where a recipe mixes precisions
    return model


# %% [markdown]
# - `generator_hidden_layers` puts two dense layers of `generator_hidden` units before the one that
#   makes the small picture (0 units leave them out). A place in that picture then depends on z in
#   a less direct way, and far parts of a stroke can be made to fit each other. Why two? Between a
#   4 and a 9 lies no digit, yet z can be moved from one to the other: G has to jump. Each layer
#   lets it jump more sharply, and leaves less room for what is neither.
# - The `assert` lines compare the shape after each enlargement with what we expect. A comment
#   with the shape would be wrong as soon as somebody changes a stride; an assert says so.
# - `widths` are the channels: many while the picture is small, fewer as it grows. Small pictures
#   say *what* is where, large ones how it is drawn.
# - The last layer has no BatchNorm: that would force every batch to the same mean and spread of
#   its pixels.
# - `Rescaling` halves the numbers before tanh (`generator_output_scale` is 0.5). A step of the
#   weights then moves the pixels half as far, and G is not so soon where tanh is flat and lets no
#   gradient through. One start in twenty used to end there.
# - `dtype="float32"`: some trainings compute inside in half precision, to be faster on a GPU. The
#   image is always float32.

# %%
keras.utils.clear_session()  # layers are numbered from the beginning again
keras.utils.set_random_seed(recipe.seed)
generator = build_generator(recipe)
generator.summary()

# %% [markdown]
# `None` stands for the size of the batch, which may be any. "Non-trainable" are the moving
# averages of BatchNorm: they change too, but not in order to make G better; BatchNorm itself moves
# them.
#
# **Predict, then run:** in which layer are most of the parameters?

# %%
names = [f"{layer.name} {layer.output.shape[1:]}" for layer in generator.layers]
sizes = [layer.count_params() for layer in generator.layers]
figure, axis = plt.subplots(figsize=(7.5, 4), layout="constrained")
bars = axis.barh(names, sizes, color="tab:blue")
axis.bar_label(bars, [f"{size:,}" for size in sizes], padding=3, fontsize=8)
axis.invert_yaxis()
axis.tick_params(axis="y", labelsize=7)
axis.set(title="Parameters of each layer", xlabel="parameters", xlim=(0, 1.2 * max(sizes)))
plt.show()

# %% [markdown]
# In the dense layer before the reshape, by far: it has a weight for each pair of input and
# output. A transposed convolution uses the same stamp in every place, so it needs few weights,
# and what it learns in one corner holds in all.
#
# ### What an untrained G draws
#
# **Predict, then run:** the same vectors in inference mode and in training mode. Where is more
# contrast?

# %%
pictures = [generator(z, training=False), generator(z, training=True)]
titles = ["inference"] * 8 + ["training"] * 8
plot_images(np.concatenate(pictures), columns=8, titles=titles, size=0.9)

# %% [markdown]
# Noise with a regular grain: the same few stamps everywhere. In inference mode it is almost grey:
# the averages still stand at 0 and 1 and set nothing right. No two vectors give the same image
# (in inference mode the eye can hardly tell).
# That is all we want of it now: what to draw, it learns from its discriminator.
#
# ## 7 · Layer by layer
#
# How does an image come into being? The outputs of a layer inside a network, seen as pictures,
# are called **feature maps**, one for each channel. We take a model that gives all of them: after
# the reshape, after each activation, and the image.


# %%
def feature_maps(model, vector):
    """The pictures inside a generator, from small to large, for one latent vector."""
    kinds = (layers.Reshape, layers.ReLU, layers.Activation)
    chosen = [layer for layer in model.layers if isinstance(layer, kinds)]
    outputs = [layer.output for layer in chosen if len(layer.output.shape) == 4]
    return keras.Model(model.inputs[0], outputs)(vector, training=False)


# %% [markdown]
# A function to draw them, ten channels of each stage:


# %%
def plot_feature_maps(stages, title):
    """One row for each stage: up to ten of its channels."""
    figure, axes = plt.subplots(len(stages), 10, figsize=(9, len(stages)), layout="constrained")
    for row, stage in zip(axes, stages, strict=True):
        for channel, axis in enumerate(row):
            axis.axis("off")
            if channel < stage.shape[-1]:
                axis.imshow(stage[0, :, :, channel], cmap="gray")
        row[0].set_title(" × ".join(map(str, stage.shape[1:])), fontsize=9, loc="left")
    figure.suptitle(title)
    plt.show()


# %% [markdown]
# First the untrained G, then the trained one. Each row is a stage; its shape stands above.

# %%
plot_feature_maps(feature_maps(generator, same_z), "Untrained")

# %% [markdown]
# **Predict, then run:** in which row of the trained G can you first see which digit it will be?

# %%
plot_feature_maps(feature_maps(settled, same_z), "After a short training")

# %% [markdown]
# In the first row there are only coarse blots: where roughly something will be. In the middle row
# there are dots and stripes, some brightest along the rim; in one or a few maps you can half make
# out the digit, bright on dark or left out in black. (Dots again: kernel 4 touches all places
# equally often, but the numbers in a stamp need not be equal.)
# The last stamps put all 32 of them together to smooth lines. Where a map is black, the ReLU has
# set it to 0. Another image lights up other places in other maps.
#
# ## Exercises
#
# Each has a cell for your answer, with a check that tells you if it is right. The solutions are
# folded below; open them when you have tried.
#
# ### 1 · Larger images
#
# Change the recipe so that G draws images of 56 × 56, beginning with a picture of 7 × 7. `fast` has
# the strides (2, 2) and the widths (64, 32): one width for each stride, that of the picture which
# this stride enlarges. How many channels you give each stage is up to you.


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 1 (run it, no need to read)
def check_strides(strides, widths):
    if strides is ... or widths is ...:
        print("Not yet: replace both ... by tuples of whole numbers.")
        return
    try:
        changed = recipe.replace(generator_strides=strides, generator_widths=widths)
        first = first_size(changed, (56, 56, 1))
        shape = build_generator(changed, (56, 56, 1)).output_shape
    except UserError as error:
        print("Not yet:", error)
        return
    if first != (7, 7):
        print(f"Not yet: it begins with {first}. How often must 7 be doubled to get 56?")
    elif any(recipe.generator_kernel % stride for stride in strides):
        print("Not yet: the sizes are right, but the kernel of 4 is no multiple of each stride.")
    else:
        print("Right: from (7, 7) to", shape[1:])


# %% [markdown]
# Your answer, and the check:

# %% tags=["nbval-check-output"]
strides, widths = ..., ...  # your answer
check_strides(strides, widths)

# %% [markdown]
# *Solution, folded:*

# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 1
check_strides(strides=(2, 2, 2), widths=(64, 32, 16))  # one width for each stride

# %% [markdown]
# ### 2 · Count the parameters
#
# A transposed convolution leads from 64 channels to 32, with a kernel of 4 × 4 and without bias.
# After it comes a BatchNorm. How many parameters has each? (BatchNorm: count also what is not
# trained.)


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 2 (run it, no need to read)
def check_counts(convolution, norm):
    model = keras.Sequential([keras.Input((7, 7, 64))])
    model.add(layers.Conv2DTranspose(32, 4, 2, padding="same", use_bias=False))
    model.add(layers.BatchNormalization())
    right = [layer.count_params() for layer in model.layers]
    if convolution is ... or norm is ...:
        print("Not yet: replace both ... by numbers.")
    elif convolution != right[0]:
        print("Not yet. Convolution: each pair of channels, in and out, has a stamp of its own.")
    elif norm != right[1]:
        print("The convolution is right. BatchNorm: which four numbers does each channel have?")
    else:
        print("Right: a stamp for each pair of channels, and four numbers for each channel.")


# %% [markdown]
# Your answer, and the check:

# %% tags=["nbval-check-output"]
convolution, norm = ..., ...  # your answer
check_counts(convolution, norm)

# %% [markdown]
# *Solution, folded:*

# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 2
# of each channel BatchNorm has a weight, a bias, a moving mean and a moving variance
check_counts(4 * 4 * 64 * 32, 4 * 32)

# %% [markdown]
# ### 3 · BatchNorm in both modes
#
# Write BatchNorm for a batch of vectors, shape (batch, channels): in training mode with mean and
# variance of the batch, in inference mode with the moving averages that it is given. (Leave out
# the weight and the bias: 1 and 0.)


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 3 (run it, no need to read)
def check_norm(function):
    x = np.random.default_rng(3).normal(2, 3, size=(16, 5))
    averages = np.linspace(0, 2, 5), np.linspace(1, 4, 5)
    in_training, in_inference = (function(x, *averages, training) for training in (True, False))
    if in_training is ... or in_inference is ...:
        print("Not yet: replace the ... by your lines.")
    elif np.shape(in_training) != x.shape or np.shape(in_inference) != x.shape:
        print("Not yet: what comes out should have the shape of x.")
    elif not np.allclose(in_training, (x - x.mean(0)) / np.sqrt(x.var(0) + 0.001)):
        print("Training mode: not yet. Hint: axis=0 is the batch; 0.001 stands under the root.")
    elif not np.allclose(in_inference, (x - averages[0]) / np.sqrt(averages[1] + 0.001)):
        print("Training mode is right. Inference mode: use the averages, not the batch.")
    else:
        print("Right, in both modes.")


# %% [markdown]
# Fill in your lines; the last line checks them:


# %% tags=["nbval-check-output"]
def my_batch_norm(x, moving_mean, moving_variance, training):
    return ...  # your answer


check_norm(my_batch_norm)

# %% [markdown]
# *Solution, folded:*


# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 3
def batch_norm_in_both_modes(x, moving_mean, moving_variance, training):
    mean = x.mean(axis=0) if training else moving_mean
    variance = x.var(axis=0) if training else moving_variance
    return (x - mean) / np.sqrt(variance + 0.001)


check_norm(batch_norm_in_both_modes)

# %% [markdown]
# ## What you did
#
# - You turned random numbers into a small, deep picture, with a dense layer.
# - You enlarged a picture by transposed convolution, by hand, and checked it against Keras.
# - You saw where checkerboards come from, and how to avoid them.
# - You saw what activations do, and why a network without them is weak.
# - You saw what BatchNorm does, and why its two modes draw different images.
# - You read the library's generator, and know the shape and the size of each layer.
# - You watched an image come into being, layer by layer.
#
# **Next:** [notebook 03](03_discriminator.ipynb) builds the discriminator: a network that tells
# real images from drawn ones.
