"""How good are generated digits? Distances, shares and counts, each with a known floor.

All compare features that an evaluator sees; a number belongs to one evaluator and one sample
size, and is compared only with its like. Taught in notebook 07.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import linalg, ndimage
from sklearn.metrics import pairwise_distances_chunked
from sklearn.metrics.pairwise import polynomial_kernel
from sklearn.neighbors import NearestNeighbors

from dcgan_lib.errors import UserError

NEIGHBOURS = 5

MODE_SHARE = 0.01  # a class with a smaller share of the samples counts as missing


def frechet_distance(real: np.ndarray, fake: np.ndarray) -> float:
    """The distance between two Gaussians fitted to two sets of features; 0 is best.

    `|m1 - m2|^2 + trace(C1 + C2 - 2 (C1 C2)^(1/2))` with means m and covariances C. It falls
    with the sample size: compare equal sizes only.

    Args:
        real, fake: features (N, D) and (M, D), N and M above D.

    Raises:
        UserError: too few samples for a covariance, different D, or values that are not finite.

    Source: Heusel et al., "GANs Trained by a Two Time-Scale Update Rule" (2017), equation 6.
    Taught in notebook 07.
    """
    check_features(real, fake, at_least=real.shape[-1] + 1)
    means = real.mean(axis=0) - fake.mean(axis=0)
    covariances = [np.atleast_2d(np.cov(features, rowvar=False)) for features in (real, fake)]
    # The eigenvalues of C1 C2 are real and not negative: no matrix root is needed for the trace.
    eigenvalues = linalg.eigvals(covariances[0] @ covariances[1])
    root_trace = np.sqrt(np.clip(eigenvalues.real, 0.0, None)).sum()
    distance = means @ means + np.trace(covariances[0] + covariances[1]) - 2 * root_trace
    return float(max(distance, 0.0))


def kernel_distance(
    real: np.ndarray, fake: np.ndarray, subsets: int = 50, subset_size: int = 1000
) -> tuple[float, float]:
    """The squared maximum mean discrepancy under a cubic kernel (KID); 0 on average is best.

    Unbiased: its mean does not depend on the sample size. May be a little below 0.

    Args:
        real, fake: features (N, D) and (M, D).
        subsets, subset_size: random subsets without replacement, each measured alone.

    Returns:
        The mean over the subsets and its standard error.

    Raises:
        UserError: fewer samples than a subset, different D, or values that are not finite.

    Source: Binkowski et al., "Demystifying MMD GANs" (2018), section 4. Taught in notebook 07.
    """
    check_features(real, fake, at_least=subset_size)
    draw = np.random.Generator(np.random.Philox(key=7))
    values = []
    for _ in range(subsets):
        a = real[draw.choice(len(real), subset_size, replace=False)]
        b = fake[draw.choice(len(fake), subset_size, replace=False)]
        values.append(_unbiased_mmd(a, b))
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(subsets))


def _unbiased_mmd(a: np.ndarray, b: np.ndarray) -> float:
    def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return polynomial_kernel(x, y, degree=3, gamma=1.0 / x.shape[1], coef0=1.0)

    def mean_without_diagonal(matrix: np.ndarray) -> float:
        return (matrix.sum() - np.trace(matrix)) / (len(matrix) * (len(matrix) - 1))

    within = mean_without_diagonal(kernel(a, a)) + mean_without_diagonal(kernel(b, b))
    return within - 2 * kernel(a, b).mean()


class Coverage(NamedTuple):
    """Shares of samples inside the other set's neighbourhoods."""

    precision: float
    recall: float
    density: float
    coverage: float


def precision_recall_density_coverage(
    real: np.ndarray, fake: np.ndarray, neighbours: int = NEIGHBOURS
) -> Coverage:
    """Are the images like real ones, and are all kinds of real ones among them?

    A point's neighbourhood is the ball up to its k-th nearest neighbour in its own set.
    `precision`: share of fakes inside some real neighbourhood. `recall`: share of reals inside
    some fake neighbourhood. `density`: how many real neighbourhoods a fake lies in, over k;
    may pass 1. `coverage`: share of real neighbourhoods that hold a fake.

    Args:
        real, fake: features (N, D) and (M, D).
        neighbours: k.

    Raises:
        UserError: not more samples than neighbours, different D, or values that are not finite.

    Source: Kynkäänniemi et al., "Improved Precision and Recall Metric" (2019), equation 1;
    Naeem et al., "Reliable Fidelity and Diversity Metrics" (2020), equations 5 and 6. Taught in
    notebook 07.
    """
    check_features(real, fake, at_least=neighbours + 1)
    real_radii, fake_radii = _radii(real, neighbours), _radii(fake, neighbours)
    in_real, covered, in_fake = [], np.zeros(len(real), bool), np.zeros(len(real), bool)
    for distances in pairwise_distances_chunked(fake, real, working_memory=256):
        first = sum(map(len, in_real))
        inside = distances <= real_radii
        in_real.append(inside.sum(axis=1))
        covered |= inside.any(axis=0)
        own = fake_radii[first : first + len(distances), np.newaxis]
        in_fake |= (distances <= own).any(axis=0)
    counts = np.concatenate(in_real)
    return Coverage(
        precision=float(np.mean(counts > 0)),
        recall=float(in_fake.mean()),
        density=float(counts.mean() / neighbours),
        coverage=float(covered.mean()),
    )


