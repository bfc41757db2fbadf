# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 03 · The discriminator: an opponent that G can learn from
#
# In this notebook you will
#
# - slide a kernel over a real digit, and see what stride and padding do;
# - read the library's discriminator, and know the shape after each layer;
# - turn D's output into a probability, and its mistakes into a loss;
# - derive the losses of both players from one formula;
# - see why G does not use the loss that this formula gives it;
# - watch both players in the plane: in balance, chasing each other, and collapsed;
# - let D learn alone on images, and measure what G could still learn from it.
#
# **You need** Python and a little Keras: layers, models. Of the mathematics, logarithms and the
# idea of a slope. **Run time**: about two minutes on two processor cores, no GPU.
#
# **Where we are.** A GAN has two players. The *generator* G ([notebook 02](02_generator.ipynb))
# draws images from random numbers. This notebook is about the *discriminator* D: it looks at an
# image and says whether it is real or drawn by G. D is thrown away in the end, but all that G ever
# learns, it learns from D.

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
# Our tests run this notebook with `DCGAN_PROFILE=quick`: a few steps, whose pictures show nothing.
# Leave the variable unset and you get the real thing.

# %%
import os
from pathlib import Path

QUICK = os.environ.get("DCGAN_PROFILE", "full") == "quick"
RUNS = Path("runs") / "03"
RUNS.mkdir(parents=True, exist_ok=True)

# %% [markdown]
# ## 1 · Looking at an image: convolution
#
# One real image, 28×28 pixels, scaled to floats from -1 (paper) to 1 (ink). Keras wants images in
# a batch (several at once), hence the shape (images, rows, columns, channels). A **channel** is
# one layer of numbers lying over the picture: colour photos have three, MNIST has one.

# %%
from dcgan_lib import load_images, scale

data = load_images()
digit = scale(data.images[:1])
print(digit.shape)

# %% [markdown]
# A **convolution** slides a small table of numbers, the **kernel**, over the image. At each place
# it multiplies the numbers of the table with the pixels below, adds up, and writes down the sum.
# So one small table looks everywhere for the same thing. A Dense layer would need weights of its
# own for each pixel, and what it learned in one corner it would not know in the other.
#
# We make a kernel by hand: minus above, plus below. Its sum is large where ink lies below paper.

# %% tags=["nbval-check-output"]
import numpy as np

edge = np.array([[-1, -1, -1], [0, 0, 0], [1, 1, 1]], np.float32)
kernel = edge.reshape(3, 3, 1, 1)  # (rows, columns, channels in, channels out)
print(edge)

# %% [markdown]
# What comes out is again a picture, a **feature map**: how strongly the feature is there, place by
# place. Two settings say where the kernel is put:
#
# - **stride**: by how many pixels it moves on. With stride 2 it stops at every second row and
#   column only.
# - **padding**: what happens at the rim. `valid` keeps the kernel inside the image. `same` puts
#   zeros around it, as many as are needed for a stop at each pixel.
#
# **Predict, then run:** how large are the three maps?

# %% tags=["nbval-check-output"]
import tensorflow as tf

maps = {"the digit": digit}
for stride, padding in ((1, "VALID"), (1, "SAME"), (2, "SAME")):
    title = f"stride {stride}, {padding.lower()}"
    maps[title] = tf.nn.conv2d(digit, kernel, stride, padding).numpy()
    print(f"{title:15}", maps[title].shape[1:3])

# %% [markdown]
# `valid` loses a pixel on each side. `same` with stride 1 keeps the size, and **stride 2 halves
# the sides** (rounded up). Here they are; orange: ink begins below, violet: it ends.

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(1, 4, figsize=(9, 2.6), layout="constrained")
axes[0].imshow(digit[0, :, :, 0], cmap="gray")
for axis, (title, picture) in zip(axes, maps.items(), strict=True):
    if title != "the digit":
        axis.imshow(picture[0, :, :, 0], cmap="PuOr_r", vmin=-6, vmax=6)
    axis.set_title(f"{title}\n{picture.shape[1]}×{picture.shape[2]}", fontsize=10)
    axis.axis("off")
plt.show()

# %% [markdown]
# One kernel, and all upper edges of the digit are found (and the lower ones, in violet). (The
# stripes at the rim of the `same` maps are no ink: zero is grey, between paper and ink, so the
# padding itself makes an edge.)
#
# D does not get its kernels by hand. It has dozens in each layer, starts them as random numbers,
# and learns them. Each gives one feature map, so a layer of 64 kernels gives 64 channels.
#
# Why stride 2? D must come from 784 pixels to one verdict, so the picture has to shrink. The usual
# way in image recognition is *pooling*: keep the largest of each 2×2 pixels, by a fixed rule. With
# strides D learns itself what to keep, and its slopes reach every pixel, not just the largest of
# four. That is what the authors of DCGAN recommend (Radford et al. 2016, section 3).
#
# ## 2 · Two more layers: LeakyReLU and Dropout
#
# Between two convolutions stands a bend. Without it, two in a row would be no more than one. The
# usual bend, ReLU, makes negative numbers 0. **LeakyReLU** makes them small instead: it multiplies
# them by a slope such as 0.3.

# %%
from keras import layers

x = tf.linspace(-4.0, 4.0, 81)
figure, axis = plt.subplots(figsize=(5, 2.8), layout="constrained")
axis.plot(x, layers.ReLU()(x), label="ReLU")
axis.plot(x, layers.LeakyReLU(0.3)(x), "--", label="LeakyReLU, slope 0.3")
axis.set(xlabel="what goes in", ylabel="what comes out", title="Two bends")
axis.legend()
plt.show()

# %% [markdown]
# To see why D takes the leaky one, we need a word that will come back all the time. A **gradient**
# says for each number that goes in how much the result would grow if that number grew a little.
# TensorFlow computes it by recording the operations inside a `GradientTape` and playing them back.
#
# **Predict, then run:** which slope has each bend at -2, and which at 2?

