# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 08 · When training fails: a gallery
#
# In this notebook you will
#
# - make eleven failures happen on purpose, each in seconds, and see what each cure changes;
# - let a monitor watch the game and name, in plain words, the illnesses that it can see;
# - see that a lower loss is not better, and that normal losses may hide a collapsed generator;
# - see how much hangs on two learning rates and on the seed;
# - meet three ways in which BatchNorm is used wrongly without any error message;
# - take home a table: symptom, cause, test, cure.
#
# **You need** notebooks [03](03_discriminator.ipynb) (the ring) and [04](04_training.ipynb) (the
# training step). **Run time**: about four minutes on two processor cores, no GPU.

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

QUICK = os.environ.get("DCGAN_PROFILE", "full") == "quick"

# %% [markdown]
# ## 1 · A patient in good health
#
# Two networks play: the *generator* G turns random numbers into samples, the *discriminator* D
# tells real samples from G's. Each makes its own **loss** small, a number that says how badly it
# does. On images nobody can see at a glance whether G forgets half of the data. In the plane we
# can: the real data of notebook 03 are points around eight centres on a ring. Such a heap of data
# is a **mode**.
#
# `dcgan_lib.ring` has that game: two tiny networks, thousands of steps in seconds.

# %% tags=["nbval-check-output"]
from dcgan_lib import build_ring_gan, sample_ring

game = build_ring_gan()
print("G:", game.generator.input_shape, "→", game.generator.output_shape)
print("D:", game.discriminator.input_shape, "→", game.discriminator.output_shape)
print("real points:", sample_ring(1000, seed=1).shape)

# %% [markdown]
# A **callback** is an object that `fit` calls after each step. Ours is a doctor: every hundred
# steps `HealthMonitor` plays a round without moving anyone, and notes
#
# - the share of real and of fake samples that D gets right;
# - the **norm** (the length) of both players' **gradients**: a gradient says, weight by weight,
#   how the loss would change; when its norm is near 0, a player has nothing to go by;
# - the **spread** of the samples: their standard deviation, divided by that of real ones. 1 is
#   right, 0 means that all samples are the same;
# - how many classes G draws. On MNIST a classifier tells (notebook 07), on the ring the nearest
#   centre.
#
# It says so when it has seen an illness at three looks in a row, and once more when it has passed:
# one look may be chance. (Oscillation, section 5, takes five looks; samples that are all alike, and
# wrongly scaled images, section 11, are named at the first.)

# %%
from dcgan_lib import HealthMonitor, nearest_centre, ring_score, train_ring


