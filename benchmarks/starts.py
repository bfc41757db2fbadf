"""What share of starts dies: a recipe's first steps from many seeds, one line each.

python benchmarks/starts.py --recipe fast --data mnist --images 500 --seeds 0 50
python benchmarks/starts.py --images 500 --stddev --output-scale 0.5

A start is dead if all its samples are alike, or like no real image: if they spread less than a
tenth as far as real images, or if their Fréchet distance is above 400 and above four times the
median of all seeds. (300 steps are early: a start that lives has 100 to 300.)
"""

from __future__ import annotations

import argparse
import statistics

import dcgan_lib

dcgan_lib.import_tensorflow()

import keras
import numpy as np
import tensorflow as tf
from common import build_game, value
from keras import layers

from dcgan_lib.data import load_training_set, scale, training_batches
from dcgan_lib.measuring.report import draw_images
from dcgan_lib.recipes import RECIPES, Recipe

SAMPLES = 2000
ALIKE, FAR = 0.1, 400.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", default="fast", choices=RECIPES)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--images", type=int, help="use only the first N")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seeds", type=int, nargs=2, default=(0, 20), metavar=("FIRST", "END"))
    parser.add_argument("--output-scale", type=float, default=1.0, help="s in G's tanh(s x)")
    parser.add_argument("--stddev", action="store_true", help="tell D how far a batch differs")
    parser.add_argument("settings", nargs="*", help="of the recipe, as beta_2=0.99")
    given = parser.parse_args()
    settings = {name: value(word) for name, word in (item.split("=") for item in given.settings)}
    recipe = RECIPES[given.recipe].replace(**settings)
    training_set = load_training_set(recipe, given.data, given.images)
    pictures = training_set.held_out if len(training_set.held_out) >= SAMPLES else None
    real = scale(training_set.images if pictures is None else pictures)[:SAMPLES]
    evaluator = dcgan_lib.Evaluator()
    features, _ = evaluator(real)
    found = {}
    for seed in range(*given.seeds):
        seeded = recipe.replace(seed=seed)
        gan = build_game(seeded, len(training_set.images))
        change(gan, given.output_scale, given.stddev)
        fake = start(gan, seeded, training_set, given.steps)
        distance = dcgan_lib.frechet_distance(features, evaluator(fake)[0])
        found[seed] = distance, float(fake.std(axis=0).mean() / real.std(axis=0).mean())
        print(f"seed {seed}: distance {distance:.1f}, spread {found[seed][1]:.3f}", flush=True)
    far = max(FAR, 4 * statistics.median(distance for distance, _ in found.values()))
    dead = [seed for seed, (distance, spread) in found.items() if distance > far or spread < ALIKE]
    print(f"dead: {len(dead)} of {len(found)}: {dead}")


def change(gan: dcgan_lib.DCGAN, output_scale: float, stddev: bool) -> None:
    """Gives the players what may keep a start alive and is no setting of a recipe."""
    if output_scale != 1.0:
        for network in (gan.generator, gan.sampler):
            network.layers[-1].activation = lambda x: tf.tanh(output_scale * x)
    if stddev:
        gan.discriminator = with_stddev(gan.discriminator)
        d_optimizer = gan.d_optimizer.from_config(gan.d_optimizer.get_config())
        gan.compile(gan.g_optimizer, d_optimizer, gan.gan_loss)


def with_stddev(discriminator: keras.Model) -> keras.Model:
    """Shows the verdict how far the images of a batch differ, before any BatchNorm.

    Source: Karras et al., "Progressive Growing of GANs" (2018), section 3.
    """
    *body, _ = discriminator.layers
    x = inputs = keras.Input(discriminator.input_shape[1:])
    for layer in body:
        x = layer(x)
        if isinstance(layer, layers.Conv2D):
            seen = x
    x = layers.Concatenate()([x, layers.Lambda(batch_stddev)(seen)])
    return keras.Model(inputs, layers.Dense(1)(x))


def batch_stddev(x: tf.Tensor) -> tf.Tensor:
    """The standard deviation over a batch, averaged: one number, for each image the same."""
    mean = tf.reduce_mean(tf.sqrt(tf.math.reduce_variance(x, axis=0) + 1e-8))
    return tf.fill((tf.shape(x)[0], 1), mean)


def start(
    gan: dcgan_lib.DCGAN, recipe: Recipe, training_set: dcgan_lib.TrainingSet, steps: int
) -> np.ndarray:
    """Plays the first steps and returns samples of the averaged generator."""
    images, labels = training_set.images, training_set.labels
    batches = training_batches(images, recipe.batch_size, recipe.seed, labels=labels)
    gan.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0)
    return draw_images(gan.sampler, SAMPLES, seed=77)


if __name__ == "__main__":
    main()