# %% tags=["nbval-check-output"]
points = tf.constant([-2.0, 2.0])
for bend in (layers.ReLU(), layers.LeakyReLU(0.3)):
    with tf.GradientTape() as tape:
        tape.watch(points)
        result = bend(points)
    print(f"{bend.__class__.__name__:9}", tape.gradient(result, points).numpy().round(2))

# %% [markdown]
# Left of zero, ReLU's gradient is 0: nothing passes. G learns only from what comes back *through*
# D, so every ReLU in D that stands at 0 is a closed door for G. LeakyReLU leaves it ajar.
#
# **Dropout** switches off numbers at random, each time others, here each one with probability 0.3.
# D then cannot rely on a single feature, and learns less by heart. What remains is divided by 0.7,
# so that the sum stays the same on average. It has two modes: `training=True` does this,
# `training=False` lets everything through, for when you want to know what D really thinks.

# %%
import keras

keras.utils.set_random_seed(0)
dropout = layers.Dropout(0.3)
ones = tf.ones((1, 10))
print("training=True: ", dropout(ones, training=True).numpy()[0].round(2))
print("training=False:", dropout(ones, training=False).numpy()[0])

# %% [markdown]
# Two of the ten are off this time; on average it is three. (`set_random_seed` makes the random
# numbers the same in each run: the same **seed**, the same numbers.)
#
# ## 3 · The library's discriminator
#
# This is the library's own code (our tests compare it). A **recipe** is a set of named settings;
# `FAST` is the default. First the last layer: a Dense layer that adds up all the features, each
# with a weight of its own, to one number, the verdict.

# %%
from dcgan_lib import Recipe


def add_verdict(x: tf.Tensor, recipe: Recipe) -> tf.Tensor:
    """Passes `x` through the discriminator's last layer: one number for each image."""
    activation = "sigmoid" if recipe.discriminator_output == "sigmoid" else "linear"
    return layers.Dense(1, activation=activation, dtype="float32")(x)


# %% [markdown]
# What follows each of the other layers: perhaps **BatchNorm** (it brings the numbers that pass to
# mean 0 and spread 1, [notebook 02](02_generator.ipynb)), LeakyReLU, perhaps Dropout.


# %%
def add_norm_leak_dropout(x: tf.Tensor, recipe: Recipe, norm: bool) -> tf.Tensor:
    """Passes `x` through what follows each of the discriminator's layers but the last."""
    if norm:
        x = layers.BatchNormalization(momentum=recipe.batch_norm_momentum)(x)
    x = layers.LeakyReLU(recipe.discriminator_negative_slope)(x)
    return layers.Dropout(recipe.dropout)(x) if recipe.dropout else x


# %% [markdown]
# **Minibatch standard deviation** (Karras et al., 2018): one number that says how far the images of
# a batch differ. A G that draws one and the same picture, whatever the noise, gives itself away
# by it: 0. BatchNorm would hide that from D, because it takes out what all images of a batch share.


# %%
class MinibatchStddev(layers.Layer):
    """Tells how far the images of a batch differ: one number, the same for each of them."""

    synchronized = False

    def call(self, features: tf.Tensor) -> tf.Tensor:
        _, variance = keras.ops.moments(features, axes=[0], synchronized=self.synchronized)
        stddev = tf.reduce_mean(tf.sqrt(variance + 1e-8))  # the root's own slope is infinite at 0
        return tf.fill((tf.shape(features)[0], 1), stddev)


# %% [markdown]
# And all of D. The loop adds one convolution of stride 2 for each width. The first has no
# BatchNorm: right at the image it would wipe out how dark the images of a batch are on the whole,
# and D gets real and drawn images in batches of their own. `Flatten` lays the last maps out in one
# row; some recipes have one more Dense layer between it and the verdict. The minibatch standard
# deviation of the last maps, taken before BatchNorm, goes straight to the verdict.

# %%
from dcgan_lib import FAST, MNIST_SHAPE, ImageShape, build_dense_discriminator


def build_discriminator(
    recipe: Recipe = FAST, image_shape: ImageShape = MNIST_SHAPE
) -> keras.Model:
    """Builds the network that tells real images from generated ones."""
    if recipe.architecture == "dense":
        return build_dense_discriminator(recipe, image_shape)
    x = images = keras.Input(image_shape, name="image")
    for i, filters in enumerate(recipe.discriminator_widths):
        maps = layers.Conv2D(filters, recipe.discriminator_kernel, 2, padding="same")(x)
        x = add_norm_leak_dropout(maps, recipe, norm=recipe.discriminator_batch_norm and i > 0)
    x = layers.Flatten()(x)
    if recipe.discriminator_hidden:
        x = layers.Dense(recipe.discriminator_hidden)(x)
        x = add_norm_leak_dropout(x, recipe, norm=recipe.discriminator_batch_norm)
    if recipe.minibatch_stddev:
        x = layers.Concatenate(dtype="float32")([x, MinibatchStddev(dtype="float32")(maps)])
    return keras.Model(images, add_verdict(x, recipe), name="discriminator")


# %% [markdown]
# (`build_dense_discriminator` is another kind, without convolutions, for comparison.)
#
# We build D for the recipe `tutorial`: it has Dropout and no BatchNorm, so an image's verdict does
# not depend on the other images in the batch. That is easier to study. The shape after each layer:

# %% tags=["nbval-check-output"]
from dcgan_lib import RECIPES

recipe = RECIPES["tutorial"]
discriminator = build_discriminator(recipe)
for layer in discriminator.layers:
    print(f"{layer.__class__.__name__:10}", layer.output.shape[1:])

# %% [markdown]
# The sides shrink, 28 → 14 → 7, while the channels grow, 1 → 64 → 128: less "where", more "what".
# (An empty place in the shape, the number of images, is left out here.)
#
# The default recipe `fast` has fewer channels, for speed. It has BatchNorm instead of Dropout,
# one more Dense layer (which brings more weights than all the rest), and the minibatch standard
# deviation, which `Concatenate` puts beside the other features:

