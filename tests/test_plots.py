"""Plots: grids, GIFs, figures."""

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image

from dcgan_lib import UserError, make_gif, plot_images, plot_losses
from dcgan_lib.plots import add_caption, image_grid, read_log

LOG = {
    "step": [5, 10, 15],
    "d_loss": [1.4, 1.2, 1.1],
    "g_loss": [0.7, 0.9, 1.0],
    "d_accuracy_real": [0.5, 0.6, 0.7],
    "d_accuracy_fake": [0.4, 0.7, 0.8],
}


def flat_images(*greys: float, side: int = 6, channels: int = 1) -> np.ndarray:
    """One even image for each grey in [-1, 1]."""
    return np.stack([np.full((side, side, channels), grey, np.float32) for grey in greys])


# --- grids


def test_a_grid_goes_row_by_row_and_ends_in_black():
    grid = image_grid(flat_images(-0.5, 0.0, 0.5, 1.0, 0.2), columns=3, zoom=1)
    assert grid.dtype == np.uint8
    assert grid.shape == (2 * 8, 3 * 8)
    tiles = grid.reshape(2, 8, 3, 8).swapaxes(1, 2)[:, :, 1:-1, 1:-1]
    assert tiles.min(axis=(2, 3)).tolist() == tiles.max(axis=(2, 3)).tolist()
    assert tiles[:, :, 0, 0].tolist() == [[64, 128, 191], [255, 153, 0]]


@pytest.mark.parametrize(
    ("count", "rows", "columns"), [(1, 1, 1), (4, 2, 2), (5, 2, 3), (64, 8, 8)]
)
def test_a_grid_is_as_square_as_can_be(count, rows, columns):
    assert image_grid(np.zeros((count, 28, 28, 1)), zoom=1).shape == (rows * 30, columns * 30)


def test_zoom_makes_squares_of_pixels():
    small, large = (image_grid(flat_images(0.3, -0.3), zoom=zoom) for zoom in (1, 3))
    assert np.array_equal(large[::3, ::3], small)
    assert np.array_equal(large[2::3, 2::3], small)


def test_an_image_stays_upright():
    image = np.linspace(-1, 1, 6 * 6, dtype=np.float32).reshape(1, 6, 6, 1)
    grid = image_grid(image, zoom=1)[1:-1, 1:-1]
    assert np.array_equal(grid, np.rint((image[0, :, :, 0] + 1) * 127.5))


def test_colour_images_keep_their_channels():
    assert image_grid(flat_images(0.1, 0.2, channels=3), zoom=1).shape == (8, 16, 3)


BAD_IMAGES = [np.zeros((0, 28, 28, 1)), np.zeros((5, 28, 28)), np.zeros((5, 28, 28, 2))]


@pytest.mark.parametrize("images", BAD_IMAGES)
def test_other_shapes_are_refused(images):
    for draw in (image_grid, plot_images):
        with pytest.raises(UserError, match="images of shape"):
            draw(images)


def test_a_caption_stands_above():
    grid = image_grid(flat_images(0.0), zoom=10)
    captioned = add_caption(grid, "step 5")
    assert captioned.dtype == np.uint8
    assert np.array_equal(captioned[22:], grid)
    assert captioned[:22].max() > 128
    assert add_caption(np.stack([grid] * 3, axis=-1), "x").shape == (22 + 80, 80, 3)


# --- figures


def test_plot_images_draws_each_with_its_title():
    figure = plot_images(flat_images(-1, 0, 1), titles=["a", "b", "c"], title="all")
    shown = [axis for axis in figure.axes if axis.images]
    assert [axis.get_title() for axis in shown] == ["a", "b", "c"]
    assert [int(axis.images[0].get_array().max()) for axis in shown] == [0, 128, 255]
    assert figure.get_suptitle() == "all"
    assert not any(axis.axison for axis in figure.axes)


def test_plot_images_wants_a_title_for_each():
    with pytest.raises(UserError, match="2 titles for 3 images"):
        plot_images(flat_images(-1, 0, 1), titles=["a", "b"])


