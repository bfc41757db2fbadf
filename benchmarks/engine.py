"""The library's training step against a plain loop of the usual kind: one process, by turns.

    python benchmarks/engine.py             measures, and writes the README's sentences
    python benchmarks/engine.py --rounds 30

Network, batch size and precision are those of the recipe `tutorial`. Each round times every
contender for a few steps, one after the other, so that whatever else the machine does falls on
all of them; what counts is the median of the rounds' ratios. `fit` is the library as users run it:
its own data stream, `keras.Model.fit`, the metrics and the watch for NaN; `step` is its bare
training step.

Before each timing a contender takes one step that is not timed. Samples, measuring and checkpoints
are left out, and so is op determinism, which a training switches on and a plain loop does not.

Rule for counting: two operations for each multiplication and addition of a Dense or convolution
kernel, padding counted like pixels; forward once; backward once for each gradient that the two
losses need (kernels, and inputs wherever something that learns lies below). BatchNorm,
activations, Dropout, Adam, random numbers and data are left out. A form that needs fewer
operations is still credited with these, so that shares compare times and nothing else.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dcgan_lib

dcgan_lib.import_tensorflow()

import keras
import numpy as np
import readme
import tensorflow as tf
from common import Clock, build_game, machine, now, since, stopwatch
from keras import layers

from dcgan_lib.building import layer_precision
from dcgan_lib.data import load_images, scale, training_batches
from dcgan_lib.measuring.divergence import StopOnNonFinite
from dcgan_lib.recipes import RECIPES
from dcgan_lib.runs.folder import versions

TABLE = Path(__file__).with_name("engine.json")
RECIPE = RECIPES["tutorial"]
PRECISIONS = ("float32", "mixed_bfloat16")
STEPS = 2  # of each contender in a round
SIDE = 2048  # of the matrices whose product is the measure of the peak


# --- the plain loop. A yardstick: it stays as it is.


def plain_networks() -> tuple[keras.Model, keras.Model]:
    """The two networks of the tutorial, layer by layer."""
    generator = keras.Sequential(
        [
            keras.Input((100,)),
            layers.Dense(7 * 7 * 256, use_bias=False),
            layers.BatchNormalization(),
            layers.LeakyReLU(0.3),
            layers.Reshape((7, 7, 256)),
            layers.Conv2DTranspose(128, 5, strides=1, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.LeakyReLU(0.3),
            layers.Conv2DTranspose(64, 5, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.LeakyReLU(0.3),
            layers.Conv2DTranspose(1, 5, strides=2, padding="same", use_bias=False),
            layers.Activation("tanh", dtype="float32"),
        ]
    )
    discriminator = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(64, 5, strides=2, padding="same"),
            layers.LeakyReLU(0.3),
            layers.Dropout(0.3),
            layers.Conv2D(128, 5, strides=2, padding="same"),
            layers.LeakyReLU(0.3),
            layers.Dropout(0.3),
            layers.Flatten(),
            layers.Dense(1, dtype="float32"),
        ]
    )
    return generator, discriminator


def plain_loop(images: np.ndarray, batch_size: int = 256) -> Callable[[], None]:
    """Returns what trains on the next batch, as a loop without a library does."""
    generator, discriminator = plain_networks()
    g_optimizer, d_optimizer = keras.optimizers.Adam(1e-4), keras.optimizers.Adam(1e-4)
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    batches = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images)).repeat()
    batches = iter(batches.batch(batch_size))

    @tf.function
    def train_step(real_images):
        noise = tf.random.normal((batch_size, 100))
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            fake_images = generator(noise, training=True)
            real_output = discriminator(real_images, training=True)
            fake_output = discriminator(fake_images, training=True)
            g_loss = cross_entropy(tf.ones_like(fake_output), fake_output)
            d_loss = cross_entropy(tf.ones_like(real_output), real_output)
            d_loss += cross_entropy(tf.zeros_like(fake_output), fake_output)
        g_variables, d_variables = generator.trainable_variables, discriminator.trainable_variables
        g_gradients = g_tape.gradient(g_loss, g_variables)
        d_gradients = d_tape.gradient(d_loss, d_variables)
        g_optimizer.apply_gradients(zip(g_gradients, g_variables, strict=True))
        d_optimizer.apply_gradients(zip(d_gradients, d_variables, strict=True))

    return lambda: train_step(next(batches))


# --- the contenders: each trains for some steps and returns (seconds, processor seconds)


def repeated(act: Callable[[], Any]) -> Callable[[], Clock]:
    """Returns what times STEPS calls of `act`, after one that brings it back into the caches."""

    def timed() -> Clock:
        act()
        begin = now()
        for _ in range(STEPS):
            act()
        return since(begin)

    timed()
    return timed


def fitted(gan: dcgan_lib.DCGAN, images: np.ndarray) -> Callable[[], Clock]:
    """Returns what times STEPS steps of the library, as users run them."""
    batches, watch = training_batches(images, RECIPE.batch_size), stopwatch()

    def timed() -> Clock:
        callbacks = [StopOnNonFinite(), watch]
        gan.fit(batches, steps_per_epoch=STEPS + 1, shuffle=False, verbose=0, callbacks=callbacks)
        return watch.clock

    timed()
    return timed


def contenders(images: np.ndarray) -> Iterator[tuple[str, Callable[[], Clock]]]:
    real = scale(images)
    for precision in PRECISIONS:
        with layer_precision(precision):
            yield f"plain {precision}", repeated(plain_loop(real, RECIPE.batch_size))
        gan = build_game(RECIPE.replace(precision=precision), len(images))
        step, batch = tf.function(gan.train_step), tf.constant(real[: RECIPE.batch_size])
        yield f"fit {precision}", fitted(gan, images)
        yield f"step {precision}", repeated(lambda step=step, batch=batch: step(batch))
        matrix = tf.cast(tf.random.normal((SIDE, SIDE)), precision.removeprefix("mixed_"))
        product = tf.function(lambda matrix=matrix: tf.linalg.matmul(matrix, matrix))
        yield f"product {precision}", repeated(product)


# --- counting


def multiply_adds(layer: layers.Layer) -> int:
    """Of one image's way forward through a Dense or convolution layer; of others 0."""
    if isinstance(layer, layers.Conv2DTranspose):
        return math.prod(layer.kernel.shape) * math.prod(layer.input.shape[1:3])
    if isinstance(layer, layers.Conv2D):
        return math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:3])
    return math.prod(layer.kernel.shape) if isinstance(layer, layers.Dense) else 0


