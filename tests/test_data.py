"""Data: where images come from, which files are refused, scaling, hold-out, batches."""

import contextlib
import errno
import gzip
import hashlib
import json
import re
import shutil
import socket
import struct
import sys
import threading
import time
import types
import zlib

import imageio.v3 as iio
import keras
import numpy as np
import pytest
from helpers import save_data, tiny
from PIL import Image, ImageFile, features

from dcgan_lib import (
    UserError,
    load_images,
    scale,
    train_dcgan_mnist,
)
from dcgan_lib.cli import main
from dcgan_lib.data import data_hash, load_training_set
from dcgan_lib.datasets import given, own, parts, shapes, sources
from dcgan_lib.datasets.digits import load_digits
from dcgan_lib.measuring.quality import QualityCallback

download = sources._download  # before the tests cut it off

GOOD = np.arange(20 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(20, 28, 28)


@pytest.fixture
def good_file(tmp_path):
    return save_data(tmp_path / "good.npz", GOOD)


# --- which data


def test_digits_are_like_mnist(digits):
    assert digits.images.dtype == np.uint8
    assert digits.images.shape == (12_000, 28, 28)
    assert digits.labels.shape == (12_000,)
    assert set(digits.labels) == set(range(10))
    assert digits.name == "digits"
    # Ink on paper: dark corners, and crisp strokes rather than grey blur.
    assert digits.images[:, 0, 0].max() == 0
    assert digits.images.max() == 255
    grey = (digits.images > 40) & (digits.images < 215)
    assert grey.mean() < (digits.images >= 215).mean() * 1.5


def test_the_test_split_of_the_digits_is_other_drawings(digits):
    test = load_images("digits", "test")
    assert test.images.shape == (297, 28, 28)
    assert set(test.labels) == set(range(10))
    seen = {image.tobytes() for image in digits.images}
    assert not any(image.tobytes() in seen for image in test.images)


def test_digits_are_the_same_every_time(digits):
    again = load_digits.__wrapped__("test")
    assert np.array_equal(again.images, load_images("digits", "test").images)
    assert data_hash(digits.images) == data_hash(digits.images.copy())


def test_an_explicit_path(good_file):
    loaded = load_images(str(good_file))
    assert np.array_equal(loaded.images, GOOD)
    assert loaded.labels.tolist() == [*range(10), *range(10)]
    assert loaded.name == "good"


@pytest.mark.parametrize("name", ["auto", "mnist"])
def test_the_variable_names_a_file_for_mnist(name, good_file, monkeypatch):
    monkeypatch.setenv("DCGAN_DATA", str(good_file))
    loaded = load_images(name)
    assert np.array_equal(loaded.images, GOOD)
    assert loaded.name == "mnist"


def test_the_variable_is_never_used_for_other_names(good_file, tmp_path, monkeypatch, digits):
    monkeypatch.setenv("DCGAN_DATA", str(good_file))
    assert np.array_equal(load_images("digits").images, digits.images)
    other = save_data(tmp_path / "other.npz", GOOD[:10])
    assert len(load_images(str(other)).images) == 10


@pytest.mark.parametrize("name", ["auto", "mnist"])
def test_a_bad_file_in_the_variable_never_falls_through(name, tmp_path, monkeypatch):
    monkeypatch.setenv("DCGAN_DATA", str(tmp_path / "missing.npz"))
    with pytest.raises(UserError, match=r"missing\.npz.*does not exist"):
        load_images(name)


def test_splits(tmp_path):
    path = save_data(tmp_path / "two.npz", GOOD, x_test=GOOD[:4], y_test=np.arange(4))
    assert len(load_images(str(path), "train").images) == 20
    assert len(load_images(str(path), "test").images) == 4
    with pytest.raises(UserError, match="validation"):
        load_images(str(path), "validation")


def test_unknown_names_are_refused_with_the_known_ones():
    for name in ("cifar", ""):
        with pytest.raises(
            UserError, match=rf"'{name}'.*auto, mnist, mnist10k, digits.*, shapes.*folder"
        ):
            load_images(name)


def test_mnist_out_of_reach_raises_and_says_what_to_do():
    with pytest.raises(UserError, match=r"no route to host.*DCGAN_DATA.*digits") as caught:
        load_images("mnist")
    assert "\n" not in str(caught.value)


def test_auto_falls_through_with_a_notice(capsys):
    loaded = load_images("auto")
    assert loaded.name == "mnist10k"
    assert np.array_equal(loaded.images, load_images("mnist10k").images)
    out, notice = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"MNIST is not at hand \(no route to host\): .*DCGAN_DATA.*\n", notice)


@pytest.mark.parametrize("error", [TimeoutError(), Exception("\n"), AssertionError("")])
def test_an_error_without_words_is_reported_too(error, monkeypatch, capsys):
    def fail(*args):
        raise error

    sources._fetch.cache_clear()
    monkeypatch.setattr(keras.datasets.mnist, "load_data", fail)
    monkeypatch.setattr(sources, "_download", fail)
    with pytest.raises(UserError, match="MNIST cannot be reached"):
        load_images("mnist")
    assert load_images("auto").name == "mnist10k"
    assert f"MNIST is not at hand ({type(error).__name__})" in capsys.readouterr().err
    sources._fetch.cache_clear()


def test_mnist_in_reach_is_used_without_a_notice(monkeypatch, capsys):
    labels = np.arange(20, dtype=np.uint8) % 10
    arrays = (GOOD, labels), (GOOD[:5], labels[:5])
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: arrays)
    assert load_images("mnist").name == "mnist"
    assert len(load_images("mnist", "test").images) == 5
    assert capsys.readouterr().err == ""


@pytest.fixture
def network(monkeypatch, tmp_path):
    """Keras's cache, empty; and how `auto` finds the network: given by the test."""
    sources._fetch.cache_clear()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    yield lambda content: monkeypatch.setattr(sources, "_download", lambda *args: content)
    sources._fetch.cache_clear()


