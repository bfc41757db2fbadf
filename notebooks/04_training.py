# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 04 · Training: two networks play against each other
#
# In this notebook you will
#
# - play one round of the game by hand, with a gradient tape, and see what it changes;
# - read the library's training step, and know why each line is there;
# - train with `compile`, `fit` and callbacks;
# - train the default recipe until you can read the digits, while the picture updates in place;
# - read loss curves, and see what they do not tell;
# - kill a training, resume it, and check that not a bit was lost;
# - load a saved generator, draw new digits, and make a GIF of how they came about;
# - change one setting at a time and compare the pictures.
#
# **You need** Python and a little Keras: layers, models, `fit`. Nothing about GANs that is not
# said here. **Run time**: about four minutes on two idle processor cores, no GPU.
#
# **Where we are.** A GAN has two players. The *generator* G
# ([notebook 02](02_generator.ipynb)) draws images from random numbers; the *discriminator* D
# ([notebook 03](03_discriminator.ipynb)) looks at an image and says whether it is real or drawn
# by G. Both start out knowing nothing; this notebook lets them teach each other.

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
# Our tests run this notebook with `DCGAN_PROFILE=quick`: a few steps on a few images, whose
# pictures show nothing. Leave the variable unset and you get the real thing.

# %%
import os
from pathlib import Path

QUICK = os.environ.get("DCGAN_PROFILE", "full") == "quick"
FEW = {"steps": 12, "max_images": 1000, "hold_out": 0, "sample_every": 4, "log_every": 4}
SHORT = FEW if QUICK else {}
RUNS = Path("runs") / "04"

# %% [markdown]
# ## 1 · The data and the players
#
# A **recipe** is a set of named settings. We use `fast`, the project's default; all others are
# in the README. `load_images` gives MNIST: 28×28 drawings of digits, as numbers from 0 (paper,
# shown black) to 255 (ink, shown white). Where MNIST is not at hand, it says so and gives
# the part of it that comes with the library.

# %%
from dcgan_lib import RECIPES, load_images, plot_images, scale

recipe = RECIPES["fast"]
data = load_images()
plot_images(scale(data.images[:16]), columns=8, title=f"Real images: {data.name}")

# %% [markdown]
# Networks learn from a handful of images at a time, a **batch**. One batch, one **step** (or
# **iteration**): a small change of both networks. When every image has been used once, an
# **epoch** is over, and the next begins in a new order. Why not all images at once? A step would
# take a thousand times as long and be hardly better.
#
# `training_batches` also scales to floats from -1 to 1, the range that G draws in.

# %% tags=["nbval-check-output"]
from dcgan_lib import training_batches

batches = training_batches(data.images, recipe.batch_size, seed=recipe.seed)
real_images = next(iter(batches))
print("one batch:", real_images.shape, real_images.dtype.name)
print("from", float(real_images.numpy().min()), "to", float(real_images.numpy().max()))

# %% [markdown]
# Now the players. Their weights start as random numbers. A computer's random numbers are a fixed
# sequence that begins at a number called the **seed**: with the same seed we get the same weights
# each time, and you get the same as we.

# %% tags=["nbval-check-output"]
import keras

from dcgan_lib import build_discriminator, build_generator

keras.utils.set_random_seed(recipe.seed)
generator = build_generator(recipe)
discriminator = build_discriminator(recipe)
print("G:", generator.input_shape, "→", generator.output_shape)
print("D:", discriminator.input_shape, "→", discriminator.output_shape)

# %% [markdown]
# G needs a **latent vector** for each image: a list of random numbers that says which image to
# draw. We draw sixteen vectors now and keep them: this **fixed noise** is not a seed but a table
# of numbers. Feeding the same table again later shows how the *same* sixteen images change.
#
# `training=False` is **inference mode**. G contains BatchNorm, a layer that brings the numbers
# passing through it to mean 0 and spread 1 (notebook 02). In training it takes mean and spread
# from the batch; in inference mode from the averages that it has collected, so that an image
# does not depend on the others in its batch.

# %%
from dcgan_lib import sample_latent

fixed_noise = sample_latent(16, recipe.latent_dim, seed=0)
print("fixed noise:", fixed_noise.shape)
plot_images(generator(fixed_noise, training=False), columns=8, title="G before training")

# %% [markdown]
# ## 2 · One round by hand
#
# ### What D says
#
# D's last layer gives one number per image, with no limits: a **logit**. The sigmoid function
# squeezes it to a probability: a large logit means "surely real" (near 1), a very negative one
# "surely fake" (near 0), and 0 means "no idea" (0.5).
#
# **Predict, then run:** D has not learned anything yet. What will it say of real images, and of
# G's?

# %%
import tensorflow as tf


def probability_real(images):
    """What D says of each image, as a probability."""
    return tf.sigmoid(discriminator(images, training=True))[:, 0].numpy()


