"""Builds the latent explorer: one HTML file in which a published generator runs by itself.

    python tools/explorer.py          from the run that `make weights` left
    python tools/explorer.py RUN      from that run folder
    python tools/explorer.py picture  its map, photographed in chromium, for the README

The page is put together from the files in explorer/. Everything that is special to one network
(weights, shapes, frames of its training, its card) is written into it as data, so that other
weights or widths change nothing there. It asks no server for anything.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import math
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dcgan_lib

dcgan_lib.import_tensorflow()  # quietly, before Keras does

import imageio.v3 as iio
import keras
import numpy as np

from dcgan_lib.errors import UserError
from dcgan_lib.measuring.quality import QualityCallback
from dcgan_lib.plots import read_log
from dcgan_lib.runs.files import atomic_path
from dcgan_lib.runs.folder import RECORD
from dcgan_lib.runs.loading import load_generator
from dcgan_lib.shelf.pretrained import EXPLORER_PAGE, load_pretrained, model_card
from dcgan_lib.shelf.stored import weights_hash

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "explorer"
RUN = ROOT / "runs/published-explorer"
PICTURE = ROOT / "images/explorer.png"
SCRIPTS = (  # in this order: what others use comes first
    "network latent gradient search pictures controls "
    "sketch draw map walk corners arithmetic layers comparison chart training card main"
).split()
FRAME_ROWS = 4
CURVE_POINTS = 200


def main(run: str | Path = RUN) -> None:
    generator, card = load_pretrained("explorer"), model_card("explorer")
    check_is_run_of(card, run)
    page = build(generator, run, card)
    with atomic_path(EXPLORER_PAGE) as temporary:
        temporary.write_text(page, encoding="utf-8")
    print(f"{EXPLORER_PAGE}: {EXPLORER_PAGE.stat().st_size / 1e6:.2f} MB")


def check_is_run_of(card: dict[str, Any], run: str | Path) -> None:
    """Raises UserError unless the frames in `run` show how the weights of `card` were trained."""
    weights = [weight.astype(np.float16) for weight in load_generator(run).get_weights()]
    if weights_hash(weights) != card["hash"]:
        raise UserError(
            f"run {str(run)!r} is not that of the published weights ({card['hash']}); "
            "give the right one, or do: python tools/publish.py RUN"
        )


def build(generator: keras.Model, run: str | Path, card: dict[str, Any]) -> str:
    """Returns the page for a conditional generator.

    Args:
        generator: from [latent vectors, one-hot labels] to images.
        run: the folder of its training, with frames, losses and quality.
        card: as `model_card` returns it.

    Raises:
        UserError: a generator that JavaScript does not know, or a run without these files.
    """
    content = {
        "network": describe_network(generator),
        "training": describe_training(Path(run)),
        "card": describe_card(card),
    }
    return page(content)


def page(content: dict[str, Any]) -> str:
    """Returns the sources in explorer/ as one HTML text, with `content` inside as JSON."""
    scripts = [f"<script>\n{source(f'{name}.js')}</script>" for name in SCRIPTS]
    html = source("template.html")
    for mark, text in {
        "STYLE": source("style.css"),
        "SCRIPTS": "\n".join(scripts),
        "DATA": json.dumps(content, separators=(",", ":")).replace("<", "\\u003c"),
    }.items():
        html = html.replace(f"<!-- {mark} -->", text)
    return html


def source(name: str) -> str:
    return (SOURCES / name).read_text(encoding="utf-8")


# --- the network


def describe_network(generator: keras.Model) -> dict[str, Any]:
    """Returns what JavaScript needs to know of a conditional generator.

    Raises:
        UserError: one without labels, or with a layer that network.js does not have.
    """
    if not isinstance(generator.input_shape, list):
        raise UserError("the explorer needs a generator that can choose the digit: 'conditional'")
    (_, latent_dim), (_, classes) = generator.input_shape
    layers = [describe_layer(layer) for layer in flat_layers(generator)]
    return {"latentDim": latent_dim, "classes": classes, "layers": layers}


def flat_layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Yields the layers that compute something, those of models inside the model included."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from flat_layers(layer)
        elif not isinstance(layer, keras.layers.InputLayer | keras.layers.Concatenate):
            yield layer  # the page puts z and the label into one array itself


def describe_layer(layer: keras.layers.Layer) -> dict[str, Any]:
    """Returns a layer's kind, shape and numbers."""
    known = {"shape": layer.output.shape[1:]}
    if getattr(layer, "use_bias", False):
        raise UserError(f"layer {layer.name!r} has a bias; accepted: use_bias=False")
    match layer:
        case keras.layers.Dense(activation=keras.activations.linear):
            return known | {"kind": "dense", "kernel": packed(layer.kernel, "float16")}
        case keras.layers.Conv2DTranspose(padding="same", activation=keras.activations.linear):
            kernel = np.transpose(layer.kernel, (3, 0, 1, 2))  # by what it reads: input channel
            stride = layer.strides[0]
            return known | {"kind": "stamp", "stride": stride, "kernel": packed(kernel, "float16")}
        case keras.layers.BatchNormalization():
            return known | {"kind": "scaleAndShift"} | folded(layer)
        case keras.layers.Rescaling(offset=0.0):
            return known | {"kind": "rescale", "factor": float(layer.scale)}
        case keras.layers.ReLU(max_value=None, threshold=0):
            return known | {"kind": "relu", "slope": float(layer.negative_slope)}
        case keras.layers.Reshape():
            return known | {"kind": "reshape"}
        case keras.layers.Activation(activation=keras.activations.tanh):
            return known | {"kind": "tanh"}
    raise UserError(f"layer {layer.name!r} ({type(layer).__name__}) is unknown to network.js")