def test_auto_takes_mnist_from_the_cache_or_brings_it_there(network, good_file, capsys, tmp_path):
    content, cache = good_file.read_bytes(), tmp_path / "datasets"
    network(content)
    assert load_images().name == "mnist10k"  # the network gave something else
    assert "something else" in capsys.readouterr().err
    assert not cache.exists()
    sources._fetch.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "SHA256", hashlib.sha256(content).hexdigest())
        assert load_images().name == "mnist"
    assert [path.name for path in cache.iterdir()] == ["mnist.npz"]
    network(None)
    assert np.array_equal(load_images("auto", "test").images, GOOD)
    assert capsys.readouterr().err == ""
    (cache / "mnist.npz").write_bytes(content[:999])  # only half
    sources._fetch.cache_clear()
    assert load_images().name == "mnist10k"


@pytest.mark.parametrize("kind", ["silent", "slow", "missing"])
def test_a_network_that_hangs_is_given_up(kind, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        if kind == "slow":
            threading.Thread(target=drip, args=(server,), daemon=True).start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}/x"
        begin = time.monotonic()
        if kind == "missing":
            server.close()
        with pytest.raises(Exception, match=r"within 1 seconds|refused|timed out"):
            download(address, 0.6)
        assert time.monotonic() - begin < 3


def drip(server):
    connection, _ = server.accept()
    connection.recv(999)
    with contextlib.suppress(OSError):
        connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 9999\r\n\r\n")
        for _ in range(50):
            connection.sendall(b"x")
            time.sleep(0.1)


def test_the_part_of_mnist_is_its_first_training_images(mnist_file):
    whole = load_images(mnist_file)
    known = {i.tobytes(): n for i, n in zip(whole.images[:10_000], whole.labels, strict=False)}
    train, test = load_images("mnist10k"), load_images("mnist10k", "test")
    assert (len(train.images), len(test.images)) == (9000, 1000)
    for image, label in zip(
        [*train.images, *test.images], [*train.labels, *test.labels], strict=True
    ):
        assert known.pop(image.tobytes()) == label
    assert known == {}


def test_the_part_of_mnist_is_small_mixed_and_has_its_licenses():
    assert sources.PART.stat().st_size <= 1_700_000
    terms = sources.PART.with_suffix(".txt").read_text()
    assert all(name in terms for name in ("Attribution-Share Alike 3.0", "The MIT License"))
    for split, least in (("train", 700), ("test", 80)):
        labels = load_images("mnist10k", split).labels
        assert np.bincount(labels).min() > least
        assert set(labels[:60]) == set(range(10))


def test_the_part_of_mnist_trains_on_nine_thousand():
    training_set = load_training_set(tiny(hold_out=10_000), "auto")
    assert len(training_set.images) == 9000
    assert np.array_equal(training_set.held_out[..., 0], load_images("mnist10k", "test").images)
    assert training_set.source["source"] == "mnist10k"
    assert len(load_training_set(tiny(hold_out=0), "mnist10k").held_out) == 0


def test_the_real_mnist(mnist_file):
    loaded = load_images(mnist_file)
    assert loaded.images.shape == (60_000, 28, 28)
    assert load_images(mnist_file, "test").images.shape == (10_000, 28, 28)
    assert np.bincount(loaded.labels).min() > 5000


COLOUR = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
KERAS_DATA = {  # as `keras.datasets` gives them: CIFAR's labels are a column
    "fashion_mnist": (GOOD, np.arange(20, dtype=np.uint8) % 10),
    "cifar10": (COLOUR, np.arange(12, dtype=np.uint8).reshape(12, 1) % 10),
}


@pytest.mark.parametrize("name", KERAS_DATA)
def test_datasets_of_keras(name, monkeypatch, good_file):
    images, labels = KERAS_DATA[name]
    module = getattr(keras.datasets, name)
    monkeypatch.setattr(module, "load_data", lambda: ((images, labels), (images[:5], labels[:5])))
    monkeypatch.setenv("DCGAN_DATA", str(good_file))  # is for MNIST alone
    loaded = load_images(name)
    assert np.array_equal(loaded.images, images)
    assert loaded.labels.tolist() == labels.flatten().tolist()
    assert loaded.name == name
    assert len(load_images(name, "test").images) == len(load_images(name, "test").labels) == 5


@pytest.mark.parametrize(
    ("name", "folder"),
    [("fashion_mnist", "fashion-mnist"), ("cifar10", "cifar-10-batches-py-target")],
)
def test_datasets_out_of_reach_never_fall_through(name, folder, monkeypatch, capsys):
    def fail():
        raise OSError("no route to host")

    monkeypatch.setattr(getattr(keras.datasets, name), "load_data", fail)
    expected = rf"{name} cannot be reached \(no route to host\).*'{folder}'.*\.keras/datasets"
    with pytest.raises(UserError, match=expected) as caught:
        load_images(name)
    assert "\n" not in str(caught.value)
    assert capsys.readouterr().err == ""


def test_shapes():
    train, test = load_images("shapes"), load_images("shapes", "test")
    assert train.images.shape == (6000, 32, 32, 3)
    assert test.images.shape == (1000, 32, 32, 3)
    assert train.images.dtype == np.uint8
    assert train.name == "shapes"
    assert np.bincount(train.labels).tolist() == [1000] * len(shapes.SHAPES)
    assert set(test.labels) == set(range(len(shapes.SHAPES)))
    seen = {image.tobytes() for image in train.images}
    assert len(seen) == 6000
    assert not any(image.tobytes() in seen for image in test.images)


def test_shapes_are_the_same_every_time():
    again = shapes.draw_shapes.__wrapped__("test")
    assert np.array_equal(again.images, load_images("shapes", "test").images)
    assert np.array_equal(again.labels, load_images("shapes", "test").labels)


