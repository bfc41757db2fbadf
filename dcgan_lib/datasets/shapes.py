"""Coloured shapes on a plain ground, drawn here. Used in notebook 10."""

from __future__ import annotations

import functools

import numpy as np

from dcgan_lib.datasets.images import ImageData, Split

SHAPES = ("circle", "square", "triangle", "star", "heart", "ring")

SHAPE_COUNTS = {"train": 6000, "test": 1000}

CANVAS, SHRINK = 32, 4  # drawn four times as large and shrunk: smooth edges


@functools.cache
def draw_shapes(split: Split) -> ImageData:
    draw = np.random.Generator(np.random.Philox(key=SHAPE_COUNTS[split]))
    count = SHAPE_COUNTS[split]
    labels = draw.permutation(np.arange(count) % len(SHAPES)).astype(np.uint8)
    masks = np.stack([_draw_mask(SHAPES[label], draw) for label in labels])
    images = _paint(masks[..., np.newaxis] / np.float32(255), draw)
    return ImageData(images, labels, "shapes").with_classes(SHAPES)


def _draw_mask(shape: str, draw: np.random.Generator) -> np.ndarray:
    """Draws one shape in a random size, place and turn: uint8 (32, 32), 255 inside."""
    from PIL import Image, ImageDraw

    radius = draw.uniform(10.5, 13)
    centre = CANVAS / 2 + draw.uniform(-1, 1, 2)
    turned = radius * np.exp(1j * draw.uniform(-0.15, 0.15)) * _outline(shape)
    picture = Image.new("L", (CANVAS * SHRINK, CANVAS * SHRINK))
    pen = ImageDraw.Draw(picture)
    for share, ink in ((1.0, 255), (0.55, 0)) if shape == "ring" else ((1.0, 255),):
        corners = (complex(*centre) + share * turned) * SHRINK
        pen.polygon(corners.view(np.float64).tolist(), fill=ink)
    return np.asarray(picture.reduce(SHRINK))


@functools.cache
def _outline(shape: str) -> np.ndarray:
    """Returns the corners of a shape of radius 1 around 0: complex x + iy, y pointing down."""
    if shape == "heart":
        t = np.linspace(0, 2 * np.pi, 60)
        y = -13 * np.cos(t) + 5 * np.cos(2 * t) + 2 * np.cos(3 * t) + np.cos(4 * t)
        return (16 * np.sin(t) ** 3 + 1j * y) / 17
    count = {"square": 4, "triangle": 3, "star": 10}.get(shape, 60)
    radii = np.where(np.arange(count) % 2, 0.45, 1.0) if shape == "star" else 1.0
    first = -np.pi / 4 if shape == "square" else -np.pi / 2
    return radii * np.exp(1j * (first + np.arange(count) * 2 * np.pi / count))


def _paint(masks: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Gives masks (N, 32, 32, 1) from 0 to 1 vivid colours on a dark or a light ground."""
    count = len(masks)
    waves = np.cos(draw.uniform(0, 2 * np.pi, (count, 1)) - np.array([0.0, 2.0, 4.0]))
    dark = draw.random((count, 1)) < 0.5
    ground = np.where(dark, (18, 20, 38), (250, 244, 230))
    inks = np.where(dark, 165 + 90 * waves, 125 + 110 * waves)
    ground, inks = (x[:, None, None].astype(np.float32) for x in (ground, inks))
    return np.clip(ground + masks * (inks - ground) + 0.5, 0, 255).astype(np.uint8)