def test_plot_losses_draws_both_against_the_steps():
    losses, accuracy = plot_losses(LOG).axes
    assert [line.get_label() for line in losses.lines] == ["discriminator", "generator"]
    assert losses.lines[1].get_xydata().tolist() == [[5, 0.7], [10, 0.9], [15, 1.0]]
    assert accuracy.get_xlabel() == "step"
    assert "do not measure quality" in losses.get_title()


def test_plot_losses_takes_a_history_and_a_file(finished_run, tmp_path):
    history = {name: values for name, values in LOG.items() if name != "step"}
    assert plot_losses(history).axes[1].get_xlabel() == "epoch"
    figure = plot_losses(finished_run.folder / "log.csv")
    assert figure.axes[0].lines[0].get_xdata().tolist() == [4, 8, 12]
    for incomplete in ({"loss": [1]}, {"d_loss": [1], "g_loss": [1]}):
        with pytest.raises(UserError, match="d_loss, g_loss, d_accuracy_real, d_accuracy_fake"):
            plot_losses(incomplete)
    with pytest.raises(UserError, match="cannot be read"):
        plot_losses(tmp_path / "none.csv")


def test_figures_do_not_pile_up():
    import matplotlib.pyplot as plt

    plot_losses(LOG)
    plot_images(flat_images(0.0))
    assert plt.get_fignums() == []


def test_reading_a_log(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("step,d_loss\n5,1.5\n10,1.25\n")
    log = read_log(path)
    assert log["step"].tolist() == [5, 10]
    assert log["d_loss"].tolist() == [1.5, 1.25]
    path.write_text("step,d_loss\n")
    with pytest.raises(UserError, match="no rows yet"):
        read_log(path)


# --- GIFs

GREYS = (0, 255, 51, 204, 102, 153)


def grey_frames() -> list[np.ndarray]:
    return [np.full((20, 30), grey, np.uint8) for grey in GREYS]


def play(path) -> tuple[list[int], list[int]]:
    """The mean grey and the milliseconds of each frame."""
    greys, durations = [], []
    with Image.open(path) as gif:
        for i in range(gif.n_frames):
            gif.seek(i)
            greys.append(round(np.asarray(gif.convert("L")).mean()))
            durations.append(gif.info["duration"])
    return greys, durations


def test_a_gif_plays_in_order_for_ever_and_holds_its_last_frame(tmp_path):
    path = make_gif(grey_frames(), tmp_path / "all.gif", milliseconds=70)
    assert path == tmp_path / "all.gif"
    greys, durations = play(path)
    assert np.allclose(greys, GREYS, atol=9)
    assert durations == [70] * 5 + [2000]
    with Image.open(path) as gif:
        assert gif.info["loop"] == 0  # 0 is for ever
        assert gif.size == (30, 20)


def test_a_gif_of_a_folder_takes_the_frames_in_the_order_of_their_numbers(tmp_path):
    for i in reversed(range(len(GREYS))):
        iio.imwrite(tmp_path / f"step_{i * 50:08d}.png", grey_frames()[i])
    greys, _ = play(make_gif(tmp_path, tmp_path / "training.gif"))
    assert np.allclose(greys, GREYS, atol=9)


def test_a_gif_of_one_frame(tmp_path):
    assert play(make_gif(grey_frames()[2:3], tmp_path / "one.gif"))[0] == [51]


def test_impossible_gifs_are_refused(tmp_path):
    with pytest.raises(UserError, match="0 frames"):
        make_gif([], tmp_path / "none.gif")
    with pytest.raises(UserError, match="0 frames"):
        make_gif(tmp_path, tmp_path / "none.gif")
    with pytest.raises(UserError, match="all of one size"):
        make_gif([grey_frames()[0], np.zeros((9, 9), np.uint8)], tmp_path / "mixed.gif")
    assert not list(tmp_path.iterdir())