def play_ring(settings, steps, batch_size=128, seed=0):
    """Plays one game: the game, G's points at each look, the losses, and the monitor."""
    game = build_ring_gan(**{"seed": seed} | settings)
    steps, looks, every = (50, 2, 25) if QUICK else (steps, steps // 100, 100)
    monitor = HealthMonitor(sample_ring(64, 5), every, classify=nearest_centre)
    seen, losses = train_ring(game, steps, looks, batch_size, [monitor])
    return game, seen, losses, monitor


# %% [markdown]
# (The **seed** is the number that all random draws begin from: the same seed, the same run.)

# %%
healthy = play_ring({}, steps=1000)
print("finished; the monitor found", len(healthy[3].findings), "illnesses")

# %% [markdown]
# The points at some steps, black real and green G's. `ring_score` gives the share of **good
# points**, those within three spreads of a centre (a real heap has a spread of 0.15, the ring a
# radius of 2), and counts the modes that G covers: those with one good point in a hundred, or more.

# %%
from dcgan_lib import plot_ring


def chosen_steps(seen, count=5):
    """Some of the looks, evenly spaced, the first and the last included."""
    steps = list(seen)
    last = len(steps) - 1
    return sorted({steps[round(i * last / (count - 1))] for i in range(count)})


def show(seen, title):
    return plot_ring({step: seen[step] for step in chosen_steps(seen)}, title)


show(healthy[1], "Healthy: both learning rates 0.003")

# %% [markdown]
# And the monitor's notes:

# %%
from dcgan_lib import plot_health

plot_health(healthy[3].rows, "Healthy")

# %% [markdown]
# D is never right on nearly everything of both kinds. In the second half it is right now on more of
# the real points, now on more of the others: on average not far from a coin. Both gradients stay
# above 0.05. The spread comes to about 1, and from step 200 on all eight classes are there (the
# line runs along the upper edge). Keep this picture in mind.
#
# One line for each game, to compare them at the end. Its losses are means over the last hundred
# steps:

# %%
lines = {}


def report(name, result):
    _, seen, losses, _ = result
    score = ring_score(list(seen.values())[-1])
    lines[name] = (losses["d_loss"][-1], losses["g_loss"][-1], score.modes, score.good)
    d, g, modes, good = lines[name]
    print(f"{name}: D's loss {d:.2f}, G's loss {g:.2f}, modes {modes} of 8, good points {good:.0%}")


report("healthy", healthy)

# %% [markdown]
# Sick settings and their cures come from the library, because its tests use the same: each test
# makes the failure, cures it, and fails if the cure is taken away.
#
# ## 2 · The discriminator wins
#
# The **learning rate** says how large a player's steps are. We give D a thousand times G's rate:
# D's is three times the healthy one, G's a three-hundredth of it.

# %%
from dcgan_lib import CURED, SICK

print(SICK["discriminator wins"], "instead of", CURED["discriminator wins"])
won = play_ring(SICK["discriminator wins"], steps=500)
report("discriminator wins", won)

# %% [markdown]
# **Predict, then run:** D's loss is close to 0, so D is hardly ever wrong. Does that help G?

# %%
show(won[1], "D wins: G's points hardly move")

# %% [markdown]
# The monitor's plot of this game:

# %%
plot_health(won[3].rows, "D wins")

# %% [markdown]
# No. D tells real from fake, and yet G's points are almost where they began: G's steps are far too
# small to use what D tells it. (So small that G would be slow under any discriminator; a quick D is
# only half of this illness.) "**The discriminator dominates**" is what the monitor saw at three
# looks in a row: D right on more than 98 % of both kinds, and its loss below 0.1. (G does hear its
# discriminator: in the second panel the norm of its gradient is large. A G that hears nothing comes
# in section 3.)
#
# The cure is the healthy game of section 1, with rates of one size: 8 modes and about 80 % good
# points instead of 1 and 3 %. (It had 1,000 steps and this one 500; but its picture shows a ring at
# step 500 already.) People also try a weaker D, fewer moves of D, noise on D's input, or a penalty
# on its slope; of these only the penalty is tried here (section 4), against another illness.
#
# ## 3 · The generator's gradient vanishes
#
# Notebook 03 had two losses for G. The **saturating loss**, log(1 − D), is what the min–max game
# says; the **non-saturating loss**, −log D, wants the same. Where D is sure that a sample is fake,
# the first is flat and the second steep. Now G begins five units to the right of the ring's middle,
# where D finds it out at once, as it does with images. G moves by plain gradient descent here:
# Adam, our usual optimizer, divides by the size of recent gradients, and so hides for a while that
# they are tiny.

# %%
dull = play_ring(SICK["vanishing gradient"], steps=500)
report("saturating", dull)

# %% [markdown]
# The monitor names three things, and the last is the one we want: D is sure, all points are nearest
# to the same few centres, and G's gradient is below 0.001. The same game with the non-saturating
# loss, and nothing else changed:

# %%
lively = play_ring(CURED["vanishing gradient"], steps=500)
report("non-saturating", lively)

# %% [markdown]
# The norm of G's gradient in both games (each line of the axis is ten times the one below):

# %%
import matplotlib.pyplot as plt

figure, axis = plt.subplots(figsize=(6, 2.8), layout="constrained")
for name, result in {"saturating": dull, "non-saturating": lively}.items():
    rows = result[3].rows
    steps = [row["step"] for row in rows]
    axis.semilogy(steps, [row["g_gradient"] for row in rows], marker=".", label=name)
axis.set(xlabel="step", ylabel="norm of G's gradient", title="Can G hear its discriminator?")
axis.legend()
axis.grid(alpha=0.25)
plt.show()

# %% [markdown]
# And where G's points are in the end:

# %%
ends = {
    "saturating": list(dull[1].values())[-1],
    "non-saturating": list(lively[1].values())[-1],
}
plot_ring(ends, "The last look", limit=6.5)

# %% [markdown]
# The saturating G still sits where it began; its gradient is below 0.0001 in the end. The other
# one's gradient is never below 0.5, and it has reached the ring. (It covers most modes, and about
# half of its points are good. The gradient is cured, the game is not yet a good one.)
#
# ## 4 · Mode collapse
#
# **Mode collapse**: G draws one mode or a few, and nothing else. D learns a hundred times as fast
# as G here, so it fences G's points in before they get anywhere.

# %%
collapsed = play_ring(SICK["mode collapse"], steps=1000)
report("mode collapse", collapsed)

# %% [markdown]
# The cure leaves the rates as they are. A **gradient penalty** (Gulrajani et al. 2017, notebook
# 09) pulls the slope of D's output towards 1, so that D cannot build steep fences: from each
# place the way to other modes stays open.

# %%
spread_out = play_ring(CURED["mode collapse"], steps=1000)
report("with gradient penalty", spread_out)

# %% [markdown]
# Both in the end:

# %%
plot_ring(
    {
        "mode collapse": list(collapsed[1].values())[-1],
        "with gradient penalty": list(spread_out[1].values())[-1],
    },
    "The same rates, after the same number of steps",
)

# %% [markdown]
# The penalty cures the collapse and nothing else: all 8 modes are covered instead of 2, but the
# points are a loose cloud, and the share of good ones *falls* from about 70 % to about 20 %. A
# collapsed G can be very good at its few modes: one number for quality alone would have preferred
# it. The healthy game, with equal rates and as many steps, has both: 8 modes and about 80 %.
#
# ## 5 · Oscillation
#
# **Oscillation**: G rushes to where D says "real", with all its points; D learns that this place
# is fake; G rushes on. Here G's rate is ten times D's.

# %%
chased = play_ring(SICK["oscillation"], steps=1000)
report("oscillation", chased)

# %% [markdown]
# **Predict, then run:** forget the monitor's words for a moment. The losses are nearly those of a
# perfect game, D's 2 · log 2 = 1.39 and G's log 2 = 0.69. From them alone, what will G's points
# look like?

# %%
last = list(chased[1].items())[-5:]
plot_ring(dict(last), "Oscillation: five looks in a row", limit=6.5)

# %% [markdown]
# A heap that runs about, while the losses of these last steps are nearly what theory wants.
# **Diversity falls while losses look normal.** The monitor sees it, because it looks at the
# samples:

# %%
plot_health(chased[3].rows, "Oscillation")

# %% [markdown]
# From step 300 on G draws one or two classes of eight, at most looks with a spread below 0.6. D's
# accuracies tell the chase: at first D calls nearly everything fake; from step 600 on, at most
# looks, it calls G's points real. It always answers to where G was. Its *mean* loss looks like that
# of a D that only guesses.
#
# The cure is a faster D: the healthy game has the same rate for G and ten times this rate for D,
# and no heap runs about there. (A slower G alone is no cure: with both rates 0.0003, the first
# picture of section 6's grid, there is no ring after 500 steps.)
#
# ### Why players circle
#
# The smallest GAN has two numbers (the Dirac-GAN; Mescheder, Geiger, Nowozin 2018). The only real
# value is 0. G *is* a number, what it draws; D is a slope, and its output for a value is the slope
# times the value. Each goes downhill on its own loss, and no step is wrong. Yet they circle around
# the goal, (0, 0). If both move at the same time they even spiral outwards, because each answers to
# where the other *was*. A penalty that pulls D's slope towards 0 brings them home.

# %%
from dcgan_lib import dirac_path

paths = {
    "both at once": dirac_path(simultaneous=True),
    "one after the other": dirac_path(simultaneous=False),
    "both at once, with a penalty": dirac_path(simultaneous=True, penalty=1.0),
}
figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained")
for axis, (name, path) in zip(axes, paths.items(), strict=True):
    axis.plot(*path.T, linewidth=1)
    axis.plot(*path[0], "o", color="tab:green")
    axis.plot(0, 0, "+", color="black", markersize=10)
    axis.set(xlim=(-2, 2), ylim=(-2, 2), aspect="equal", title=name, xlabel="G", ylabel="D")
plt.show()

# %% [markdown]
# (Green: the start. Cross: the goal.)
#
# ## 6 · Learning rate too high
#
# Both rates at 0.1. Adam moves each weight by about its rate at every step, whatever the
# gradient: such steps leap over every valley.

# %%
wild = play_ring(SICK["rates too high"], steps=500)
report("rates too high", wild)

# %% [markdown]
# The losses of the first looks against those of the healthy game:

# %%
print("too high:", *(f"{value:.1f}" for value in wild[2]["d_loss"]))
print("healthy: ", *(f"{value:.1f}" for value in healthy[2]["d_loss"][:5]))
show(wild[1], "Both rates 0.1")

# %% [markdown]
# In the second hundred steps D's loss jumps to several times 1.39, the loss of a D that only
# guesses: D is sure, and wrong. Afterwards it looks normal again, but G's points lie on a few
# straight lines, and only some of the 8 modes are covered. (Many points may be good all the same,
# as with the collapsed G of section 4.) Of D's losses only the jump is a sign. The cure is smaller
# rates: the healthy game, at 0.003, has a ring at step 500, and its D's loss stays at 1.3 or 1.4.
#
# A loss may even stop being a number; then `train_dcgan_mnist` ends the training
# (`StopOnNonFinite`).
#
# ### Which rates, then?
#
# Each rate at three values. The pictures are G's points after 500 steps.

# %%
rates = (3e-4, 3e-3, 3e-2)
grid = {}
for g_rate in rates[: 1 if QUICK else 3]:
    for d_rate in rates:
        print(f"G {g_rate:g}, D {d_rate:g}:")
        _, seen, _, _ = play_ring({"g_rate": g_rate, "d_rate": d_rate}, steps=500)
        grid[f"G {g_rate:g}, D {d_rate:g}"] = list(seen.values())[-1]

# %% [markdown]
# Above, what the monitor said of each game; here, what it was like:

# %%
plot_ring(grid, "Two numbers decide", columns=3)

# %% [markdown]
# **Hyper-parameters matter** (the numbers that you choose and training does not learn): nothing but
# two of them was changed, and of nine games three have found the ring. No rate is good by itself
# here: each rate that is in a good pair is also in a bad one. (0.0003 is in no good pair: 500 steps
# are few for so small a rate.) What counts is the pair.
#
# ### Was it luck?
#
# **Training is unstable**: here G's rate is twice D's, close to the border of oscillation. The
# same setting from four seeds.

# %%
ends = {}
for seed in range(2 if QUICK else 4):
    print(f"seed {seed}:")
    _, seen, _, _ = play_ring({"g_rate": 2e-3, "d_rate": 1e-3}, steps=1500, seed=seed)
    points = list(seen.values())[-1]
    ends[f"seed {seed}: {ring_score(points).modes} modes"] = points

# %% [markdown]
# Four ends of one setting:

# %%
plot_ring(ends, "The same settings, other random numbers")

# %% [markdown]
# Some seeds end with all 8 modes, others with half of them or fewer. A setting that works once may
# fail the next time. Before you call a change an improvement, run it from several seeds. (The other
# games of this gallery are shown from one seed: they show what can happen, not how often.)
#
# ## 7 · Labels swapped in one place
#
# Real is 1 and fake is 0: it must be so in *both* losses. Here is the mistake as a class. G still
# aims at 1, but D has learned to say 1 to fakes.

# %%
import tensorflow as tf

from dcgan_lib import BinaryCrossentropyLoss


class SwappedLoss(BinaryCrossentropyLoss):
    """A mistake: to the discriminator real is 0 and fake 1; the generator still aims at 1."""

    def discriminator_loss(self, real_output: tf.Tensor, fake_output: tf.Tensor) -> tf.Tensor:
        return super().discriminator_loss(fake_output, real_output)


# %% [markdown]
# **Predict, then run:** what will the two losses be?

# %%
helpful = play_ring({"loss": SwappedLoss}, steps=500)
report("labels swapped", helpful)

# %% [markdown]
# Both go to 0, which no healthy game reaches. The two have become partners: G makes its points easy
# to recognise and flees from the ring. (In the end its gradient is gone, too: it has all that it
# wants.) How far does it get? The small black circle is the ring:

# %%
import numpy as np

last = list(helpful[1].values())[-1]
distances = np.linalg.norm(last, axis=1)
print(f"nearest point: {distances.min():.1f} from the middle; the ring's radius: 2")
plot_ring({"the last look": last}, limit=float(abs(last).max()) + 1)

# %% [markdown]
# Even the nearest point is several times as far out as the ring. The cure is the library's loss:
# the healthy game has no other difference, and at step 500 it shows a ring (section 1).
#
# **A lower loss is not better.** All games that have a line so far, sorted by D's loss (the
# saturating G's loss is another function, do not compare it with the others):

# %%
for name, (d, g, modes, good) in sorted(lines.items(), key=lambda line: line[1][0]):
    print(f"{name:22} D's loss {d:5.2f}, G's loss {g:5.2f}, modes {modes}, good {good:4.0%}")

# %% [markdown]
# D's lowest losses belong to games that failed altogether, and the healthy one stands near the end,
# next to another failure. A loss says who is ahead, not how good the samples are.
#
# ## 8 · The same noise at every step
#
# TensorFlow **traces** a training step once: it runs the Python code and writes down the
# operations. What it writes down, the **graph**, is then repeated without Python. A NumPy draw is
# no TensorFlow operation: its *result* is written down as a constant.

# %%
from dcgan_lib import DCGAN


class FrozenNoiseDCGAN(DCGAN):
    """A mistake: NumPy draws once, while the graph is traced, and never again."""

    def latent_noise(self, like: tf.Tensor, stream: str, move: int = 0) -> tf.Tensor:
        draw = np.random.default_rng(self.seed)
        return tf.constant(draw.standard_normal((like.shape[0], self.latent_dim), np.float32))


# %% [markdown]
# The test: draw twice inside a `tf.function`, and compare. `False` means: the same noise again.


# %% tags=["nbval-check-output"]
def draws_anew(game):
    @tf.function
    def draw():
        game.step.assign_add(1)
        return game.latent_noise(tf.zeros((32, 2)), "g_noise")

    return not np.array_equal(draw(), draw())


print("NumPy inside the graph:", draws_anew(build_ring_gan(kind=FrozenNoiseDCGAN)))
print("the library's DCGAN:   ", draws_anew(build_ring_gan()))

# %% [markdown]
# What becomes of a G that never sees other noise? Batches of 32, so it knows 32 vectors.

# %%
stale = play_ring({"kind": FrozenNoiseDCGAN}, steps=1500, batch_size=32)
fresh = play_ring({}, steps=1500, batch_size=32)

# %% [markdown]
# Left, its own 32 vectors; in the middle, new ones; right, a G that got new noise at each step.

# %%
own = stale[0].latent_noise(tf.zeros((32, 2)), "g_noise")
plot_ring(
    {
        "frozen, its own noise": stale[0].generator(own).numpy(),
        "frozen, new noise": list(stale[1].values())[-1],
        "new noise at each step": list(fresh[1].values())[-1],
    },
    "Learned by heart",
)

# %% [markdown]
# G has put its 32 points on the heaps; new noise lands anywhere in and around the ring. D sees only
# the 32, so losses and D's accuracies do not show it, and the monitor, whose noise is new to G, has
# said nothing: the points that it sees are spread out. The cure: `tf.random.stateless_normal` with
# a seed made of the step, as in the game on the right.
#
# ## 9 · BatchNorm in the wrong mode
#
# **BatchNorm** brings the numbers in a layer to mean 0 and spread 1. In **training mode** it takes
# mean and spread from the present batch; in **inference mode** from averages over past batches. Now
# we need images, and the networks of the default recipe `fast`. G is untrained, and the monitor is
# not used here: what goes wrong can be seen in a few calls.

# %%
import keras

from dcgan_lib import build_discriminator, build_generator, load_images, sample_latent, scale

data = load_images()
real_images = scale(data.images[:2048])
keras.utils.set_random_seed(0)
generator, latent = build_generator(), sample_latent(64, seed=0)
fake_images = generator(latent, training=True)
print(data.name, real_images.shape, fake_images.shape)

# %% [markdown]
# ### Real and fake in one batch
#
# It looks natural to put real and fake images into one batch and call D once. Two ways to ask D
# for its **logits** (high means real), first apart, then mixed:


# %%
def ask_apart(discriminator, real, fake):
    return discriminator(real, training=True), discriminator(fake, training=True)


def ask_mixed(discriminator, real, fake):
    output = discriminator(tf.concat([real, fake], axis=0), training=True)
    return output[: len(real)], output[len(real) :]


# %% [markdown]
# We let one D learn in each way, for 120 steps, against a G that stands still.

# %%
from dcgan_lib import apply_gradients


def learn(ask, steps=3 if QUICK else 120):
    """Trains a D; returns it."""
    keras.utils.set_random_seed(0)
    discriminator, optimizer = build_discriminator(), keras.optimizers.Adam(1e-3, beta_1=0.5)
    for step in range(steps):
        start = 32 * step % 960
        real = real_images[start : start + 32]
        fake = generator(sample_latent(32, seed=step), training=True)
        with tf.GradientTape() as tape:
            loss = BinaryCrossentropyLoss().discriminator_loss(*ask(discriminator, real, fake))
        apply_gradients(tape, loss, discriminator, optimizer)
    return discriminator


discriminators = {"apart": learn(ask_apart), "mixed": learn(ask_mixed)}

# %% [markdown]
# Each is asked in both ways. In G's own step, D sees fake images only: that is "apart".
#
# **Predict, then run:** the mixed D is perfect on mixed batches. What is it worth when it gets a
# batch of one kind?

# %%
real, fake = real_images[1000:1064], fake_images
for name, discriminator in discriminators.items():
    for way, ask in {"apart": ask_apart, "mixed": ask_mixed}.items():
        outputs = ask(discriminator, real, fake)
        right = np.mean(outputs[0] > 0), np.mean(outputs[1] < 0)
        print(f"learned {name}, asked {way}: right on real {right[0]:.0%}, on fake {right[1]:.0%}")

# %% [markdown]
# Learned mixed and asked mixed: 100 %. The mixed D has learned a trick: the batch has two halves
# that differ as a whole, and after BatchNorm one half lies left of 0 and the other right. Asked as
# G asks, it is on average hardly better than a coin. So D's loss and accuracy in training belong to
# another discriminator than the one that G hears.
#
# Cure: two calls, as in the library's `d_step`. The D that learned apart has not learned the trick:
# in mixed batches it takes most images for fakes. But asked as G asks, it is right on seven images
# in ten, and on fakes D's step and G's step ask in the same way.
#
# ### The frozen discriminator
#
# Older GAN code stacks G and D into one model and sets `discriminator.trainable = False`, so that
# G's step leaves D alone: D is **frozen**. Keras then also switches BatchNorm to inference mode,
# even if you ask for `training=True`. Two comparisons of what D says:


# %% tags=["nbval-check-output"]
def says(discriminator, training):
    return discriminator(fake_images, training=training).numpy()


discriminator = discriminators["apart"]
free, inference = says(discriminator, training=True), says(discriminator, training=False)
discriminator.trainable = False
frozen = says(discriminator, training=True)
discriminator.trainable = True
thawed = says(discriminator, training=True)
print("frozen, in training mode: as in training?", np.array_equal(frozen, free))
print("frozen, in training mode: as in inference?", np.allclose(frozen, inference, atol=1e-5))
print("not frozen, in training mode: as in training?", np.array_equal(thawed, free))

# %% [markdown]
# A frozen D answers as in inference mode, whatever you ask for. How far apart are the two
# discriminators, the one that D's step trains and the one that G hears?

# %%
figure, axis = plt.subplots(figsize=(5, 2.8), layout="constrained")
bins = np.linspace(*np.quantile([free, frozen], (0, 1)), 30)
axis.hist(free[:, 0], bins, alpha=0.6, label="as trained")
axis.hist(frozen[:, 0], bins, alpha=0.6, label="frozen")
axis.set(xlabel="logit of a fake image", ylabel="images", title="The same D, the same images")
axis.legend()
plt.show()

# %% [markdown]
# As trained, most of D's logits on these fakes lie below 0: "fake". Frozen, they move to the
# right: the same D is less sure, and calls more of the same images real. It then uses averages over
# real and fake batches alike, and not the fakes before it. A G that asks this discriminator hears
# that it does better than it does.
#
# Cure: freeze nothing. Hand the optimizer G's variables only (`apply_gradients`), and put
# BatchNorm's averages back after G's step (`untouched`, notebook 04). Then G's step calls the same
# function as D's step, in the same mode: the two discriminators are equal. Again this is an
# equality; we do not show that the training gets better by it.
#
# ### Sampling in training mode
#
# G has BatchNorm, too. We draw the same latent vector twice, among different companions:


# %% tags=["nbval-check-output"]
def first_image(companions, training):
    batch = np.concatenate([latent[:1], companions])
    return generator(batch, training=training).numpy()[0]


for training in (True, False):
    pair = [first_image(latent[i : i + 7], training) for i in (1, 20)]
    print(f"training={training}: the same image?", np.allclose(*pair, atol=1e-4))

# %% [markdown]
# In training mode an image depends on who else is drawn, and asked for one image alone G even
# forgets its latent vector (next section). Cure: `training=False` whenever you sample; the second
# line shows it.
#
# ## 10 · The last, partial batch
#
# MNIST has 60,000 training images: 937 batches of 64, and one of 32. Code that takes the size of
# the batch for granted breaks there, at the end of the first epoch. (We run only the last batch:
# labels for 64 images, and an output for 32.)

# %% tags=["nbval-check-output"]
full, rest = divmod(60_000, 64)
cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
try:
    cross_entropy(tf.ones((64, 1)), discriminator(real_images[:rest]))
except (ValueError, tf.errors.InvalidArgumentError):
    print(f"labels for 64, {rest} images: an error (after {full} full batches)")
print("labels made like the output:", tf.ones_like(discriminator(real_images[:rest])).shape)

# %% [markdown]
# An error is the kind case. Worse is what fits by accident. Labels of the shape (64,) against
# outputs (64, 1): NumPy and TensorFlow compare each label with each output.

# %% tags=["nbval-check-output"]
labels, outputs = tf.ones(64), tf.ones((64, 1))
print("intended:", (labels[:, tf.newaxis] - outputs).shape)
print("computed:", (labels - outputs).shape)

# %% [markdown]
# And a last batch of *one* (59,969 images, say) has no spread that BatchNorm could use. In G the
# first BatchNorm follows a Dense layer, and there each number minus its mean is 0. Two quite
# different latent vectors, each alone:

# %% tags=["nbval-check-output"]
alone = [generator(latent[i : i + 1], training=True).numpy() for i in (0, 1)]
together = generator(latent[:2], training=True).numpy()
print("each alone: the same image?", np.allclose(*alone, atol=1e-4))
print("both in one batch: the same image?", np.allclose(*together, atol=1e-4))

# %% [markdown]
# Alone, G cannot hear its input; two are enough to cure that. Cure: make labels with
# `tf.ones_like(output)`, whose shape fits in the output above, and noise with `tf.shape(batch)[0]`
# (exercise 2). Where the last batch would be a single image, leave it out: `drop_remainder=True` in
# `Dataset.batch` leaves out every partial batch.
#
# ## 11 · Wrong scaling saturates tanh
#
# G's last layer is tanh, whose values lie between −1 and 1. If real images go from 0 to 255, D
# wants more ink than tanh can give. A small dense GAN on three scales, after 600 steps. (The
# library's `fit` looks at its first batch and refuses the two wrong scales. To see what they do, we
# call Keras's own `fit`, which does not look.)

# %%
from dcgan_lib import RECIPES, build_gan, image_grid, unscale

widths = {"generator_widths": (64, 128), "discriminator_widths": (64, 32)}
small = RECIPES["vanilla"].replace(**widths, g_learning_rate=1e-3, d_learning_rate=1e-3)


def train_on(images):
    """Trains on images of any range; returns G's drawings."""
    gan, monitor = build_gan(small, len(images)), HealthMonitor(images[:32], every=150)
    batches = tf.data.Dataset.from_tensor_slices(images).batch(64).repeat()
    steps = 10 if QUICK else 600
    keras.Model.fit(
        gan, batches, steps_per_epoch=steps, callbacks=[monitor], shuffle=False, verbose=0
    )
    return gan.generator.predict(sample_latent(1000, seed=1), verbose=0)


# %% [markdown]
# The three scales, and the values that G draws:

# %%
scales = {"0 to 255": (real_images + 1) * 127.5, "0 to 1": (real_images + 1) / 2}
scales["-1 to 1"] = real_images
grids = {}
figure, axes = plt.subplots(1, 3, figsize=(9, 2.6), sharey=True, layout="constrained")
for axis, (name, images) in zip(axes, scales.items(), strict=True):
    print(f"{name}:")
    drawn = train_on(images)
    axis.hist(drawn.ravel(), bins=40, density=True)
    axis.set(title=f"real images from {name}", xlabel="value of a drawn pixel")
    white, black = (drawn > 0.9).mean(), (drawn < -0.9).mean()
    print(f"{name}: of the drawn pixels {white:.1%} are above 0.9, {black:.1%} below -0.9")
    grids[f"real images from {name}"] = image_grid(unscale(drawn[:24]), columns=8)
axes[0].set_ylabel("density")
plt.show()

# %% [markdown]
# And the images themselves:

# %%
figure, axes = plt.subplots(1, 3, figsize=(9, 1.5), layout="constrained")
for axis, (title, grid) in zip(axes, grids.items(), strict=True):
    axis.imshow(grid, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axis.set_title(title, fontsize=10)
    axis.axis("off")
plt.show()

# %% [markdown]
# On the left a good part of the values stands at +1, the nearest that tanh comes to 255. There tanh
# is flat (it **saturates**): its slope is 1 − value², at 0.9 only 0.19, and so much less gradient
# passes. "0 to 1" is grey: G can draw such values, but half of its range is wasted, and whoever
# shows the images as −1 to 1 gets grey paper. On the right the paper is black, as in real digits,
# where more than four pixels of five are −1; so small and plain a GAN draws hardly any digits yet.
#
# The monitor names both wrong scales at its first look and is silent about the right one's scale.
# (Do not trust what else it finds at "0 to 255": it divides G's spread by that of the real images,
# which is 127 times too large there.) Cure: `scale`, and one look at the smallest and largest value
# of a batch.
#
# ## 12 · A start that fails
#
# Some trainings die in their first seconds. Most of a digit's picture is black, and black is what G
# learns first. All weights of its last layer then move the same way; a step too many, and all
# pixels stand where tanh is flat. No gradient passes, and whatever the noise, the same comes out.
# D's BatchNorm takes out what all images of a batch share: D hardly sees it.
#
# The default recipe once lost one start in twenty so. Now D is told how far a batch differs
# (`minibatch_stddev`, notebook 03), and tanh gets half of what the last layer gives
# (`generator_output_scale`, notebook 02). We take both away, and give G a rate far too high:

# %%
from dcgan_lib import StartGuard, get_recipe, load_training_set, play

fast = get_recipe("fast", steps=4 if QUICK else 200)
without = {"minibatch_stddev": False, "generator_output_scale": 1.0}
starts = {"as it is": fast, "dying": fast.replace(**without, g_learning_rate=0.3)}
starts["dying"] = starts["dying"].replace(d_learning_rate=0.05)
training_set = load_training_set(fast, data.name, 9000)


class Watch(StartGuard):
    """Says what the guard sees, and stops nothing."""

    def on_train_batch_end(self, batch, logs=None):
        if self.step % 50 == 0:
            print(f"  step {self.step}: {self.look()}")


pictures = {}
for name, recipe in starts.items():
    print(name)
    gan = build_gan(recipe, len(training_set.images))
    play(gan, recipe, training_set, [Watch(training_set)])
    pictures[name] = image_grid(gan.sampler(latent[:24], training=False).numpy(), columns=8)

# %% [markdown]
# **Spread** is how far the samples differ from each other, **distance** how far they are from
# real images, pixel by pixel (a grey picture: 1). Early numbers say little: a start that lives may
# be all black at step 100. The samples after 200 steps:

# %%
figure, axes = plt.subplots(1, 2, figsize=(8, 1.9), layout="constrained")
for axis, (title, grid) in zip(axes, pictures.items(), strict=True):
    axis.imshow(grid, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axis.set_title(title, fontsize=10)
    axis.axis("off")
plt.show()

# %% [markdown]
# A start with a spread of 0, or so far from real images, does not recover. So `train_dcgan_mnist`
# looks at steps 150, 200, 250 and 300. If all samples are alike (spread below 0.03) or far from
# real images (distance above 1.25), it says so and begins again with another seed. `recipe.json`
# then tells of both. After three such starts it stops and says what to change. `restart=False` lets
# you watch.
#
# ## 13 · The table
#
# | Symptom | Cause | Test | Cure |
# |---|---|---|---|
# | D's loss near 0, samples hardly change | D too fast for G | D's accuracies at 1 | equal rates |
# | G does not move at all | saturating loss, D sure | norm of G's gradient | non-saturating loss |
# | few kinds of samples | D fences G in | count classes, spread | penalty, closer rates |
# | a wandering heap | G too fast for D | is the largest class a new one each look? | faster D |
# | losses jump, or are no numbers | rates too high | the largest loss | smaller rates |
# | both losses go to 0 | labels swapped once | D's accuracies near 0 | real 1, fake 0 in both |
# | good on old noise only | noise frozen in graph | draw twice, compare | seed from the step |
# | D perfect on mixed batches only | real and fake in a batch | ask D both ways | two calls |
# | G hears another D than D's step | frozen D, inference | compare both modes | no freezing |
# | images depend on others | sampling in training | one vector, two batches | `training=False` |
# | trouble at an epoch's end | fixed batch size | an epoch on few images | shapes from the batch |
# | one picture from the start | tanh is flat, D is blind | spread, step 150 | `minibatch_stddev` |
# | values near 1, or grey paper | wrong scaling | smallest, largest value | `scale` to −1 to 1 |
#
# ## Exercises
#
# Each has a cell for your answer, with a check that tells you if it is right. The solutions are
# folded below; open them when you have tried.
#
# ### 1 · Three patients
#
# Three rows of three monitors, each typical of the whole run. Name each illness: `"won"` (the
# discriminator has won), `"collapse"`, `"gradient gone"`, `"swapped"` or `"healthy"`.
#
# | patient | D right on real | on fake | D's loss | norm of G's gradient | spread | classes of 10 |
# |---|---|---|---|---|---|---|
# | A | 0.66 | 0.59 | 1.31 | 0.8 | 0.2 | 1 |
# | B | 0.00 | 0.00 | 0.03 | 0.02 | 0.7 | 2 |
# | C | 0.69 | 0.63 | 1.28 | 0.7 | 1.0 | 9 |


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 1 (run it, no need to read)
def check_patient_names(a, b, c):
    if ... in (a, b, c):
        print("Not yet: replace each ... by a name.")
    elif a != "collapse":
        print("Not yet: A. The losses look normal. How many kinds of digits does G draw?")
    elif b != "swapped":
        print("Not yet: B. D is wrong on everything. How can its loss be so low?")
    elif c != "healthy":
        print("Not yet: C. Compare it with the healthy game of section 1.")
    else:
        print("Right: a collapse behind normal losses, swapped labels, and a healthy game.")


# %% [markdown]
# Your answer, and the check:

# %% tags=["nbval-check-output"]
patient_a, patient_b, patient_c = ..., ..., ...  # your answer
check_patient_names(patient_a, patient_b, patient_c)

# %% [markdown]
# *Solution, folded:*

# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 1
check_patient_names("collapse", "swapped", "healthy")

# %% [markdown]
# ### 2 · New noise, any batch
#
# This function has two faults of this notebook: it draws the same noise in each step, and always
# 64 vectors. Mend both: as many vectors as `batch` has images, other ones at each `step`. Useful:
# `tf.shape(batch)[0]`, and `tf.random.stateless_normal(shape, seed)` whose seed is a pair of
# numbers, such as `tf.stack([0, step])`.


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 2 (run it, no need to read)
def check_drawing(function):
    draw = tf.function(function)
    first, second = (draw(tf.zeros((32, 28, 28, 1)), tf.constant(step)) for step in (1, 2))
    if np.array_equal(first, second):
        print("Not yet: the noise of two steps is the same. NumPy draws while the graph is traced.")
    elif first.shape != (32, 100):
        print("Not yet: 32 images need noise of the shape (32, 100), not", tuple(first.shape))
    elif draw(tf.zeros((7, 28, 28, 1)), tf.constant(1)).shape != (7, 100):
        print("Not yet: 7 images need noise of the shape (7, 100). Take the size from the batch.")
    elif not np.array_equal(first, draw(tf.zeros((32, 28, 28, 1)), tf.constant(1))):
        print("Not yet: the noise of one step should be the same each time: use the step.")
    else:
        print("Right: new noise at each step, for a batch of any size.")


# %% [markdown]
# Mend this; the last line checks it:


# %% tags=["nbval-check-output"]
def my_noise(batch, step):
    return tf.constant(np.random.default_rng(0).standard_normal((64, 100), np.float32))


check_drawing(my_noise)

# %% [markdown]
# *Solution, folded:*


# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 2
def solved_noise(batch, step):
    return tf.random.stateless_normal((tf.shape(batch)[0], 100), tf.stack([0, step]))


check_drawing(solved_noise)

# %% [markdown]
# ## What you did
#
# - You made eleven failures happen on purpose, each in seconds, and saw what each cure changes.
# - You let a monitor watch the game and name, in plain words, the illnesses that it can see.
# - You saw that a lower loss is not better, and that normal losses may hide a collapsed generator.
# - You saw how much hangs on two learning rates and on the seed.
# - You met three ways in which BatchNorm is used wrongly without any error message.
# - You took home a table: symptom, cause, test, cure.
#
# **Next:** [notebook 09](09_beyond_dcgan.ipynb) tries the tricks that keep the game in balance.