def operations_per_image(generator: keras.Model, discriminator: keras.Model) -> int:
    """Of a step in which both players learn from one forward pass, by the rule above."""
    g, d = ([n for n in map(multiply_adds, net.layers) if n] for net in (generator, discriminator))
    forward = sum(g) + 2 * sum(d)
    d_backward = 2 * (sum(d) + sum(d[1:]))  # kernels and inputs, on real and on fake images
    g_backward = sum(d) + sum(g) + sum(g[1:])  # D's inputs on fake images; G's kernels and inputs
    return 2 * (forward + d_backward + g_backward)


# --- rounds, table


def measure(rounds: int) -> dict[str, Any]:
    tf.get_logger().setLevel("ERROR")  # the watch for NaN is traced again in each call of fit
    racers = dict(contenders(load_images("mnist", "train").images))
    clocks = {name: [] for name in racers}
    for _ in range(rounds):
        for name, timed in racers.items():
            clocks[name].append(timed())
    operations = operations_per_image(*plain_networks())
    return {
        "recipe": RECIPE.name,
        "batch_size": RECIPE.batch_size,
        "rounds": rounds,
        "steps_a_round": STEPS,
        "operations_per_image": operations,
        "versions": versions(),
        "machine": machine(),
        "contenders": {name: summary(name, clocks, operations) for name in racers},
    }


