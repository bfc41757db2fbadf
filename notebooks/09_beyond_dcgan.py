# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 09 · Beyond DCGAN: tricks, their price, and a digit of your choice
#
# In this notebook you will
#
# - see what each of the well-known tricks changes in a training step, and why it might help;
# - compare them all with one evaluator: quality after equal steps, and in equal time;
# - draw five losses as functions of what D says, and see where their slopes vanish;
# - measure how steep a critic is, and tame it in two ways: by a penalty, by dividing its weights;
# - build two players who are told the digit, and train them yourself;
# - choose the digit, blend two digits, and test that no ten prototypes are hiding behind it;
# - see that groups which nobody named do nearly the work of labels.
#
# **You need** notebooks [01](01_data.ipynb) to [05](05_latent_exploration.ipynb) and
# [07](07_measuring_quality.ipynb): how a GAN is trained, and how its images are measured.
# **Run time**: about two minutes on two processor cores, no GPU.
#
# **Where we are.** The *generator* G draws images from random numbers, the *discriminator* D tells
# them from real ones, and each learns from the other. [Notebook 08](08_when_training_fails.ipynb)
# shows how that game breaks. Since 2014 many people have proposed changes of the rules that should
# make it more stable or its images better. Here we take them one by one, ask what each changes, and
# measure what it does to *our* small recipe.

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
# Our tests run this notebook with `DCGAN_PROFILE=quick`: a few steps on a few images, whose numbers
# mean nothing. Leave the variable unset and you get the real thing.

# %%
import os
from pathlib import Path

QUICK = os.environ.get("DCGAN_PROFILE", "full") == "quick"
RUNS = Path("runs") / "09"
RUNS.mkdir(parents=True, exist_ok=True)

# %% [markdown]
# ## 1 · How we compare
#
# A **recipe** is a set of named settings. All our experiments start from `fast`, the project's
# default, and nearly all change one thing. What does a change do to the quality? That needs a
# training for each, half an hour and more in all. So they were done beforehand, by a command, and
# their results come with the library: a **study**. (It was made with an older `fast`: one hidden
# layer in G, a wider D that was not told how far a batch differs, players that took turns, and a
# tanh that got all of the last layer.) This loads it and says what made it.

# %%
from dcgan_lib import load_study

study = load_study("tricks")
print("made by:", study.about["command"])
print("evaluator:  ", study.about["evaluator"], "  steps:", max(r["step"] for r in study.rows))
print("seeds:  ", *sorted({row["seed"] for row in study.rows}), "  rows:", len(study.rows))
print("one row:", study.rows[0])

# %% [markdown]
# A **step** is one round of the game on one **batch**, here 64 real images; 600 of them make a
# short training. A **seed** is the number from which all random numbers of a training follow;
# another seed, another training. This study has one seed, so one training for each trick. A row is
# what was measured at one moment of one training.
#
# The number that counts is the **Fréchet distance** ([notebook 07](07_measuring_quality.ipynb)):
# how far the drawn images lie from real ones, as the **evaluator** sees them, a classifier that
# learned MNIST beforehand and stays as it is. Lower is better. Here it compares 10,000 drawn images
# with 10,000 **held-out** ones, which no training has seen. The seconds are **processor time**: how
# long one core was busy with training, whatever else the machine had to do.
#
# Why steps *and* seconds? A trick that makes each step twice as long must earn that back: in the
# same time, `fast` would have played twice as many steps.
#
# Every trick has a name in the study, and beside it the settings in which it differs from `fast`
# (or the recipe that holds them):

# %%
for name, settings in study.settings.items():
    print(f"{name:26}", settings or "as it is")

# %% [markdown]
# Three small functions read the study. The first picks a column of one variant, a row for each
# seed; the second says what the distance was after so many seconds.

# %%
import numpy as np


def measured(name, column="frechet_distance"):
    """One column of one variant: a row for each seed, from the first moment to the last."""
    rows = [row for row in study.rows if row["variant"] == name]
    seeds = sorted({row["seed"] for row in rows})
    return np.array([[row[column] for row in rows if row["seed"] == seed] for seed in seeds])


def after_seconds(name, seconds):
    """The distance of each seed at that time, on straight lines between logarithms."""
    curves = zip(measured(name, "seconds"), np.log(measured(name)), strict=True)
    return np.array([np.exp(np.interp(seconds, times, logs)) for times, logs in curves])


# %% [markdown]
# The third gives two ratios: the variant's distance over that of `fast`. Below 1 the trick is
# better. *After equal steps* both have played all their steps. *In equal time* the slower one stops
# as soon as the quicker one is done. (`fast` over itself is 1. With several seeds it has one ratio
# for each, and they show how much the seed alone can do.)


# %%
def ratios(name):
    """Distance over the mean of `fast`, for each seed: after equal steps, and in equal time."""
    time = min(measured(n, "seconds")[:, -1].mean() for n in (name, "fast"))
    steps = measured(name)[:, -1] / measured("fast")[:, -1].mean()
    return steps, after_seconds(name, time) / after_seconds("fast", time).mean()


def milliseconds(name):
    """What a step costs, without the first ones."""
    seconds, steps = measured(name, "seconds"), measured(name, "step")
    return 1000 * np.mean((seconds[:, -1] - seconds[:, 0]) / (steps[:, -1] - steps[:, 0]))


# %% [markdown]
# And one function shows them: a curve for each variant, `fast` always in black, and with several
# seeds a band from the best to the worst. Up and down is logarithmic: equal distances on the paper
# are equal ratios.

# %%
import matplotlib.pyplot as plt
from matplotlib.ticker import LogFormatter

plt.rcParams["figure.dpi"] = 90  # small files


def compare(*names):
    """Quality against seconds, and the numbers below."""
    figure, axis = plt.subplots(figsize=(6.8, 3.2), layout="constrained")
    for name in ("fast", *names):
        seconds, distances = measured(name, "seconds").mean(axis=0), measured(name)
        colour = "black" if name == "fast" else None
        (line,) = axis.semilogy(seconds, distances.mean(axis=0), ".-", color=colour, label=name)
        band = distances.min(axis=0), distances.max(axis=0)
        axis.fill_between(seconds, *band, color=line.get_color(), alpha=0.15, linewidth=0)
    axis.set(xlabel="seconds on one core", ylabel="Fréchet distance\n(lower is better)")
    axis.set_title("Quality against time, all with the same number of steps")
    axis.yaxis.set_major_formatter(LogFormatter())
    axis.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 1)))
    axis.grid(alpha=0.25)
    axis.legend(fontsize=9)
    plt.show()
    show_numbers(*names)


# %% [markdown]
# The numbers below the figure (several seeds: their mean, and from the best to the worst):


# %%
def span(values):
    """A mean, and the range if there is one."""
    low, high = values.min(), values.max()
    return f"{values.mean():.2f}" + (f" ({low:.2f}–{high:.2f})" if len(values) > 1 else "")


def show_numbers(*names):
    """A line for `fast` and each variant."""
    print(f"{'':26}{'distance':>9}{'ms a step':>11}   ratio after equal steps, in equal time")
    for name in ("fast", *names):
        steps, time = ratios(name)
        print(f"{name:26}{measured(name)[:, -1].mean():9.1f}{milliseconds(name):11.0f}", end="   ")
        print(f"{span(steps):19} {span(time)}")


# %% [markdown]
# And the rule of this notebook. Another seed alone changes the distance: in the study of notebook
# 06, `fast` came out at 71 with one and at 47 with the other, a ratio of 0.66 without any trick. So
# we say "better" only where every seed has less than half the distance of `fast`, "worse" where
# every seed has more than twice, and else "no clear difference". Without a rule one sees in every
# pair of curves what one hoped for.


# %%
def in_words(values):
    """The verdict on ratios, one for each seed."""
    if values.max() < 0.5:
        return "better"
    return "worse" if values.min() > 2 else "no clear difference"


# %% [markdown]
# Four warnings.
#
# - One seed is little, hence the wide limits.
# - The seconds are rough, as other work ran on the machine. Steps that do the same work cost
#   between 73 and 112 milliseconds, and 73 is `fast`. So in the study every trick looks up to one
#   and a half times too dear, and *in equal time* is too hard on all of them. Believe *after equal
#   steps*.
# - The trainings are short: a trick that pays after hours cannot show it.
# - `fast` was tuned *without* the tricks, so its settings suit it better than them. What helps a
#   quick recipe of this size may not help another, and the other way round.
#
# ## 2 · Who moves how often
#
# In each step D moves p times and G moves k times: `d_steps` and `g_steps`, in `fast` once each. A
# move makes the player's **loss**, the number that it wants small, a little smaller. It follows the
# **gradient**, which says for each weight how much the loss would change with it. G's gradient
# comes through D. So more moves of D make a better discriminator, which points more surely to what
# is wrong; more moves of G let it use what this discriminator can teach. (In Goodfellow's paper of
# 2014, where GANs come from, k counts *D's* moves. When you read "k = 5" somewhere, look which
# player is meant.)

# %%
for p, k in [(1, 1), (3, 1), (1, 3), (2, 2)]:
    print(f"p={p} k={k}:  ", ("D" * p + "G" * k + " ") * 3, "…")

# %% [markdown]
# All moves of one step see the same real images; the fake ones are drawn anew for each move.
#
# **Predict, then run:** p = k = 2 plays twice as many moves as `fast` in the same number of steps.
# Will it be better after equal steps? And in equal time?
#
# Nine combinations, two ratios each. First the tables:

