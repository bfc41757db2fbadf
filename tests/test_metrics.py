"""Metrics on sets whose answer is known."""

import numpy as np
import pytest

from dcgan_lib.errors import UserError
from dcgan_lib.measuring.metrics import (
    _unbiased_mmd,
    blurred,
    class_balance,
    classifier_score,
    copied_share,
    frechet_distance,
    kernel_distance,
    noise_like,
    precision_recall_density_coverage,
)

draw = np.random.default_rng(5)


def gaussian(count, mean=0.0, scale=1.0, dim=8):
    return draw.normal(mean, scale, (count, dim))


def exact_gaussian(count, mean, scale, dim=4):
    """Samples whose mean and covariance are exactly these."""
    x = gaussian(count, dim=dim)
    x -= x.mean(axis=0)
    root = np.linalg.cholesky(np.linalg.inv(np.atleast_2d(np.cov(x, rowvar=False))))
    return x @ root * scale + mean


def test_frechet_of_identical_sets_is_zero():
    x = gaussian(500)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-6)


def test_frechet_of_a_shift_is_its_square():
    a, b = exact_gaussian(200, 0.0, 1.0), exact_gaussian(300, 3.0, 1.0)
    assert frechet_distance(a, b) == pytest.approx(4 * 9.0)


def test_frechet_of_scales_has_a_closed_form():
    a, b = exact_gaussian(200, 0.0, 1.0), exact_gaussian(200, 0.0, 2.5)
    assert frechet_distance(a, b) == pytest.approx(4 * (2.5 - 1.0) ** 2)


def test_frechet_of_a_single_feature():
    a, b = exact_gaussian(200, 0.0, 1.0, dim=1), exact_gaussian(200, 2.0, 0.5, dim=1)
    assert frechet_distance(a, b) == pytest.approx(2.0**2 + 0.5**2)


def test_frechet_of_correlated_gaussians_agrees_with_the_matrix_root():
    from scipy.linalg import sqrtm

    a, b = gaussian(400) @ draw.normal(size=(8, 8)), gaussian(400) @ draw.normal(size=(8, 8))
    c1, c2 = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(c1 + c2 - 2 * sqrtm(c1 @ c2).real)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-6)


def test_frechet_refuses_fewer_samples_than_dimensions():
    with pytest.raises(UserError, match="8 real samples are too few; needed: 9"):
        frechet_distance(gaussian(8), gaussian(100))


def test_kernel_distance_is_unbiased_on_one_distribution():
    singles = [_unbiased_mmd(gaussian(100), gaussian(100)) for _ in range(200)]
    assert abs(np.mean(singles)) < 3 * np.std(singles) / np.sqrt(200)
    assert min(singles) < 0


def test_kernel_distance_against_the_double_sum():
    a, b = gaussian(6, dim=3), gaussian(6, 1.0, dim=3)

    def k(x, y):
        return (x @ y / 3 + 1) ** 3

    within = sum(k(s[i], s[j]) for s in (a, b) for i in range(6) for j in range(6) if i != j) / (
        6 * 5
    )
    across = sum(k(x, y) for x in a for y in b) / 36
    assert _unbiased_mmd(a, b) == pytest.approx(within - 2 * across)


def test_kernel_distance_grows_with_a_shift_and_has_an_error():
    near, error = kernel_distance(gaussian(500), gaussian(500), 20, 100)
    far, _ = kernel_distance(gaussian(500), gaussian(500, 1.0), 20, 100)
    assert abs(near) < 5 * error
    assert far > 20 * error > 0


def test_kernel_distance_refuses_fewer_samples_than_a_subset():
    with pytest.raises(UserError, match="needed: 1000"):
        kernel_distance(gaussian(999), gaussian(2000))


def test_neighbourhoods_of_identical_sets():
    x = gaussian(300)
    result = precision_recall_density_coverage(x, x, 5)
    assert result.precision == result.recall == result.coverage == 1.0


def test_neighbourhoods_of_distant_sets():
    result = precision_recall_density_coverage(gaussian(300), gaussian(300, 50.0))
    assert result == (0.0, 0.0, 0.0, 0.0)


