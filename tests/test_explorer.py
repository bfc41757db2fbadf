"""The latent explorer's file: what it is built from. tests/browser drives it in a browser."""

from __future__ import annotations

import base64
import json
import re
import sys
from pathlib import Path

import imageio.v3 as iio
import keras
import numpy as np
import pytest

from dcgan_lib import RECIPES, UserError
from dcgan_lib.beyond.conditional import build_conditional_generator
from dcgan_lib.data import unscale
from dcgan_lib.networks import build_generator
from dcgan_lib.plots import add_caption, image_grid
from dcgan_lib.shelf.pretrained import load_pretrained, model_card

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

import explorer

MAX_BYTES = 1_500_000


def test_the_file_is_what_the_sources_make(html, content):
    """After a change in explorer/, do: python tools/explorer.py."""
    assert explorer.page(content) == html


def test_the_file_holds_the_published_weights(content):
    assert content["network"] == json.loads(
        json.dumps(explorer.describe_network(load_pretrained("explorer")))
    )
    assert content["card"] == json.loads(json.dumps(explorer.describe_card(model_card("explorer"))))


def test_the_file_is_small_and_asks_for_nothing(html):
    assert len(html.encode()) < MAX_BYTES
    assert not re.search(r"""(src|href)=["'](?!#)|url\(|@import|fetch\(|https?:""", html)


def test_unfit_generators_are_refused():
    with pytest.raises(UserError, match="choose the digit"):
        explorer.describe_network(build_generator())
    generator = build_conditional_generator(RECIPES["conditional"])
    other = keras.Sequential([keras.layers.Softmax()])
    softer = keras.Model(generator.inputs, other(generator.output))
    with pytest.raises(UserError, match="is unknown to"):
        explorer.describe_network(softer)


def test_a_run_of_other_weights_is_refused(finished_run):
    with pytest.raises(UserError, match="not that of the published weights"):
        explorer.check_is_run_of(model_card("explorer"), finished_run.folder)


def test_frames_are_cut_out_of_the_grid(tmp_path):
    """The first rows, one pixel for one; WebP changes few grey levels."""
    row = np.linspace(-1, 1, 28)
    images = np.stack([np.outer(row, row) * np.sin(i) for i in range(50)])[..., np.newaxis]
    frame = tmp_path / "step_00000100.png"
    iio.imwrite(frame, add_caption(image_grid(images), "step 100"))
    url = explorer.small_frame(frame, {"num_samples": 50})
    seen = iio.imread(base64.b64decode(url.split(",")[1]))[..., 0].astype(float)
    rows = explorer.FRAME_ROWS
    wanted = unscale(images[: 8 * rows, ..., 0]).reshape(rows, 8, 28, 28).swapaxes(1, 2)
    assert np.abs(seen - wanted.reshape(rows * 28, 8 * 28)).mean() < 4


def test_a_run_without_measured_quality_is_refused(finished_run):
    with pytest.raises(UserError, match=r"quality\.csv"):
        explorer.describe_training(finished_run.folder)
