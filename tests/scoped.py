"""Builds and fits a game inside the scope of a strategy of two devices; prints what it is told."""

import sys

import tensorflow as tf

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)

from helpers import tiny  # noqa: E402

from dcgan_lib import DCGAN, UserError, build_discriminator, build_generator  # noqa: E402

strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
players = build_generator(tiny()), build_discriminator(tiny())
try:
    with strategy.scope():
        DCGAN(*players)
except UserError as error:
    print("built:", error)
gan = DCGAN(*players)
gan.compile("adam", "adam")
try:
    with strategy.scope():
        gan.fit(tf.zeros((8, 28, 28, 1)), verbose=0)
except UserError as error:
    print("fitted:", error)
sys.exit(0)