def _radii(points: np.ndarray, neighbours: int) -> np.ndarray:
    nearest = NearestNeighbors(n_neighbors=neighbours + 1, algorithm="brute").fit(points)
    distances, _ = nearest.kneighbors(points)  # the nearest of all is the point itself
    return distances[:, -1]


def classifier_score(probabilities: np.ndarray) -> float:
    """exp of the mean KL divergence from p(y) to p(y|x), from 1 to the number of classes.

    High when each image is clearly one class and all classes occur; blind to variety within
    a class. The Inception Score's formula with the evaluator in Inception's place.

    Args:
        probabilities: (N, classes), rows that sum to 1.

    Raises:
        UserError: no rows, rows that do not sum to 1, or values that are not finite.

    Source: Salimans et al., "Improved Techniques for Training GANs" (2016), section 4. Taught
    in notebook 07.
    """
    p = check_probabilities(probabilities)
    marginal = p.mean(axis=0, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * np.log(p / marginal), 0.0)
    return float(np.exp(terms.sum(axis=1).mean()))


class Classes(NamedTuple):
    """What is drawn, by class."""

    shares: list[float]
    modes: int
    distance_from_uniform: float
    confidence: float


def class_balance(probabilities: np.ndarray) -> Classes:
    """Counts the classes that the evaluator sees.

    Args:
        probabilities: (N, classes).

    Returns:
        The share of each class; how many have at least 1 %; the total variation distance of
        the shares from uniform, in [0, 1); the mean of the largest probability.

    Raises:
        UserError: as `classifier_score`.

    Taught in notebook 07.
    """
    p = check_probabilities(probabilities)
    shares = np.bincount(p.argmax(axis=1), minlength=p.shape[1]) / len(p)
    return Classes(
        shares=shares.tolist(),
        modes=int(np.sum(shares >= MODE_SHARE)),
        distance_from_uniform=float(np.abs(shares - 1 / p.shape[1]).sum() / 2),
        confidence=float(p.max(axis=1).mean()),
    )


def copied_share(fake: np.ndarray, train: np.ndarray, unseen: np.ndarray) -> float:
    """Is the training set being recited? Share of fakes suspiciously near a training image.

    Suspicious is nearer, in pixels, than 99 % of real images that were not trained on; about
    0.01 is what real images reach, a copied set reaches 1.

    Args:
        fake, train, unseen: images (N, H, W, C) of one size and range.

    Raises:
        UserError: no images, different sizes, or values that are not finite.

    Taught in notebook 07.
    """
    drawn, known, others = (
        images.reshape(len(images), math.prod(images.shape[1:])).astype(np.float32)
        for images in map(np.asarray, (fake, train, unseen))
    )
    check_features(known, drawn, at_least=1)
    check_features(known, others, at_least=1)
    nearest = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(known)
    to_fake, to_unseen = (nearest.kneighbors(images)[0][:, 0] for images in (drawn, others))
    return float(np.mean(to_fake < np.quantile(to_unseen, 0.01)))


def check_features(real: np.ndarray, fake: np.ndarray, at_least: int) -> None:
    """Raises UserError unless both are (N, D) with one D, finite, and large enough."""
    for name, features in (("real", real), ("fake", fake)):
        if features.ndim != 2:
            raise UserError(f"{name} features have the shape {features.shape}; needed: (N, D)")
        if len(features) < at_least:
            raise UserError(f"{len(features)} {name} samples are too few; needed: {at_least}")
        if not np.isfinite(features).all():
            raise UserError(f"{name} features hold values that are not finite numbers")
    if real.shape[1] != fake.shape[1]:
        raise UserError(f"features of {real.shape[1]} and of {fake.shape[1]} numbers: not alike")


def check_probabilities(probabilities: np.ndarray) -> np.ndarray:
    """Returns them as float64; raises UserError unless rows (N, classes) sum to 1."""
    p = np.asarray(probabilities, np.float64)
    if p.ndim != 2 or len(p) == 0:
        raise UserError(f"probabilities have the shape {p.shape}; needed: (N, classes), N above 0")
    if not np.isfinite(p).all() or p.min() < 0 or not np.allclose(p.sum(axis=1), 1, atol=1e-3):
        raise UserError("probabilities must be finite, not negative, and sum to 1 in each row")
    return p


def noise_like(images: np.ndarray) -> np.ndarray:
    """Returns pure noise of the same shape, uniform in [-1, 1]: as bad as can be."""
    draw = np.random.Generator(np.random.Philox(key=11))
    return draw.uniform(-1, 1, images.shape).astype(np.float32)


def blurred(images: np.ndarray, sigma: float = 1.0) -> np.ndarray:
    """Returns images (N, H, W, C) blurred by a Gaussian of `sigma` pixels."""
    return ndimage.gaussian_filter(images, (0, sigma, sigma, 0))
