"""Data: where images come from, which files are refused, scaling, hold-out, batches."""

import itertools
import zipfile

import keras
import numpy as np
import pytest
from helpers import save_data
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dcgan_lib import UserError, load_images, scale, training_batches, unscale
from dcgan_lib import data as data_module
from dcgan_lib.data import data_hash, hold_out_indices

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
    again = data_module._load_digits.__wrapped__("test")
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
    with pytest.raises(UserError, match=r"'cifar'.*auto, mnist, digits"):
        load_images("cifar")


def test_mnist_out_of_reach_raises_and_says_what_to_do():
    with pytest.raises(UserError, match=r"no route to host.*DCGAN_DATA.*digits") as caught:
        load_images("mnist")
    assert "\n" not in str(caught.value)


def test_auto_falls_through_with_a_notice(digits, capsys):
    loaded = load_images("auto")
    assert loaded.name == "digits"
    assert np.array_equal(loaded.images, digits.images)
    out, notice = capsys.readouterr()
    assert out == ""
    assert "MNIST cannot be reached" in notice
    assert "DCGAN_DATA" in notice
    assert "no route to host" in notice


@pytest.mark.parametrize("error", [TimeoutError(), Exception("\n"), AssertionError("")])
def test_an_error_without_words_is_reported_too(error, monkeypatch, capsys):
    def fail():
        raise error

    monkeypatch.setattr(keras.datasets.mnist, "load_data", fail)
    with pytest.raises(UserError, match="MNIST cannot be reached"):
        load_images("mnist")
    assert load_images("auto").name == "digits"
    assert "MNIST cannot be reached" in capsys.readouterr().err


def test_mnist_in_reach_is_used_without_a_notice(monkeypatch, capsys):
    labels = np.arange(20, dtype=np.uint8) % 10
    arrays = (GOOD, labels), (GOOD[:5], labels[:5])
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: arrays)
    assert load_images("auto").name == load_images("mnist").name == "mnist"
    assert len(load_images("mnist", "test").images) == 5
    assert capsys.readouterr().err == ""


def test_the_real_mnist(mnist_file):
    loaded = load_images(mnist_file)
    assert loaded.images.shape == (60_000, 28, 28)
    assert load_images(mnist_file, "test").images.shape == (10_000, 28, 28)
    assert np.bincount(loaded.labels).min() > 5000


# --- bad files