# %% [markdown]
# As many fake images as the batch has real ones, and what D says of both:

# %%
noise = sample_latent(recipe.batch_size, recipe.latent_dim, seed=1)
fake_images = generator(noise, training=True)
said_before = probability_real(real_images), probability_real(fake_images)
print(f"of real images, on average {said_before[0].mean():.2f}")
print(f"of fake images, on average {said_before[1].mean():.2f}")

# %% [markdown]
# Somewhere in the middle for both: an untrained D can only guess.
#
# ### What each player wants
#
# A **loss** is one number that a player wants to make small. Every image has a **label**: 1 for
# real, 0 for fake (here and everywhere in this project). **Binary cross-entropy** compares what D
# says with the label: small if D is right, and the larger, the surer D is of something wrong.
#
# - D's loss: real images against the label 1, plus fake images against the label 0.
# - G's loss: *fake* images against the label **1**. G wins when D calls its images real.

# %%
cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)


def d_loss(real_images, fake_images):
    real_output = discriminator(real_images, training=True)
    fake_output = discriminator(fake_images, training=True)
    real_loss = cross_entropy(tf.ones_like(real_output), real_output)
    fake_loss = cross_entropy(tf.zeros_like(fake_output), fake_output)
    return real_loss + fake_loss


# %% [markdown]
# (`from_logits=True`: the sigmoid is part of the loss, which computes more exactly that way.)


# %%
def g_loss(noise):
    fake_output = discriminator(generator(noise, training=True), training=True)
    return cross_entropy(tf.ones_like(fake_output), fake_output)


# %% [markdown]
# ### D moves
#
# To make its loss smaller, D must know which way to turn each of its weights. That is what a
# **gradient** says: for each weight, how much the loss would grow if the weight grew a little.
# TensorFlow finds it by playing back a **tape**: inside `with tf.GradientTape()` every operation
# is recorded.
#
# An **optimizer** turns gradients into changes. Ours is **Adam**. It remembers an average of the
# recent gradients and of their squares (its two **betas** say how long), and gives each weight a
# pace of its own. GANs mostly use a first beta of 0.5 where 0.9 is usual: the opponent moves, so
# old gradients mislead, and the players swing. The **learning rate** scales all paces: too small
# and nothing happens, too large and the networks overshoot. A gradient says which way is down, not
# how far.
#
# The rates of `fast` are large, so that a training is over in a minute; a first move with them
# overshoots. To see what one move does, we begin with a tenth of them.

# %%
print(f"learning rates: G {recipe.g_learning_rate}, D {recipe.d_learning_rate}")
g_optimizer = keras.optimizers.Adam(recipe.g_learning_rate / 10, beta_1=recipe.beta_1)
d_optimizer = keras.optimizers.Adam(recipe.d_learning_rate / 10, beta_1=recipe.beta_1)

# %% [markdown]
# Now the move: the loss under the tape, its gradients, one step downhill. We hand over only D's
# **trainable variables**, the weights that training may change, so G stays as it is.

# %%
with tf.GradientTape() as tape:
    before = d_loss(real_images, fake_images)
gradients = tape.gradient(before, discriminator.trainable_variables)
d_optimizer.apply(gradients, discriminator.trainable_variables)
after = d_loss(real_images, fake_images)
print(f"D's loss: {before:.3f} before its move, {after:.3f} after")

# %% [markdown]
# One move, and the loss is smaller. What D says of the same images shows it better than a number.
# First a function that draws histograms:

# %%
import matplotlib.pyplot as plt
import numpy as np


def plot_verdicts(verdicts):
    """Histograms of what D says of (real, fake) images, one panel for each title."""
    figure, axes = plt.subplots(1, len(verdicts), figsize=(8, 2.4), layout="constrained")
    for axis, (title, (real, fake)) in zip(axes, verdicts.items(), strict=True):
        axis.hist(real, bins=np.linspace(0, 1, 31), alpha=0.6, label="real images")
        axis.hist(fake, bins=np.linspace(0, 1, 31), alpha=0.6, label="fake images")
        axis.set(title=title, xlabel="D's probability of “real”", ylabel="images")
    axes[0].legend(fontsize=9)
    plt.show()


# %% [markdown]
# What did D say before its move, and what does it say now?

# %%
said_after = probability_real(real_images), probability_real(fake_images)
plot_verdicts({"Before D's move": said_before, "After it": said_after})

# %% [markdown]
# Before, the two heaps lie on each other. After a single move the real images lie a little further
# right: D has begun to tell them apart. (Both heaps have also become narrower: D is less sure than
# before. Being sure of something wrong is what costs most.)
#
# ### G moves
#
# The same three lines for the other player, now as a function.


