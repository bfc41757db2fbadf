"""A DCGAN on MNIST, step by step: the thin library behind the notebooks.

`import dcgan_lib` is fast: TensorFlow is loaded when a name that needs it is first used.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "errors": "UserError",
    "recipes": "FAST RECIPES Recipe get_recipe",
    "datasets": "load_images",
    "datasets.groups": "find_groups",
    "datasets.ranges": "as_pixels",
    "datasets.shapes": "SHAPES",
    "data": "TrainingSet check_batch_size endless hold_out_indices load_training_set scale unscale "
    "training_batches with_channels",
    "networks": "MNIST_SHAPE ImageShape MinibatchStddev add_norm_and_activation "
    "add_norm_leak_dropout add_verdict build_dense_discriminator build_dense_generator "
    "build_discriminator build_generator",
    "losses": "BinaryCrossentropyLoss GANLoss HingeLoss SaturatingLoss WassersteinLoss",
    "gan": "DCGAN apply_gradients untouched",
    "latent": "CLASSES generator_input interpolate latent_dim_of latent_grid neighbours one_hot "
    "principal_directions rescale sample_latent takes_groups takes_labels tour usual_labels",
    "plots": "image_grid make_gif plot_images plot_losses read_log",
    "callbacks": "GenerateSamplesCallback",
    "building": "build_gan build_networks build_optimizer",
    "training": "play train_dcgan_mnist",
    "beyond.conditional": "ConditionalDCGAN",
    "beyond.inversion": "find_latent",
    "beyond.variants": "GradientPenalty SpectralDense as_list mixing_shares slope_penalty "
    "with_pooling",
    "beyond.ring": "CURED SICK build_ring_gan dirac_path nearest_centre plot_ring ring_score "
    "sample_ring train_ring",
    "engine.quiet": "import_tensorflow",
    "measuring.evaluator": "Evaluator",
    "measuring.health": "HealthMonitor plot_health read_health",
    "measuring.metrics": "blurred check_features class_balance copied_share frechet_distance "
    "kernel_distance noise_like precision_recall_density_coverage",
    "measuring.quality": "QualityCallback",
    "measuring.starts": "StartGuard signs_of",
    "measuring.report": "evaluate report_table",
    "runs.loading": "load_generator load_run",
    "runs.pictures": "plot_quality",
    "runs.samples": "save_samples",
    "shelf.pretrained": "EXPLORER_PAGE load_pretrained model_card",
    "shelf.studies": "load_study",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}
_LIGHT = ("errors", "recipes", "data", "latent", "plots", "engine.quiet", "shelf.studies")

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'dcgan_lib' has no attribute {name!r}")
    home = _HOME_OF[name]
    if not home.startswith(_LIGHT):  # the others need TensorFlow
        importlib.import_module("dcgan_lib.engine.quiet").import_tensorflow()
        importlib.import_module("dcgan_lib.building")  # Keras then finds our classes in its files
    globals()[name] = value = getattr(importlib.import_module(f"dcgan_lib.{home}"), name)
    return value


def __dir__() -> list[str]:
    return __all__
