"""The way back: from an image to the latent vector that draws it."""

import numpy as np
import pytest
from helpers import make_gan, tiny
from PIL import Image

from dcgan_lib import (
    UserError,
    find_latent,
    generator_input,
    latent_dim_of,
    load_pretrained,
    sample_latent,
    unscale,
)
from dcgan_lib.cli import main

FEW = {"starts": 4, "steps": 150}


@pytest.fixture(scope="module")
def generators() -> dict:
    kinds = {"plain": "fast", "labels": "conditional", "groups": "grouped"}
    made = {kind: make_gan(tiny(name)).generator for kind, name in kinds.items()}
    for generator in made.values():  # which is grey all over before its training
        generator.set_weights([3 * w if w.ndim > 1 else w for w in generator.get_weights()])
    return made


def drawn(generator, count: int, labels=None) -> np.ndarray:
    z = sample_latent(count, 10, seed=77)
    return generator(generator_input(generator, z, labels), training=False).numpy()


@pytest.mark.parametrize("kind", ["plain", "labels", "groups"])
def test_what_a_generator_drew_is_found(kind, generators):
    generator = generators[kind]
    asked = None if kind == "plain" else np.array([3, 7])
    images = drawn(generator, 2, asked)
    found = find_latent(generator, images, asked, **FEW)
    again = generator(generator_input(generator, found.latent, found.labels), training=False)
    errors = np.mean((again.numpy() - images) ** 2, axis=(1, 2, 3))
    np.testing.assert_allclose(found.errors, errors, atol=1e-6)
    assert (errors < 0.02 * np.mean((images[0] - images[1]) ** 2)).all()
    lengths = np.linalg.norm(found.latent, axis=1)
    assert (np.abs(lengths - 10**0.5) <= 2 + 1e-4).all()
    if kind == "plain":
        assert found.labels is None
    else:
        np.testing.assert_array_equal(found.labels, asked)


def test_the_label_is_found_too():
    generator, asked = load_pretrained("explorer"), np.array([3, 7, 1, 0])
    z = sample_latent(4, latent_dim_of(generator), seed=77)
    images = generator(generator_input(generator, z, asked), training=False).numpy()
    free = find_latent(generator, images, starts=4, steps=60)
    wrong = find_latent(generator, images, (asked + 1) % 10, starts=4, steps=60)
    np.testing.assert_array_equal(free.labels, asked)
    np.testing.assert_array_equal(wrong.labels, (asked + 1) % 10)
    assert free.errors.mean() < wrong.errors.mean()


def test_an_image_is_found_alike_alone_and_among_others(generators, monkeypatch):
    generator, few = generators["plain"], {"starts": 2, "steps": 5}
    images = drawn(generator, 5)
    together = find_latent(generator, images, **few)
    again = find_latent(generator, images, **few)
    assert np.array_equal(together.latent, again.latent)
    monkeypatch.setattr("dcgan_lib.beyond.inversion.ROWS", 4)  # two images at once, then the last
    parts = find_latent(generator, images, **few)
    np.testing.assert_allclose(parts.latent, together.latent, atol=1e-3)
    assert not np.allclose(find_latent(generator, images, seed=1, **few).latent, together.latent)


def test_real_images_in_any_range(generators, images):
    generator = generators["plain"]
    few = {"starts": 1, "steps": 1}
    bytes_ = find_latent(generator, images[:2], **few)
    floats = find_latent(generator, images[:2, ..., np.newaxis] / np.float32(255), **few)
    np.testing.assert_allclose(bytes_.errors, floats.errors, rtol=1e-4)


BAD = {
    "shape": (
        {"images": np.zeros((2, 32, 32, 1), np.uint8)},
        r"\(2, 32, 32, 1\); accepted: \(N, 28",
    ),
    "none": ({"images": np.zeros((0, 28, 28, 1), np.uint8)}, "N above 0"),
    "range": ({"images": np.full((1, 28, 28, 1), 3.0)}, "go from 3 to 3; accepted"),
    "starts": ({"starts": 0}, "starts=0"),
    "steps": ({"steps": 0}, "steps=0"),
    "seed": ({"seed": -1}, "seed -1"),
    "labels": ({"labels": [3]}, "cannot choose the digit"),
    "number": ({"labels": [3, 4]}, r"\(2,\); accepted: one for each of 1"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_requests_are_refused(kind, generators):
    changes, reason = BAD[kind]
    request = {"images": np.zeros((1, 28, 28), np.uint8)} | changes
    with pytest.raises(UserError, match=reason):
        find_latent(generators["plain"], **request)


@pytest.mark.parametrize("labels", [[12], [-1], [0.5]])
def test_impossible_labels_are_refused(labels, generators):
    with pytest.raises(UserError, match="0 to 9"):
        find_latent(generators["labels"], np.zeros((1, 28, 28), np.uint8), labels)


# --- dcgan sample --like


@pytest.mark.parametrize("paper", [False, True])
def test_a_picture_is_found_also_dark_on_white(paper, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)  # where no folder is called explorer
    generator = load_pretrained("explorer")
    z = sample_latent(1, latent_dim_of(generator), seed=5)
    pixels = unscale(generator(generator_input(generator, z)))
    picture = Image.fromarray((255 - pixels if paper else pixels)[0, ..., 0]).resize((56, 56))
    picture.convert("RGB").save(tmp_path / "digit.png")
    output = tmp_path / "new" / "like.png"
    command = ["sample", "explorer", "--like", str(tmp_path / "digit.png"), "--output", str(output)]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "the eye hardly sees a difference. A pixel is off by about" in said
    grid = np.asarray(Image.open(output))
    assert grid.shape == (480, 240 + 480)
    given, found = grid[:240, :240].astype(float), grid[240:, :240].astype(float)
    assert np.abs(given - found).mean() < 12
    assert given.mean() < 128  # light on dark, as the generator draws


def test_a_likeness_is_refused_before_any_work(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.png").write_text("no picture")
    for options, reason in (
        (["--like", "nowhere.png"], "--like nowhere.png is impossible; accepted: an image file"),
        (["--like", "text.png"], "'text.png' cannot be read"),
        (["--like", "text.png", "-n", "5"], "-n 5 is impossible"),
        (["--like", "text.png", "--output", "x.npy"], "--output x.npy is impossible"),
        (["--like", "text.png", "--output", "x/"], "--output x/ is impossible"),
    ):
        assert main(["sample", "explorer", *options]) == 2
        assert reason in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["text.png"]