# %%
for layer in build_discriminator(RECIPES["fast"]).layers:
    print(f"{layer.__class__.__name__:18}", layer.output.shape[1:])

# %% [markdown]
# ## 4 · From a number to a loss
#
# ### Logit and probability
#
# D's number has no limits: a **logit**. The **sigmoid** function, σ(l) = 1 / (1 + e⁻ˡ), squeezes
# it to a **probability** between 0 (surely fake) and 1 (surely real). Logit 0 is 0.5: no idea.

# %%
logits = tf.linspace(-8.0, 8.0, 161)
figure, axis = plt.subplots(figsize=(5, 2.8), layout="constrained")
axis.plot(logits, tf.sigmoid(logits))
axis.set(xlabel="logit", ylabel="probability of “real”", title="The sigmoid")
axis.grid(alpha=0.25)
plt.show()

# %% [markdown]
# ### Cross-entropy
#
# A **loss** is one number that a player wants to make small. D should pay for being wrong, and the
# more, the surer it was. **Cross-entropy** does that: you pay −log of the probability that you
# gave to the truth (log is the natural logarithm everywhere here). Gave it 1: you pay nothing. Gave
# it 0.01: you pay 4.6.
#
# With two answers it is called **binary cross-entropy**. The truth is the **label**, 1 for real
# and 0 for fake (here and everywhere in this project), and D's probability of "fake" is 1 − D(x):
#
# $$\text{loss} = -\,\text{label}\cdot\log D(x) \;-\; (1-\text{label})\cdot\log\,(1-D(x))$$
#
# One of the two terms is always zero. Keras has this function; we compare, for a fake image:

# %% tags=["nbval-check-output"]
cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
for logit in (-4.0, 0.0, 4.0):
    probability = 1 / (1 + np.exp(-logit))
    keras_says = cross_entropy(np.array([[0.0]]), np.array([[logit]], np.float32))
    print(f"D says {probability:.3f}: {-np.log(1 - probability):.3f} = {keras_says:.3f}")

# %% [markdown]
# A fake image called real with 98%: expensive. (`from_logits=True`: the sigmoid is part of the
# loss. For large logits the sigmoid is rounded to exactly 1, and log(1 − 1) is infinite; from the
# logit itself the loss can be computed exactly.)
#
# ## 5 · The game in one formula
#
# The **expectation** E is the average over all images that could come: E log D(x) over the real
# ones, E log(1 − D(G(z))) over G's, where z are G's random numbers. In practice we average over a
# batch. Goodfellow et al. (2014) put the whole game into one number, the value:
#
# $$V(D,G) = \mathbb{E}_{x}\,\log D(x) \;+\; \mathbb{E}_{z}\,\log\,(1-D(G(z)))$$
#
# V is large if D is right on both. D wants it large, G small: a **min–max game**, $\min_G \max_D
# V(D,G)$.
#
# **D's loss.** An optimizer makes things small, so D's loss is −V. Look at its terms: −log D(x) is
# the cross-entropy of a real image with the label 1, −log(1 − D(G(z))) that of a fake image with
# the label 0. So D's loss is nothing but cross-entropy on real plus cross-entropy on fake images.
#
# **The best D.** Suppose that G stands still. At some place x, real images have the density
# p_data, and G's the density p_g (a **density** says how many fall near x). There D gains p_data ·
# log D + p_g · log(1 − D). Which D is best? We try all, for 0.6 and 0.2:

# %%
p_data, p_g = 0.6, 0.2
answers = np.linspace(0.001, 0.999, 999)
gain = p_data * np.log(answers) + p_g * np.log(1 - answers)
best = answers[gain.argmax()]
print(f"best answer {best:.3f}, p_data / (p_data + p_g) = {p_data / (p_data + p_g):.3f}")

# %% [markdown]
# No accident. At the top the slope is zero:
#
# $$\frac{p_{data}}{D}-\frac{p_g}{1-D}=0 \quad\Rightarrow\quad D^*=\frac{p_{data}}{p_{data}+p_g}$$
#
# The best D is a fair bookmaker: it says which share of the images *here* is real. On a line one
# can draw it. Real numbers lie around 1; G's around -1, then nearer, then in the right place:

# %%
from scipy.stats import norm

line = np.linspace(-4, 4, 201)
figure, axes = plt.subplots(1, 3, figsize=(9, 2.7), sharey=True, layout="constrained")
for axis, centre in zip(axes, (-1, 0.3, 1), strict=True):
    real, fake = norm.pdf(line, 1, 0.8), norm.pdf(line, centre, 0.8)
    axis.fill_between(line, real, alpha=0.4, label="density of real")
    axis.fill_between(line, fake, alpha=0.4, label="density of G's")
    axis.plot(line, real / (real + fake), "k", label="the best D")
    axis.set(xlabel="x", title=f"G's centre at {centre}", ylim=(0, 1.05))
axes[0].legend(fontsize=8, loc="upper left")
plt.show()

# %% [markdown]
# On the left, D's slope tells G where to go: to the right, uphill. On the right G draws exactly
# like the data, and the best D can only say 0.5 everywhere. Nobody can gain by changing alone: an
# **equilibrium**. Then V = log ½ + log ½ = −log 4, and D's loss is log 4 = 2 · log 2. One can
# prove that for every other G a best D makes V larger (the paper, section 4.1), so this is where
# the game should end.

# %% [markdown]
# ### The library's losses
#
# Now in code. `GANLoss` says what a loss must be able to do; whoever wants another one fills in
# the first two methods. (The third stays 0 until [notebook 09](09_beyond_dcgan.ipynb).)