LABELS = np.arange(20) % 10
BAD_FILES = {
    "wrong keys": ({"x_train": None}, "no x_train"),
    "no labels": ({"y_train": None}, "no y_train"),
    "float images": ({"x_train": GOOD / 255.0}, "float64.*uint8"),
    "16 bits": ({"x_train": GOOD.astype(np.uint16)}, "uint16.*uint8"),
    "flat": ({"x_train": GOOD.reshape(20, 784)}, r"\(20, 784\).*\(N, 28, 28\)"),
    "32 x 32": ({"x_train": np.zeros((20, 32, 32), np.uint8)}, r"\(20, 32, 32\)"),
    "channels": ({"x_train": GOOD[..., np.newaxis]}, r"\(20, 28, 28, 1\)"),
    "empty": ({"x_train": GOOD[:0], "y_train": LABELS[:0]}, "no images"),
    "too few labels": ({"y_train": LABELS[:7]}, r"labels.*\(7,\).*\(20,\)"),
    "one-hot labels": ({"y_train": np.eye(10)[LABELS]}, r"labels.*\(20, 10\)"),
    "label 10": ({"y_train": LABELS + 1}, "0 to 9"),
    "label -1": ({"y_train": LABELS - 1}, "0 to 9"),
    "float labels": ({"y_train": LABELS / 1.0}, "0 to 9"),
    "text labels": ({"y_train": LABELS.astype(str)}, "0 to 9"),
    "pickled images": ({"x_train": np.array([GOOD, "x"], dtype=object)}, "pickle"),
    "pickled labels": ({"y_train": LABELS.astype(object)}, "pickle"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_bad_arrays_are_refused_with_the_reason(kind, tmp_path):
    changes, reason = BAD_FILES[kind]
    path = save_data(tmp_path / "bad.npz", GOOD, LABELS, **changes)
    with pytest.raises(UserError, match=rf"bad\.npz.*{reason}") as caught:
        load_images(str(path))
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    (tmp_path / "folder.npz").mkdir()
    for name in ("nowhere.npz", "folder.npz"):
        with pytest.raises(UserError, match=name):
            load_images(str(tmp_path / name))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(share, good_file):
    content = good_file.read_bytes()
    good_file.write_bytes(content[: int(share * len(content))])
    with pytest.raises(UserError, match=r"good\.npz"):
        load_images(str(good_file))


def test_a_pickle_is_never_run(tmp_path):
    path = tmp_path / "evil.npz"
    marker = tmp_path / "ran"

    class Evil:
        def __reduce__(self):
            return marker.touch, ()

    path.write_bytes(__import__("pickle").dumps(Evil()))
    with pytest.raises(UserError, match=r"evil\.npz"):
        load_images(str(path))
    save_data(path, GOOD, x_train=np.array([Evil()], dtype=object))
    with pytest.raises(UserError, match="pickle"):
        load_images(str(path))
    assert not marker.exists()


def test_a_file_that_unpacks_to_too_much_is_refused_unread(good_file, monkeypatch):
    monkeypatch.setattr(data_module, "MAX_BYTES", 1000)
    monkeypatch.setattr(np, "load", lambda *args, **kwargs: pytest.fail("was read"))
    with pytest.raises(UserError, match=r"unpacks to .* up to 1,000"):
        load_images(str(good_file))


@pytest.mark.parametrize("count", [10**6, 10**10, 10**17])
def test_an_array_that_declares_more_than_the_file_holds_is_refused(count, good_file, tmp_path):
    """A few bytes may claim to be terabytes: no memory is asked for, no traceback comes."""
    lie = tmp_path / "lie.npz"
    with zipfile.ZipFile(good_file) as source, zipfile.ZipFile(lie, "w") as target:
        for entry in source.namelist():
            content = source.read(entry)
            if entry == "x_train.npy":
                length = int.from_bytes(content[8:10], "little")
                header = content[10 : 10 + length].replace(b"(20, ", b"(%d, " % count)
                header = header.rstrip() + b"\n"
                content = content[:8] + len(header).to_bytes(2, "little") + header + content[-99:]
            target.writestr(entry, content)
    with pytest.raises(UserError, match=r"lie\.npz"):
        load_images(str(lie))


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(changes=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=4))
def test_flipped_bytes_give_data_or_a_clear_refusal(good_file, tmp_path, changes):
    content = bytearray(good_file.read_bytes())
    # Headers are a small part of the file: aim at them, or nothing but a checksum is tested.
    spots = [i for i in range(len(content)) if i < 200 or i > len(content) - 700]
    for where, value in changes:
        content[spots[where % len(spots)]] = value
    path = tmp_path / "flipped.npz"
    path.write_bytes(content)
    reason = refusal(path)
    assert reason is None or ("flipped.npz" in reason and "\n" not in reason)


def refusal(path) -> str | None:
    """What is said against a file; None if it is loaded."""
    try:
        assert load_images(str(path)).images.shape == (20, 28, 28)
    except UserError as error:
        return str(error)


# --- scaling and hold-out


def test_scaling_there_and_back():
    every_grey = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    scaled = scale(every_grey)
    assert scaled.shape == (1, 16, 16, 1)
    assert scaled.dtype == np.float32
    assert (scaled.min(), scaled.max()) == (-1.0, 1.0)
    assert np.array_equal(unscale(scaled)[..., 0], every_grey)
    assert scale(np.zeros((2, 8, 8, 3), np.uint8)).shape == (2, 8, 8, 3)


def test_unscaling_clips_and_rounds():
    assert unscale(np.array([-7.0, -1.0, 0.0, 1.0, 7.0])).tolist() == [0, 0, 128, 255, 255]


@pytest.mark.parametrize(("count", "held"), [(60_000, 10_000), (12_000, 2000), (6, 1), (5, 0)])
def test_hold_out_is_fixed_disjoint_and_complete(count, held):
    allowed, judges = hold_out_indices(count, 10_000)
    assert len(judges) == held
    assert np.array_equal(np.sort(np.concatenate([allowed, judges])), np.arange(count))
    again, _ = hold_out_indices(count, 10_000)
    assert np.array_equal(allowed, again)
    if held > 1:
        assert judges.max() - judges.min() > count / 2  # from everywhere, not a block


def test_hold_out_can_be_switched_off():
    allowed, judges = hold_out_indices(100, 0)
    assert len(allowed) == 100
    assert len(judges) == 0


def test_data_hash_sees_values_order_and_shape():
    hashes = {
        data_hash(x) for x in (GOOD, GOOD[::-1], GOOD[:-1], GOOD.reshape(10, 56, 28), GOOD ^ 1)
    }
    assert len(hashes) == 5


# --- batches


def numbered(count: int) -> np.ndarray:
    """Images whose first pixel is their number."""
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 0, 0] = np.arange(count)
    return images


def take(count: int, batch_size: int, steps: int, **options) -> list[list[int]]:
    """Which images the first `steps` batches hold."""
    batches = training_batches(numbered(count), batch_size, **options).take(steps)
    return [unscale(batch.numpy())[:, 0, 0, 0].tolist() for batch in batches]


def test_batches_are_scaled(images):
    batch = next(iter(training_batches(images, 64))).numpy()
    assert batch.shape == (64, 28, 28, 1)
    assert batch.dtype == np.float32
    assert (batch.min(), batch.max()) == (-1.0, 1.0)
    assert {b.tobytes() for b in batch} == {b.tobytes() for b in scale(images)}


def test_every_epoch_holds_every_image_once_and_ends_with_the_rest():
    batches = take(23, 5, 15)
    for epoch in (batches[:5], batches[5:10], batches[10:]):
        assert [len(batch) for batch in epoch] == [5, 5, 5, 5, 3]
        assert sorted(itertools.chain(*epoch)) == list(range(23))


def test_every_epoch_has_another_order():
    batches = take(20, 5, 12)
    orders = {tuple(itertools.chain(*batches[i : i + 4])) for i in (0, 4, 8)}
    assert len(orders) == 3
    assert tuple(range(20)) not in orders


def test_order_depends_on_the_seed_and_on_nothing_else():
    assert take(20, 5, 8, seed=1) == take(20, 5, 8, seed=1)
    assert take(20, 5, 8, seed=1) != take(20, 5, 8, seed=2)


@pytest.mark.parametrize("first", [1, 4, 5, 7, 10, 14])
def test_first_step_is_the_same_as_skipping(first):
    assert take(23, 5, 16 - first, first_step=first) == take(23, 5, 16)[first:]


def test_impossible_batches_are_refused():
    with pytest.raises(UserError, match=r"batch_size=21.*up to 20"):
        training_batches(GOOD, 21)
    with pytest.raises(UserError, match="empty"):
        training_batches(GOOD[:0], 1)
    assert len(take(20, 20, 1)[0]) == 20
