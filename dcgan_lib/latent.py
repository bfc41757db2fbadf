"""Points in latent space and the ways between them.

Taught in notebook 05.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from dcgan_lib.errors import UserError


def sample_latent(count: int, latent_dim: int = 100, seed: int = 0) -> np.ndarray:
    """Draws latent vectors: float32 (count, latent_dim), standard normal, fixed by `seed`.

    Raises:
        UserError: a count or length below 1.
    """
    if count < 1 or latent_dim < 1:
        raise UserError(f"{count} vectors of length {latent_dim}: both must be at least 1")
    draw = np.random.Generator(np.random.Philox(key=seed))
    return draw.standard_normal((count, latent_dim), dtype=np.float32)


def interpolate(
    start: np.ndarray,
    end: np.ndarray,
    steps: int = 10,
    method: Literal["linear", "spherical"] = "spherical",
) -> np.ndarray:
    """Walks from one latent vector to another in equal steps, both ends included.

    `linear` follows the straight line, whose middle is shorter than what the generator was
    trained on; `spherical` turns at an even pace and keeps the length.

    Args:
        start, end: vectors of the same shape (latent_dim,).
        steps: number of points, at least 2.

    Returns:
        float32 (steps, latent_dim).

    Raises:
        UserError: different shapes, fewer than 2 steps, an unknown method, or a spherical
            walk from or to the zero vector.

    Source: White, "Sampling Generative Networks" (2016), section 2.1. Taught in notebook 05.
    """
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    if start.shape != end.shape or start.ndim != 1:
        raise UserError(f"shapes {start.shape} and {end.shape}: two vectors of one length needed")
    if steps < 2:
        raise UserError(f"steps={steps} is impossible; accepted: 2 or more")
    fractions = np.linspace(0.0, 1.0, steps)[:, np.newaxis]
    if method == "linear":
        return ((1 - fractions) * start + fractions * end).astype(np.float32)
    if method == "spherical":
        return _spherical(start, end, fractions).astype(np.float32)
    raise UserError(f"unknown method {method!r}; known: linear, spherical")


def _spherical(start: np.ndarray, end: np.ndarray, fractions: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(start), np.linalg.norm(end)
    if min(lengths) == 0.0:
        raise UserError("a spherical walk needs two vectors that are not zero")
    cosine = np.clip(start @ end / (lengths[0] * lengths[1]), -1.0, 1.0)
    angle = np.arccos(cosine)
    if np.sin(angle) < 1e-6:  # (anti)parallel: the arc is not defined, the line is
        return (1 - fractions) * start + fractions * end
    weights = np.sin((1 - fractions) * angle), np.sin(fractions * angle)
    return (weights[0] * start + weights[1] * end) / np.sin(angle)