# %%
tables = np.zeros((3, 3, 2))
pairs = [(p, k) for p in (1, 2, 3) for k in (1, 2, 3)]
for p, k in pairs:
    name = "fast" if p == k == 1 else f"p={p} k={k}"
    tables[p - 1, k - 1] = [ratio.mean() for ratio in ratios(name)]
print(tables.shape)

# %% [markdown]
# And a map of each: blue is better than `fast`, red is worse, white is the same.

# %%
figure, axes = plt.subplots(1, 2, figsize=(8, 3.3), layout="constrained")
for axis, table, title in zip(
    axes, np.moveaxis(tables, 2, 0), ("after equal steps", "in equal time"), strict=True
):
    picture = axis.imshow(np.log2(table), cmap="RdBu_r", vmin=-2, vmax=2)
    for (i, j), value in np.ndenumerate(table):
        dark = abs(np.log2(value)) > 1.2
        text = {"ha": "center", "va": "center", "color": "white" if dark else "black"}
        axis.text(j, i, f"{value:.2f}", fontsize=12, **text)
    axis.set(xlabel="k, moves of G", ylabel="p, moves of D", title=title)
    axis.set_xticks(range(3), (1, 2, 3))
    axis.set_yticks(range(3), (1, 2, 3))
bar = figure.colorbar(picture, ticks=(-2, -1, 0, 1, 2))
bar.set_ticklabels(["¼", "½", "1", "2", "4"])
bar.set_label("distance / that of fast")
plt.show()

# %% [markdown]
# The left map, along the diagonal (same balance, more moves): 1, 0.35, 0.22. Of course: more moves
# are more training. Beside the diagonal, who of the two has more use of extra moves? G, it
# seems: three moves of G give 0.43, three of D 0.71, and the other two pairs point the same way.
# But none of these pairs differs by a factor of two, so with one seed it is a hint and no result.
#
# The right map takes the price into account: how far does each come in the 44 seconds that `fast`
# takes? p = k = 2 is just where `fast` is (0.98). So its moves were good, and within this time the
# moves of `fast` were as good. (How far `fast` would come with more steps, the study does not say.)
# All cells are probably redder than they should be, because the steps of `fast` were measured as
# the cheapest of all. The rule of section 1 on each of them:

# %%
for name in [f"p={p} k={k}" for p, k in pairs[1:]]:
    print(name, "  after equal steps:", in_words(ratios(name)[0]), end="")
    print("   in equal time:", in_words(ratios(name)[1]))

# %% [markdown]
# Five combinations are better after equal steps, none in equal time: nothing here says that another
# balance of moves is worth its price.
#
# Why is p = 5 in so many papers? It comes from the Wasserstein GAN (section 6), whose D must be
# nearly as good as can be before G moves. With cross-entropy a D that is too good is of no use: see
# "the discriminator has won" in [notebook 08](08_when_training_fails.ipynb).
#
# ## 3 · Softer labels
#
# D's last layer gives a **logit**: any number; large means "surely real", very negative "surely
# fake". **Cross-entropy** compares it with the **label**, 1 for real and 0 for fake. This loss is
# never content: even if D is right about everything, larger logits are better still. So D becomes
# ever surer, and a D that is too sure of itself gives bad advice.
#
# **Label smoothing** asks for less: real images get the label 0.9. Then a logit can be too large.

# %%
import tensorflow as tf

logits = np.linspace(-6, 10, 200).astype(np.float32)
figure, axis = plt.subplots(figsize=(6, 2.8), layout="constrained")
for label in (1.0, 0.9, 0.7):
    losses = tf.nn.sigmoid_cross_entropy_with_logits(np.full_like(logits, label), logits)
    (line,) = axis.plot(logits, losses, label=f"label {label}")
    if label < 1:
        axis.axvline(np.log(label / (1 - label)), color=line.get_color(), linestyle=":")
axis.set(xlabel="D's logit for a real image", ylabel="D's loss", title="The best answer, dotted")
axis.legend()
plt.show()

# %% [markdown]
# With label 1 the curve falls for ever. With 0.9 it has a lowest point, at log(0.9/0.1) ≈ 2.2, and
# beyond it D is pulled back.
#
# ### One side or both?
#
# If real images are smoothed and fake ones keep their 0, it is **one-sided** smoothing; if fake
# ones get 0.1 as well, **two-sided**. Which is better? Suppose that images were one number x, and D
# perfect. Its best answer at x follows from how many real and how many fake images lie there, and
# from their labels.


# %%
def best_answer(real, fake, real_label, fake_label):
    """The mean label of what lies at x: the probability that makes cross-entropy smallest."""
    return (real_label * real + fake_label * fake) / (real + fake)


# %% [markdown]
# Real images around 2, G's images around -2, two bells. G wants a small −log D: it goes wherever
# this curve falls.

# %%
x = np.linspace(-5, 5, 300)
real, fake = np.exp(-((x - 2) ** 2) / 2), np.exp(-((x + 2) ** 2) / 2)
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
left.fill_between(x, 0.25 * real, alpha=0.25, color="tab:blue", label="real images")
left.fill_between(x, 0.25 * fake, alpha=0.25, color="tab:red", label="G's images")
for width, labels in zip((5, 3, 2), ((1, 0), (0.9, 0), (0.9, 0.1)), strict=True):
    answer = best_answer(real, fake, *labels)
    style = {"label": f"labels {labels[0]} and {labels[1]}", "linewidth": width, "alpha": 0.8}
    left.plot(x, answer, **style)
    right.plot(x, -np.log(answer), **style)
left.set(xlabel="x", ylabel="what the best D says", title="D")
right.set(xlabel="x", ylabel="−log D", title="G's loss: which way is down?", ylim=(-0.3, 12))
left.legend(fontsize=8)
right.legend(fontsize=9)
plt.show()

# %% [markdown]
# On the left the two smoothings look much alike. On the right they do not. G's images lie around
# -2. With one-sided smoothing the curve there is as steep as without any: only shifted, by
# −log 0.9. With two-sided smoothing it is *flat*: where there are only fake images the best D says
# 0.1 all over, and G does not learn which way to go. That is why Salimans et al. (2016, section
# 3.4) smooth one side only. (A real D is not the best D, and its answers have a slope from
# elsewhere. So in practice the harm may be small.)
#
# In the library both are two numbers, `real_label_smoothing` and `fake_label_smoothing`; G's own
# label stays 1. What did they do?

# %%
compare("one-sided smoothing 0.1", "two-sided smoothing 0.1")

# %% [markdown]
# After equal steps 0.82 and 0.90: no clear difference, and none between one side and both. A step
# must cost what it costs in `fast`, as smoothing only changes a constant. Still the table says 88
# and 92 milliseconds against 73. That is how badly we can measure seconds, and the reason why the
# last column (1.60!) proves nothing here.
#
# ## 4 · Noise on images
#
# Real images and drawn ones differ in small ways that have nothing to do with digits. MNIST's paper
# is exactly -1; G ends in a tanh, a function that stays between -1 and 1, and only comes near it. A
# D that finds such a mark needs no shapes any more, and teaches none. Noise covers marks smaller
# than itself: **instance noise** (Sønderby et al. 2017; Arjovsky and Bottou 2017).
# `real_noise_stddev` adds it to the real images that D sees, anew in each step.

# %%
from dcgan_lib import load_images, plot_images, scale

data = load_images()
plot_images(scale(data.images[:6]), columns=6, title=f"Real images: {data.name}")

# %% [markdown]
# None, a little and much of it:

# %%
rng = np.random.default_rng(0)
clean = scale(data.images[:6])
strengths = (0.0, 0.05, 0.2)
grainy = [clean + s * rng.standard_normal(clean.shape) for s in strengths]
titles = [f"noise {strength}" for strength in strengths for _ in clean]
plot_images(np.clip(np.concatenate(grainy), -1, 1), columns=6, titles=titles)

# %% [markdown]
# There is a catch. Sønderby et al. add noise to real *and* drawn images, and let it fade away. Here
# only the real ones get it (as in the recipe `smooth`, after a well-known notebook). Then a perfect
# G would have to draw the grain as well. What would the evaluator say of such a G? We ask, with
# real images: one half of the held-out images against the other half with noise.

# %%
from dcgan_lib import Evaluator, frechet_distance, hold_out_indices

evaluator = Evaluator()
allowed, held_out = hold_out_indices(len(data.images), 10_000)
held_out = held_out[: 600 if QUICK else 10_000]
held, held_labels = scale(data.images[held_out]), data.labels[held_out]
held_features, held_probabilities = evaluator(held)
print("right on", f"{np.mean(held_probabilities.argmax(axis=1) == held_labels):.1%} of real images")
print("the evaluator of the study:", evaluator.hash == study.about["evaluator"])

# %% [markdown]
# (Half as many images as in the study. That makes each distance a little larger than there, by less
# than the first line.)

# %%
half = len(held) // 2
for strength in strengths:
    noise = strength * rng.standard_normal(held[half:].shape)
    seen, _ = evaluator(np.clip(held[half:] + noise, -1, 1))
    distance = frechet_distance(held_features[:half], seen)
    print(f"real images with noise {strength:4}: distance {distance:6.1f}")

# %% [markdown]
# The first line is the floor: what chance alone makes. The second is a little above it, the third
# far above. A G that does perfectly what the last setting asks of it, grain and all, gets no better
# number than that. Here is what the trainings did:

