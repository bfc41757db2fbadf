"""The toy in the plane."""

from __future__ import annotations

import numpy as np
import pytest

from dcgan_lib.beyond.ring import (
    CENTRES,
    CURED,
    LATENT_DIM,
    RADIUS,
    SICK,
    build_ring_gan,
    dirac_path,
    nearest_centre,
    plot_ring,
    ring_score,
    sample_ring,
    train_ring,
)


def test_real_points_lie_around_eight_centres():
    points = sample_ring(4000, seed=3)
    assert points.shape == (4000, 2)
    assert points.dtype == np.float32
    score = ring_score(points)
    assert score.modes == 8
    assert score.good > 0.98
    np.testing.assert_allclose(np.linalg.norm(CENTRES, axis=1), RADIUS, rtol=1e-6)


def test_points_are_fixed_by_the_seed():
    assert np.array_equal(sample_ring(10, 1), sample_ring(10, 1))
    assert not np.array_equal(sample_ring(10, 1), sample_ring(10, 2))


def test_score_counts_modes_and_good_points():
    few = np.concatenate([np.repeat(CENTRES[:2], 49, axis=0), [[9.0, 9.0]] * 2])
    assert ring_score(few) == (2, pytest.approx(0.98))
    lonely = np.concatenate([np.repeat(CENTRES[:1], 999, axis=0), CENTRES[1:2]])
    assert ring_score(lonely).modes == 1  # one in a thousand does not cover a mode
    assert ring_score(np.zeros((5, 2))) == (0, 0.0)


def test_nearest_centre_also_of_points_far_away():
    assert np.array_equal(nearest_centre(5 * CENTRES), np.arange(8))


def test_training_looks_at_equal_distances():
    gan = build_ring_gan()
    seen, history = train_ring(gan, steps=50, looks=2, batch_size=8)
    assert list(seen) == [0, 25, 50]
    assert all(points.shape == (1000, 2) for points in seen.values())
    assert len(history["d_loss"]) == 2
    assert not np.array_equal(seen[0], seen[50])


def test_generator_can_begin_far_away():
    points = build_ring_gan(start=5.0).generator(np.zeros((1, LATENT_DIM)))
    assert points.shape == (1, 2)
    assert float(points[0, 0]) == pytest.approx(5.0)


def test_every_failure_has_a_cure():
    assert SICK.keys() == CURED.keys()
    assert all(SICK[name] != CURED[name] for name in SICK)


def test_figure_has_a_panel_for_each_set():
    figure = plot_ring({0: CENTRES, "end": CENTRES}, title="two")
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == ["step 0", "end"]


def radius(path: np.ndarray) -> np.ndarray:
    return np.linalg.norm(path, axis=1)


def test_dirac_players_circle_spiral_out_or_come_to_rest():
    apart = radius(dirac_path(simultaneous=True))
    in_turn = radius(dirac_path(simultaneous=False))
    penalised = radius(dirac_path(simultaneous=True, penalty=1.0))
    assert apart[-1] > 1.3
    assert 0.7 < in_turn[-100:].min() < in_turn[-100:].max() < 1.3
    assert penalised[-1] < 0.1
