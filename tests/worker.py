"""Runs `dcgan train` with SGD, as a worker if TF_CONFIG says so, and saves the last weights.

    python worker.py WEIGHTS OPTIONS_OF_TRAIN ...

SGD, because Adam would hide a gradient of the wrong size. At ten times this rate, what rounding
does at the corner of a ReLU grows to 0.07 within 15 steps.
"""

import sys

import numpy as np

import dcgan_lib

dcgan_lib.import_tensorflow()

import keras  # noqa: E402

from dcgan_lib import building, cli, training  # noqa: E402

path = sys.argv[1]
building.build_optimizer = lambda *_: keras.optimizers.SGD(0.01)
play = training.play


def play_and_save(gan, *others):
    play(gan, *others)
    np.savez(path, *[w.numpy() for w in (*gan.generator.weights, *gan.discriminator.weights)])


training.play = play_and_save
sys.exit(cli.main(["train", *sys.argv[2:]]))
