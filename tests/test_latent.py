"""Latent space: drawing points and walking between them."""

import numpy as np
import pytest

from dcgan_lib import UserError, interpolate, sample_latent

START, END = sample_latent(2, 100, seed=3)


def test_sampling_is_standard_normal_and_fixed_by_the_seed():
    latent = sample_latent(2000, 50, seed=1)
    assert latent.shape == (2000, 50)
    assert latent.dtype == np.float32
    assert abs(latent.mean()) < 0.02
    assert abs(latent.std() - 1) < 0.02
    assert np.array_equal(latent, sample_latent(2000, 50, seed=1))
    assert not np.array_equal(latent, sample_latent(2000, 50, seed=2))


def test_fewer_samples_are_the_first_of_more():
    assert np.array_equal(sample_latent(3, 20), sample_latent(8, 20)[:3])


@pytest.mark.parametrize("method", ["linear", "spherical"])
@pytest.mark.parametrize("steps", [2, 3, 10])
def test_a_walk_has_its_steps_and_exact_ends(method, steps):
    walk = interpolate(START, END, steps, method)
    assert walk.shape == (steps, 100)
    assert walk.dtype == np.float32
    assert np.array_equal(walk[0], START)
    assert np.array_equal(walk[-1], END)


def test_a_linear_walk_has_equal_steps_on_a_line():
    walk = interpolate(START, END, 5, "linear").astype(np.float64)
    assert np.allclose(np.diff(walk, axis=0), (END - START) / 4, atol=1e-6)


def test_a_spherical_walk_turns_evenly_and_keeps_the_length():
    start, end = (v / np.linalg.norm(v) for v in (START, END))
    walk = interpolate(start, end, 7, "spherical").astype(np.float64)
    assert np.allclose(np.linalg.norm(walk, axis=1), 1, atol=1e-6)
    cosines = np.sum(walk[1:] * walk[:-1], axis=1)
    assert np.allclose(np.arccos(cosines), np.arccos(start @ end) / 6, atol=1e-5)


def test_the_middle_of_a_line_is_short_and_that_of_an_arc_is_not():
    lengths = {
        method: np.linalg.norm(interpolate(START, END, 3, method)[1])
        for method in ("linear", "spherical")
    }
    whole = (np.linalg.norm(START) + np.linalg.norm(END)) / 2
    assert lengths["linear"] < 0.8 * whole < 0.95 * whole < lengths["spherical"]


def test_spherical_is_the_default():
    assert np.array_equal(interpolate(START, END), interpolate(START, END, 10, "spherical"))


def test_a_quarter_turn():
    walk = interpolate([1.0, 0.0], [0.0, 1.0], 3)
    assert np.allclose(walk[1], np.sqrt(0.5))


@pytest.mark.parametrize("factor", [1.0, 2.0, -1.0])
def test_parallel_vectors_walk_on_the_line(factor):
    walk = interpolate(START, factor * START, 5)
    assert np.isfinite(walk).all()
    assert np.allclose(walk, interpolate(START, factor * START, 5, "linear"), atol=1e-5)


def test_impossible_walks_are_refused():
    with pytest.raises(UserError, match=r"\(100,\) and \(99,\)"):
        interpolate(START, END[:99])
    with pytest.raises(UserError, match="two vectors"):
        interpolate(np.stack([START]), np.stack([END]))
    with pytest.raises(UserError, match="steps=1"):
        interpolate(START, END, 1)
    with pytest.raises(UserError, match=r"'cubic'.*linear, spherical"):
        interpolate(START, END, 5, "cubic")
    with pytest.raises(UserError, match="not zero"):
        interpolate(START, 0 * START)


def test_impossible_samples_are_refused():
    for count, latent_dim in ((0, 100), (-1, 100), (5, 0)):
        with pytest.raises(UserError, match="at least 1"):
            sample_latent(count, latent_dim)