def folded(norm: keras.layers.BatchNormalization) -> dict[str, Any]:
    """BatchNorm, once trained, multiplies and adds constants: one of each for each channel."""
    gamma, beta, mean, variance = (np.array(weight, np.float64) for weight in norm.get_weights())
    scale = gamma / np.sqrt(variance + norm.epsilon)
    return {"scale": packed(scale, "float32"), "shift": packed(beta - mean * scale, "float32")}


def packed(array: Any, dtype: str) -> dict[str, Any]:
    """Returns an array as text: little-endian numbers in base64."""
    numbers = np.asarray(array, np.dtype(dtype).newbyteorder("<"))
    text = base64.b64encode(np.ascontiguousarray(numbers).tobytes()).decode()
    return {"shape": numbers.shape, "type": dtype, "numbers": text}


# --- its training


def describe_training(run: Path) -> dict[str, Any]:
    """Returns frames and curves of a run.

    Raises:
        UserError: a run without frames, losses or measured quality.
    """
    recipe = json.loads((run / RECORD).read_text("utf-8"))["recipe"]
    paths = sorted((run / "samples").glob("step_*.png"))
    if not paths:
        raise UserError(f"run {str(run)!r} has no frames in samples/")
    losses, quality = read_log(run / "log.csv"), read_log(run / "quality.csv")
    return {
        "frames": [
            {"step": int(path.stem.split("_")[1]), "picture": small_frame(path, recipe)}
            for path in paths
        ],
        "samples": QualityCallback.SAMPLES,
        "floor": float(quality["floor"][0]),
        "losses": {name: thinned(losses[name]) for name in ("step", "d_loss", "g_loss")},
        "quality": {name: thinned(quality[name]) for name in ("step", "frechet_distance")},
    }


def small_frame(path: Path, recipe: dict[str, Any]) -> str:
    """Returns the first rows of a frame that `image_grid` tiled, one pixel for one, as a data URL.

    The caption above and the gaps between images are left out.
    """
    columns = math.ceil(math.sqrt(recipe["num_samples"]))
    rows = math.ceil(recipe["num_samples"] / columns)
    frame = iio.imread(path)
    cell = frame.shape[1] // columns
    grid = frame[-rows * cell :][: FRAME_ROWS * cell]
    zoom = 2
    pixels = grid[::zoom, ::zoom].reshape(-1, cell // zoom, columns, cell // zoom)[:, 1:-1, :, 1:-1]
    rows, side = pixels.shape[:2]
    small = pixels.reshape(rows * side, columns * side)
    picture = iio.imwrite("<bytes>", small, extension=".webp", quality=80)
    return "data:image/webp;base64," + base64.b64encode(picture).decode()


def thinned(values: np.ndarray) -> list[float]:
    """Returns every n-th value, so that no more than `CURVE_POINTS` are left, and the last."""
    stride = math.ceil(len(values) / CURVE_POINTS)
    kept = values[::-1][::stride][::-1]
    return [float(f"{value:.4g}") for value in kept]


# --- its card


def describe_card(card: dict[str, Any]) -> dict[str, Any]:
    """Returns the part of a model card that the page shows."""
    quality, recipe = card["scores"]["quality"], card["recipe"]
    return {
        "name": card["name"],
        "hash": card["hash"],
        "parameters": card["parameters"],
        "command": card["command"],
        "seconds": card["training_seconds"],
        "data": {"name": card["data"]["name"], "images": card["data"]["images"]},
        "steps": recipe["steps"],
        "batchSize": recipe["batch_size"],
        "seed": recipe["seed"],
        "distance": quality["generator"]["frechet_distance"],
        "floor": quality["floor"]["frechet_distance"],
        "samples": quality["samples"],
        "evaluator": quality["evaluator"],
        "limits": card["limits"],
    }


# --- its picture


def take_picture() -> None:
    """Photographs the map of the built page, with a digit between two others under the cursor."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium or not importlib.util.find_spec("playwright"):
        sys.exit("no picture taken; needed: apt install chromium; pip install -e '.[browser]'")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        sandbox = [] if os.geteuid() else ["--no-sandbox"]  # root has none
        browser = driver.chromium.launch(executable_path=chromium, args=sandbox)
        page = browser.new_page(viewport={"width": 1120, "height": 900})
        page.goto(EXPLORER_PAGE.as_uri())
        page.locator("#map-area").click(position={"x": 330, "y": 150})
        page.locator("#map-tiles[aria-busy='false']").wait_for()
        page.locator("#map").screenshot(path=PICTURE)
        browser.close()
    print(PICTURE.relative_to(ROOT))


if __name__ == "__main__":
    try:
        take_picture() if sys.argv[1:] == ["picture"] else main(*sys.argv[1:])
    except UserError as error:
        sys.exit(f"error: {error}")