# %%
def move(network, optimizer, loss):
    """Moves one player downhill on its own loss; returns the loss before the move."""
    with tf.GradientTape() as tape:
        value = loss()
    gradients = tape.gradient(value, network.trainable_variables)
    optimizer.apply(gradients, network.trainable_variables)
    return float(value)


# %% [markdown]
# G's loss goes *through* D: the tape follows the image from G into D and back, and tells G which
# changes of its pixels would please D. But only G's variables are changed: D must not help G to
# win.

# %%
images_before = generator(noise, training=True).numpy()
before = move(generator, g_optimizer, lambda: g_loss(noise))
print(f"G's loss: {before:.3f} before its move, {g_loss(noise):.3f} after")

# %% [markdown]
# The loss went down, so G has learned something about its discriminator.
#
# **Predict, then run:** can you see with your own eyes what has changed in the images?

# %%
images_after = generator(noise, training=True).numpy()
difference = np.clip(images_after - images_before, -1, 1)
rows = np.concatenate([images_before[:5], images_after[:5], difference[:5]])
titles = ["before"] * 5 + ["after"] * 5 + ["difference"] * 5
plot_images(rows, columns=5, titles=titles)

# %% [markdown]
# Still noise, in a somewhat different pattern (in the last row, grey means "the same"): one move
# makes no digit. (Why are these images noisier than those of section 1? In training mode BatchNorm
# looks at this one batch and stretches it to full contrast.)
#
# A training consists of many hundreds of such moves, first D, then G. Let us play some more
# rounds, all on this one batch, now with the full learning rates.

# %%
import time

rounds = 3 if QUICK else 160
g_optimizer.learning_rate = recipe.g_learning_rate
d_optimizer.learning_rate = recipe.d_learning_rate
d_losses, g_losses = [], []
started = time.perf_counter()
for _ in range(rounds):
    fake_images = generator(noise, training=True)
    d_losses.append(move(discriminator, d_optimizer, lambda: d_loss(real_images, fake_images)))
    g_losses.append(move(generator, g_optimizer, lambda: g_loss(noise)))
print(f"{1000 * (time.perf_counter() - started) / rounds:.0f} ms a round")

# %% [markdown]
# And what does G draw now?

# %%
images_now = generator(noise, training=True).numpy()
plot_images(images_now[:10], columns=5, title=f"G after {rounds} more rounds")

# %% [markdown]
# Dark, grainy paper, and on some of it strokes of a sort. Nobody told G so: it followed the
# gradients that came through D. (All rounds used the same batch, so these may be near copies of its
# 64 images. That is why a training shows D other images in each step.) Here are both losses, round
# by round:

# %%
figure, axis = plt.subplots(figsize=(6, 2.6), layout="constrained")
axis.plot(d_losses, label="discriminator")
axis.plot(g_losses, label="generator")
axis.set(xlabel="round", ylabel="loss", title="Both losses, on a single batch")
axis.legend()
plt.show()

# %% [markdown]
# D's loss falls and G's rises, although G draws better and better: D learns to tell these 64 images
# from G's faster than G learns to draw them. What one player wins the other loses, so the two
# losses cannot both go steadily down, as the one loss of ordinary training does.
#
# ## 3 · The library's training step
#
# That was the whole game. `dcgan_lib` plays the same, with more care. What follows is its own
# code (our tests compare it), in five short pieces; then we build a model from exactly these.
#
# **`apply_gradients`** is the second half of our `move`. It takes the network whose weights may
# change, so that nobody passes the wrong variables by accident.


# %%
def apply_gradients(
    tape: tf.GradientTape,
    loss: tf.Tensor,
    network: keras.Model,
    optimizer: keras.optimizers.Optimizer,
) -> None:
    """Moves the weights of `network`, and of nothing else, downhill on `loss`."""
    variables = network.trainable_variables
    gradients = tape.gradient(loss, variables)
    optimizer.apply(gradients, variables)


# %% [markdown]
# **`untouched`** guards the other player. Some variables are not trainable and change all the
# same: BatchNorm's averages, at every call with `training=True`. In its opponent's move a network
# is called this way, but it must come out unchanged. So: remember, let it happen, put back.
# Without it, every move of D would leave a trace in G.


# %%
import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def untouched(network: keras.Model) -> Iterator[None]:
    """Puts BatchNorm's moving statistics back as they were."""
    before = [tf.identity(variable.value) for variable in network.non_trainable_weights]
    yield
    for variable, value in zip(network.non_trainable_weights, before, strict=True):
        variable.assign(value)


# %% [markdown]
# **`d_step`** is D's move. `self` is the model that we build below.
#
# - `self.draw` runs G in training mode. The fake images are made *outside* the tape: D's move needs
#   no gradient through G.
# - Real and fake images go through D as two batches. Mixed in one, BatchNorm would average over
#   both, and D could tell them apart by the mixture.
# - `self.noisy` adds noise to the real images if the recipe says so (`fast` does not).
# - `self.gan_loss` is an object that knows both losses. Another loss is another object: you will
#   write one in exercise 3. Its `penalty` is 0 here.