# %%
class GANLoss:
    """The losses of both players. A loss of your own is a subclass of this."""

    threshold: float = 0.0
    accuracy_counts: bool = True

    def discriminator_loss(self, real_output: tf.Tensor, fake_output: tf.Tensor) -> tf.Tensor:
        """Returns a scalar from D's outputs, (batch, 1) each, on real and on fake images."""
        raise NotImplementedError

    def generator_loss(self, fake_output: tf.Tensor) -> tf.Tensor:
        """Returns a scalar from D's output, (batch, 1), on the images that G just made."""
        raise NotImplementedError

    def penalty(self, game: keras.Model, real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor | float:
        """Returns what is added to D's loss before it moves, and is not logged; by default 0."""
        return 0.0


# %% [markdown]
# And ours. D's loss is what we derived (`threshold` is where "real" begins). Smoothing, off by
# default, gives real images the label 0.9, say, so that D does not get too sure of itself. Look at
# `generator_loss`: it is *not* V. The next section says why.

# %%
from dcgan_lib import UserError


class BinaryCrossentropyLoss(GANLoss):
    """Cross-entropy for D; for G the non-saturating loss, -log D(G(z))."""

    def __init__(
        self,
        from_logits: bool = True,
        real_label_smoothing: float = 0.0,
        fake_label_smoothing: float = 0.0,
    ) -> None:
        for smoothing in (real_label_smoothing, fake_label_smoothing):
            if not 0.0 <= smoothing < 0.5:
                raise UserError(f"label smoothing {smoothing} is impossible; accepted: [0, 0.5)")
        self.threshold = 0.0 if from_logits else 0.5
        self.real_label = 1.0 - real_label_smoothing
        self.fake_label = fake_label_smoothing
        self.cross_entropy = keras.losses.BinaryCrossentropy(from_logits=from_logits)

    def discriminator_loss(self, real_output: tf.Tensor, fake_output: tf.Tensor) -> tf.Tensor:
        real_loss = self.cross_entropy(self.real_label * tf.ones_like(real_output), real_output)
        fake_loss = self.cross_entropy(self.fake_label * tf.ones_like(fake_output), fake_output)
        return real_loss + fake_loss

    def generator_loss(self, fake_output: tf.Tensor) -> tf.Tensor:
        return self.cross_entropy(tf.ones_like(fake_output), fake_output)


# %% [markdown]
# **Predict, then run:** what does a D pay that has no idea, and one that is right and sure?

# %% tags=["nbval-check-output"]
loss = BinaryCrossentropyLoss()
for name, logit in {"no idea": 0.0, "right and sure": 6.0}.items():
    paid = loss.discriminator_loss(tf.fill((64, 1), logit), tf.fill((64, 1), -logit))
    print(f"{name}: D's loss {paid:.3f}")
print(f"2 · log 2 = {2 * np.log(2):.3f}")

# %% [markdown]
# Remember 1.386. In a training, a D's loss far below it means that D is winning.
#
# ## 6 · What G should want
#
# V has one term with G in it: log(1 − D(G(z))). G could make just that small. This is the
# **saturating loss**, the one of the formula. Nearly everybody, and the library, takes −log
# D(G(z)) instead: the **non-saturating loss**, cross-entropy of G's images with the label 1. Both
# are small when D calls G's images real. Is there any difference at all? We plot both against D's
# logit on an image of G (`softplus(l)` is log(1 + eˡ), and log(1 − σ(l)) = −softplus(l)):

# %%
fake_logits = tf.linspace(-8.0, 8.0, 161)
g_losses = {
    "saturating: log(1 − D)": lambda logit: -tf.math.softplus(logit),
    "non-saturating: −log D": lambda logit: tf.math.softplus(-logit),
}

# %% [markdown]
# For each its gradient too: what reaches G is this number, times all that lies behind it.


# %%
def loss_and_slope(function, logits):
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = function(logits)
    return value, tape.gradient(value, logits)


# %% [markdown]
# Left of 0 G is losing: D sees through it. **Predict, then run:** from the loss curves, which one
# tells a losing G more?

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
for (title, function), style in zip(g_losses.items(), ("-", "--"), strict=True):
    for axis, curve in zip(axes, loss_and_slope(function, fake_logits), strict=True):
        axis.plot(fake_logits, curve, style, label=title)
for axis, name in zip(axes, ("loss of G", "gradient of the loss"), strict=True):
    axis.axvspan(-8, 0, color="grey", alpha=0.12)
    axis.text(-7.6, axis.get_ylim()[0] * 0.5, "G is losing", fontsize=9)
    axis.set(xlabel="D's logit on an image of G", ylabel=name, xlim=(-8, 8))
axes[0].legend(fontsize=9)
plt.show()

# %% [markdown]
# Both losses go down to the right, so both want the same. But where G is losing, the saturating
# curve is flat (it *saturates*): its gradient is −σ(l), close to 0. The other's is −(1 − σ(l)),
# close to −1. In numbers:

# %% tags=["nbval-check-output"]
for logit in (-8.0, -4.0, 0.0, 4.0):
    slopes = [float(loss_and_slope(f, tf.constant(logit))[1]) for f in g_losses.values()]
    print(f"logit {logit:4.0f}: saturating {slopes[0]:7.4f}, non-saturating {slopes[1]:7.4f}")

# %% [markdown]
# At the beginning of each training D finds G's images out easily: just then the saturating loss
# would leave G without a hint. The non-saturating one speaks loudest where G is worst, and grows
# silent when G has won. The price: the two players no longer play for one and the same number, but
# the equilibrium is the same.
#
# ## 7 · Both players in the plane
#
# Images have 784 pixels; nobody can see what D thinks of all possible ones. So we let two small
# networks play the same game for points in a plane. The "real data" are points around eight centres
# on a ring. Such a heap of data is a **mode**; in MNIST the digits are modes, roughly.

# %%
angles = 2 * np.pi * np.arange(8) / 8
centres = np.float32(2 * np.stack([np.cos(angles), np.sin(angles)], axis=1))
SPREAD = 0.15


def ring_points(count, seed):
    """Real points, (count, 2): a random centre each, and a random step away from it."""
    which = tf.random.stateless_uniform((count,), seed, 0, 8, tf.int32)
    away = tf.random.stateless_normal((count, 2), tf.random.fold_in(seed, 1))
    return tf.gather(centres, which) + SPREAD * away


# %% [markdown]
# (`stateless_…` draws the same numbers for the same seed: so every step can have its own, and each
# run the same. `fold_in` makes a new seed of an old one.)
#
# The networks are tiny: two Dense layers of 64. G makes a point of eight random numbers, D makes a
# logit of a point.


# %%
def small_network(inputs, outputs, slope):
    return keras.Sequential(
        [
            keras.Input((inputs,)),
            layers.Dense(64),
            layers.ReLU(negative_slope=slope),
            layers.Dense(64),
            layers.ReLU(negative_slope=slope),
            layers.Dense(outputs),
        ]
    )


# %% [markdown]
# The library's `DCGAN` plays the game between any two networks: D moves, G moves, each a small
# step downhill on its own loss, with the losses of section 5. [Notebook 04](04_training.ipynb)
# opens it and reads it line by line. The **learning rate** says how large a player's steps are; it
# is the one thing that we shall change.

# %%
from dcgan_lib import DCGAN


def new_game(g_rate, d_rate, seed):
    keras.utils.set_random_seed(seed)
    game = DCGAN(small_network(8, 2, slope=0.0), small_network(2, 1, slope=0.2), seed=seed)
    game.compile(
        g_optimizer=keras.optimizers.Adam(g_rate, beta_1=0.5),
        d_optimizer=keras.optimizers.Adam(d_rate, beta_1=0.5),
    )
    return game


# %% [markdown]
# (**Adam** is the usual rule for such steps; notebook 04 explains it, and why beta is 0.5.)
#
# From time to time we look: where are G's points, and what does D say of each place in the plane?

# %%
from dcgan_lib import sample_latent

latent = sample_latent(1000, 8, seed=1)
real_points = ring_points(1000, (2026, 3)).numpy()
side = np.linspace(-3.5, 3.5, 57, dtype=np.float32)
plane = np.stack(np.meshgrid(side, side), axis=-1)


def look_at(game):
    """The step, G's points, what D says of the whole plane, and D's loss."""
    points = game.generator(latent)
    says = tf.sigmoid(game.discriminator(plane.reshape(-1, 2)))
    paid = loss.discriminator_loss(game.discriminator(real_points), game.discriminator(points))
    says = says.numpy().reshape(57, 57)
    real = tf.sigmoid(game.discriminator(real_points)).numpy()
    view = {"points": points.numpy(), "says": says, "real": real, "d_loss": float(paid)}
    return view | {"step": int(game.step)}


# %% [markdown]
# `tf.function` translates the loop into a program without Python, which saves most of the time.
# 2,000 rounds, 128 points each.

# %%
ROUNDS, EVERY = (20, 10) if QUICK else (2000, 40)


def play_game(game):
    """Plays all rounds; returns what we saw every EVERY rounds."""

    @tf.function
    def play(rounds):
        for _ in tf.range(rounds):
            game.train_step(ring_points(128, tf.stack([game.seed, tf.cast(game.step, tf.int32)])))

    seen = [look_at(game)]
    for _ in range(ROUNDS // EVERY):
        play(tf.constant(EVERY))
        seen.append(look_at(game))
    return seen


# %% [markdown]
# The picture: D's landscape in colours, from blue (surely fake) over white (no idea) to red
# (surely real); real points black, G's points green.


# %%
def draw_plane(axis, view, size=5):
    levels = np.array([0, *np.arange(0.05, 1, 0.1), 1])  # one band around 0.5
    colours = axis.contourf(side, side, view["says"], levels, cmap="RdBu_r")
    axis.scatter(*real_points[:200].T, s=size, color="black", linewidths=0)
    axis.scatter(*view["points"][:200].T, s=size, color="limegreen", linewidths=0)
    axis.set(xticks=[], yticks=[], xlim=(-3.5, 3.5), ylim=(-3.5, 3.5), aspect="equal")
    axis.set_title(f"step {view['step']}", fontsize=10)
    return colours


# %% [markdown]
# First with equal learning rates.

# %%
balanced = play_game(new_game(g_rate=1e-3, d_rate=1e-3, seed=0))
print(len(balanced), "looks, the last one after step", balanced[-1]["step"])

# %% [markdown]
# **Predict, then run:** what will D's landscape look like in the end, if G does well?


# %%
def draw_history(seen, title):
    figure, axes = plt.subplots(1, 5, figsize=(11, 2.7), layout="constrained")
    last = len(seen) - 1
    for axis, share in zip(axes, (0, 0.04, 0.12, 0.3, 1), strict=True):
        colours = draw_plane(axis, seen[round(share * last)])
    figure.colorbar(colours, ax=axes, label="D's probability of “real”")
    figure.suptitle(title)
    plt.show()


draw_history(balanced, "Equal learning rates (black: real, green: G's)")

# %% [markdown]
# In the beginning G's points sit in one heap, and D has learned nothing: half, or a little more,
# everywhere. Soon D has a slope, and G's points run uphill, from blue to red. Where too many of
# them arrive, D's opinion falls, and they run on. At step 600 they are strewn over the whole plane,
# and D says about 0.5 of every place. Only then come the details: in the end most of the green lies
# on black, and D's landscape is nearly white where the data are: close to 0.5. (Far outside, where
# neither has points, D may say anything: nobody corrects it.)
#
# Look at what moves G: only D's **slope at G's own points**. A red hill elsewhere does not help
# them.
#
# ### In numbers
#
# We say that G covers a mode if at least one of a hundred points lies within three spreads of its
# centre. "Near" is the share of all points that lie so near to any centre.


# %%
def modes_and_share(points):
    """How many of the eight modes are covered, and the share of points near any."""
    distance = np.linalg.norm(points[:, None] - centres, axis=-1)
    near = distance.min(axis=1) < 3 * SPREAD
    counts = np.bincount(distance.argmin(axis=1)[near], minlength=8)
    return int((counts >= len(points) / 100).sum()), float(near.mean())


# %% [markdown]
# And how far the middle of G's cloud moves from one look to the next, in the second half of the
# game: in an equilibrium, hardly at all.


# %%
def report_line(title, seen):
    middles = np.stack([view["points"].mean(axis=0) for view in seen[len(seen) // 2 :]])
    moved = np.linalg.norm(np.diff(middles, axis=0), axis=1).mean()
    modes, share = modes_and_share(seen[-1]["points"])
    d_loss = np.mean([view["d_loss"] for view in seen[-10:]])
    low, high = np.quantile(seen[-1]["real"], (0.05, 0.95))
    print(f"{title:19} modes {modes}/8, near {share:4.0%}, moves {moved:.2f},", end=" ")
    print(f"D's loss {d_loss:.2f}, D on real {low:.2f} to {high:.2f}")


report_line("equal, seed 0", balanced)

# %% [markdown]
# All modes, most points near one (those between two modes are bridges: G is a continuous function
# and cannot jump), a cloud whose middle hardly moves (the ring has radius 2), and D's loss close to
# 2 · log 2. The last two numbers are D's probability of
# "real" on real points, leaving out the lowest and the highest twentieth: around 0.5.
#
# ## 8 · When the balance is lost
#
# The same networks, the same data, the same number of rounds. Only the learning rates change:
#
# - **G ahead**: G's is ten times D's.
# - **D far ahead**: D's is a hundred times G's.
#
# **Predict, then run:** what will each look like?

# %%
rates = {"equal": (1e-3, 1e-3), "G ahead": (2e-3, 2e-4), "D far ahead": (1e-4, 1e-2)}
games = {("equal", 0): balanced}
for name in ("G ahead", "D far ahead"):
    games[name, 0] = play_game(new_game(*rates[name], seed=0))

# %% [markdown]
# For G ahead we look five times at short distances, late in the game.

# %%
figure, axes = plt.subplots(1, 5, figsize=(11, 2.7), layout="constrained")
for axis, view in zip(axes, games["G ahead", 0][-5:], strict=False):
    colours = draw_plane(axis, view)
figure.colorbar(colours, ax=axes, label="D's probability of “real”")
figure.suptitle("G ahead: the cloud is chased around (black: real, green: G's)")
plt.show()

# %% [markdown]
# **Oscillation**: nobody comes to rest. G rushes to the place that D likes best, with all its
# points. D slowly learns that this is where the fakes are and lowers it; another place is now the
# best, and the whole cloud rushes there. It could go on for ever. And D never sees enough of G in
# one place to become a good discriminator: its landscape is hardly more than a faint slope.
#
# And D far ahead:

# %%
draw_history(games["D far ahead", 0], "D far ahead (black: real, green: G's)")

# %% [markdown]
# **Mode collapse**: G makes points of one mode, or of a few, and nothing else, and stays there. D
# learns so fast that it has fenced G's points in before they get anywhere. The other modes are red:
# D would welcome points there. But that red does not pull at G, which feels nothing but the slope
# under its own points. In images: a G that draws only 1 and 7.
#
# All three as a film. Each frame is one picture of three panels. (With G ahead, the cloud leaves
# the picture now and then.)


# %%
def draw_frame(index):
    """One frame of the film, as an array of pixels."""
    figure, axes = plt.subplots(1, 3, figsize=(6, 2.2), dpi=90, layout="constrained")
    for axis, name in zip(axes, rates, strict=True):
        view = games[name, 0][index]
        draw_plane(axis, view, size=4)
        axis.set_title(f"{name}, step {view['step']}", fontsize=8)
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()
    plt.close(figure)
    return pixels


# %% [markdown]
# Many frames in the beginning, where much happens, then fewer. `embed_file` writes the GIF itself
# into the notebook, so that it shows everywhere.

# %%
from dcgan_lib import make_gif

chosen = range(3) if QUICK else [*range(14), *range(14, 51, 3)]
gif = make_gif([draw_frame(i) for i in chosen], RUNS / "ring.gif", milliseconds=250)
try:
    from tensorflow_docs.vis.embed import embed_file

    film = embed_file(gif)
except ImportError:
    from IPython.display import Image

    film = Image(filename=str(gif))
film

# %% [markdown]
# ### Was it luck?
#
# One run is an anecdote. Each setting again with two more seeds, that is, from other random
# weights:

# %%
for name in rates:
    for seed in (0,) if QUICK else (0, 1, 2):
        if (name, seed) not in games:
            games[name, seed] = play_game(new_game(*rates[name], seed=seed))
        report_line(f"{name}, seed {seed}", games[name, seed])

# %% [markdown]
# The details differ, the three pictures do not:
#
# - *equal*: all eight modes, a cloud at rest, D's loss near 1.39;
# - *G ahead*: most points far from any mode, and a cloud that moves from look to look by more than
#   the ring's radius, 2. The modes counted are those that it just happens to cross;
# - *D far ahead*: a single mode, a cloud at rest, and D's loss far lower: it can tell. Only on the
#   real points of G's own mode it says about 0.1. There G's points are eight times as dense as real
#   ones, so the best D says 1 / (1 + 8) = 0.11.
#
# Are equal rates best for images, too? Not always: what counts is that no player runs away
# from the other, and which rates do that depends on the networks and the data.
#
# Note that D's loss near 1.39 alone proves nothing: when G is ahead, D cannot tell either.
#
# ## 9 · Back to images: a discriminator without an opponent
#
# How strong is D on images? Here is a G of the library that has not learned anything, and it will
# not learn: its weights are **frozen**, never changed. It draws grey noise. D gets 64 real images
# and 64 of G's per step.

# %%
from dcgan_lib import build_generator, training_batches

keras.utils.set_random_seed(0)
frozen_generator = build_generator(RECIPES["fast"])
discriminator = build_discriminator(recipe)
batches = iter(training_batches(data.images, 64, seed=0))
optimizer = keras.optimizers.Adam(5e-4, beta_1=0.5)


def fakes(count, seed):
    return frozen_generator(sample_latent(count, frozen_generator.input_shape[-1], seed))


# %% [markdown]
# One move of D: the loss, its gradients with respect to D's weights, a step downhill. (The moves
# of notebook 04 look just like this.)


# %%
@tf.function
def d_move(real_images, fake_images):
    with tf.GradientTape() as tape:
        real_output = discriminator(real_images, training=True)
        fake_output = discriminator(fake_images, training=True)
        value = loss.discriminator_loss(real_output, fake_output)
    variables = discriminator.trainable_variables
    optimizer.apply(tape.gradient(value, variables), variables)


# %% [markdown]
# What would G hear? The gradient of G's loss *with respect to the pixels* of its images: for each
# pixel, whether D wants more ink there or less. This "gradient image" is all that comes back from
# D; G turns it into changes of its weights.


# %%
def pixel_gradients(g_loss, images):
    with tf.GradientTape() as tape:
        tape.watch(images)
        value = tf.reduce_sum(g_loss(discriminator(images)))
    return tape.gradient(value, images).numpy()


# %% [markdown]
# The **norm** of such an image (the root of the sum of its squares) says how loud the hint is.
# Before the first step and after each one we note the gradient images of both losses, and what D
# says of both kinds of images.

# %%
STEPS = 5 if QUICK else 60
test_real, test_fake = next(batches), fakes(64, seed=99)


def look_at_discriminator():
    """D's probabilities for (real, fake), and the gradient images of both losses."""
    said = [tf.sigmoid(discriminator(images))[:, 0].numpy() for images in (test_real, test_fake)]
    return said, [pixel_gradients(g_loss, test_fake) for g_loss in g_losses.values()]


# %% [markdown]
# **Predict, then run:** how many steps will D need? We print its share of right verdicts before the
# first step and after 3, 6, 9, 12 and 15.

# %%
looks = [look_at_discriminator()]
for step in range(STEPS):
    d_move(next(batches), fakes(64, seed=step))
    looks.append(look_at_discriminator())
right = [((real > 0.5).mean() + (fake < 0.5).mean()) / 2 for (real, fake), _ in looks]
print("share of right verdicts:", *(f"{share:.0%}" for share in right[:16:3]))

# %% [markdown]
# Three steps, and all are right. (Worse than guessing at first? An untrained D says nearly 0.5 of
# every image. Its random weights decide on which side, and here it was the wrong one for most.)
# D's probabilities in the beginning, after some steps, and in the end:

# %%
figure, axes = plt.subplots(1, 3, figsize=(9, 2.6), sharey=True, layout="constrained")
for axis, step in zip(axes, (0, STEPS // 6, STEPS), strict=True):
    for said, name in zip(looks[step][0], ("real images", "images of G"), strict=True):
        axis.hist(said, bins=np.linspace(0, 1, 31), alpha=0.6, label=name)
    axis.set(xlabel="D's probability of “real”", title=f"after {step} steps")
axes[0].set_ylabel("images")
axes[1].legend(fontsize=9, loc="upper left")
plt.show()

# %% [markdown]
# After ten steps it is sure of the real images, and of G's it says just less than 0.5: that is
# right already. In the end it is sure of both. What would G hear meanwhile? The mean norm of the
# gradient images, step by step (each line of the axis is ten times the one below):

# %%
figure, axis = plt.subplots(figsize=(6, 3), layout="constrained")
for which, (title, style) in enumerate(zip(g_losses, ("-", "--"), strict=True)):
    norms = [np.linalg.norm(look[1][which].reshape(64, -1), axis=1).mean() for look in looks]
    axis.semilogy(norms, style, label=title)
    print(f"{title}: {norms[0]:.4f} before, {norms[-1]:.4f} in the end")
axis.set(xlabel="step of D", ylabel="mean norm", title="How loud is the hint to G?")
axis.legend(fontsize=9)
axis.grid(alpha=0.25)
plt.show()

# %% [markdown]
# For some fifteen steps both grow, because D's own slopes get steeper. Then D becomes sure, and
# with the saturating loss G hears less and less the better its discriminator is: in the end a tenth
# of what it heard at first. With the other one the hint gets louder, nearly fifty times. Now the
# gradient images themselves, for three images of G. We show minus the gradient, that is, what would
# please D: red more ink, blue less. Before D's training and after it, each with a colour scale of
# its own, the same for both losses.


# %%
def draw_hints(axes, look):
    limit = np.abs(look[1][1][:3]).max()
    for row, gradients in zip(axes, look[1], strict=True):
        for axis, gradient in zip(row, gradients, strict=False):
            axis.imshow(-gradient[:, :, 0], cmap="RdBu_r", vmin=-limit, vmax=limit)
            axis.axis("off")


# %% [markdown]
# Before on the left, after on the right:

# %%
figure = plt.figure(figsize=(9, 3.4), layout="constrained")
for part, look, title in zip(
    figure.subfigures(1, 2), (looks[0], looks[-1]), ("before", f"after {STEPS} steps"), strict=True
):
    axes = part.subplots(2, 3)
    draw_hints(axes, look)
    axes[0, 1].set_title("saturating", fontsize=10)
    axes[1, 1].set_title("non-saturating", fontsize=10)
    part.suptitle(title)
plt.show()

# %% [markdown]
# Before, D is untrained: its wishes are noise, and as both gradients are −0.5 at logit 0, the rows
# look the same. After, D has something to say, but with the saturating loss it says it so softly
# that nothing is to be seen.
#
# Does the non-saturating loss solve everything, then? No. What it says so loudly is stripes, almost
# the same for all three images, without a trace of a digit. A loud hint need not be a good one: a
# discriminator that has won without effort knows only what tells *these* fakes from digits, not
# what makes a digit. It could learn more only if the fakes were better, and those get better only
# if G learns. So both must learn together, in small steps, neither running away: that is the
# training of notebook 04.
#
# ## Exercises
#
# Each has a cell for your answer, with a check that tells you if it is right. The solutions are
# folded below; open them when you have tried.
#
# ### 1 · One more layer
#
# Put a third convolution behind the two of section 3: 256 kernels of 5×5, stride 2, `same`. It
# gets maps of 7×7 with 128 channels. How long are the sides of its maps, and how many weights has
# it? (Each kernel looks through *all* channels, and has one number more, which is added: its
# bias.)


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 1 (run it, no need to read)
def check_layer(side, weights):
    if side is ... or weights is ...:
        print("Not yet: replace both ... by numbers.")
    elif side == 3:
        print("Not yet: the side. Half of 7 is 3.5, and `same` leaves no pixel out: round up.")
    elif side != 4:
        print("Not yet: the side. Stride 2 halves 7; a half pixel is rounded up.")
    elif weights == 256 * 5 * 5 * 128:
        print("Not yet: the weights. The side is right; do not forget the biases.")
    elif weights == 256 * (5 * 5 + 1):
        print("Not yet: the weights. A kernel has 5×5 numbers for each of the 128 channels.")
    elif weights != 256 * (5 * 5 * 128 + 1):
        print(
            "Not yet: the weights. How many numbers has one kernel, and how many kernels are there?"
        )
    else:
        print("Right: 4×4 maps, and 819,456 weights.")


# %% [markdown]
# Your answer, and the check:

# %% tags=["nbval-check-output"]
side_of_maps, number_of_weights = ..., ...  # your answer
check_layer(side_of_maps, number_of_weights)

# %% [markdown]
# *Solution, folded (Keras counts for us):*

# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 1
third = layers.Conv2D(256, 5, 2, padding="same")
output = third(tf.zeros((1, 7, 7, 128)))
check_layer(output.shape[1], third.count_params())

# %% [markdown]
# ### 2 · The loss of the formula
#
# Write G's *saturating* loss as a loss of the library: the mean of log(1 − D(G(z))), from logits.
# You may use `self.cross_entropy(labels, logits)`, which gives the mean of −log of the probability
# of the label. Which label, and which sign?


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 2 (run it, no need to read)
def check_saturating(loss):
    logits = tf.constant([[-2.0], [1.0], [3.0]])
    value = loss.generator_loss(logits)
    wanted = float(tf.reduce_mean(-tf.math.softplus(logits)))
    if value is ... or value is None:
        print("Not yet: replace ... by an expression.")
    elif np.ndim(value):
        print("Not yet: a loss is one number, the mean over the batch.")
    elif abs(float(value) + wanted) < 1e-5:
        print("Not yet: the label is right, the sign is not. G wants D to be wrong.")
    elif abs(abs(float(value)) - float(tf.reduce_mean(tf.math.softplus(-logits)))) < 1e-5:
        print("Not yet: this is log D. 1 − D is D's probability of which label?")
    elif abs(float(value) - wanted) > 1e-5:
        print(
            f"Not yet: for the logits -2, 1, 3 it should be {wanted:.3f}, not {float(value):.3f}."
        )
    else:
        print("Right: the saturating loss, the one of the min–max game.")


# %% [markdown]
# Fill in the dots; the last line checks them:


# %% tags=["nbval-check-output"]
class MySaturatingLoss(BinaryCrossentropyLoss):
    def generator_loss(self, fake_output):
        return ...  # your answer


check_saturating(MySaturatingLoss())

# %% [markdown]
# *Solution, folded:*


# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 2
class SaturatingLoss(BinaryCrossentropyLoss):
    def generator_loss(self, fake_output: tf.Tensor) -> tf.Tensor:
        return -self.cross_entropy(tf.zeros_like(fake_output), fake_output)


check_saturating(SaturatingLoss())

# %% [markdown]
# To see it play, hand it to `game.compile(..., loss=SaturatingLoss())` in section 7.
#
# ### 3 · The best logit
#
# The best D says p_data / (p_data + p_g), as a probability. Which *logit* does it give? Write it
# as a function of both densities. It is simpler than the probability.


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 3 (run it, no need to read)
def check_logit(function):
    if function(1.0, 1.0) in (..., None):
        print("Not yet: replace ... by an expression.")
    elif abs(function(0.3, 0.3)) > 1e-6:
        print("Not yet: where both are equally dense, the logit must be 0.")
    elif abs(function(0.6, 0.2) + np.log(3)) < 1e-6:
        print("Not yet: the sign. Where real points are denser, the logit must be positive.")
    elif any(
        abs(1 / (1 + np.exp(-function(a, b))) - a / (a + b)) > 1e-6
        for a, b in ((0.6, 0.2), (0.01, 0.5))
    ):
        print("Not yet. Hint: solve 1 / (1 + e⁻ˡ) = a / (a + b) for l; divide by a on the right.")
    else:
        print("Right: the logit of the best D is the logarithm of the ratio of the densities.")


# %% [markdown]
# Fill in the dots; the last line checks them:


# %% tags=["nbval-check-output"]
def best_logit(p_data, p_g):
    return ...  # your answer


check_logit(best_logit)

# %% [markdown]
# *Solution, folded:*

# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 3
check_logit(lambda p_data, p_g: np.log(p_data / p_g))

# %% [markdown]
# This is why D's slope is so useful to G: it points to where the data are denser, compared with G.
#
# ## What you did
#
# - You slid a kernel over a real digit, and saw what stride and padding do.
# - You read the library's discriminator, and know the shape after each layer.
# - You turned D's output into a probability, and its mistakes into a loss.
# - You derived the losses of both players from one formula.
# - You saw why G does not use the loss that this formula gives it.
# - You watched both players in the plane: in balance, chasing each other, and collapsed.
# - You let D learn alone on images, and measured what G could still learn from it.
#
# **Next:** [notebook 04](04_training.ipynb) lets both learn together, on real digits.
