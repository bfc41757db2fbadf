"""Trains recipes on one device and on two, with SGD, and prints how far the results differ.

    python two_devices.py NAME ... [stopped]

`stopped` is a run on two devices that a callback stops.

Needs a process of its own: the processor is divided in two before TensorFlow starts.
"""

import json
import sys
import tempfile

import keras
import tensorflow as tf

processor = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)

import numpy as np  # noqa: E402
from helpers import arrays, make_sgd_gan, tiny  # noqa: E402

from dcgan_lib import train_dcgan_mnist, training_batches  # noqa: E402
from dcgan_lib.distributed.replicas import replicate  # noqa: E402
from dcgan_lib.distributed.team import connect  # noqa: E402
from dcgan_lib.gan import state_variables  # noqa: E402
from dcgan_lib.latent import one_hot  # noqa: E402

STEPS = 6
IMAGES = np.random.default_rng(0).integers(0, 256, (56, 28, 28), dtype=np.uint8)


def trained(gan, recipe):
    labels = one_hot(np.arange(len(IMAGES)) % 10) if recipe.conditional else None
    batches = training_batches(IMAGES, recipe.batch_size, recipe.seed, labels=labels)
    gan.fit(
        batches, initial_epoch=0, epochs=3, steps_per_epoch=STEPS // 3, shuffle=False, verbose=0
    )
    return gan


def difference(recipe) -> dict[str, float]:
    # Gradients jump where a ReLU or the hinge has its corner. At this rate such a jump, which any
    # rounding may set off, stays far below what a wrong gradient does.
    begin, one = make_sgd_gan(recipe, 0.01), trained(make_sgd_gan(recipe, 0.01), recipe)
    two = trained(replicate(begin, connect(2)), recipe)
    states = [arrays(state_variables(gan)) for gan in (one, two)]
    weights = [
        gan.generator.trainable_weights + gan.discriminator.trainable_weights
        for gan in (begin, one)
    ]
    moved = largest(*map(arrays, weights))
    return {"moved": moved, "apart": largest(*states), "step": int(two.step.numpy())}


def stopped(at: int = 3) -> dict[str, object]:
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = int(self.model.step.numpy()) >= at

    with tempfile.TemporaryDirectory() as folder:
        options = {"devices": 2, "max_images": 64, "callbacks": Stop(), "verbose": False}
        run = train_dcgan_mnist(tiny(steps=9, batch_size=8), folder, "shapes", **options)
        numbers = json.loads((run.folder / "metrics.json").read_text())
        return {name: numbers[name] for name in ("steps", "stopped")}


def largest(first, second) -> float:
    """The largest difference between two lists of arrays; NaN if there is one."""
    return float(np.max([np.abs(a - b).max() for a, b in zip(first, second, strict=True)]))


tf.config.experimental.enable_op_determinism()
# 56 images in batches of 32: the second batch of each epoch is a smaller one.
OTHERS = {
    "labelled_wgan_gp": tiny("wgan_gp", conditional=True, d_steps=1),
    "augmented": tiny(augmentations=("shift", "turn", "cutout")),
}
names = [name for name in sys.argv[1:] if name != "stopped"]
results = {name: difference(OTHERS[name] if name in OTHERS else tiny(name)) for name in names}
print(json.dumps(results | ({"stopped": stopped()} if "stopped" in sys.argv else {})))