def test_a_dropped_mode_costs_recall_and_coverage_not_precision():
    real = np.concatenate([gaussian(500), gaussian(500, 50.0)])
    result = precision_recall_density_coverage(real, gaussian(1000))
    assert result.precision > 0.8
    assert 0.4 < result.recall < 0.55
    assert 0.4 < result.coverage < 0.55


def test_one_duplicated_sample_has_precision_but_no_coverage():
    real = gaussian(500)
    fake = np.repeat(real[:1], 500, axis=0)
    result = precision_recall_density_coverage(real, fake)
    assert result.precision == 1.0
    assert result.coverage < 0.1
    assert result.recall < 0.01


def test_density_counts_neighbourhoods_by_hand():
    real = np.array([[0.0], [1.0], [3.0], [10.0]])  # radii with k=1: 1, 1, 2, 7
    fake = np.array([[0.5], [100.0]])  # the first lies in the balls of 0 and of 1
    result = precision_recall_density_coverage(real, fake, neighbours=1)
    assert result.density == pytest.approx((2 + 0) / 2)
    assert result.precision == 0.5
    assert result.coverage == 0.5
    assert result.recall == 1.0  # each fake's ball reaches to the other fake, 99.5 away


def test_density_is_a_share_of_k():
    real = np.array([[0.0], [1.0], [3.0], [10.0]])  # radii with k=2: 3, 2, 3, 9
    fake = np.array([[0.5], [100.0], [200.0]])  # the first lies in three balls
    result = precision_recall_density_coverage(real, fake, neighbours=2)
    assert result.density == pytest.approx((3 + 0 + 0) / 3 / 2)


def test_chunks_do_not_change_the_result(monkeypatch):
    from sklearn.metrics import pairwise_distances_chunked as chunked

    real, fake = gaussian(700), gaussian(600, 0.5)
    whole = precision_recall_density_coverage(real, fake)
    monkeypatch.setattr(
        "dcgan_lib.measuring.metrics.pairwise_distances_chunked",
        lambda a, b, working_memory: chunked(a, b, working_memory=0.05),
    )
    assert precision_recall_density_coverage(real, fake) == whole


def test_classifier_score_goes_from_one_to_the_number_of_classes():
    assert classifier_score(np.full((50, 10), 0.1)) == pytest.approx(1.0)
    assert classifier_score(np.tile(np.eye(10), (5, 1))) == pytest.approx(10.0)
    assert classifier_score(np.tile(np.eye(10)[:1], (50, 1))) == pytest.approx(1.0)


def test_class_balance_counts_modes_and_distance():
    p = np.eye(10)[[0] * 50 + [1] * 49 + [2]] * 0.8 + 0.02
    classes = class_balance(p)
    assert classes.shares[:4] == [0.5, 0.49, 0.01, 0.0]
    assert classes.modes == 3
    assert classes.distance_from_uniform == pytest.approx(0.79)
    assert classes.confidence == pytest.approx(0.82)


def test_copied_share_finds_copies_and_spares_new_images():
    train, unseen, new = (draw.uniform(-1, 1, (200, 6, 6, 1)) for _ in range(3))
    assert copied_share(train[:50], train, unseen) == 1.0
    assert copied_share(new, train, unseen) < 0.1
    for sets in ((new[:0], train, unseen), (new, train[:0], unseen), (new, train, unseen[:0])):
        with pytest.raises(UserError, match="too few"):
            copied_share(*sets)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(bad):
    x = gaussian(50)
    x[3, 2] = bad
    with pytest.raises(UserError, match="not finite"):
        frechet_distance(gaussian(50), x)
    with pytest.raises(UserError, match="finite"):
        classifier_score(np.full((3, 10), bad))


def test_features_of_different_lengths_are_refused():
    with pytest.raises(UserError, match="not alike"):
        frechet_distance(gaussian(50, dim=3), gaussian(50, dim=4))


def test_probabilities_must_sum_to_one():
    with pytest.raises(UserError, match="sum to 1"):
        class_balance(np.full((3, 10), 0.2))


def test_noise_and_blur_keep_shape_and_range():
    images = draw.uniform(-1, 1, (3, 28, 28, 1)).astype(np.float32)
    for changed in (noise_like(images), blurred(images)):
        assert changed.shape == images.shape
        assert np.abs(changed).max() <= 1
    assert blurred(images).std() < images.std() / 2
