"""Points in latent space and the ways between them.

Taught in notebook 05.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from sklearn.decomposition import PCA

from dcgan_lib.errors import UserError

if TYPE_CHECKING:
    import keras


CLASSES = 10

GOLDEN = (5**0.5 - 1) / 2  # no multiples of another number fill an interval more evenly


def sample_latent(count: int, latent_dim: int = 100, seed: int = 0) -> np.ndarray:
    """Draws latent vectors: float32 (count, latent_dim), standard normal, fixed by `seed`.

    Raises:
        UserError: a count or length below 1, or a negative seed.
    """
    if count < 1 or latent_dim < 1 or seed < 0:
        raise UserError(
            f"{count} vectors of length {latent_dim}, seed {seed}; accepted: from 1, 1 and 0 on"
        )
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
    trained on; `spherical` keeps the length of ends of one length, and turns at an even
    pace between them.

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


def latent_grid(corners: np.ndarray, rows: int = 8, columns: int = 8) -> np.ndarray:
    """Fills the square between four latent vectors, spherically in both directions.

    Args:
        corners: (4, latent_dim): top left, top right, bottom left, bottom right.
        rows, columns: at least 2.

    Returns:
        float32 (rows * columns, latent_dim), row by row; the corners are in it as they are.

    Raises:
        UserError: not four vectors, fewer than 2 rows or columns, or a zero vector.

    It is `interpolate` down both sides, then along each row. Taught in notebook 05.
    """
    corners = np.asarray(corners, np.float32)
    if corners.ndim != 2 or len(corners) != 4:
        raise UserError(f"corners of shape {corners.shape}; accepted: (4, latent_dim)")
    if rows < 2 or columns < 2:
        raise UserError(f"rows={rows}, columns={columns}; accepted: 2 or more of each")
    left = interpolate(corners[0], corners[2], rows)
    right = interpolate(corners[1], corners[3], rows)
    return np.concatenate([interpolate(*ends, columns) for ends in zip(left, right, strict=True)])


def tour(corners: np.ndarray, steps: int = 10) -> np.ndarray:
    """Walks from each latent vector to the next, and from the last back to the first.

    No point comes twice, so that the frames of an endless animation move evenly.

    Args:
        corners: (N, latent_dim), N at least 2.
        steps: from one corner to the next, at least 1.

    Returns:
        float32 (N * steps, latent_dim); every `steps`-th is a corner, beginning with the first.

    Raises:
        UserError: fewer than 2 corners or 1 step, another shape, or a zero vector.

    Taught in notebook 05.
    """
    corners = np.asarray(corners, np.float32)
    if corners.ndim != 2 or len(corners) < 2:
        raise UserError(f"corners of shape {corners.shape}; accepted: (2 or more, latent_dim)")
    if steps < 1:
        raise UserError(f"steps={steps} is impossible; accepted: 1 or more")
    following = np.roll(corners, -1, axis=0)
    legs = zip(corners, following, strict=True)
    return np.concatenate([interpolate(a, b, steps + 1)[:-1] for a, b in legs])


def neighbours(z: np.ndarray, count: int = 10, radius: float = 1.0, seed: int = 0) -> np.ndarray:
    """Goes from one latent vector a given distance, in random directions, at constant length.

    All directions that keep the length are equally likely.

    Args:
        z: (latent_dim,), at least 2 numbers.
        count: how many neighbours, at least 1.
        radius: their distance from `z`, from 0 to twice the length of `z` (the point opposite).
            Two independent standard normal vectors are about sqrt(2 * latent_dim) apart.
        seed: of the directions: they are the same for every radius.

    Returns:
        float32 (count, latent_dim), as long as `z`.

    Raises:
        UserError: a zero vector, another shape, a count below 1, or a radius out of range.

    Source: Muller, "A note on a method for generating points uniformly on n-dimensional
    spheres" (1959). Taught in notebook 05.
    """
    z = np.asarray(z, np.float64)
    length = np.linalg.norm(z)
    if z.ndim != 1 or z.size < 2 or length == 0:
        raise UserError(f"z of shape {z.shape}; accepted: one vector (latent_dim,), not zero")
    if not 0 <= radius <= 2 * length:
        raise UserError(f"radius={radius} is impossible; accepted: from 0 to {2 * length:g}")
    unit = z / length
    directions = sample_latent(count, z.size, seed).astype(np.float64)
    directions -= np.outer(directions @ unit, unit)  # what is left is at a right angle to z
    angle = 2 * np.arcsin(radius / (2 * length))
    turned = np.cos(angle) * unit + np.sin(angle) * rescale(directions, 1.0)
    return (length * turned).astype(np.float32)


def rescale(latent: np.ndarray, length: float | None = None) -> np.ndarray:
    """Gives latent vectors a length, without turning them.

    An average of several is too short for the generator, a sum too long.

    Args:
        latent: (..., latent_dim).
        length: above 0; by default sqrt(latent_dim), that of standard normal vectors.

    Returns:
        float32 (..., latent_dim).

    Raises:
        UserError: a zero vector, or a length that is not above 0.

    Taught in notebook 05.
    """
    latent = np.asarray(latent, np.float64)
    length = np.sqrt(latent.shape[-1]) if length is None else length
    norms = np.linalg.norm(latent, axis=-1, keepdims=True)
    if not np.all(norms > 0) or not length > 0:
        raise UserError(f"length={length}; accepted: above 0, of vectors that are not zero")
    return (length * latent / norms).astype(np.float32)


def principal_directions(
    generator: keras.Model, count: int = 4, samples: int = 2000, seed: int = 0
) -> np.ndarray:
    """Finds the directions of latent space in which the drawn images change most.

    Principal component analysis says in which ways drawn images differ most. Each way is then
    traced back: which latent numbers go with it?

    Args:
        generator: plain or conditional.
        count: how many directions, from 1 to latent_dim.
        samples: how many images to look at, more than `count`.
        seed: of their latent vectors.

    Returns:
        float32 (count, latent_dim): of length 1, at right angles to each other; the one that
        moves the images most comes first.

    Raises:
        UserError: an impossible count.

    After Härkönen et al., "GANSpace: Discovering Interpretable GAN Controls" (2020), who analyse
    a layer's output instead of the images. Taught in notebook 05.
    """
    latent_dim = latent_dim_of(generator)
    if not 1 <= count <= latent_dim or samples <= count:
        raise UserError(
            f"count={count}, samples={samples}; accepted: a count from 1 to {latent_dim}, "
            "and more samples than that"
        )
    latent = sample_latent(samples, latent_dim, seed)
    images = generator.predict(generator_input(generator, latent), batch_size=500, verbose=0)
    ways = PCA(count, random_state=seed).fit_transform(images.reshape(samples, -1))
    slopes = latent.T @ ways / samples  # least squares: the numbers of z are independent
    directions, _ = np.linalg.qr(slopes)
    return directions.T.astype(np.float32)


def latent_dim_of(generator: keras.Model) -> int:
    """Returns the length of a generator's latent vectors, whether or not it also takes labels."""
    shapes = generator.input_shape
    return shapes[0][-1] if takes_labels(generator) else shapes[-1]