# %%
def d_step(self, real: tf.Tensor, noise: tf.Tensor) -> dict[str, tf.Tensor]:
    """Moves the discriminator: up on real images, down on fake ones."""
    with untouched(self.generator):
        fake = self.draw(noise)
    with tf.GradientTape() as tape:
        # Two batches, not one mixed: BatchNorm must see what it will see later.
        real_output = self.discriminator(self.noisy(real), training=True)
        fake_output = self.discriminator(fake, training=True)
        loss = self.gan_loss.discriminator_loss(real_output, fake_output)
        total = loss + self.gan_loss.penalty(self, real, fake)
    apply_gradients(tape, total, self.discriminator, self.d_optimizer)
    return self.verdicts(real_output, fake_output) | {"d_loss": loss}


# %% [markdown]
# **`g_step`** is G's move. Here the images are made *inside* the tape, because the gradient must
# flow through D back into G. D is `untouched`, and its weights are not in the list.


# %%
def g_step(self, noise: tf.Tensor) -> dict[str, tf.Tensor]:
    """Moves the generator to where the discriminator would have said "real"."""
    with tf.GradientTape() as tape, untouched(self.discriminator):
        fake_output = self.discriminator(self.draw(noise), training=True)
        loss = self.gan_loss.generator_loss(fake_output)
    apply_gradients(tape, loss, self.generator, self.g_optimizer)
    return {"g_loss": loss}


# %% [markdown]
# **`joint_step`** makes both moves after one look. The same images, and D's verdicts on them,
# serve both players, so that two of five forward passes are saved. G then answers D as it was
# before its move. That costs no quality here, and saves about a fifth of the time. Two tapes
# watch, because each player goes downhill on a loss of its own.


# %%
def joint_step(self, real: tf.Tensor) -> dict[str, tf.Tensor]:
    """Moves both players after one look at the same images."""
    noise = self.latent_noise(real, "g_noise")
    with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
        fake = self.draw(noise)
        real_output = self.discriminator(self.noisy(real), training=True)
        fake_output = self.discriminator(fake, training=True)
        g_loss = self.gan_loss.generator_loss(fake_output)
        d_loss = self.gan_loss.discriminator_loss(real_output, fake_output)
        total = d_loss + self.gan_loss.penalty(self, real, fake)
    apply_gradients(g_tape, g_loss, self.generator, self.g_optimizer)
    apply_gradients(d_tape, total, self.discriminator, self.d_optimizer)
    return self.verdicts(real_output, fake_output) | {"g_loss": g_loss, "d_loss": d_loss}


# %% [markdown]
# **`train_step`** is one round. Keras calls it for every batch.
#
# - `simultaneous` says that both move after one look, as in `fast`. Otherwise they take turns: D
#   moves `d_steps` times (p), then G moves `g_steps` times (k). If one player runs away from the
#   other, these two numbers are a way to restore the balance. (Goodfellow's paper, where GANs come
#   from, calls the number of D's moves k.) Turns are slower and safer: G answers D's last move, not
#   the one before. On fewer than 10,000 images the library therefore takes turns.
# - `latent_noise` draws as many latent vectors as the batch has images, each time new ones. It
#   draws them from (seed, step), so step 1,234 has the same noise in every run: this is what
#   makes a training repeatable, and resumable (section 7). `set_dropout_seeds` does the same for
#   Dropout layers (which switch off a random share of their inputs).
# - `average_generator` keeps, beside G, a running average of G's weights. G swings to and fro
#   while it chases D; its average swings less and draws better. Samples come from the average.
# - `update_metrics` adds this step to the means that `fit` shows.


# %%
def train_step(self, real: tf.Tensor) -> dict[str, tf.Tensor]:
    """Plays one round on a batch of real images: p moves of D, then k moves of G."""
    self.set_dropout_seeds()
    if self.simultaneous:
        results = self.joint_step(real)
    else:
        results = {}
        for i in range(self.d_steps):
            results |= self.d_step(real, self.latent_noise(real, "d_noise", i))
        for i in range(self.g_steps):
            results |= self.g_step(self.latent_noise(real, "g_noise", i))
    self.average_generator()
    self.step.assign_add(1)
    return self.update_metrics(results)


# %% [markdown]
# The library's `DCGAN` is a `keras.Model` with these as its methods. To be sure that what you
# read is what runs, we put the functions above into a class of our own.

# %%
from dcgan_lib import DCGAN


class ShownDCGAN(DCGAN):
    """The library's DCGAN, with the functions shown above as its methods."""

    train_step, d_step, g_step, joint_step = train_step, d_step, g_step, joint_step


