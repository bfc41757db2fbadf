"""What happens beside a training. Callbacks count by the model's own step, which survives a resume.

Taught in notebook 04.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import imageio.v3 as iio
import keras
import numpy as np

from dcgan_lib.data import unscale
from dcgan_lib.errors import UserError
from dcgan_lib.latent import generator_input, sample_latent
from dcgan_lib.plots import add_caption, image_grid


class StepCallback(keras.callbacks.Callback):
    """Base of the callbacks that act every few steps, or else at each epoch's end.

    Several steps may pass between two calls (`steps_per_execution`), so it asks whether a
    multiple was passed, not whether it was hit.
    """

    every: int | None = None

    @property
    def step(self) -> int:
        return int(self.model.step.numpy())

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.last_step = self.step

    def passed(self, every: int) -> bool:
        """Tells whether a multiple of `every` lies between the last call's step and now."""
        before, self.last_step = self.last_step, self.step
        return before // every < self.step // every

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self.every and self.passed(self.every):
            self.act()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if not self.every:
            self.act()

    def act(self) -> None:
        """What a subclass does then."""


class GenerateSamplesCallback(StepCallback):
    """Draws the same fixed noise again and again: the progress of a training in pictures.

    Args:
        folder: where numbered frames go; None keeps none.
        every: steps between two frames; None: one at each epoch's end.
        epochs: with `every=None`, only after these epochs (counted from 1).
        num_images: how many images a frame shows.
        seed: of the fixed noise.
        show: updates one picture in place, in a notebook.

    Raises:
        UserError: an `every` or `num_images` below 1.

    Taught in notebook 04.
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        every: int | None = None,
        epochs: tuple[int, ...] = (),
        num_images: int = 64,
        seed: int = 0,
        show: bool = False,
    ) -> None:
        super().__init__()
        if num_images < 1 or (every is not None and every < 1):
            raise UserError(f"every={every}, num_images={num_images}: both must be at least 1")
        self.folder = Path(folder) if folder else None
        self.every = every
        self.epochs = epochs
        self.num_images = num_images
        self.seed = seed
        self.show = show
        self.display = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        latent = sample_latent(self.num_images, self.model.latent_dim, self.seed)
        self.fixed_noise = generator_input(self.model.generator, latent)
        if self.step == 0:
            self.draw()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if not self.epochs or epoch + 1 in self.epochs:
            super().on_epoch_end(epoch, logs)

    def act(self) -> None:
        self.draw()

    def draw(self) -> np.ndarray:
        """Draws, saves and shows one frame; returns it as uint8 (height, width[, 3])."""
        images = self.model(self.fixed_noise, training=False).numpy()
        frame = add_caption(image_grid(unscale(images)), f"step {self.step}")
        if self.folder:
            self.folder.mkdir(parents=True, exist_ok=True)
            iio.imwrite(self.folder / f"step_{self.step:08d}.png", frame)
        if self.show:
            self.display = show_in_place(frame, self.display)
        return frame


def show_in_place(frame: np.ndarray, handle: Any = None) -> Any:
    """Shows a uint8 image in a notebook; given the handle that it returned, replaces it."""
    from IPython import display

    picture = display.Image(iio.imwrite("<bytes>", frame, extension=".png"), format="png")
    if handle is None:
        return display.display(picture, display_id=True)
    handle.update(picture)
    return handle