def test_every_shape_stands_whole_on_a_plain_ground():
    images = load_images("shapes", "test").images.astype(int)
    ground = images[:, 0, 0]
    border = np.concatenate([images[:, [0, -1]], images[:, :, [0, -1]].swapaxes(1, 2)], axis=1)
    assert (border == ground[:, None, None]).all()
    inked = (np.abs(images - ground[:, None, None]).max(axis=-1) > 60).mean(axis=(1, 2))
    assert inked.min() > 0.05
    assert inked.max() < 0.6


def test_shapes_are_what_their_labels_say():
    """In the middle of a ring there is nothing; a disc fills its bounding box as no other does."""
    test = load_images("shapes", "test")
    ink = np.abs(test.images.astype(int) - test.images[:, :1, :1]).max(axis=-1) > 60
    fills = {}
    for label, name in enumerate(shapes.SHAPES):
        boxes = [mask[np.ix_(mask.any(1), mask.any(0))] for mask in ink[test.labels == label]]
        fills[name] = np.mean([box.mean() for box in boxes])
        middles = [box[box.shape[0] // 2, box.shape[1] // 2] for box in boxes]
        assert np.mean(middles) == (0 if name == "ring" else 1)
    assert abs(fills["circle"] - np.pi / 4) < 0.03
    assert fills["star"] < fills["triangle"] < fills["heart"] < fills["circle"]


# --- bad files

LABELS = np.arange(20) % 10
BAD_FILES = {  # refused as MNIST, and as one's own
    "no pixels": ({"x_train": np.zeros((20, 0, 0), np.uint8)}, r"\(20, 0, 0\)"),
    "seven pixels": ({"x_train": np.zeros((20, 7, 28), np.uint8)}, r"\(20, 7, 28\)"),
    "four channels": ({"x_train": np.zeros((20, 32, 32, 4), np.uint8)}, r"\(20, 32, 32, 4\)"),
    "five axes": ({"x_train": np.zeros((20, 28, 28, 1, 1), np.uint8)}, r"\(20, 28, 28, 1, 1\)"),
    "flat, no square": ({"x_train": np.zeros((20, 785), np.uint8)}, r"\(20, 785\)"),
    "empty": ({"x_train": GOOD[:0], "y_train": LABELS[:0]}, "no images"),
    "too few labels": ({"y_train": LABELS[:7]}, r"labels.*\(7,\).*\(20,\)"),
    "label 256": ({"y_train": LABELS + 247}, "from 0 to (9|255)"),
    "label -1": ({"y_train": LABELS - 1}, "from 0 to (9|255)"),
    "label 1.5": ({"y_train": LABELS + 0.5}, "from 0 to (9|255)"),
    "pickled images": ({"x_train": np.array([GOOD, "x"], dtype=object)}, "pickle"),
    "pickled labels": ({"y_train": LABELS.astype(object)}, "pickle"),
    "0 to 765": ({"x_train": GOOD * 3.0}, r"float64.*uint8|from 0 to 765; accepted: bool"),
    "beyond 16 bits": ({"x_train": GOOD * 300.0}, r"float64.*uint8|to 76500; accepted: bool"),
    "negative": ({"x_train": GOOD - 255.0}, r"float64.*uint8|from -255 to 0; accepted: bool"),
    "NaN": ({"x_train": GOOD * np.nan}, "float64.*uint8|not finite"),
    "12 bits": ({"x_train": GOOD.astype(np.uint16) * 16}, "uint16.*uint8|from 0 to 4080"),
    "complex": ({"x_train": GOOD * 1j}, "complex128"),
    "no one-hot": ({"y_train": np.ones((20, 10))}, r"labels.*\(20, 10\)"),
}
WORDS = ["cat", "ant"] * 10
OWN_FILES = {  # fine as one's own, refused as MNIST: what is there, what becomes of it, why not
    "32 x 32": ({"x_train": np.zeros((20, 32, 32), np.uint8)}, {}, "28, 28"),
    "oblong": ({"x_train": np.zeros((20, 16, 48), np.uint8)}, {}, "28, 28"),
    "colour": ({"x_train": np.zeros((20, 64, 64, 3), np.uint8)}, {}, "28, 28"),
    "96 pixels": ({"x_train": np.zeros((20, 96, 96, 3), np.uint8)}, {}, "28, 28"),
    "colour of 28 pixels": ({"x_train": np.zeros((20, 28, 28, 3), np.uint8)}, {}, "28, 28"),
    "channels first": (
        {"x_train": np.zeros((20, 3, 32, 32), np.uint8)},
        {"images": np.zeros((20, 32, 32, 3), np.uint8)},
        "28, 28",
    ),
    "one channel first": ({"x_train": GOOD[:, None]}, {"images": GOOD}, "28, 28"),
    "one channel last": ({"x_train": GOOD[..., None]}, {"images": GOOD}, "28, 28"),
    "flat": ({"x_train": GOOD.reshape(20, 784)}, {"images": GOOD}, "20, 784"),
    "0 to 1": ({"x_train": GOOD / np.float32(255)}, {"images": GOOD}, "float32"),
    "-1 to 1": ({"x_train": GOOD / 127.5 - 1}, {"images": GOOD}, "float64"),
    "0 to 255": ({"x_train": GOOD.astype(np.float16)}, {"images": GOOD}, "float16"),
    "16 bits": ({"x_train": GOOD.astype(np.uint16) * 257}, {"images": GOOD}, "uint16"),
    "8 bits in 64": ({"x_train": GOOD.astype(np.int64)}, {"images": GOOD}, "int64"),
    "black and white": ({"x_train": GOOD > 99}, {"images": (GOOD > 99) * np.uint8(255)}, "bool"),
    "0 or 1": ({"x_train": (GOOD > 99) * 1}, {"images": (GOOD > 99) * np.uint8(255)}, "int64"),
    "label 10": ({"y_train": LABELS + 1}, {"labels": LABELS + 1}, "from 0 to 9"),
    "a column": ({"y_train": LABELS[:, None]}, {"labels": LABELS}, r"\(20, 1\)"),
    "one-hot": ({"y_train": np.eye(10)[LABELS]}, {"labels": LABELS}, r"\(20, 10\)"),
    "float labels": ({"y_train": LABELS / 1.0}, {"labels": LABELS}, "from 0 to 9"),
    "words": (
        {"y_train": WORDS, "y_test": WORDS},
        {"labels": [1, 0] * 10, "classes": ("ant", "cat")},
        "0 to 9",
    ),
    "no labels": ({"y_train": None}, {"labels": [0] * 20}, "no y_train"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_bad_arrays_are_refused_with_the_reason(kind, tmp_path, monkeypatch):
    changes, reason = BAD_FILES[kind]
    path = save_data(tmp_path / "bad.npz", GOOD, LABELS, **changes)
    monkeypatch.setenv("DCGAN_DATA", str(path))
    for name, why in ((str(path), reason), ("auto", "")):
        with pytest.raises(UserError, match=rf"bad\.npz.*{why}") as caught:
            load_images(name)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", OWN_FILES)
def test_what_is_refused_as_mnist_may_be_ones_own_data(kind, tmp_path, monkeypatch):
    changes, wanted, reason = OWN_FILES[kind]
    path = save_data(tmp_path / "own.npz", GOOD, LABELS, **changes)
    loaded = load_images(str(path))
    assert loaded.images.dtype == np.uint8
    wanted = {"images": changes.get("x_train", GOOD), "labels": LABELS} | wanted
    for name, value in wanted.items():
        assert np.array_equal(getattr(loaded, name), value), name
    monkeypatch.setenv("DCGAN_DATA", str(path))
    for name in ("auto", "mnist"):
        with pytest.raises(UserError, match=reason):
            load_images(name)


@pytest.mark.parametrize(("size", "channels"), [(28, (3,)), (32, ()), (64, (1,))])
def test_own_arrays(size, channels, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (8, size, size, *channels), dtype=np.uint8)
    path = save_data(tmp_path / "own.npz", images, np.arange(8) * 36)
    loaded = load_images(str(path))
    expected = images[..., 0] if channels == (1,) else images
    assert np.array_equal(loaded.images, expected)
    assert loaded.labels.tolist() == [0, 36, 72, 108, 144, 180, 216, 252]
    assert scale(loaded.images).shape == (8, size, size, 3 if channels == (3,) else 1)


@pytest.mark.parametrize(
    "names", ["train_images train_labels", "images labels", "X y", "arr_0 arr_1"]
)
def test_other_names_of_arrays(names, tmp_path):
    path = tmp_path / "own.npz"
    np.savez(path, **dict(zip(names.split(), (GOOD, LABELS), strict=True)))
    train, test = load_images(str(path)), load_images(str(path), "test")
    assert test.labels.tolist() == [5, 1, 7]  # every sixth
    assert np.array_equal(np.delete(GOOD, [5, 11, 17], axis=0), train.images)
    assert len(load_training_set(tiny(hold_out=10_000, batch_size=8), str(path)).images) == 20


def test_a_file_of_other_arrays_says_what_it_has(tmp_path):
    np.savez(tmp_path / "own.npz", foo=GOOD, bar=LABELS)
    with pytest.raises(UserError, match="no x_train, nor images or X; it has: foo, bar"):
        load_images(str(tmp_path / "own.npz"))


def test_a_single_array(tmp_path):
    np.save(tmp_path / "own.npy", GOOD)
    assert len(load_images(str(tmp_path / "own.npy")).images) == 17
    (tmp_path / "bad.npy").write_bytes(b"no array")
    with pytest.raises(UserError, match=r"bad\.npy' cannot be used"):
        load_images(str(tmp_path / "bad.npy"))


def write_idx(path, array):
    head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    content = head + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.mark.parametrize("end", ["-idx{}-ubyte.gz", "-idx{}-ubyte", ".idx{}-ubyte"])
@pytest.mark.parametrize(("prefix", "test"), [("", "t10k"), ("emnist-letters-", "test")])
def test_idx_files(prefix, test, end, tmp_path, capsys):
    folder = tmp_path / "fashion"
    folder.mkdir()
    for split, count in (("train", 20), (test, 7)):
        write_idx(folder / f"{prefix}{split}-images{end.format(3)}", GOOD[:count])
        write_idx(folder / f"{prefix}{split}-labels{end.format(1)}", LABELS[:count] + 1)
    for place in (folder, *folder.iterdir()):
        for split, count in (("train", 20), ("test", 7)):
            loaded = load_images(str(place), split)
            assert np.array_equal(loaded.images, GOOD[:count])
            assert np.array_equal(loaded.labels, LABELS[:count] + 1)
    assert ("--transpose" in capsys.readouterr().err) == bool(prefix)
    turned = load_images(str(folder), transpose=True)
    assert np.array_equal(turned.images, GOOD.swapaxes(1, 2))
    assert capsys.readouterr().err == ""
    write_idx(folder / "other-train-images-idx3-ubyte", GOOD)
    with pytest.raises(UserError, match="several sets; give a file: "):
        load_images(str(folder))


def test_idx_alone_cut_off_and_other_files(tmp_path, monkeypatch):
    path = tmp_path / "digits.idx"
    write_idx(path, GOOD)
    assert len(load_images(str(path)).images) == 17  # every sixth is for testing
    monkeypatch.setattr(given, "MAX_BYTES", GOOD.nbytes - 1)
    with pytest.raises(UserError, match=r"digits\.idx.*15,680 bytes; accepted: up to 15,679"):
        load_images(str(path))
    monkeypatch.undo()
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match=r"digits\.idx.*cut off"):
        load_images(str(path))
    for content in (b"", b"text, nothing else"):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"digits\.idx.*neither an IDX file"):
            load_images(str(path))


@pytest.mark.parametrize(("size", "corner"), [(16, None), (28, 0), (32, 0)])
def test_an_image_size_of_ones_choice(size, corner, tmp_path):
    images = np.zeros((12, 28, 40), np.uint8)
    images[:, 14, 20] = 255
    path = save_data(tmp_path / "own.npz", images)
    loaded = load_images(str(path), image_size=size)
    assert loaded.images.shape == (12, size, size)
    bright = loaded.images[0] > 40
    assert bright[size // 2, size // 2]
    if corner is not None:  # cropped or padded, and not blurred
        assert bright.sum() == 1
    save_images(tmp_path / "own", 7, (20, 30))
    assert load_images(str(tmp_path / "own"), image_size=size).images.shape == (6, size, size, 3)


@pytest.mark.parametrize("shape", [(16, 16, 3), (96, 96), (16, 48), (128, 128)])
def test_any_side_whose_strides_fit_is_trained_on(shape, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (16, *shape), np.uint8)
    path = save_data(tmp_path / "own.npz", images)
    run = train_dcgan_mnist(tiny(steps=1, batch_size=8), tmp_path / "run", str(path), verbose=False)
    assert run.generator.output_shape[1:3] == shape[:2]


def test_a_side_that_does_not_fit_is_refused_with_one_that_does(tmp_path):
    path = save_data(tmp_path / "own.npz", np.zeros((16, 30, 30), np.uint8))
    options = {"data": str(path), "verbose": False}
    with pytest.raises(UserError, match=r"30x30 images.*multiples of 4; --image-size 28 makes"):
        train_dcgan_mnist(tiny(batch_size=8), tmp_path / "run", **options)
    run = train_dcgan_mnist(tiny(steps=1, batch_size=8), tmp_path / "run", image_size=32, **options)
    assert run.generator.output_shape == (None, 32, 32, 1)
    (run.folder / "metrics.json").unlink()
    assert not train_dcgan_mnist(output=run.folder, verbose=False).found  # it knows its size


TOLD = {
    (): "48 found, 0 left out; 96x64 pixels, cropped to squares, in colour; 0 kept out for scores, "
    "48 to train on",
    ("--hold-out", "5"): "; 5 kept out for scores, 43 to train on",
    ("--hold-out", "0"): "; 0 kept out for scores, 48 to train on",
    ("--image-size", "16"): "96x64 pixels, cropped to squares, shrunk to 16x16, in colour",
    ("--image-size", "96"): "96x64 pixels, cropped to squares, padded to 96x96, in colour",
}


@pytest.mark.parametrize("options", TOLD)
def test_what_is_done_to_ones_images_is_told_in_one_line(options, tmp_path, monkeypatch, capsys):
    save_images(tmp_path / "own", 48, (96, 64))
    monkeypatch.setattr("dcgan_lib.training.play", lambda *args: sys.exit(7))
    command = ["train", "--data", str(tmp_path / "own"), "--batch-size", "8"]
    command += ["--output", str(tmp_path / "run")]
    assert main([*command, *options]) == 7
    said = capsys.readouterr()
    assert said.out.count("\n") == 3  # and the lines on few images and on settings
    assert said.out.startswith("own: ")
    assert TOLD[options] in said.out
    assert said.err == ""


def test_of_five_hundred_images_some_are_put_aside(tmp_path):
    path = tmp_path / "own.npy"
    for count, tests, kept in ((499, 0, 0), (600, 100, 83)):
        np.save(path, np.zeros((count, 28, 28), np.uint8))
        parts_ = parts.load_parts(str(path))
        assert len(parts_.held_out) == kept
        assert len(parts_.images) == count - tests - kept
        assert (f"{tests} put aside for tests" in parts_.about) == bool(tests)
        assert "a quality curve is left out: it needs 2000" in parts_.about


def test_one_small_picture_in_a_hundred_does_not_decide(tmp_path, capsys):
    save_images(tmp_path / "own", 120, (64, 64))
    save_images(tmp_path / "small", 1, (30, 30))
    shutil.move(tmp_path / "small" / "000.png", tmp_path / "own" / "small.png")
    assert load_images(str(tmp_path / "own")).images.shape[1:] == (64, 64, 3)
    assert re.search(r"1 of 121 .*small\.png' is only 30 pixels", capsys.readouterr().err)


def test_a_folder_of_icons(tmp_path):
    save_images(tmp_path, 3, (16, 20))
    assert load_images(str(tmp_path)).images.shape == (3, 16, 16, 3)


# --- a folder of images


def save_images(folder, count=12, size=(32, 32), form="png", colour=True):
    """Writes images, each of one colour or grey, and returns their values (count, 3)."""
    folder.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(count).integers(0, 256, (count, 3), dtype=np.uint8)
    for number, value in enumerate(values):
        pixels = np.full((size[1], size[0], 3), value if colour else value[0], np.uint8)
        iio.imwrite(folder / f"{number:03d}.{form}", pixels if colour else pixels[..., 0])
    return values


def test_a_folder(tmp_path):
    values = save_images(tmp_path / "own")
    train, test = load_images(str(tmp_path / "own")), load_images(str(tmp_path / "own"), "test")
    assert train.images.shape == (10, 32, 32, 3)
    assert test.images.shape == (2, 32, 32, 3)
    assert train.name == test.name == "own"
    assert train.images.dtype == np.uint8
    assert train.images[:, 0, 0].tolist() == np.delete(values, [5, 11], axis=0).tolist()
    assert test.images[:, 0, 0].tolist() == values[[5, 11]].tolist()
    assert set(train.labels) == {0}


def test_sub_folders_are_classes_in_the_order_of_their_names(tmp_path):
    for name, count in (("zebra", 3), ("ant", 4), ("cat/deep", 2)):
        save_images(tmp_path / name, count)
    (tmp_path / "no pictures").mkdir()
    (tmp_path / "no pictures" / "notes.txt").touch()
    train, test = load_images(str(tmp_path)), load_images(str(tmp_path), "test")
    assert train.labels.tolist() == [0, 0, 0, 0, 1, 2, 2, 2]
    assert test.labels.tolist() == [1]


def test_the_present_folder_has_a_name_too(tmp_path, monkeypatch):
    save_images(tmp_path / "own")
    monkeypatch.chdir(tmp_path / "own")
    assert load_images(".").name == "own"


def test_a_dataset_is_asked_for_by_name_even_if_a_folder_is_called_so(tmp_path, monkeypatch):
    save_images(tmp_path / "digits")
    monkeypatch.chdir(tmp_path)
    assert len(load_images("digits", "test").images) == 297
    assert len(load_images("./digits").images) == 10


@pytest.mark.parametrize(
    ("sides", "expected"),
    [
        ([(31, 200)], 28),
        ([(63, 63), (64, 64)], 32),
        ([(1000, 800), (64, 70)], 64),
    ],
)
def test_images_are_shrunk_to_the_largest_size_that_all_can_fill(sides, expected, tmp_path):
    for number, side in enumerate(sides):
        save_images(tmp_path / str(number), 3, side)
    assert load_images(str(tmp_path)).images.shape[1:] == (expected, expected, 3)


def test_images_are_cropped_to_the_middle(tmp_path):
    pixels = np.zeros((64, 128, 3), np.uint8)
    pixels[:, 32:96] = (10, 200, 30)
    iio.imwrite(tmp_path / "wide.png", pixels)
    iio.imwrite(tmp_path / "high.png", pixels.swapaxes(0, 1))
    assert (load_images(str(tmp_path)).images == (10, 200, 30)).all()


def test_pixels_of_the_right_size_stay_as_they_are(tmp_path):
    for number, image in enumerate(COLOUR[:5]):
        iio.imwrite(tmp_path / f"{number}.png", image)
    assert np.array_equal(load_images(str(tmp_path)).images, COLOUR[:5])


@pytest.mark.parametrize("colour", [False, True])
def test_images_are_grey_only_if_all_are(colour, tmp_path):
    save_images(tmp_path / "a", 3, (28, 28), colour=False)
    save_images(tmp_path / "b", 2, (28, 28), colour=colour)
    assert load_images(str(tmp_path)).images.shape == (5, 28, 28, 3)[: 3 + colour]


def test_grey_saved_as_colour_is_grey(tmp_path):
    iio.imwrite(tmp_path / "grey.png", np.repeat(GOOD[0][..., np.newaxis], 3, axis=-1))
    assert np.array_equal(load_images(str(tmp_path)).images, GOOD[:1])


def test_formats(tmp_path):
    forms = ["png", "jpg", "JPEG", "bmp", "gif", "webp", "tiff", "ppm", "PGM", "jfif", "TGA"]
    forms += ["avif"] * features.check("avif") + ["jp2"] * features.check("jpg_2000")
    for form in forms:
        values = save_images(tmp_path / form, 3, (40, 40))
        for file in (tmp_path / form).iterdir():
            image = Image.fromarray(iio.imread(file))
            file.unlink()
            image.save(file.with_suffix(f".{form}"), quality=95)
        loaded = load_images(str(tmp_path / form)).images
        assert loaded.shape == (3, 32, 32, 3)
        assert np.abs(loaded[:, 9, 9].astype(int) - values).max() <= 4, form  # JPEG rounds


def with_mode(mode: str) -> Image.Image:
    """A 32 x 32 image: left half dark or transparent, right half light."""
    grey = np.zeros((32, 32), np.uint8)
    grey[:, 16:] = 255
    if mode == "I;16":
        return Image.fromarray(grey.astype(np.uint16) * 257)
    if mode.startswith("32 bits"):  # which may hold 8 or 16 bits
        return Image.fromarray(grey.astype(np.int32) * (257 if "65535" in mode else 1))
    if mode in ("LA", "RGBA"):
        image = Image.new(mode, (32, 32), 0)
        image.putalpha(Image.fromarray(grey))
        return image
    return Image.fromarray(grey).convert(mode)


@pytest.mark.parametrize(
    "mode", ["1", "L", "P", "RGB", "I;16", "32 bits, up to 255", "32 bits, up to 65535"]
)
def test_kinds_of_pixels(mode, tmp_path):
    with_mode(mode).save(tmp_path / ("x.tiff" if mode.startswith("32 bits") else "x.png"))
    pixels = load_images(str(tmp_path)).images[0]
    assert pixels[:, :16].max() == 0
    assert pixels[:, 16:].min() == 255


def test_sixteen_bits_are_scaled_however_dark(tmp_path):
    pixels = np.full((32, 32), 200, ">u2")
    pixels[16:] = 65535 * 3 // 5
    (tmp_path / "x.pgm").write_bytes(b"P5 32 32 65535\n" + pixels.tobytes())
    assert np.unique(load_images(str(tmp_path)).images).tolist() == [0, 153]
    pixels[16:] = 200
    (tmp_path / "x.pgm").write_bytes(b"P5 32 32 65535\n" + pixels.tobytes())
    assert load_images(str(tmp_path)).images.max() == 0


def test_palettes(tmp_path):
    image = Image.new("P", (32, 32), 1)
    image.putpalette([0, 0, 0, 10, 200, 30, 9, 9, 9])
    image.paste(2, (0, 0, 16, 32))
    image.save(tmp_path / "x.png", transparency=2)
    pixels = load_images(str(tmp_path)).images[0]
    assert (pixels[:, :16] == 255).all()
    assert (pixels[:, 16:] == (10, 200, 30)).all()


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_what_is_transparent_becomes_white(mode, tmp_path):
    with_mode(mode).save(tmp_path / "x.png")
    pixels = load_images(str(tmp_path)).images[0]
    assert pixels[:, :16].min() == 255
    assert pixels[:, 16:].max() == 0


def test_a_telephones_photograph_stands_upright(tmp_path):
    image = Image.new("RGB", (64, 64), "black")
    image.paste("white", (0, 0, 64, 32))
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn by a quarter
    image.save(tmp_path / "x.jpg", exif=exif)
    pixels = load_images(str(tmp_path)).images[0]
    assert pixels[:, 40:].min() > 200
    assert pixels[:, :24].max() < 50


def test_hidden_files_are_passed_over(tmp_path):
    save_images(tmp_path, 3)
    for name in ("._000.png", ".thumbnails/000.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("not an image")
    assert len(load_images(str(tmp_path)).images) == 3


def bad_folder(kind: str, folder) -> None:
    save_images(folder, 3)
    bad = folder / "bad.png"
    if kind == "text":
        bad.write_text("not an image")
    elif kind == "nothing":
        bad.touch()
    elif kind == "cut off":
        iio.imwrite(bad, COLOUR[0])
        bad.write_bytes(bad.read_bytes()[:1500])
    elif kind == "small":
        iio.imwrite(bad, COLOUR[0, :15])
    elif kind == "fractions":
        Image.fromarray(COLOUR[0, ..., 0] / np.float32(255)).save(folder / "bad.tiff")
    elif kind == "beyond 16 bits":
        Image.fromarray(COLOUR[0, ..., 0].astype(np.int32) * 1000).save(folder / "bad.tiff")
    elif kind == "huge":
        iio.imwrite(bad, COLOUR[0])
        claim = (20_000).to_bytes(4, "big") * 2  # width and height: PNG keeps a checksum of both
        header = b"IHDR" + claim + bad.read_bytes()[24:29]
        checksum = zlib.crc32(header).to_bytes(4, "big")
        bad.write_bytes(bad.read_bytes()[:12] + header + checksum + bad.read_bytes()[33:])


BAD_IMAGES = [
    ("text", r"bad\.png.*cannot be read"),
    ("nothing", r"bad\.png.*cannot be read"),
    ("cut off", r"bad\.png.*cannot be read"),
    ("huge", r"bad\.png.*cannot be read.*400000000 pixels"),
    ("small", r"bad\.png.*only 15 pixels.*at least (16|28|32)"),
    ("fractions", r"bad\.tiff.*fractions"),
    ("beyond 16 bits", r"bad\.tiff.*accepted: 0 to 65535"),
]


@pytest.mark.parametrize(("kind", "reason"), BAD_IMAGES)
def test_an_image_that_cannot_be_used_is_left_out_and_named(kind, reason, tmp_path, capsys):
    bad_folder(kind, tmp_path / "own")
    assert len(load_images(str(tmp_path / "own")).images) == 3
    said = capsys.readouterr().err
    assert re.fullmatch(rf"1 of 4 images are left out; the first: .*{reason}.*\n", said)


@pytest.mark.parametrize(("kind", "reason"), BAD_IMAGES)
def test_a_folder_without_a_good_image_is_refused(kind, reason, tmp_path):
    bad_folder(kind, tmp_path / "own")
    for number in range(3):
        (tmp_path / f"own/{number:03d}.png").unlink()
    with pytest.raises(UserError, match=rf"no image that can be used: 1 of 1 .*{reason}") as caught:
        load_images(str(tmp_path / "own"))
    assert "\n" not in str(caught.value)


def test_a_damaged_image_leaves_labels_and_splits_of_the_others_alone(tmp_path, capsys):
    for name in ("1", "2"):
        save_images(tmp_path / name, 6)
    (tmp_path / "1" / "002.png").write_text("not an image")
    train, test = load_images(str(tmp_path)), load_images(str(tmp_path), "test")
    assert train.labels.tolist() == [0] * 5 + [1] * 5
    assert test.labels.tolist() == [1]


def test_numbers_are_sorted_as_numbers(tmp_path):
    for name in ("10", "2", "1", "x10", "x9"):
        values = save_images(tmp_path / name, 1)
        (tmp_path / name / "000.png").rename(tmp_path / name / "11.png")
        save_images(tmp_path / name, 1)
        (tmp_path / name / "000.png").rename(tmp_path / name / "3.png")
    assert load_images(str(tmp_path)).labels.tolist() == [0, 0, 1, 1, 2, 3, 3, 4, 4]
    found = own._image_files(tmp_path)
    assert [str(file.relative_to(tmp_path)) for file in found[-4:]] == [
        "x9/3.png", "x9/11.png", "x10/3.png", "x10/11.png",
    ]  # fmt: skip
    assert len(values) == 1


@pytest.mark.parametrize("names", [("train", "val", "test"), ("Training", "validation", "TESTING")])
def test_sub_folders_called_as_splits_are_splits(names, tmp_path):
    counts = dict(zip(names, (7, 2, 3), strict=True))
    values = {name: save_images(tmp_path / name, count) for name, count in counts.items()}
    train, test = load_images(str(tmp_path)), load_images(str(tmp_path), "test")
    assert test.images[:, 0, 0].tolist() == values[names[2]].tolist()
    wanted = np.concatenate([values[names[0]], values[names[1]]])
    assert train.images[:, 0, 0].tolist() == wanted.tolist()
    assert set(train.labels) == set(test.labels) == {0}


def test_classes_below_splits(tmp_path):
    for name, count in {"train/a": 2, "train/b": 1, "test/b": 3, "val/c": 1}.items():
        save_images(tmp_path / name, count)
    train, test = load_images(str(tmp_path)), load_images(str(tmp_path), "test")
    assert train.labels.tolist() == [0, 0, 1, 2]
    assert test.labels.tolist() == [1, 1, 1]


def test_splits_that_are_not_whole(tmp_path):
    save_images(tmp_path / "train", 12)
    assert len(load_images(str(tmp_path), "test").images) == 2  # every sixth


@pytest.mark.parametrize("names", [("cat", "test"), ("cat", "train"), ("test",), ("test", "val")])
def test_a_class_may_be_called_as_a_split(names, tmp_path):
    for name in names:
        save_images(tmp_path / name, 6)
    train, test = load_images(str(tmp_path)), load_images(str(tmp_path), "test")
    assert np.bincount(train.labels).tolist() == [5] * len(names)
    assert np.bincount(test.labels).tolist() == [1] * len(names)


@pytest.mark.parametrize("names", [("2", "10"), ("train", "test")])
def test_a_run_of_an_earlier_version_resumes_in_its_old_order(names, tmp_path, monkeypatch):
    folder = tmp_path / "own"
    for number, name in enumerate(names):
        save_images(folder / name, 8 + number)
    Image.new("RGB", (32, 32)).save(folder / names[0] / "0.ppm")  # was not read
    recipe, options = tiny(steps=2, batch_size=8), {"output": tmp_path / "run", "verbose": False}
    with monkeypatch.context() as patch:
        patch.setattr(parts, "load_for_training", lambda *a, **k: parts._formerly(a[0]))
        before = train_dcgan_mnist(recipe, data=str(folder), **options)
    known = json.loads((before.folder / "recipe.json").read_text())["data"]
    assert load_training_set(recipe, str(folder)).source["hash"] != known["hash"]
    for again in ({"recipe": recipe, "data": str(folder)}, {}):
        (before.folder / "metrics.json").unlink()
        assert not train_dcgan_mnist(**options, **again).found
    save_images(folder / names[0], 7)
    with pytest.raises(UserError, match=r"other settings.*hash"):
        train_dcgan_mnist(**options)


def test_links_to_folders_are_followed_but_not_in_circles(tmp_path):
    save_images(tmp_path / "elsewhere", 3)
    save_images(tmp_path / "own/a", 2)
    try:
        (tmp_path / "own/b").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    except OSError:
        pytest.skip("links are not allowed here")
    (tmp_path / "own/a/up").symlink_to(tmp_path / "own", target_is_directory=True)
    (tmp_path / "elsewhere/round").symlink_to(tmp_path / "own/a", target_is_directory=True)
    (tmp_path / "own/a/across").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "own/self.png").symlink_to(tmp_path / "own/self.png")
    labels = load_images(str(tmp_path / "own")).labels.tolist()
    assert labels == [0, 0, 0, 0, 0, 1, 1, 1, 1]  # each sees the other once; one is for testing


def test_a_folder_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    save_images(tmp_path / "secret", 1)
    refusal = PermissionError(errno.EACCES, "Permission denied", "secret")
    monkeypatch.setattr(own.Path, "iterdir", lambda folder: (_ for _ in ()).throw(refusal))
    with pytest.raises(UserError, match=r"'secret' cannot be read: Permission denied"):
        load_images(str(tmp_path))


@pytest.mark.parametrize("terminal", [False, True])
def test_many_images_are_read_once_under_a_bar(terminal, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(own, "MANY", 5)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    read, load = [], ImageFile.ImageFile.load
    monkeypatch.setattr(
        ImageFile.ImageFile, "load", lambda image: (image.fp and read.append(1), load(image))[1]
    )
    save_images(tmp_path, 6)
    read.clear()
    load_images(str(tmp_path))
    assert len(read) == 6
    assert ("6/6" in capsys.readouterr().out) == terminal


def test_folders_that_are_refused(tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"nowhere.*unknown|unknown.*nowhere.*a folder of images"):
        load_images(str(tmp_path / "nowhere"))
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UserError, match=r"no images.*\.png, \.jpg"):
        load_images(str(tmp_path))
    save_images(tmp_path / "class", 5)
    with pytest.raises(UserError, match=r"5 images.*test split.*6"):
        load_images(str(tmp_path), "test")
    monkeypatch.setattr(own, "MAX_BYTES", 4 * 32 * 32 * 3)
    with pytest.raises(UserError, match=r"5 images.*up to 4"):
        load_images(str(tmp_path))
    save_images(tmp_path, 1)
    with pytest.raises(UserError, match="both beside and in its sub-folders"):
        load_images(str(tmp_path))


def test_too_many_classes_are_refused(tmp_path):
    for number in range(257):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "x.png").touch()
    with pytest.raises(UserError, match=r"257 sub-folders.*256"):
        load_images(str(tmp_path))


# --- training on other images


@pytest.mark.parametrize(
    ("size", "change"),
    [
        (32, {}),
        (64, {}),
        (64, {"generator_widths": (8, 8, 4), "generator_strides": (2, 2, 2)}),
    ],
)
def test_a_folder_trains_is_found_again_and_resumed(size, change, tmp_path, monkeypatch):
    save_images(tmp_path / "own", 48, (size, size))
    monkeypatch.chdir(tmp_path)
    recipe = tiny(steps=4, batch_size=8, sample_every=2, log_every=2, **change)
    options = {"output": tmp_path / "run", "verbose": False}
    run = train_dcgan_mnist(recipe, data="own", **options)
    assert run.generator.output_shape == (None, size, size, 3)
    assert json.loads((run.folder / "recipe.json").read_text())["data"] == {
        "source": str(tmp_path / "own"),
        "name": "own",
        "images": 40,
        "max_images": None,
        "hash": data_hash(load_training_set(recipe, "own").images),
    }
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")  # the folder is known by its full path
    assert train_dcgan_mnist(**options).found
    (run.folder / "metrics.json").unlink()
    assert not train_dcgan_mnist(**options).found
    shutil.rmtree(tmp_path / "own")
    (run.folder / "metrics.json").unlink()
    with pytest.raises(UserError, match=r"own'.*a folder of images"):
        train_dcgan_mnist(**options)


def test_quality_is_measured_on_digits_alone(digits_file, tmp_path, monkeypatch):
    """The evaluator has learned digits: of other images its numbers would mean nothing."""
    monkeypatch.setattr(QualityCallback, "SAMPLES", 4)
    save_images(tmp_path / "own", 60, (28, 28), colour=False)
    recipe = tiny(batch_size=8, hold_out=8)
    checkpoints = types.SimpleNamespace(best=None)
    run = types.SimpleNamespace(folder=tmp_path, recipe=recipe, log=None, checkpoints=checkpoints)
    for data in ("digits", str(digits_file)):
        assert QualityCallback.where_possible(run, load_training_set(recipe, data))
    for data in ("shapes", str(tmp_path / "own")):
        training_set = load_training_set(recipe, data)
        assert len(training_set.held_out) == 8
        assert not QualityCallback.where_possible(run, training_set)
