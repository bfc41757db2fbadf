"""The best generator that a run has had so far: what `keep="best"` keeps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from dcgan_lib.guard.networks import copy_network

MARK = "best"


class Best:
    """The generator with the lowest Fréchet distance among a run's looks at its quality.

    It is part of each checkpoint: after a kill, a look that the run has not come to again does
    not count.

    Attributes:
        step: of that look.
        distance: on held-out images; infinite before the first look.
        weights: of the network that samples are drawn with; of the averaged one, if any.
    """

    def __init__(self) -> None:
        self.step, self.distance = 0, math.inf
        self.weights: list[np.ndarray] = []

    def offer(self, step: int, distance: float, sampler: keras.Model) -> None:
        """Takes a generator if it is better than the one that is kept."""
        if distance < self.distance:
            self.step, self.distance, self.weights = step, distance, sampler.get_weights()

    def saved(self) -> dict[str, Any]:
        """Returns what a checkpoint holds of it: arrays by name."""
        arrays = {f"{MARK}-{i:04d}": weight for i, weight in enumerate(self.weights)}
        return {f"{MARK}-step": self.step, f"{MARK}-distance": self.distance} | arrays

    def restore(self, saved: Mapping[str, np.ndarray]) -> None:
        """Goes back to what a checkpoint holds; to nothing, if that is nothing."""
        names = sorted(name for name in saved if name.startswith(MARK) and name[-1].isdecimal())
        self.step = int(saved.get(f"{MARK}-step", 0))
        self.distance = float(saved.get(f"{MARK}-distance", math.inf))
        self.weights = [saved[name] for name in names]

    def numbers(self) -> dict[str, Any]:
        """Returns what `metrics.json` tells of it."""
        return {"step": self.step, "frechet_distance": self.distance}

    def network(self, like: keras.Model) -> keras.Model:
        """Returns it, as a copy of the network `like` with other weights."""
        network = copy_network(like)
        network.set_weights(self.weights)
        return network