# %% [markdown]
# ## 4 · `compile`, `fit`, callbacks
#
# An ordinary Keras model is compiled with one optimizer; ours needs one for each player.
# (`ema_decay` says how slowly the average of G's weights follows G.)

# %%
from dcgan_lib import BinaryCrossentropyLoss

keras.utils.set_random_seed(recipe.seed)
gan = ShownDCGAN(
    build_generator(recipe),
    build_discriminator(recipe),
    simultaneous=True,
    ema_decay=recipe.ema_decay,
)
gan.compile(
    g_optimizer=keras.optimizers.Adam(recipe.g_learning_rate, beta_1=recipe.beta_1),
    d_optimizer=keras.optimizers.Adam(recipe.d_learning_rate, beta_1=recipe.beta_1),
    loss=BinaryCrossentropyLoss(),
)

# %% [markdown]
# A **callback** is an object whose methods `fit` calls at set moments: after each step, after
# each epoch. `GenerateSamplesCallback` draws the same fixed noise each time and, in a notebook,
# replaces the last picture by the new one. Others write logs or save checkpoints; any Keras
# callback works.
#
# Our stream of batches never ends, so we say how many steps to call an epoch. It is shuffled
# already: `shuffle=False` keeps Keras from warning that it cannot do so.

# %%
from dcgan_lib import GenerateSamplesCallback

steps = 3 if QUICK else 50
samples = GenerateSamplesCallback(every=steps, num_images=16, show=True)
history = gan.fit(
    batches, epochs=2, steps_per_epoch=steps, callbacks=[samples], shuffle=False, verbose=2
)

# %% [markdown]
# `d_accuracy_real` and `d_accuracy_fake` are the shares of real and fake images that D got right.
# The picture shows grey dots on dark paper, and in some of the images a first blot or stroke;
# none is a digit yet: a hundred steps are few.
#
# A step of the second epoch takes much less time than our round by hand, because `fit` does not
# run `train_step` as Python. It **traces** it once: runs it with placeholders and writes down
# every TensorFlow operation in a **graph**. From then on it replays the graph, without Python in
# between. The tracing itself takes up to some seconds; that is why the first epoch is slower.
#
# **Predict, then run:** how often does this print?


# %% tags=["nbval-check-output"]
@tf.function
def double(x):
    print("Python runs")
    return 2 * x


print([int(double(tf.constant(i))) for i in range(4)])

# %% [markdown]
# Once, while tracing. So a `print`, a counter or a NumPy random number in a training step happens
# once and never again: a common trap. TensorFlow operations happen every time.
#
# ## 5 · The real thing
#
# `train_dcgan_mnist` puts everything together: data, players, optimizers, callbacks. It writes
# all that comes out into a **run folder**. This is the whole default recipe, about a minute on
# two cores that have nothing else to do. Watch the picture.

# %%
from dcgan_lib import train_dcgan_mnist

run = train_dcgan_mnist(
    "fast", RUNS / "live", data.name, resume=False, show=True, verbose=False, **SHORT
)

# %% [markdown]
# (`resume=False` says: start anew even if this folder holds a run. Section 7 shows the default.)
# Early on the run looks at its own samples; if they are all alike, or like no real image, it says
# so and begins again with another seed ([notebook 08](08_when_training_fails.ipynb), section 12).
#
# Everything is in the folder: the settings (`recipe.json`), the losses (`log.csv`), the frames
# (`samples`), both networks, checkpoints, pictures.

# %%
print(*sorted(path.name for path in run.folder.glob("[!.]*")), sep="\n")

# %% [markdown]
# **Predict, then run:** the picture above always showed the same latent vectors. Were these the
# only digits that G can draw? Here are fifty vectors that it has never met:

# %%
new_noise = sample_latent(50, recipe.latent_dim, seed=2026)
plot_images(run.generator(new_noise, training=False), columns=10, title="Fresh latent vectors")

# %% [markdown]
# Most are digits, and no two alike; some are between two digits, or nothing. That is what a
# minute of training gives; longer runs and other recipes do better.
#
# ## 6 · What the losses tell, and what they do not
#
# **Predict, then sketch:** in ordinary training the loss falls as the model gets better. The
# images got better all the time. What will the two curves look like?

# %%
from dcgan_lib import plot_losses

plot_losses(run.log)

# %% [markdown]
# They move in the first 250 steps, then stay nearly level. The lower panel shows how often D is
# right: in the end about 63%, on real and on fake images alike. Now images of the same run. We take
# three of the frames that the callback saved, and from each a corner of sixteen digits.

# %%
import imageio.v3 as iio