def takes_labels(generator: keras.Model) -> bool:
    """Tells whether a generator can be told which digit to draw."""
    return isinstance(getattr(generator, "input_shape", None), list)


def takes_groups(generator: keras.Model) -> bool:
    """Tells whether the labels of a generator are groups, of different sizes."""
    return any(layer.name == "shares" for layer in generator.layers)


def usual_labels(generator: keras.Model, count: int) -> np.ndarray:
    """Returns the labels (count,) of images that nobody asks for: as many of each as is usual."""
    classes = generator.input_shape[1][-1]
    if not takes_groups(generator):
        return np.arange(count) % classes
    (shares,) = generator.get_layer("shares").get_weights()
    evenly = np.arange(count) * GOLDEN % 1.0  # spread out over [0, 1), wherever one stops
    return np.searchsorted(np.cumsum(shares)[:-1] / shares.sum(), evenly, side="right")


def one_hot(labels: np.ndarray, classes: int = CLASSES) -> np.ndarray:
    """Turns labels (N,) from 0 up into float32 (N, classes): 1 at the label, 0 elsewhere.

    Raises:
        UserError: other labels.
    """
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= classes:
        accepted = f"whole numbers from 0 to {classes - 1}"
        raise UserError(f"labels {np.unique(labels)[:20]}; accepted: {accepted}")
    return np.eye(classes, dtype=np.float32)[labels]


def generator_input(
    generator: keras.Model, latent: np.ndarray, labels: np.ndarray | None = None
) -> np.ndarray | list[np.ndarray]:
    """Returns what a generator takes: the latent vectors, and labels if it can choose the digit.

    Args:
        generator: plain or conditional.
        latent: (N, latent_dim).
        labels: (N,) digits; by default 0 to 9 again and again (with other classes, all of them),
            or if the generator knows groups, each as often as in its training.

    Returns:
        `latent`, or a list of it and one-hot labels (N, classes).

    Raises:
        UserError: labels for a generator that does not take any, or impossible ones.

    Taught in notebook 09.
    """
    if takes_labels(generator):
        classes = generator.input_shape[1][-1]
        labels = usual_labels(generator, len(latent)) if labels is None else labels
        return [latent, one_hot(labels, classes)]
    if labels is not None:
        raise UserError("this generator cannot choose the digit; train the recipe 'conditional'")
    return latent
