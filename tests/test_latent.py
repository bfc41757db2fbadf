"""Latent space: drawing points and walking between them."""

import keras
import numpy as np
import pytest

from dcgan_lib import UserError, interpolate, sample_latent
from dcgan_lib.latent import latent_grid, neighbours, principal_directions, rescale, tour

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
        with pytest.raises(UserError, match="accepted: from 1"):
            sample_latent(count, latent_dim)


# --- grids, tours, neighbours, lengths

CORNERS = sample_latent(4, 100, seed=4)


def lengths(latent):
    return np.linalg.norm(latent.astype(np.float64), axis=-1)


@pytest.mark.parametrize(("rows", "columns"), [(2, 2), (3, 5), (8, 8)])
def test_a_grid_has_its_corners_in_the_corners(rows, columns):
    grid = latent_grid(CORNERS, rows, columns)
    assert grid.shape == (rows * columns, 100)
    assert grid.dtype == np.float32
    table = grid.reshape(rows, columns, 100)
    assert np.array_equal(table[[0, 0, -1, -1], [0, -1, 0, -1]], CORNERS)


def test_a_grid_walks_down_its_sides_and_along_its_rows():
    table = latent_grid(CORNERS, 4, 6).reshape(4, 6, 100)
    assert np.array_equal(table[:, 0], interpolate(CORNERS[0], CORNERS[2], 4))
    assert np.array_equal(table[:, -1], interpolate(CORNERS[1], CORNERS[3], 4))
    for row in table:
        assert np.array_equal(row, interpolate(row[0], row[-1], 6))


def test_a_grid_keeps_the_length():
    assert np.allclose(lengths(latent_grid(rescale(CORNERS), 5, 5)), 10, atol=1e-4)


def test_impossible_grids_are_refused():
    for corners in (CORNERS[:3], CORNERS[0], np.stack([CORNERS])):
        with pytest.raises(UserError, match=r"\(4, latent_dim\)"):
            latent_grid(corners)
    for rows, columns in ((1, 8), (8, 1)):
        with pytest.raises(UserError, match="2 or more"):
            latent_grid(CORNERS, rows, columns)
    with pytest.raises(UserError, match="not zero"):
        latent_grid(0 * CORNERS)


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_a_tour_visits_its_corners_in_order(steps):
    path = tour(CORNERS, steps)
    assert path.shape == (4 * steps, 100)
    assert path.dtype == np.float32
    assert np.array_equal(path[::steps], CORNERS)


def test_a_tour_ends_one_step_before_its_start_and_no_point_comes_twice():
    path = tour(CORNERS, 6)
    assert np.array_equal(path[-6:], interpolate(CORNERS[3], CORNERS[0], 7)[:-1])
    assert len(np.unique(path, axis=0)) == len(path)


def test_impossible_tours_are_refused():
    for corners in (CORNERS[:1], CORNERS[0]):
        with pytest.raises(UserError, match="2 or more"):
            tour(corners)
    with pytest.raises(UserError, match="steps=0"):
        tour(CORNERS, 0)


@pytest.mark.parametrize("radius", [0.0, 0.5, 5.0, 14.0])
def test_neighbours_are_as_far_as_asked_and_as_long_as_the_start(radius):
    around = neighbours(START, 50, radius, seed=1)
    assert around.shape == (50, 100)
    assert around.dtype == np.float32
    assert np.allclose(lengths(around), lengths(START), atol=1e-4)
    assert np.allclose(lengths(around - START), radius, atol=1e-4)


def test_the_farthest_neighbour_is_the_point_opposite():
    farthest = neighbours(START, 3, 2 * lengths(START))
    assert np.allclose(farthest, -START, atol=1e-4)


def test_neighbours_go_in_all_directions_alike():
    around = neighbours(START, 4000, 8.0, seed=2).astype(np.float64)
    unit = START / lengths(START)
    sideways = around - np.outer(around @ unit, unit)
    assert np.allclose(sideways.mean(axis=0), 0, atol=0.06)  # a standard error is 0.012
    spread = np.linalg.eigvalsh(np.cov(sideways, rowvar=False))
    assert spread[0] < 1e-9  # none along the start itself
    assert spread[-1] < 2 * spread[1]


def test_neighbours_are_fixed_by_the_seed_whose_directions_hold_for_every_radius():
    assert np.array_equal(neighbours(START, 5), neighbours(START, 5))
    assert not np.array_equal(neighbours(START, 5), neighbours(START, 5, seed=1))
    near, far = (neighbours(START, 5, r).astype(np.float64) - START for r in (0.1, 2.0))
    cosines = np.sum(near * far, axis=1) / (lengths(near) * lengths(far))
    assert np.all(cosines > 0.98)


def test_impossible_neighbours_are_refused():
    for z in (CORNERS, 0 * START, START[:1]):
        with pytest.raises(UserError, match="one vector"):
            neighbours(z)
    for radius in (-0.1, 2.1 * lengths(START), float("nan")):
        with pytest.raises(UserError, match="accepted: from 0 to"):
            neighbours(START, 5, radius)
    with pytest.raises(UserError, match="accepted: from 1"):
        neighbours(START, 0)


@pytest.mark.parametrize("length", [None, 0.5, 30.0])
def test_rescaling_sets_the_length_and_keeps_the_direction(length):
    rescaled = rescale(CORNERS, length)
    assert rescaled.dtype == np.float32
    assert np.allclose(lengths(rescaled), 10 if length is None else length, rtol=1e-5)
    cosines = np.sum(rescaled * CORNERS, axis=1) / (lengths(rescaled) * lengths(CORNERS))
    assert np.allclose(cosines, 1, atol=1e-5)


def test_rescaling_takes_one_vector_and_tables_of_them():
    assert np.array_equal(rescale(START), rescale(START[np.newaxis])[0])
    table = CORNERS.reshape(2, 2, 100)
    assert np.array_equal(rescale(table), rescale(CORNERS).reshape(2, 2, 100))


def test_impossible_lengths_are_refused():
    for length in (0.0, -1.0, float("nan")):
        with pytest.raises(UserError, match="above 0"):
            rescale(START, length)
    with pytest.raises(UserError, match="not zero"):
        rescale(np.stack([START, 0 * START]))


@pytest.fixture(scope="module")
def linear_generator() -> tuple[keras.Model, np.ndarray]:
    """A generator that is a matrix, and the three directions that it stretches, most first."""
    latent, pixels = (np.linalg.qr(sample_latent(n, 3, seed=n))[0] for n in (20, 784))
    model = keras.Sequential([keras.Input((20,)), keras.layers.Dense(784, use_bias=False)])
    model.add(keras.layers.Reshape((28, 28, 1)))
    model.set_weights([(latent * [3.0, 2.0, 1.0]) @ pixels.T])
    return model, latent.T


def test_principal_directions_are_those_that_move_the_images_most(linear_generator):
    generator, wanted = linear_generator
    found = principal_directions(generator, 3, samples=4000)
    assert found.shape == (3, 20)
    assert found.dtype == np.float32
    assert np.allclose(found @ found.T, np.eye(3), atol=1e-5)
    assert np.allclose(np.abs(np.sum(found * wanted, axis=1)), 1, atol=0.01)


def test_impossible_counts_of_directions_are_refused(linear_generator):
    for count, samples in ((0, 100), (21, 100), (3, 3)):
        with pytest.raises(UserError, match=f"count={count}, samples={samples}"):
            principal_directions(linear_generator[0], count, samples)