def summary(name: str, clocks: dict[str, list[Clock]], operations: int) -> dict[str, Any]:
    """One contender's numbers; ratios above 1 are in its favour."""
    kind, precision = name.split()
    if kind == "product":
        work = 2 * SIDE**3 * STEPS
        return {"gigaflops": round(work / 1e9 / middle(t for t, _ in clocks[name]), 1)}
    images = RECIPE.batch_size * STEPS
    peaks = clocks[f"product {precision}"]
    work = images * operations / (2 * SIDE**3 * STEPS)  # in products of the two matrices
    return {
        "images_per_second": round(images / middle(t for t, _ in clocks[name]), 1),
        "of_plain_float32": ratio(clocks["plain float32"], clocks[name], 0),
        "of_plain_same_precision": ratio(clocks[f"plain {precision}"], clocks[name], 0),
        "of_plain_same_precision_in_processor_time": ratio(
            clocks[f"plain {precision}"], clocks[name], 1
        ),
        "share_of_peak": round(work * ratio(peaks, clocks[name], 0, digits=9), 3),
    }


def ratio(theirs: list[Clock], ours: list[Clock], which: int, digits: int = 3) -> float:
    """The median over the rounds of their time (0: seconds, 1: the processor's) over ours."""
    pairs = zip(theirs, ours, strict=True)
    return round(middle(a[which] / b[which] for a, b in pairs), digits)


def middle(values: Iterator[float]) -> float:
    return statistics.median(list(values))


def print_table(result: dict[str, Any]) -> None:
    rows = {k: v for k, v in result["contenders"].items() if "share_of_peak" in v}
    columns = list(next(iter(rows.values())))
    print("| |", " | ".join(column.replace("_", " ") for column in columns), "|")
    print("|---|" + "---|" * len(columns))
    for name, row in rows.items():
        print(f"| {name} |", " | ".join(f"{row[column]:g}" for column in columns), "|")
    for name, row in result["contenders"].items():
        if "gigaflops" in row:
            print(f"{name} of two {SIDE} x {SIDE} matrices: {row['gigaflops']:g} GFLOP/s")
    print(f"operations per image: {result['operations_per_image'] / 1e6:.1f} million")


def sentences(result: dict[str, Any]) -> str:
    """What the README says of it."""
    rows, million = result["contenders"], result["operations_per_image"] / 1e6
    cores, instructions = result["machine"]["cores"], result["machine"]["instructions"]
    plain, full, half = rows["plain float32"], rows["fit float32"], rows["fit mixed_bfloat16"]
    lines = [
        f"On {cores} processor cores (instructions: {instructions}) the recipe `tutorial`, batches",
        f"of {result['batch_size']}, through `keras.Model.fit`, with its data stream and the watch",
        "for NaN, does",
        f"**{full['of_plain_same_precision']:.2f} times** as many images a second as a plain loop",
        "with two gradient tapes on the same network, both in float32. In mixed bfloat16 (layers",
        "compute in 16 bits, weights stay in 32) it does",
        f"{half['of_plain_same_precision']:.2f} times as many as that loop in the same precision,",
        f"and {half['of_plain_float32']:.2f} times as many as that loop does in float32. By a",
        f"count of {million:.0f} million operations an image, the plain loop reaches",
        f"{plain['share_of_peak']:.0%} of the speed of a large matrix product, the library",
        f"{full['share_of_peak']:.0%}: one of its layers needs fewer operations than are counted.",
    ]
    return "\n".join(lines).replace("%", " %")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=12, help="default 12")
    result = measure(parser.parse_args().rounds)
    TABLE.write_text(json.dumps(result, indent=1) + "\n")
    print_table(result)
    readme.put("engine", sentences(result))


if __name__ == "__main__":
    main()
