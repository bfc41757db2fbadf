"""Images in any range: brought to [-1, 1] rightly, or refused with the range that was found."""

import imageio.v3 as iio
import numpy as np
import pytest

from dcgan_lib import Evaluator, UserError, evaluate, image_grid, make_gif, scale, training_batches

BYTES = np.random.default_rng(0).integers(0, 256, (6, 28, 28), dtype=np.uint8)
BYTES[0, 0, :2] = 0, 255
SCALED = BYTES[..., np.newaxis] / 127.5 - 1.0
BLACK_AND_WHITE = BYTES > 127

ACCEPTED = {
    "uint8": BYTES,
    "int64": BYTES.astype(np.int64),
    "uint16 of 8 bits": BYTES.astype(np.uint16),
    "uint16": BYTES.astype(np.uint16) * 257,
    "floats to 255": BYTES.astype(np.float64),
    "floats to 1": BYTES / 255.0,
    "float16": (BYTES / 255.0).astype(np.float16),
    "scaled already": SCALED,
    "a list": (BYTES / 255.0).tolist(),
}

REFUSED = {
    "12 bits": BYTES.astype(np.uint16) * 16,
    "large": BYTES.astype(np.int32) * 4,
    "0 or 1": BLACK_AND_WHITE.astype(np.int64),
    "half scaled": BYTES / 127.5,
    "to a half": BYTES / 255.0 - 0.5,
    "standardised": (BYTES / 255.0 - 0.5) / 0.3,
    "not a number": np.where(BYTES == 7, np.nan, SCALED[..., 0]),
    "endless": np.where(BYTES == 7, np.inf, SCALED[..., 0]),
    "words": BYTES.astype(str),
}


@pytest.mark.parametrize("kind", ACCEPTED)
def test_every_plain_range_is_brought_to_minus_1_and_1(kind):
    tolerance = 2e-3 if kind == "float16" else 1e-6
    assert scale(ACCEPTED[kind]).dtype == np.float32
    np.testing.assert_allclose(scale(ACCEPTED[kind]), SCALED, atol=tolerance)
    batch = next(iter(training_batches(np.asarray(ACCEPTED[kind]), 6))).numpy()
    np.testing.assert_allclose(np.sort(batch.ravel()), np.sort(SCALED.ravel()), atol=tolerance)
    if kind != "floats to 1" and kind != "a list" and kind != "float16":
        return
    np.testing.assert_array_equal(
        image_grid(np.asarray(ACCEPTED[kind])[..., np.newaxis], zoom=1),
        image_grid(BYTES[..., np.newaxis], zoom=1),
    )


def test_black_and_white():
    assert np.array_equal(scale(BLACK_AND_WHITE)[..., 0], np.where(BLACK_AND_WHITE, 1.0, -1.0))


@pytest.mark.parametrize("kind", REFUSED)
def test_what_could_mean_two_things_is_refused(kind):
    for function in (scale, lambda images: training_batches(images, 6)):
        with pytest.raises(UserError, match="accepted: bool, uint8"):
            function(REFUSED[kind])


def test_scaling_twice_is_scaling_once():
    np.testing.assert_allclose(scale(scale(BYTES)), scale(BYTES), atol=1e-6)


@pytest.mark.parametrize("images", [BYTES, BYTES / 255.0, SCALED[..., 0], BYTES * 1.0])
def test_a_picture_is_the_same_from_every_range(images):
    grid = image_grid(images[..., np.newaxis], zoom=1)
    assert np.array_equal(grid[1:29, 1:29], BYTES[0])


def test_what_a_young_generator_draws_is_not_stretched():
    faint = 0.01 * SCALED
    assert np.abs(image_grid(faint, zoom=1)[1:29, 1:29] - 127.5).max() < 3
    assert image_grid(np.zeros((1, 4, 4, 1)), zoom=1)[1, 1] == 128


@pytest.mark.parametrize("frames", [BYTES / 255.0, BLACK_AND_WHITE, SCALED[..., 0]])
def test_frames_of_a_gif_are_not_black(frames, tmp_path):
    played = iio.imread(make_gif(list(frames), tmp_path / "frames.gif"))
    greys = played[..., 0] if played.ndim == 4 else played
    wanted = 255 * BLACK_AND_WHITE if frames.dtype == bool else BYTES
    assert np.abs(greys.astype(int) - wanted).max() <= 9


@pytest.mark.parametrize("images", [BYTES / 255.0, BLACK_AND_WHITE, BYTES])
def test_the_evaluator_refuses_another_range(images):
    with pytest.raises(UserError, match="needed: from -1 to 1"):
        Evaluator()(images[..., np.newaxis])


def test_an_array_of_any_range_is_scored_alike(digits, tmp_path):
    distances = []
    for images in (scale(digits.images[:100]), digits.images[:100], digits.images[:100] / 255.0):
        np.save(tmp_path / "images.npy", images)
        report = evaluate(tmp_path / "images.npy", 100, "digits", verbose=False)
        distances.append(report["generator"]["frechet_distance"])
    assert distances == pytest.approx(distances[:1] * 3, rel=1e-3)