# %%
compare("noise 0.05", "noise 0.2")

# %% [markdown]
# No clear difference from `fast` for either. But the stronger noise ended at 55, and a G that draws
# the grain as asked would get no less than about 113 (the third line above). So this G does not
# draw all of the grain. With a hundred random numbers for 784 pixels it can hardly make grain that
# is new in every image. (Section 7 shows some of its pictures: no grain to be seen.)

# %% [markdown]
# ## 5 · Learning rates
#
# The **learning rate** scales how far a player goes in one move. Three things can be done with it.
#
# **Let it fall.** Large moves at the beginning find the way quickly; small ones at the end settle
# down. A **schedule** says which rate belongs to which move. `build_optimizer` makes the optimizer
# (Adam, which turns gradients into changes of weights) of a recipe, with its schedule. It must know
# how many moves there will be: with k = 3, G moves three times a step, and its rate would fall
# three times too fast if we counted steps.

# %%
from dcgan_lib import build_optimizer, get_recipe

moves = np.arange(0, 601, 10)
rates = {}
for schedule in ("constant", "exponential", "cosine"):
    optimizer = build_optimizer(get_recipe("fast", g_schedule=schedule), "g", moves=600)
    rates[schedule] = []
    for move in moves:
        optimizer.iterations.assign(move)  # as if it had moved so often
        rates[schedule].append(float(optimizer.learning_rate))

# %% [markdown]
# All three begin with G's rate of `fast`; the last two end with a tenth of it
# (`g_final_fraction`).

# %%
figure, axis = plt.subplots(figsize=(6, 2.6), layout="constrained")
for schedule, values in rates.items():
    axis.plot(moves, values, label=schedule)
axis.set(xlabel="moves of G", ylabel="learning rate", ylim=(0, None), title="Three schedules")
axis.legend()
plt.show()

# %% [markdown]
# The exponential one loses the same *share* in each move: quick at first, then ever slower. The
# cosine holds the rate up for a while and falls steepest in the middle.
#
# **Average the weights.** G swings to and fro while it chases D. `fast` keeps a running **average**
# of G's weights beside G and draws from the average, which swings less (notebook 04). That does
# much of what a falling rate does. So we also take it away and see what is left.

# %%
compare("cosine rates", "exponential rates", "no averaging")

# %% [markdown]
# After equal steps all three are above `fast`, by 1.57 to 1.95, and none by more than twice: no
# clear difference. Nothing here speaks for a falling rate, and one seed cannot show what the
# average is worth.
#
# **Two rates.** Heusel et al. (2017) give each player a rate of its own: the
# **two-time-scale update rule** (TTUR). In theory D should be the quicker one, so that it is always
# up to date when G moves; most people who use it do so. `fast` has it the other way round:

# %%
fast = get_recipe("fast")
print(f"G: {fast.g_learning_rate}   D: {fast.d_learning_rate}")

# %% [markdown]
# These came out of a search, in which a quick G did better within a minute. Was the search right?
# We try both players with D's rate, both with G's rate, and the two rates swapped.
#
# **Predict, then run:** which of the three will be worst?

# %%
compare("equal rates 1.6e-3", "equal rates 4e-3", "rates turned round")

# %% [markdown]
# None is worst: all three ratios after equal steps lie between a half and two. The first and the
# third have the slow G, and only D's rate differs; both end at 96. `fast` (71) and the second (50)
# have the quick G, and again only D's rate differs. So the runs with the slow G end higher than
# those with the quick one, which is what the search found. But it is only a hint: two seeds of
# `fast` alone gave 71 and 47.
#
# Whichever way such numbers lie, they are about these networks, this batch size and these six
# hundred steps. Adam divides by the size of the gradients, so the same rate means other things for
# other networks.
#
# ## 6 · Other losses
#
# Cross-entropy is one way to keep score. D's logit may also be taken for a plain *score* that has
# nothing to do with probabilities. Two such losses are used most, and both are short. This is the
# library's own code.
#
# **Hinge** loss (Lim and Ye 2017): D wants real images above 1 and fake ones below -1. What is
# there already counts nothing, so D spends itself on images that it is unsure of. G wants high
# scores. (`relu` is x where x is positive, else 0.)

# %%
from dcgan_lib import GANLoss


class HingeLoss(GANLoss):
    """D wants real images above 1 and fake ones below -1, and no more; G wants a high score."""

    def discriminator_loss(self, real_output: tf.Tensor, fake_output: tf.Tensor) -> tf.Tensor:
        real_loss = tf.reduce_mean(tf.nn.relu(1.0 - real_output))
        return real_loss + tf.reduce_mean(tf.nn.relu(1.0 + fake_output))

    def generator_loss(self, fake_output: tf.Tensor) -> tf.Tensor:
        return -tf.reduce_mean(fake_output)


# %% [markdown]
# **Wasserstein** loss (Arjovsky et al. 2017): real scores up, fake scores down, without any end. D
# is then called a **critic**, because it gives marks and does not decide. Minus its loss is the gap
# between the mean scores. If the critic is as good as possible and nowhere steeper than 1, the gap
# is the *Wasserstein distance*: how far one would have to move the drawn images, on average, to
# turn them into the real ones.


