"""What `dcgan recipes` prints: what each recipe is for, how long it takes, what is in it."""

from __future__ import annotations

from dcgan_lib.recipes import FAST, RECIPES, Recipe
from dcgan_lib.runs.words import duration

MNIST_IMAGES = 50_000  # that are trained on; 10,000 are held out

ABOUT = {  # what for; milliseconds a step: benchmarks/scoreboard/pace.json (a test compares)
    "fast": ("good digits in a minute", 29.1),
    "tutorial": ("TensorFlow's own DCGAN tutorial", 420.64),
    "smooth": ("softened labels, noisy real images", 290.0),
    "balanced": ("a generator that moves more", 284.81),
    "schedule": ("long GPU run, falling rates", 526.98),
    "keras": ("the style of Keras's examples", 52.29),
    "vanilla": ("the GAN before convolutions", 24.5),
    "hinge": ("comparing the hinge loss", 39.14),
    "spectral": ("trying spectral normalization, hinge loss", 42.76),
    "wgan_gp": ("Wasserstein loss, gradient penalty", 97.71),
    "conditional": ("choosing the digit to draw", 44.35),
    "grouped": ("nearly the best, without labels", 38.79),
    "explorer": ("small enough for web pages", 40.73),
    "best": ("the best digits we found", 45.9),
}

NOTES = """
p and k of the papers are d_steps and g_steps here: how often D and G move in each batch.
Times were measured on two CPU cores without a GPU, from MNIST and without the pictures;
`dcgan doctor` measures this computer. All values: `dcgan train --help-all`."""


def recipe_list() -> str:
    """Returns two lines on each recipe, and what the words in them mean."""
    width = max(map(len, RECIPES))
    purpose = max(len(what) for what, _ in ABOUT.values())
    lines = []
    for name, recipe in RECIPES.items():
        what, milliseconds = ABOUT[name]
        length = f"{recipe.steps} steps" if recipe.steps else f"{recipe.epochs} epochs"
        time = duration(recipe.total_steps(MNIST_IMAGES) * milliseconds / 1000)
        lines.append(f"{name:<{width}}  {what:<{purpose}}  {length:<10}  about {time}")
        lines.append(f"{'':<{width}}  {networks(recipe)}")
        lines.append(f"{'':<{width}}  {game(recipe)}")
    return "\n".join([*lines, NOTES])


def networks(recipe: Recipe) -> str:
    """Says how wide the layers are, from input to output."""
    dense = [str(recipe.generator_hidden)] * recipe.generator_hidden_layers
    before = f"dense {' '.join(dense)}, " if recipe.generator_hidden else ""
    after = f", dense {recipe.discriminator_hidden}" if recipe.discriminator_hidden else ""
    if recipe.architecture == "dense":
        before, after = "dense ", ""
    g, d = ("-".join(map(str, w)) for w in (recipe.generator_widths, recipe.discriminator_widths))
    return f"G {before}{g}; D {'dense ' if recipe.architecture == 'dense' else ''}{d}{after}"


def game(recipe: Recipe) -> str:
    """Says how a recipe plays, where it differs from what is most common."""
    notes = {
        f"batch {recipe.batch_size}": True,
        f"rates {recipe.g_learning_rate:g} and {recipe.d_learning_rate:g}": True,
        f"d_steps={recipe.d_steps} g_steps={recipe.g_steps}": recipe.g_steps + recipe.d_steps > 2,
        "both at once": recipe.simultaneous is not False,
        "label smoothing": recipe.real_label_smoothing,
        "averaged weights": recipe.ema_decay,
        f"{recipe.loss} loss": recipe.loss != FAST.loss,
        "gradient penalty": recipe.gradient_penalty,
        "spectral normalization": recipe.spectral_norm,
        "labels": recipe.conditional and not recipe.groups,
        f"{recipe.groups} groups": recipe.groups,
        f"dropout {recipe.dropout}": recipe.dropout,
        "falling rates": recipe.g_schedule != "constant",
    }
    return ", ".join(note for note, true in notes.items() if true)