paths = sorted((run.folder / "samples").glob("*.png"))
frames = [iio.imread(path)[:262, :240] for path in paths]
chosen = [i * (len(frames) - 1) // 3 for i in (1, 2, 3)]

# %% [markdown]
# **Predict, then run:** where the losses are about the same, will the images be?

# %%
figure, axes = plt.subplots(1, 3, figsize=(7.5, 3), layout="constrained")
for axis, i in zip(axes, chosen, strict=True):
    row = np.abs(run.log["step"] - int(paths[i].stem.split("_")[1])).argmin()
    d, g = run.log["d_loss"][row], run.log["g_loss"][row]
    axis.imshow(frames[i], cmap="gray")
    axis.set_title(f"losses: D {d:.2f}, G {g:.2f}", fontsize=10)
    axis.axis("off")
plt.show()

# %% [markdown]
# The losses hardly change, the images do: on the left strokes end nowhere and some images are no
# digits, on the right nearly all can be read. The reason: each loss is measured
# *against the opponent*, and the opponent gets better too. Two equally good chess players who both
# learn still win half of their games each.
#
# - The losses **do** tell whether the game is balanced. If D's loss goes to 0 and D is right on
#   everything, G gets no useful gradients any more; if D is right on half of the images only, it
#   has nothing left to teach.
# - The end of the game would be an **equilibrium**: neither player can gain by changing alone. G
#   draws so well that D can only guess, D says 0.5 to everything, and its loss is
#   2 · log 2 ≈ 1.39. Real trainings stay at some distance; ours stays near 1.3.
# - The losses do **not** tell how good the images are, or when to stop. For that, look at them,
#   or measure them ([notebook 07](07_measuring_quality.ipynb)).
#
# ## 7 · Kill it and resume
#
# A training may take hours, and computers crash. A **checkpoint** is a file with everything that
# the next step depends on: both networks, the averaged weights, both optimizers with their
# memories, the step. The order of the images and the noise need not be saved: they follow from
# the seed and the step.
#
# We train a small run, a checkpoint every 10 steps, with a callback that pulls the plug in step
# 25.


# %%
class PullThePlug(keras.callbacks.Callback):
    """Counts the steps played, and ends the training abruptly after one of them."""

    def __init__(self, at=None):
        super().__init__()
        self.at, self.played = at, []

    def on_train_batch_end(self, batch, logs=None):
        self.played.append(int(self.model.step.numpy()))
        if self.played[-1] == self.at:
            raise KeyboardInterrupt


# %% [markdown]
# `KeyboardInterrupt` is what Ctrl-C (the stop button of a notebook) raises. `hold_out=0` sets no
# images aside for measuring quality.

# %% tags=["nbval-check-output"]
small = {"data": data.name, "steps": 40, "max_images": 1000, "hold_out": 0}
small |= {"checkpoint_every": 10, "verbose": False}
plug = PullThePlug(at=25)
try:
    train_dcgan_mnist("fast", RUNS / "killed", resume=False, callbacks=[plug], **small)
except KeyboardInterrupt:
    print("killed after step", plug.played[-1])
for path in sorted((RUNS / "killed" / "checkpoints").iterdir()):
    print(path.name.rsplit("-", 1)[0])

# %% [markdown]
# The last two checkpoints are there; five steps are lost. **Predict, then run:** we call the same
# function for the same folder. Which steps will it play?

# %% tags=["nbval-check-output"]
counter = PullThePlug()
resumed = train_dcgan_mnist("fast", RUNS / "killed", callbacks=[counter], **small)
print("played steps", counter.played[0], "to", counter.played[-1])

# %% [markdown]
# It went on from the last checkpoint. Now the test that matters: the same training without any
# interruption. Is it the same network, to the last bit?

# %% tags=["nbval-check-output"]
unbroken = train_dcgan_mnist("fast", RUNS / "unbroken", resume=False, **small)
for name in ("generator", "discriminator"):
    pairs = zip(
        getattr(resumed, name).get_weights(), getattr(unbroken, name).get_weights(), strict=True
    )
    print(name, "identical:", all(np.array_equal(a, b) for a, b in pairs))

# %% [markdown]
# Not "nearly": `array_equal` forgives no bit. (So it is on one CPU. Another kind of CPU rounds
# differently, and in the end draws other digits; GPUs may add in changing order.) If only the
# networks' weights had been saved, Adam would have lost its memory and the second half would have
# gone another way.
#
# ## 8 · Use the saved generator
#
# To draw digits you need G only. `generator.keras` in the run folder holds it, layers and
# weights; `load_generator` reads it from there, in any program, without the training code.

# %%
from dcgan_lib import load_generator

saved = load_generator(run.folder)
digits = saved(sample_latent(30, saved.input_shape[-1], seed=7), training=False)
print(digits.shape)
plot_images(digits, columns=10, title="From the saved generator")

# %% [markdown]
# ### The GIF
#
# The run folder has a `training.gif` of all the images. To keep this notebook small we make one
# of the corners that we cut out above, one after the other.

# %%
from dcgan_lib import make_gif

gif = make_gif(frames, RUNS / "corner.gif")
print(f"{len(frames)} frames")

# %% [markdown]
# A page that only *links* to a GIF often shows nothing in Colab or VS Code. `embed_file` writes
# the file itself into the notebook; where tensorflow-docs is not installed, IPython can do it.

# %%
try:
    from tensorflow_docs.vis.embed import embed_file

    picture = embed_file(gif)
except ImportError:
    from IPython.display import Image

    picture = Image(filename=str(gif))
picture

# %% [markdown]
# ## 9 · Change one thing
#
# With recipes an experiment is a few words. Five short trainings, all the same but for one thing:
#
# - the recipe as it is;
# - latent vectors of 10 numbers in place of 100;
# - a quarter of the channels in both networks (their *widths*);
# - batches of 16 images;
# - both learning rates five times smaller.

# %%
changes = {
    "as it is": {},
    "latent_dim 10": {"latent_dim": 10},
    "widths / 4": {"generator_widths": (16, 8), "discriminator_widths": (6, 12)},
    "batch_size 16": {"batch_size": 16},
    "learning rates / 5": {
        "g_learning_rate": recipe.g_learning_rate / 5,
        "d_learning_rate": recipe.d_learning_rate / 5,
    },
}

# %% [markdown]
# **Predict, then run:** how will the pictures of each differ?

# %%
shared = {"data": data.name, "resume": False, "verbose": False} | (SHORT or {"steps": 300})
results = {}
for number, (title, change) in enumerate(list(changes.items())[: 2 if QUICK else None]):
    folder = RUNS / f"experiment-{number}"
    results[title] = train_dcgan_mnist("fast", folder, **shared, **change)

# %% [markdown]
# Sixteen digits of each, from the same seed:

# %%
from dcgan_lib import image_grid

figure, axes = plt.subplots(1, len(results), figsize=(10, 2.4), layout="constrained")
for axis, (title, result) in zip(axes, results.items(), strict=True):
    latent = sample_latent(16, result.recipe.latent_dim, seed=3)
    axis.imshow(image_grid(result.generator(latent, training=False)), cmap="gray")
    axis.set_title(title, fontsize=10)
    axis.axis("off")
plt.show()

# %% [markdown]
# - Ten numbers are enough for first digits: the digits do not need a hundred.
# - With a quarter of the channels they come too, in softer strokes on grainy paper.
# - Batches of 16 give dots, blots and first strokes. BatchNorm and the gradients then know only 16
#   images at a time.
# - With small learning rates there is hardly anything: G would need many more steps.
#
# The dots are how many trainings begin; the run of section 5 drew them too, at step 100 (see the
# GIF), and left them behind. Is the fourth run stuck, or only slower? Put 1000 in place of 300 and
# see. And are larger learning rates better still? Put `* 5` in place of `/ 5` and run the three
# cells again.
#
# One run of each with one seed is a hint, not a proof: another seed gives other pictures. How to
# measure a difference is the subject of [notebook 07](07_measuring_quality.ipynb).
#
# ## Exercises
#
# Each has a cell for your answer, with a check that tells you if it is right. The solutions are
# folded below; open them when you have tried.
#
# ### 1 · Counting steps
#
# The `tutorial` recipe uses batches of 256, and suppose that all 60,000 images of MNIST are used.
# How many steps has an epoch, and how many images has its last batch?


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 1 (run it, no need to read)
def check_epoch(steps, last_batch):
    if steps is ... or last_batch is ...:
        print("Not yet: replace both ... by numbers.")
    elif steps == 234:
        print("Not quite: 234 full batches do not use all images. What becomes of the rest?")
    elif steps != 235:
        print("Not quite. Hint: divide the number of images by the size of a batch.")
    elif last_batch != 96:
        print("The steps are right. Hint: how many images do 234 full batches leave over?")
    else:
        print("Right: 234 full batches, and one of 96 images.")


# %% [markdown]
# Your answer, and the check:

# %% tags=["nbval-check-output"]
steps_in_epoch, images_in_last_batch = ..., ...  # your answer
check_epoch(steps_in_epoch, images_in_last_batch)

# %% [markdown]
# *Solution, folded:*

# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 1
full, rest = divmod(60_000, 256)
check_epoch(full + 1, rest)

# %% [markdown]
# ### 2 · Mend a step
#
# Somebody was in a hurry when writing G's move. It runs without any error, and G never learns to
# draw. Two things are wrong. Find and mend them.


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 2 (run it, no need to read)
def check_step(step):
    g, d = build_generator(recipe), build_discriminator(recipe)
    weights = [weight.numpy() for weight in d.trainable_variables]
    optimizer = keras.optimizers.Adam(1e-3)
    before = float(tf.reduce_mean(d(g(noise, training=True), training=True)))
    for _ in range(5):
        step(g, d, noise, optimizer)
    same = [np.array_equal(a, b) for a, b in zip(weights, d.trainable_variables, strict=True)]
    after = float(tf.reduce_mean(d(g(noise, training=True), training=True)))
    if not all(same):
        print("Not yet: D's weights have changed. Who may move in G's step?")
    elif after <= before:
        print("Not yet: D finds G's images no more real than before. Which label does G want?")
    else:
        print("Right: only G moves, and D takes its images more and more for real.")


# %% [markdown]
# Mend this; the last line checks it:


# %% tags=["nbval-check-output"]
def hurried_step(generator, discriminator, noise, optimizer):
    with tf.GradientTape() as tape:
        fake_images = generator(noise, training=True)
        fake_output = discriminator(fake_images, training=True)
        loss = cross_entropy(tf.zeros_like(fake_output), fake_output)
    variables = generator.trainable_variables + discriminator.trainable_variables
    optimizer.apply(tape.gradient(loss, variables), variables)


check_step(hurried_step)

# %% [markdown]
# *Solution, folded:*


# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 2
def mended_step(generator, discriminator, noise, optimizer):
    with tf.GradientTape() as tape:
        fake_images = generator(noise, training=True)
        fake_output = discriminator(fake_images, training=True)
        loss = cross_entropy(tf.ones_like(fake_output), fake_output)  # G wants the label 1
    variables = generator.trainable_variables  # and D stays as it is
    optimizer.apply(tape.gradient(loss, variables), variables)


check_step(mended_step)

# %% [markdown]
# ### 3 · A loss of your own
#
# Cross-entropy is not the only way to score the game. *Least squares* (LSGAN, Mao et al. 2017)
# uses no sigmoid: D's outputs r on real images should be near 1, its outputs f on fake ones near
# 0, and G wants f near 1:
#
# - loss of D: the mean of (r − 1)², plus the mean of f²;
# - loss of G: the mean of (f − 1)².
#
# `tf.reduce_mean` and `tf.square` are all you need.


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 3 (run it, no need to read)
def check_loss(loss):
    real_output, fake_output = tf.constant([[1.0], [0.0]]), tf.constant([[0.0], [2.0]])
    d = loss.discriminator_loss(real_output, fake_output)
    g = loss.generator_loss(fake_output)
    if d is ... or g is ...:
        print("Not yet: replace both ... by an expression.")
    elif np.ndim(d) or np.ndim(g):
        print("Not yet: a loss is one number. Take the mean over the batch.")
    elif abs(float(d) - 2.5) > 1e-6:
        print("D's loss: for r = 1, 0 and f = 0, 2 it should be 0.5 + 2 = 2.5, not", float(d))
    elif abs(float(g) - 1.0) > 1e-6:
        print("D's loss is right. G's: for f = 0, 2 it should be 1, not", float(g))
    else:
        print("Right: that is the least-squares GAN.")


# %% [markdown]
# Replace both `...`; the last line checks them:

# %% tags=["nbval-check-output"]
from dcgan_lib import GANLoss


class MyLoss(GANLoss):
    threshold = 0.5  # D calls an image real when its output is above this

    def discriminator_loss(self, real_output, fake_output):
        return ...  # your answer

    def generator_loss(self, fake_output):
        return ...  # your answer


check_loss(MyLoss())

# %% [markdown]
# *Solution, folded:*


# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 3
class LeastSquares(GANLoss):
    threshold = 0.5

    def discriminator_loss(self, real_output, fake_output):
        return tf.reduce_mean(tf.square(real_output - 1)) + tf.reduce_mean(tf.square(fake_output))

    def generator_loss(self, fake_output):
        return tf.reduce_mean(tf.square(fake_output - 1))


check_loss(LeastSquares())

# %% [markdown]
# Such a class is all that `compile` needs: `gan.compile(g_optimizer=…, d_optimizer=…,
# loss=LeastSquares())`, and `fit` as before. Try it in a new cell.
#
# ## What you did
#
# - You played one round of the game by hand, with a gradient tape, and saw what it changed.
# - You read the library's training step, and know why each line is there.
# - You trained with `compile`, `fit` and callbacks.
# - You trained the default recipe until you could read the digits, while the picture updated.
# - You read loss curves, and saw what they do not tell.
# - You killed a training, resumed it, and checked that not a bit was lost.
# - You loaded a saved generator, drew new digits, and made a GIF of how they came about.
# - You changed one setting at a time and compared the pictures.
#
# **Next:** [notebook 05](05_latent_exploration.ipynb) walks through the latent space: what lies
# between two digits?