# %%
class WassersteinLoss(GANLoss):
    """D, here called a critic, makes the gap between real and fake scores wide; G closes it."""

    accuracy_counts = False

    def discriminator_loss(self, real_output: tf.Tensor, fake_output: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(fake_output) - tf.reduce_mean(real_output)

    def generator_loss(self, fake_output: tf.Tensor) -> tf.Tensor:
        return -tf.reduce_mean(fake_output)


# %% [markdown]
# What moves a player is not its loss but the **slope** of the loss: how much it changes when D's
# output changes a little. Where the slope is 0, nothing is learned. We compute it with a tape
# (which records what is computed, and plays it back for gradients: notebook 04), for sixty-one
# images with outputs from -6 to 6. (A loss is a mean over the images. Each has a 61st part in it,
# so we multiply by their number.) `SaturatingLoss` is G's loss in the original min–max game
# (notebook 03).

# %%
from dcgan_lib import BinaryCrossentropyLoss, SaturatingLoss

losses = {
    "cross-entropy": BinaryCrossentropyLoss(),
    "label 0.9": BinaryCrossentropyLoss(real_label_smoothing=0.1),
    "saturating": SaturatingLoss(),
    "hinge": HingeLoss(),
    "Wasserstein": WassersteinLoss(),
}


def slopes_of(loss):
    """The slopes of `loss(output)` at each of D's outputs."""
    points = tf.constant(np.linspace(-6, 6, 61)[:, np.newaxis], tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(points)
        value = loss(points)
    return points, len(points) * tape.gradient(value, points)


# %% [markdown]
# **Predict, then run:** D is surely right, it gives a real image a score of 6. Which losses still
# push that score up? And G's image has a score of -6: which losses push it up, and which let G
# down?

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained", sharey=True)
for number, (name, loss) in enumerate(losses.items()):
    style = {"label": name, "linewidth": 8 - 1.5 * number, "alpha": 0.8}
    d = slopes_of(lambda real: loss.discriminator_loss(real, tf.zeros((1, 1))))
    g = slopes_of(loss.generator_loss)
    axes[0].plot(*d, **style)
    axes[1].plot(*g, **style)
axes[0].set(title="D's loss, on a real image", ylabel="slope of the loss")
axes[1].set(title="G's loss, on an image that it drew")
axes[1].legend(fontsize=9)
for axis in axes:
    axis.axhline(0, color="black", linewidth=0.8)
    axis.set_xlabel("D's output for this image")
plt.show()

# %% [markdown]
# Below zero means: pushed to the right, to larger outputs. (The curves are of different widths, so
# that equal ones can be seen.)
#
# - Left: cross-entropy stops slowly (at 6 nearly nothing is left), hinge at 1 all at once, and with
#   a label of 0.9 the slope is *above* 0 from 2.2 on: D is pulled back. Wasserstein never stops.
#   (The saturating loss is another one for G only; its D has plain cross-entropy.)
# - Right: hinge and Wasserstein push every image of G equally hard. Cross-entropy pushes those more
#   that D saw through. The saturating loss leaves them alone where G needs help most, at -6.
#
# The recipe `hinge` is `fast` with the other loss:

# %%
compare("hinge")

# %% [markdown]
# ## 7 · Keep the critic's slope in check
#
# The Wasserstein loss cannot be used as it stands. Multiply D's last weights by ten, and the gap is
# ten times as wide: the critic "improves" without seeing anything new. The theory asks for a critic
# that is nowhere steeper than 1: if two images differ by a little, the scores may differ by that
# much and no more. This steepness is the length of the gradient of D's output with respect to its
# *image* (not its weights): how much the score changes when pixels change.
#
# ### A penalty
#
# The **gradient penalty** (Gulrajani et al. 2017, recipe `wgan_gp`) measures the slope at some
# images and adds (slope − 1)², times 10, to D's loss. This is the library's code: a tape inside a
# tape, because D's move needs the gradient of a gradient.

# %%
from collections.abc import Sequence

import keras


def slope_penalty(
    discriminator: keras.Model, images: tf.Tensor, labels: Sequence[tf.Tensor] = ()
) -> tf.Tensor:
    """Returns the mean of (slope - 1)², a scalar."""
    with tf.GradientTape() as tape:
        tape.watch(images)
        inputs = [images, *labels] if labels else images
        output = tf.reduce_sum(discriminator(inputs, training=True))
    gradients = tape.gradient(output, images)
    squares = tf.reduce_sum(tf.square(gradients), axis=range(1, len(images.shape)))
    slopes = tf.sqrt(squares + 1e-12)  # the square root's own slope is infinite at 0
    return tf.reduce_mean(tf.square(slopes - 1.0))


# %% [markdown]
# Summing the outputs of a batch is a trick: each output depends on its own image only, so the
# gradient of the sum has each image's own gradient in its place. With **BatchNorm** in D (which
# brings the numbers in a layer to mean 0 and spread 1 over the *batch*) that would be wrong: each
# output would depend on all images. So it would with the minibatch standard deviation
# (notebook 03). `wgan_gp` has neither in D.
#
# At which images? The slope matters between the fake and the real ones, where G has to go. A line
# is drawn from each fake image to a real one and a random point taken on it: `mixed`. D's move
# stays as it was in notebook 04, where it asked the loss for a `penalty` and got 0. Now it gets
# one, from the method of the library's `GradientPenalty`, which can be put around any loss.
# (`labels` is empty until section 8, where the players are told which digit an image shows.)

# %%
from dcgan_lib import as_list, mixing_shares


def penalty(self, game: keras.Model, real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """Returns the weighted mean of (slope - 1)² at random mixtures of real and fake images."""
    (real_images, *labels), (fake_images, *_) = as_list(real), as_list(fake)
    shares = mixing_shares(game, real_images)
    mixed = shares * real_images + (1.0 - shares) * fake_images
    return self.weight * slope_penalty(game.discriminator, mixed, labels)


# %% [markdown]
# To be sure that what you read is what runs, we put it into the library's class:

# %%
from dcgan_lib import GradientPenalty

GradientPenalty.penalty = penalty

# %% [markdown]
# The recipe has four more changes: p = 3 moves of D for one of G (the gap is a distance only if the
# critic is near its best; the paper has 5), lower rates, a tanh that gets all of the last layer and
# not half, and an Adam with less memory, as in the paper (`beta_1` = 0: none of past gradients;
# `beta_2` = 0.9: a short one of their squares).
#
# ### A division
#
# The other way: build D so that it *cannot* be steep. A layer multiplies by a matrix (its
# **kernel**, the table of its weights, flattened). The largest factor by which a matrix can stretch
# any vector is its largest **singular value**, σ. Divide the matrix by its σ, and it stretches
# nothing by more than 1. That is **spectral normalisation** (Miyato et al. 2018, recipe
# `spectral`). It needs no second tape and no choice of images.
#
# To find σ anew at each move would be slow. **Power iteration** finds it bit by bit: take any
# vector, multiply it by the matrix and back by its transpose, bring it to length 1, repeat. The
# direction that is stretched most wins. `unit` is the library's:


# %%
def unit(vector: tf.Tensor) -> tf.Tensor:
    """Returns `vector` with length 1."""
    return vector / (tf.norm(vector) + 1e-12)


# %% [markdown]
# We try it on a random matrix of the size of D's second kernel. NumPy gives the true value.

# %%
matrix = tf.random.stateless_normal((512, 64), seed=(0, 9))
right = unit(tf.random.stateless_normal((1, 64), seed=(1, 9)))
true = np.linalg.svd(matrix.numpy(), compute_uv=False)[0]
for number in range(1, 31):
    left = unit(tf.matmul(right, matrix, transpose_b=True))
    right = unit(tf.matmul(left, matrix))
    sigma = tf.reduce_sum(tf.matmul(left, matrix) * right)
    if number in (1, 2, 5, 10, 30):
        print(f"after {number:2} rounds: {sigma:.2f} of {true:.2f}")

# %% [markdown]
# One round is not enough (24 of 30), but a training has many moves, and the kernel changes little
# from one to the next. So the library keeps the vector (`singular_vector`) and does one round a
# move. This is the heart of it, the method that gives a layer its kernel. (`tf.stop_gradient` hands
# a tensor on as a constant: no gradient goes through.)


# %%
def normalised_kernel(self, training: bool) -> tf.Tensor:
    matrix = tf.reshape(self.kernel, (-1, self.kernel.shape[-1]))
    frozen = tf.stop_gradient(matrix)
    right = tf.convert_to_tensor(self.singular_vector)
    left = unit(tf.matmul(right, frozen, transpose_b=True))
    if training:
        right = unit(tf.matmul(left, frozen))
        left = unit(tf.matmul(right, frozen, transpose_b=True))
        self.singular_vector.assign(right)
    sigma = tf.reduce_sum(tf.matmul(left, matrix) * right)
    return self.kernel / sigma


# %% [markdown]
# Mind `stop_gradient`. The two vectors count as fixed, but σ itself is computed from `matrix`,
# through which gradients do flow. Why does that matter? If all weights grow by a tenth, σ grows by
# a tenth too, and the divided kernel stays as it is. So growing must be of no use, and the gradient
# must know it: it must not point along the kernel, not even a little. We test that, and what would
# happen with σ frozen as well.

# %% tags=["nbval-check-output"]
from dcgan_lib import SpectralDense

keras.utils.set_random_seed(0)
layer = SpectralDense(3)
inputs, target = tf.random.normal((8, 5)), tf.random.normal((8, 3))
layer(inputs)
for frozen in (False, True):
    with tf.GradientTape() as tape:
        kernel = layer.normalised_kernel(training=False)
        if frozen:
            kernel = layer.kernel / tf.stop_gradient(layer.kernel[0, 0] / kernel[0, 0])
        loss = tf.reduce_mean(tf.square(inputs @ kernel - target))
    gradient = tape.gradient(loss, layer.kernel.value)
    along = abs(float(tf.reduce_sum(gradient * layer.kernel)))
    print("σ frozen:" if frozen else "as in the paper:", "along the kernel?", along > 1e-4)

# %% [markdown]
# With σ frozen every move would try to blow the kernel up (or shrink it), and the division would
# undo it: part of each move wasted. (Keras has a layer of the same name that lets no gradient
# through σ. That is why the library has its own.)
#
# ### Three critics, alone
#
# Does it work? Three critics of the same size, all with the Wasserstein loss: one free, one with
# the penalty, one divided. To see only them, G does not move at all.

# %%
three = {
    "free": get_recipe("wgan_gp", gradient_penalty=0.0),
    "with penalty": get_recipe("wgan_gp"),
    "spectral": get_recipe("wgan_gp", gradient_penalty=0.0, spectral_norm=True),
}

# %% [markdown]
# We measure slopes in three places: at real images, at G's, and halfway between.


# %%
def mean_slope(critic, images):
    """The mean length of the gradient of the score with respect to the image."""
    with tf.GradientTape() as tape:
        tape.watch(images)
        score = tf.reduce_sum(critic(images, training=False))
    gradient = tf.reshape(tape.gradient(score, images), (len(images), -1))
    return float(tf.reduce_mean(tf.norm(gradient, axis=1)))


# %% [markdown]
# `build_gan` makes a game of a recipe. `tf.function` turns a move into a **graph**, a list of
# operations that runs without Python, and so faster (notebook 04).

# %%
from dcgan_lib import build_gan, training_batches, untouched


def train_alone(recipe, moves):
    """Moves the critic only; its slopes at real, halfway and fake images, every ten moves."""
    gan = build_gan(recipe, len(data.images))
    move = gan.d_step if QUICK else tf.function(gan.d_step)
    slopes = []
    batches = training_batches(data.images, recipe.batch_size)
    for i, real_images in enumerate(batches.take(moves)):
        noise = gan.latent_noise(real_images, "d_noise")
        if i % 10 == 0:
            with untouched(gan.generator):
                fake_images = gan.generator(noise, training=True)
            places = real_images, (real_images + fake_images) / 2, fake_images
            slopes.append([mean_slope(gan.discriminator, images) for images in places])
        move(real_images, noise)
        gan.step.assign_add(1)
    return gan.discriminator, np.array(slopes)


# %% [markdown]
# **Predict, then run:** how steep will each of them be after a hundred moves: 0.1, 1, 10, 10,000?

# %%
critics, slopes = {}, {}
for name, recipe in three.items():
    critics[name], slopes[name] = train_alone(recipe, 2 if QUICK else 101)
print("finished:", *critics)

# %% [markdown]
# One panel for each critic; the scale is logarithmic, and the dotted line is a slope of 1.

# %%
figure, axes = plt.subplots(1, 3, figsize=(9, 3), layout="constrained", sharey=True)
for axis, (name, rows) in zip(axes, slopes.items(), strict=True):
    for place, values in zip(("real", "halfway", "fake"), rows.T, strict=True):
        axis.semilogy(10 * np.arange(len(rows)), values, label=place)
    axis.axhline(1, color="grey", linestyle=":")
    axis.set(title=name, xlabel="moves of the critic")
    axis.grid(alpha=0.25)
axes[0].set_ylabel("mean slope of the score")
axes[0].legend(title="images", fontsize=9)
plt.show()

# %% [markdown]
# The free critic becomes steeper and steeper, as nothing stops it: more than 10,000 after a hundred
# moves. The other two stay within sight of 1, with slopes from about 2 to 4, and both for reasons
# worth knowing.
#
# - *The penalty* is a pull and no wall. This G, which never moves, draws images far away from the
#   real ones, so a steeper critic gains a lot. The slope settles where that gain and the penalty
#   balance, here above 2. (It is about as large at real and at fake images, although the penalty
#   looks only at mixed ones.)
# - *The division* limits the table of weights, and a convolution is more than its table. Its 4×4
#   window moves by two pixels, so each pixel is seen by four windows, and the whole layer can
#   stretch by up to √4 = 2; two such layers by 4. What matters is that there *is* a limit. (At move
#   0 the remembered vectors are still random, σ is found far too small, and the critic is steep.
#   Ten moves later that is over.)
#
# Now the kernels themselves, with NumPy's exact singular values:


# %%
def stretches(critic):
    """The largest singular value of each kernel, as the network uses it."""
    found = []
    for layer in [layer for layer in critic.layers if hasattr(layer, "kernel")]:
        spectral = hasattr(layer, "normalised_kernel")
        kernel = layer.normalised_kernel(training=False) if spectral else layer.kernel
        matrix = np.reshape(kernel, (-1, kernel.shape[-1]))
        found.append(np.linalg.svd(matrix, compute_uv=False)[0])
    return found


# %% [markdown]
# D has four kernels: two convolutions, a dense layer, and the verdict.

# %%
figure, axis = plt.subplots(figsize=(7, 2.8), layout="constrained")
for i, (name, critic) in enumerate(critics.items()):
    axis.semilogy(np.arange(4) + 0.1 * (i - 1), stretches(critic), "o", label=name, markersize=9)
axis.axhline(1, color="grey", linestyle=":")
axis.set(ylabel="largest singular value", title="How much the table of each layer can stretch")
axis.grid(alpha=0.25)
axis.set_xticks(range(4), ("convolution 1", "convolution 2", "dense", "verdict"))
axis.legend()
plt.show()

# %% [markdown]
# The divided kernels stand at 1, or a little above: one round a move is always a little behind. The
# penalty does not care about single layers: the first stretches by less than 1, the others by more.
# It looks at the slope of the whole alone. In the free critic each layer stretches more than in the
# other two, and such factors multiply.
#
# Now the real game. `spectral` has hinge loss, as most who use it do, and no BatchNorm in D, which
# would multiply again what was divided.

# %%
compare("hinge", "spectral", "wgan_gp")

# %% [markdown]
# By the rule both tamed critics are worse than `fast`: 4.6 and 2.2 times its distance after equal
# steps. Their curves are still falling when the training ends. And `wgan_gp` is dear: the penalty
# needs a gradient of a gradient, and there are three moves of D, so its step costs more than twice
# what any step with one move of D and one of G costs here. What spectral normalisation costs is too
# little to be seen in this table.
#
# Why worse? Both were made for large networks that train for days and break down on the way. `fast`
# does not break down in its minute. A cure shows its worth on the ill; on the healthy you see its
# price. And neither changes one thing only: both also do without BatchNorm in D, which may matter
# more than the trick itself (notebook [06](06_gan_vs_dcgan.ipynb) takes BatchNorm alone away), and
# `wgan_gp` has lower rates, which are slow in a short training. So this is a verdict on two
# recipes, not on two ideas.
#
# Numbers are not pictures. Twenty drawings of six variants, all from the same latent vectors:

# %%
from dcgan_lib import image_grid

chosen = ("fast", "noise 0.2", "hinge", "spectral", "wgan_gp", "conditional")
figure, axes = plt.subplots(2, 3, figsize=(9, 2.2), layout="constrained")
for axis, name in zip(axes.flat, chosen, strict=True):
    axis.imshow(image_grid(scale(study.pictures[name][:20]), columns=10), cmap="gray")
    axis.set_title(f"{name}: {measured(name)[:, -1].mean():.1f}", fontsize=11)
    axis.axis("off")
plt.show()

# %% [markdown]
# (The number is the distance.) The last one is different: its columns are sorted by digit. That is
# the second half of this notebook.

# %% [markdown]
# ## 8 · A digit of your choice
#
# `fast` draws what it likes. To get a 7 you draw many images and pick one. A **conditional** GAN is
# told which digit to draw (Mirza and Osindero 2014). The idea is short: give the label to *both*
# players. (From here on "label" means the digit that an image shows, no longer real or fake.) If
# only G had it, G would have no reason to care: D would praise a beautiful 3 where a 7 was asked.
# With the label D can say: a fine digit, but not a 7.
#
# ### The label as numbers
#
# A network would take the number 7 to be larger than 3, and between 6 and 8, which means nothing
# for shapes. So each digit gets a place of its own: a vector of ten numbers, 1 at the digit and 0
# elsewhere. This is **one-hot**. (`CLASSES` is 10; `takes_labels` tells whether a generator has an
# input for labels.)

# %%
from dcgan_lib import CLASSES, UserError, takes_labels


def one_hot(labels: np.ndarray, classes: int = CLASSES) -> np.ndarray:
    """Turns labels (N,) from 0 up into float32 (N, classes): 1 at the label, 0 elsewhere."""
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= classes:
        accepted = f"whole numbers from 0 to {classes - 1}"
        raise UserError(f"labels {np.unique(labels)[:20]}; accepted: {accepted}")
    return np.eye(classes, dtype=np.float32)[labels]


# %% [markdown]
# A 7 and a 0:

# %% tags=["nbval-check-output"]
print(one_hot(np.array([7, 0])))

# %% [markdown]
# ### The two players
#
# G gets the label beside its **latent vector** (the random numbers that say which image to draw):
# 100 + 10 numbers. The rest is the generator of notebook 02.

# %%
from keras import layers

from dcgan_lib import MNIST_SHAPE, ImageShape, Recipe, build_generator


def build_conditional_generator(
    recipe: Recipe, image_shape: ImageShape = MNIST_SHAPE, classes: int = CLASSES
) -> keras.Model:
    """Builds a generator of two inputs: random numbers, and the label of the digit to draw."""
    latent = keras.Input((recipe.latent_dim,), name="latent")
    label = keras.Input((classes,), name="label")
    body = build_generator(recipe.replace(latent_dim=recipe.latent_dim + classes), image_shape)
    images = body(layers.Concatenate()([latent, label]))
    return keras.Model([latent, label], images, name="generator")


# %% [markdown]
# D could get the label beside the image in the same way. Miyato and Koyama (2018) found something
# better, the **projection** discriminator. D turns the image into features as before. From these it
# makes a verdict *in general* ("is this a real image?") and one *for each digit* ("does it look
# like a real 0, a real 1, …?"). The label picks one of the ten, and the two are added.
#
# `Dot` multiplies the ten verdicts by the one-hot label and sums them up: nine are multiplied by 0.

# %%
from dcgan_lib import build_discriminator


def build_conditional_discriminator(
    recipe: Recipe, image_shape: ImageShape = MNIST_SHAPE, classes: int = CLASSES
) -> keras.Model:
    """Builds a discriminator that asks: is this a real image *of this digit*?"""
    plain = build_discriminator(recipe, image_shape)
    label = keras.Input((classes,), name="label")
    features = plain.layers[-1].input
    in_general = layers.Dense(1, dtype="float32")(features)
    for_each_digit = layers.Dense(classes, use_bias=False, dtype="float32")(features)
    for_this_digit = layers.Dot(axes=1, dtype="float32")([for_each_digit, label])
    x = layers.Add(dtype="float32")([in_general, for_this_digit])
    if recipe.discriminator_output == "sigmoid":
        x = layers.Activation("sigmoid", dtype="float32")(x)
    return keras.Model([plain.input, label], x, name="discriminator")


# %% [markdown]
# The recipe `conditional` is an older `fast` with these two players and twice the steps (the study
# gives both the same number). What do they cost, beside the same players without labels?

# %% tags=["nbval-check-output"]
recipe = get_recipe("conditional")
keras.utils.set_random_seed(recipe.seed)
players = build_conditional_generator(recipe), build_conditional_discriminator(recipe)
plain = build_generator(recipe), build_discriminator(recipe)
for player, without in zip(players, plain, strict=True):
    more = player.count_params() - without.count_params()
    print(f"{player.name:13}", player.output_shape, f"{more} parameters more")

# %% [markdown]
# G: ten more inputs for a dense layer of 256 units. D: ten verdicts from 129 features (128 and the
# minibatch standard deviation). Next to nothing.
#
# `generator_input` makes what such a generator takes, and lets code that draws images work with
# both kinds. Where no label is asked for, `usual_labels` takes 0 to 9 in turn.


# %%
from dcgan_lib import usual_labels


def generator_input(
    generator: keras.Model, latent: np.ndarray, labels: np.ndarray | None = None
) -> np.ndarray | list[np.ndarray]:
    """Returns what a generator takes: the latent vectors, and labels if it can choose the digit."""
    if takes_labels(generator):
        classes = generator.input_shape[1][-1]
        labels = usual_labels(generator, len(latent)) if labels is None else labels
        return [latent, one_hot(labels, classes)]
    if labels is not None:
        raise UserError("this generator cannot choose the digit; train the recipe 'conditional'")
    return latent


# %% [markdown]
# ### The step
#
# A batch is now a pair, images and labels, and so is the noise: latent vectors and *the same
# labels*. For each real 7 in the batch G must draw a 7. If the fake images had labels in other
# shares than the real ones, D could tell them by that. The moves of both players stay as they are
# in notebook 04; `ConditionalDCGAN` only says what noise and what a drawn batch are.


# %%
from dcgan_lib import ConditionalDCGAN

Pair = tuple[tf.Tensor, tf.Tensor]  # of images or latent vectors, and one-hot labels


def draw(self, noise: Pair) -> Pair:
    """Draws images, each with the label that was asked for."""
    _, labels = noise
    return self.generator(noise, training=True), labels


# %% [markdown]
# D takes the pair that `draw` returns, or a real one. Mind what it never sees: a real 3 with the
# label 7. It learns that this is wrong all the same. Where a 7 is asked, real images look like
# sevens, and an image that does not must be one of G's.
#
# ### Train it
#
# We put the method into the class, and train it for less than a minute. That is a small part of
# what the recipe takes.

# %%
ConditionalDCGAN.draw = draw

# %% [markdown]
# The players from above, an optimizer for each, cross-entropy as the loss (which is the default):

# %%
steps = 3 if QUICK else 300
gan = ConditionalDCGAN(*players, ema_decay=recipe.ema_decay)
gan.compile(build_optimizer(recipe, "g", steps), build_optimizer(recipe, "d", steps))

# %% [markdown]
# `training_batches` takes labels along with the images. (The images of the study were measured
# after a training without the held-out ones, so we leave those out too.)

# %%
labels = one_hot(data.labels[allowed])
batches = training_batches(data.images[allowed], recipe.batch_size, labels=labels)
print("one batch:", *[part.shape for part in next(iter(batches))])

# %% [markdown]
# Now the training. The losses, and the shares of real and of fake images on which D is right, say
# whether the game is balanced: here D is right on about four in five of either kind, so neither
# player has won.

# %%
history = gan.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0)
print({name: round(values[-1], 2) for name, values in history.history.items()})

# %% [markdown]
# Four latent vectors, one a row, and every digit from each, one a column. (`gan.sampler` is G with
# the averaged weights, section 5.)


# %%
from dcgan_lib import sample_latent


def paint(generator, latent, labels=None):
    """Draws images, 500 at a time."""
    inputs = generator_input(generator, latent, labels)
    parts = [[part[i : i + 500] for part in inputs] for i in range(0, len(latent), 500)]
    return np.concatenate([generator(part, training=False) for part in parts])


def ten_by_ten(generator, rows=10, seed=5):
    """Every row one latent vector, every column one digit."""
    latent = sample_latent(rows, generator.input_shape[0][-1], seed).repeat(10, axis=0)
    return paint(generator, latent)


plot_images(ten_by_ten(gan.sampler, rows=4), columns=10, title=f"After {steps} steps")

# %% [markdown]
# The columns are there, though some drawings are torn: G does what the label says long before its
# digits are good.
#
# ### The published one
#
# A longer training comes with the library: weights, and a card that says what they are.

# %%
from dcgan_lib import load_pretrained, model_card

generator = load_pretrained("conditional")
card = model_card("conditional")
print("trained with:", card["command"])
print(f"steps: {card['recipe']['steps']}, training images: {card['data']['images']}")
print("limits:", card["limits"])

# %% [markdown]
# **Predict, then run:** all images of a row come from the same latent vector. Will they have
# anything in common?

# %%
plot_images(ten_by_ten(generator), columns=10, title="One digit a column, one latent vector a row")

# %% [markdown]
# Look along the rows: is there a bold row, a thin one, one that leans to the right? If the label
# says *what* is drawn, the latent vector is left to say *how*. Let us not trust our eyes. For 200
# latent vectors we measure the ink of each digit and its slant (how far the upper half lies to the
# right of the lower).

# %%
many = (ten_by_ten(generator, rows=20 if QUICK else 200)[..., 0] + 1) / 2 + 1e-6  # ink: 0 to 1
right, up = np.meshgrid(np.arange(28), np.arange(28)[::-1])  # where each pixel lies


def weighed(values):
    """The mean of a number of each pixel, weighed by the ink, for each image."""
    return np.einsum("nyx,yx->n", many, values) / many.sum(axis=(1, 2))


# %% [markdown]
# The slant is how much further right the ink lies for each pixel further up:

# %%
ink = many.mean(axis=(1, 2))
slant = weighed(right * up) - weighed(right) * weighed(up)
slant /= weighed(up * up) - weighed(up) ** 2
print("ink and slant:", ink.shape, slant.shape)

# %% [markdown]
# For two digits, say 3 and 5, we ask: do the latent vectors that give a bold 3 give a bold 5 too?
# The **correlation** answers: 1 means always, 0 not at all. We take the mean over all pairs of
# digits. As a control we shuffle the latent vectors of each digit, which must give about 0.


# %%
def shared(values):
    """The mean correlation between two digits over the latent vectors."""
    table = np.corrcoef(values.T)
    return table[~np.eye(10, dtype=bool)].mean()


# %% [markdown]
# Both styles, and the control of each:

# %%
for name, values in {"ink": ink.reshape(-1, 10), "slant": slant.reshape(-1, 10)}.items():
    control = shared(rng.permuted(values, axis=0))
    print(f"{name:6} same vector: {shared(values):5.2f}   shuffled: {control:5.2f}")

# %% [markdown]
# Two high correlations, and no loss asked for them: none says that a row should share a style.
# Probably it is the cheapest solution: all digits come out of one network, which has no reason to
# learn boldness ten times over. (Another training may share more or less.)
#
# ### Does it draw what is asked?
#
# Ten thousand images, a thousand of each digit; the evaluator says what it sees.

# %%
per_digit = 30 if QUICK else 1000
asked = np.arange(10).repeat(per_digit)
latent = sample_latent(len(asked), generator.input_shape[0][-1], seed=99)
drawn = paint(generator, latent, asked)
drawn_features, drawn_probabilities = evaluator(drawn)
as_asked = drawn_probabilities.argmax(axis=1) == asked
print(f"the digit that was asked: {as_asked.mean():.1%}")

# %% [markdown]
# And digit by digit, beside what the evaluator gets right on real images:

# %%
real_share = held_probabilities.argmax(axis=1) == held_labels
for digit in range(10):
    share, real = as_asked[asked == digit].mean(), real_share[held_labels == digit].mean()
    print(f"{digit}: {share:6.1%}   (real images: {real:6.1%})")

# %% [markdown]
# The evaluator is not always right on real images either, so 100% is not to be had. Weakest are 3
# and 8, about two in a hundred behind real ones. Where it did not see what was asked, what was
# drawn? (Above each image: the digit asked, and the one seen.)

# %%
wrong = np.flatnonzero(~as_asked)[:: max(1, (~as_asked).sum() // 16)][:16]
wrong = wrong if len(wrong) else np.arange(1)  # if there is no mistake at all: the first image
seen = drawn_probabilities.argmax(axis=1)
titles = [f"{asked[i]}, seen {seen[i]}" for i in wrong]
plot_images(drawn[wrong], columns=8, titles=titles, size=1.0)

# %% [markdown]
# Some are bad digits, some you would read as the one that was asked.
#
# ### Ten prototypes would not pass
#
# **Predict, then run:** a generator knows one single 0, one single 1, and so on, perfect each, and
# draws nothing else. How would it do in the test above?
#
# For each digit we take the drawn image that the evaluator is surest of, its **prototype**, repeat
# it, and add a little noise, so that no two are equal:

# %%
surest = [np.argmax(drawn_probabilities[:, d] * (asked == d)) for d in range(10)]
copies = drawn[surest].repeat(per_digit, axis=0)
copies = np.clip(copies + 0.02 * rng.standard_normal(copies.shape), -1, 1)
copy_features, copy_probabilities = evaluator(copies)
print(f"the digit that was asked: {np.mean(copy_probabilities.argmax(axis=1) == asked):.1%}")

# %% [markdown]
# All of them right, and worthless. So the test must also ask for variety *within* each digit. We
# take **coverage** (notebook 07). The evaluator describes an image by 64 numbers, its **features**.
# Each real image has a neighbourhood, a ball that reaches to its fifth nearest real neighbour in
# them; coverage is the share of these balls with a drawn image inside.
#
# What is a good value? Other real images do not reach 1 either. So for each digit we split the
# held-out images in two halves. The first is what is to be covered. The second says what real
# images reach, and then as many drawn ones, and as many copies, have their turn: the same numbers
# on both sides, or it would not be fair.

# %%
from dcgan_lib import precision_recall_density_coverage

coverages = []
for digit in range(10):
    own = held_features[held_labels == digit]
    count = min(len(own) // 2, per_digit)
    candidates = own[count:], drawn_features[asked == digit], copy_features[asked == digit]
    coverages.append(
        [precision_recall_density_coverage(own[:count], c[:count]).coverage for c in candidates]
    )
coverages = np.array(coverages)
print("digits and candidates:", coverages.shape)

# %% [markdown]
# One group of bars for each digit:

# %%
figure, axis = plt.subplots(figsize=(8.5, 3), layout="constrained")
for i, name in enumerate(("other real images", "drawn", "prototypes")):
    axis.bar(np.arange(10) + 0.27 * (i - 1), coverages[:, i], width=0.25, label=name)
axis.set(xlabel="digit", ylabel="coverage", ylim=(0, 1.25), title="Variety within each digit")
axis.set_xticks(range(10))
axis.legend(ncols=3, fontsize=9)
plt.show()
relative = coverages[:, 1:] / coverages[:, :1]
print(f"drawn: {relative[:, 0].mean():.2f} of what real images reach, worst", end=" ")
print(f"digit {relative[:, 0].argmin()}: {relative[:, 0].min():.2f}")
print(f"prototypes: {relative[:, 1].mean():.2f}")

# %% [markdown]
# The copies nearly always lie in a few balls, those around their own prototype. We ask of our
# generator: at least 97% of the asked digits, and within each digit at least 0.8 of the coverage
# that real images have.

# %%
print("97% as asked:                    ", as_asked.mean() >= 0.97)
print("0.8 of real coverage, each digit:", relative[:, 0].min() >= 0.8)
print("and the prototypes:              ", relative[:, 1].min() >= 0.8)
if not data.name.startswith("mnist"):
    print("These weights learned MNIST; other handwriting, as here, they do not cover.")

# %% [markdown]
# ### Between two digits
#
# The label is a vector, and nobody keeps us from feeding one that was never there in training: half
# a 3 and half an 8. **Predict, then run:** what will G draw for half and half: two digits laid over
# each other, one of the two, or a shape in between? Each row is one latent vector.

# %%
pairs = [(3, 8), (1, 7), (4, 9), (0, 6)]
mix = np.linspace(0, 1, 11)[:, np.newaxis]
between = np.concatenate([(1 - mix) * np.eye(10)[a] + mix * np.eye(10)[b] for a, b in pairs])
latent = sample_latent(len(pairs), generator.input_shape[0][-1], seed=14).repeat(11, axis=0)
images = generator([latent, between.astype(np.float32)], training=False).numpy()
plot_images(images, columns=11, title="From one label to another: 3–8, 1–7, 4–9, 0–6")

# %% [markdown]
# Mostly strokes bend, close and open: a shape in between, sometimes with a grey piece where a
# stroke comes or goes. Two digits laid over each other are rare. The label enters a dense layer,
# and what follows is continuous; so a small change of the label is a small change of the image. But
# nothing taught G what half a 3 is. Where does the evaluator change its mind?

# %%
_, judged = evaluator(images)
judged = judged.reshape(len(pairs), 11, 10)
figure, axis = plt.subplots(figsize=(6.5, 2.8), layout="constrained")
for (a, b), rows in zip(pairs, judged, strict=True):
    axis.plot(mix[:, 0], rows[:, b], "o-", label=f"{a} to {b}")
axis.set(xlabel="share of the second digit in the label", ylabel="probability of it")
axis.set_title("What the evaluator sees on the way")
axis.legend(fontsize=9)
plt.show()

# %% [markdown]
# Not in a straight line: the image stays one digit for a while, and then becomes the other one. And
# not in the middle: at half and half the evaluator sees the 7, the 9 and the 6 already, but no 8
# yet. (These are four latent vectors; others change elsewhere.)
#
# ### From the command line
#
# ```
# dcgan train --recipe conditional
# dcgan sample conditional --digit 7 -n 100 --output sevens.npy
# ```
#
# `conditional` stands for the published weights; a run folder of your own goes there too. The
# second line is a call of this function:

# %% tags=["nbval-check-output"]
from dcgan_lib import save_samples

save_samples(generator, RUNS / "sevens.npy", count=100, digit=7)
sevens = np.load(RUNS / "sevens.npy")
print(sevens.shape, sevens.dtype)

# %% [markdown]
# Twenty of them. (The evaluator saw 98.4% as sevens, so a bad one now and then is no surprise.)

# %%
plot_images(sevens[:20], columns=10, title="Sevens, as ordered")

# %% [markdown]
# ### What labels do for the quality
#
# We wanted to choose the digit. But the study also says how good the images are:

# %%
compare("conditional", "p=2 k=2")

# %% [markdown]
# (p = 2, k = 2 for comparison: the same players make twice as many moves.) 3.6 instead of 71, a
# twentieth, and so far beyond the limits that neither the seed nor the rough seconds are likely to
# explain it. What could make a label so useful?
#
# *What is sure.* The players know more: 50,000 labels are information that `fast` never had. So
# this is not a better trick for the same task, it is another task with more help. And no digit can
# be left out: the fake images are asked in the shares of the real ones, so a G that avoids eights
# draws wrong digits, and D sees it.
#
# *What is likely.* The task falls apart into ten easier ones. `fast` has to lay ten islands into a
# space of random numbers that has no islands, and what lies on the borders is no digit; the
# conditional G gets the islands given. And D has a direction in its features for each digit, so
# what it teaches is about *this* digit ("close the loop") and not about digits in general.
#
# *What is a guess:* which of these weighs how much. One experiment tells a good deal: keep the ten
# easier tasks, and take the knowledge away.
#
# ### A split that nobody told
#
# The players do not care what a label *means*. It only has to say which images are alike, and that
# can be seen in the images. **k-means** does it. It starts with some points as centres, gives each
# image to the nearest centre, moves each centre to the middle of its images, and repeats the two.
# (An image is a point of 784 numbers. PCA, known from notebook 05, first keeps the 50 directions in
# which images differ most. `MiniBatchKMeans` moves the centres a few images at a time.)

# %%
DIRECTIONS, FEWEST = 50, 10


def find_groups(images: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """Sorts images into groups, so that those of one group are alike: k-means on their pixels."""
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.decomposition import PCA

    if count * FEWEST > len(images):
        raise UserError(
            f"groups={count} is too many for {len(images)} images; accepted: up to "
            f"{len(images) // FEWEST}"
        )
    pixels = images.reshape(len(images), -1).astype(np.float32) / 255
    directions = min(DIRECTIONS, *pixels.shape)
    places = PCA(directions, svd_solver="randomized", random_state=seed).fit_transform(pixels)
    return MiniBatchKMeans(count, random_state=seed, n_init=3).fit_predict(places)


# %% [markdown]
# Two hundred groups; ten images from each of six of them, a group in each row. No label was read.

# %%
images = data.images[allowed]
groups = find_groups(images, 20 if QUICK else 200)
rows = np.concatenate([np.flatnonzero(groups == group)[:10] for group in range(6)])
plot_images(scale(images[rows, ..., np.newaxis]), columns=10, title="One group in each row")

# %% [markdown]
# Are the groups digits in disguise? We look at the labels now, and only now: how many images of a
# group show the digit that is most common in it?

# %%
most = [
    np.bincount(data.labels[allowed][groups == group]).max() for group in range(groups.max() + 1)
]
print(f"{sum(most) / len(groups):.0%} show their group's most common digit")
print("images in a group:", np.bincount(groups).min(), "to", np.bincount(groups).max())

# %% [markdown]
# The recipe `best` is `conditional` for twice as long, with rates that fall; `grouped` is `best`
# with these groups in place of the digits, and nothing else. Groups differ in size, so its
# generator remembers what share of the images each has: who asks for no group gets them in these
# shares. Each published generator with the score that its card gives, on MNIST's test images:

# %%
for name in ("fast", "grouped", "best"):
    card = model_card(name)
    scored = card["scores"]["quality"]["generator"]
    print(
        f"{name:12}{card['recipe']['steps']:5} steps   distance "
        f"{scored['frechet_distance']:5.1f}   coverage {scored['coverage']:.2f}"
    )

# %% [markdown]
# What `grouped` draws:

# %%
grouped = load_pretrained("grouped")
plot_images(paint(grouped, sample_latent(40, seed=3)), columns=10, title="grouped: no label seen")

# %% [markdown]
# Nearly the quality of `best`, which was told 50,000 labels, from images alone. So most of what the
# labels gave was not the *name* of the digit: *labels help because they split the problem, and a
# split can be found.* What they still give is the choice. A group can be asked for
# (`dcgan sample grouped --label 7`), but nobody knows beforehand what it shows.
#
# ## 9 · Verdicts
#
# Everything in one picture: how far to the left of 1, after equal steps and in equal time. The
# order is that of equal time.

# %%
order = sorted(study.settings, key=lambda name: ratios(name)[1].mean())
figure, axis = plt.subplots(figsize=(8, 6.5), layout="constrained")
for i, (label, colour) in enumerate((("after equal steps", "tab:orange"), ("in equal time", "k"))):
    for row, name in enumerate(order):
        values = ratios(name)[i]
        style = {"color": colour, "alpha": 0.8, "label": label if row == 0 else None}
        axis.plot(values, [row + 0.3 * i - 0.15] * len(values), "o", markersize=5, **style)
axis.set_xscale("log", base=2)
axis.xaxis.set_major_formatter("{x:g}")
axis.axvspan(0.5, 2, color="grey", alpha=0.15)
axis.axvline(1, color="black", linewidth=0.8)
axis.set_yticks(range(len(order)), order)
axis.set(xlabel="Fréchet distance / that of fast (left is better)", title="All tricks, every seed")
axis.invert_yaxis()
axis.grid(alpha=0.25)
axis.legend()
plt.show()

# %% [markdown]
# In the grey band we call nothing a difference. The black point of every trick lies to the right of
# its orange one: what takes longer than `fast` is stopped earlier, and every trick was measured as
# taking longer, rightly or not. What a step costs:

# %%
costs = {name: milliseconds(name) for name in study.settings}
order = sorted(costs, key=costs.get)
figure, axis = plt.subplots(figsize=(8, 5.5), layout="constrained")
colours = ["black" if name == "fast" else "tab:blue" for name in order]
axis.barh(order, [costs[name] for name in order], color=colours)
axis.axvline(costs["fast"], color="black", linewidth=0.8, linestyle=":")
axis.set(xlabel="milliseconds a step, on one core", title="The price")
plt.show()

# %% [markdown]
# All bars up to 112 milliseconds are one group: most of these steps do the work of `fast`, give or
# take very little, and their order is chance. (Even p = 1, k = 2 is among them, with one move
# more.) A price shows only where there are more moves, or a penalty.
#
# And the table: what each changes in the step, what a step costs in steps of `fast` (below 1.6 that
# says nothing), and the verdict by the rule of section 1. The other p and k are in section 2.

# %%
changed = {
    "p=2 k=1": "D moves more often",
    "p=1 k=2": "G moves more often",
    "p=2 k=2": "both move more often",
    "one-sided smoothing 0.1": "label of real images: 0.9",
    "two-sided smoothing 0.1": "labels 0.9 and 0.1",
    "noise 0.05": "noise on D's real images",
    "noise 0.2": "more of it",
    "cosine rates": "both rates fall",
    "exponential rates": "both fall, early",
    "equal rates 1.6e-3": "G as slow as D",
    "equal rates 4e-3": "D as quick as G",
    "rates turned round": "D quick, G slow",
    "no averaging": "draws from G itself",
    "hinge": "both losses",
    "spectral": "hinge; D's kernels divided",
    "wgan_gp": "loss, penalty, p=3, rates",
    "conditional": "both are told the label",
}

# %% [markdown]
# ("same" stands for no clear difference; the number in brackets is the mean ratio.)

# %%
print(f"{'trick':25}{'what changes':27}{'cost':>5}   {'equal steps':17}in equal time")
for name, what in changed.items():
    words = [f"{in_words(r)} ({r.mean():.2f})" for r in ratios(name)]
    words = [word.replace("no clear difference", "same") for word in words]
    cost = costs[name] / costs["fast"]
    print(f"{name:25}{what:27}{cost:5.1f}   {words[0]:17}{words[1]}")

# %% [markdown]
# How to read the table:
#
# - *Better in both columns*: a trick worth having, *here*. Only `conditional`, which has more to go
#   by.
# - *Better after equal steps only*: p = k = 2. More moves, more training; in the time of `fast`
#   they bring nothing that `fast` does not.
# - *Same*: this study cannot see a difference. It does not say that a trick does nothing. That is
#   most of the table: smoothing, noise, hinge, the rates, and one more move of D or of G alone.
# - *Worse in equal time only*: exponential rates, two of the pairs of rates, no averaging. Their
#   steps do the work of `fast` or less, so their price is a fault of the clock, and the first
#   column counts: same.
# - *Worse in both*: `spectral` and `wgan_gp`. That is no verdict on their papers: there they were
#   made for other networks, other losses, other troubles, and were tuned together with their rates.
#
# What stays true whatever the numbers say: measure with one evaluator that nobody trains; count the
# price; fix the rule before you look; change one thing at a time; and run more seeds than one.
#
# To make the study yourself (half an hour to an hour on two cores): the command in section 1, in a
# copy of the project. To try a trick by hand:
# `dcgan train --recipe fast --real-label-smoothing 0.1`, and so on for every setting.
#
# ## Exercises
#
# Each has a cell for your answer, with a check that tells you if it is right. The solutions are
# folded below; open them when you have tried.
#
# ### 1 · Count the moves
#
# A recipe has p = 3, k = 2 and batches of 64, and trains for 600 steps on 50,000 images. How many
# moves does G make in all? How many real images are taken from the data? (An image that comes back
# in a later step counts again; the batch that all moves of one step share counts once.) How many
# images does G draw for it all?


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 1 (run it, no need to read)
def check_moves(moves_of_g, real_images, drawn_images):
    if ... in (moves_of_g, real_images, drawn_images):
        print("Not yet: replace all three ... by numbers.")
    elif moves_of_g != 1200:
        print("Not yet. G's moves: so many in a step, and so many steps.")
    elif real_images == 600 * 3 * 64:
        print("Not yet: the three moves of D within a step see the same batch of real images.")
    elif real_images != 600 * 64:
        print("Not yet. Real images: a step takes one batch of them.")
    elif drawn_images != 600 * 5 * 64:
        print("Not yet. Drawn images: each move, of D and of G, has a batch of new ones.")
    else:
        print("Right: 1,200 moves, 38,400 real and 192,000 drawn images.")


# %% [markdown]
# Your answer, and the check:

# %% tags=["nbval-check-output"]
moves_of_g, real_looked_at, drawn_in_all = ..., ..., ...  # your answer
check_moves(moves_of_g, real_looked_at, drawn_in_all)

# %% [markdown]
# *Solution, folded:*

# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 1
check_moves(600 * 2, 600 * 64, 600 * (3 + 2) * 64)

# %% [markdown]
# ### 2 · Another penalty
#
# `slope_penalty` pulls the slope to 1, at mixed images. Mescheder et al. (2018) found that
# something plainer does as well, and also with cross-entropy: pull it to 0, at *real* images only.
# Their penalty, called R1, is half the mean of the squared slope. Write it. `slope_penalty` in
# section 7 has all that you need (and no square root is needed this time).


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 2 (run it, no need to read)
def check_penalty(penalty):
    critic = keras.Sequential([keras.Input((2, 2, 1)), layers.Flatten(), layers.Dense(1)])
    critic.layers[-1].set_weights([np.float32([[3], [0], [4], [0]]), np.zeros(1)])
    value = penalty(critic, tf.zeros((5, 2, 2, 1)))
    if value is ...:
        print("Not yet: replace the ... by your code.")
    elif np.ndim(value):
        print("Not yet: a penalty is one number. Take the mean over the batch.")
    elif abs(float(value) - 12.5) < 1e-3:
        print("Right: a critic of slope 5 everywhere pays 5² / 2 = 12.5.")
    elif abs(float(value) - 62.5) < 1e-3:
        print("Not yet: that is the sum over the five images. The mean is asked.")
    elif abs(float(value) - 25) < 1e-3:
        print("Not yet: that is the mean of the squares. Half of it is asked.")
    else:
        print(f"Not yet: for a critic of slope 5 it should be 12.5, not {float(value):.2f}.")


# %% [markdown]
# Your answer, and the check:


# %% tags=["nbval-check-output"]
def my_penalty(discriminator, images):
    return ...  # your answer


check_penalty(my_penalty)

# %% [markdown]
# *Solution, folded:*


# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 2
def solved_penalty(discriminator, images):
    with tf.GradientTape() as tape:
        tape.watch(images)
        output = tf.reduce_sum(discriminator(images, training=True))
    squares = tf.reduce_sum(tf.square(tape.gradient(output, images)), axis=(1, 2, 3))
    return tf.reduce_mean(squares) / 2


check_penalty(solved_penalty)

# %% [markdown]
# ### 3 · A number in one hand
#
# Let the published generator write 20260914, all digits in *one* handwriting. What must go into
# `generator`? The function gets the number as a text and one latent vector of shape (1,
# 100), and returns G's two inputs: a latent vector for each digit, and the labels.


# %% cellView="form" jupyter={"source_hidden": true} tags=["check"]
# @title The check of exercise 3 (run it, no need to read)
def check_number(write):
    z = sample_latent(1, 100, seed=8)
    found = write("20260914", z)
    if found is ...:
        print("Not yet: replace the ... by your code.")
        return
    latent, labels = (np.asarray(part) for part in found)
    if latent.shape != (8, 100):
        print(f"Not yet: the latent vectors have the shape {latent.shape}; needed: (8, 100).")
    elif not np.array_equal(latent, z.repeat(8, axis=0)):
        print("Not yet: one handwriting means the same latent vector for each digit.")
    elif labels.shape != (8, 10):
        print(f"Not yet: the labels have the shape {labels.shape}; needed: one-hot, (8, 10).")
    elif labels.argmax(axis=1).tolist() != [2, 0, 2, 6, 0, 9, 1, 4]:
        print("Not yet: these labels say", labels.argmax(axis=1).tolist())
    else:
        print("Right: one vector, eight labels.")


# %% [markdown]
# Your answer, and the check:


# %% tags=["nbval-check-output"]
def my_number(text, z):
    return ...  # your answer


check_number(my_number)

# %% [markdown]
# *Solution, folded:*


# %% cellView="form" jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
# @title Solution of exercise 3
def solved_number(text, z):
    digits = np.array([int(character) for character in text])
    return generator_input(generator, z.repeat(len(digits), axis=0), digits)


check_number(solved_number)

# %% [markdown]
# Written by the solution, in three hands:

# %%
hands = [solved_number("20260914", sample_latent(1, 100, seed)) for seed in (8, 15, 23)]
written = np.concatenate([generator(hand, training=False) for hand in hands])
plot_images(written, columns=8)

# %% [markdown]
# ## What you did
#
# - You saw what each of the well-known tricks changes in a training step, and why it might help.
# - You compared them all with one evaluator: quality after equal steps, and in equal time.
# - You drew five losses as functions of what D says, and saw where their slopes vanish.
# - You measured how steep a critic is, and tamed it in two ways: by a penalty, by dividing its
#   weights.
# - You built two players who are told the digit, and trained them yourself.
# - You chose the digit, blended two digits, and tested that no ten prototypes were hiding behind
#   it.
# - You saw that groups which nobody named do nearly the work of labels.
#
# **Next:** [notebook 10](10_other_datasets.ipynb) leaves MNIST: clothes, your own images, colours.
