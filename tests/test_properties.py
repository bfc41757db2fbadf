"""Odd settings and odd files, by the hundred: a clear refusal or a sound run, nothing else."""

import dataclasses
import json
import sys
import tracemalloc
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from helpers import files_of, save_data, tiny
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dcgan_lib import RECIPES, Recipe, UserError, load_images, train_dcgan_mnist
from dcgan_lib.building import build_networks
from dcgan_lib.cli import main
from dcgan_lib.datasets import arrays
from dcgan_lib.runs.buildable import MAX_WEIGHTS, check_buildable
from dcgan_lib.runs.loading import load_generator

EXAMPLES = {
    "deadline": None,
    "derandomize": True,
    "suppress_health_check": [HealthCheck.function_scoped_fixture],
}


def assert_one_line(error: UserError, naming: str = "") -> None:
    assert "\n" not in str(error)
    assert naming in str(error)
    assert len(str(error)) > 20


# --- settings

FIELDS = [field.name for field in dataclasses.fields(Recipe)]
ODD_VALUES = st.one_of(
    *(st.none(), st.booleans(), st.integers(-3, 70), st.floats(), st.text(max_size=3)),
    st.sampled_from([10**6, 2**31, 10**400, -(10**400), b"x", [4, 4], {}, ()]),
    st.sampled_from(["dense", "hinge", "wasserstein", "sigmoid", "cosine", "mixed_bfloat16"]),
    st.lists(st.integers(-1, 9), max_size=4).map(tuple),
)
CHANGES = st.dictionaries(st.sampled_from(FIELDS), ODD_VALUES, min_size=1, max_size=3)


def odd_recipe(name: str, changes: dict) -> Recipe | None:
    try:
        return RECIPES[name].replace(**changes)
    except UserError as error:
        assert_one_line(error)
        return None


@pytest.mark.slow
@settings(max_examples=400, **EXAMPLES)
@given(name=st.sampled_from(sorted(RECIPES)), changes=CHANGES)
def test_odd_settings_are_refused_or_can_be_recorded(name, changes):
    recipe = odd_recipe(name, changes)
    if recipe:
        assert Recipe(**json.loads(json.dumps(dataclasses.asdict(recipe)))) == recipe
        assert recipe.total_steps(1000) > 0


SHAPES = st.fixed_dictionaries(
    {},
    optional={
        "latent_dim": st.sampled_from([1, 3, 2**31 - 1]),
        "generator_widths": st.lists(st.sampled_from([1, 3, 2**30]), max_size=3).map(tuple),
        "generator_strides": st.lists(st.integers(0, 4), max_size=3).map(tuple),
        "generator_kernel": st.sampled_from([0, 1, 2, 9, 10**6]),
        "generator_hidden": st.sampled_from([0, 5, 2**31 - 1]),
        "discriminator_widths": st.lists(st.sampled_from([1, 3, 2**30]), max_size=3).map(tuple),
        "discriminator_kernel": st.sampled_from([1, 2, 29]),
        "architecture": st.sampled_from(["dcgan", "dense"]),
    },
)


@settings(max_examples=25, **EXAMPLES)
@given(name=st.sampled_from(sorted(RECIPES)), shape=SHAPES, size=st.sampled_from([28, 32, 64]))
def test_odd_networks_are_refused_or_can_be_built(name, shape, size):
    recipe = odd_recipe(name, dataclasses.asdict(tiny(name)) | shape)
    if recipe:
        try:
            check_buildable(recipe, (size, size, 1))
        except UserError as error:
            assert_one_line(error)
        else:
            networks = build_networks(recipe, (size, size, 1))  # takes real memory
            assert sum(each.count_params() for each in networks) <= MAX_WEIGHTS


@pytest.mark.parametrize("changes", [{"latent_dim": 10**9}, {"discriminator_kernel": 10**6}])
def test_networks_beyond_any_memory_are_refused_before_a_folder_is_made(changes, tmp_path, digits):
    with pytest.raises(UserError, match=r"would have [\d,]+ weights; accepted: up to 268,435,456"):
        train_dcgan_mnist("fast", tmp_path / "run", "digits", verbose=False, **changes)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@settings(max_examples=3, **EXAMPLES)
@given(
    changes=st.fixed_dictionaries(
        {
            "batch_size": st.sampled_from([1, 7, 40]),
            "loss": st.sampled_from(["cross_entropy", "hinge"]),
            "ema_decay": st.sampled_from([0.0, 0.999]),
            "g_steps": st.integers(1, 3),
            "dropout": st.sampled_from([0.0, 0.99]),
            "sample_every": st.sampled_from([None, 1, 99]),
            "num_samples": st.sampled_from([1, 5]),
        }
    ),
    max_images=st.sampled_from([40, 41]),
)
def test_settings_at_the_edge_run_to_their_end(changes, max_images, digits_file, tmp_path):
    recipe = tiny(steps=2, log_every=1, **changes)
    options = {"data": str(digits_file), "max_images": max_images, "verbose": False}
    run = train_dcgan_mnist(recipe, tmp_path / "run", resume=False, **options)
    assert np.isfinite(run.log["d_loss"]).all()
    assert (run.folder / "training.gif").stat().st_size > 0


# --- data files


@settings(max_examples=150, **EXAMPLES)
@given(
    kind=st.sampled_from("uint8 int8 uint16 float32 float64 bool complex64 U3 S2 O".split()),
    shape=st.one_of(
        hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4),
        st.tuples(st.integers(0, 3), *[st.sampled_from([28, 32])] * 2),
        st.tuples(st.integers(0, 3), st.just(32), st.just(32), st.integers(0, 4)),
    ),
    labels=st.one_of(
        st.none(),
        st.lists(st.one_of(st.integers(-2, 300), st.floats(), st.text(max_size=2)), max_size=3),
    ),
    key=st.sampled_from(["x_train", "X_train", "images", "x_train/../../x"]),
    split=st.sampled_from(["train", "test"]),
)
def test_odd_arrays_are_loaded_or_refused(kind, shape, labels, key, split, tmp_path):
    content = np.zeros(shape, kind)
    if content.dtype.kind in "fc":
        content[...] = np.nan
    path = tmp_path / "odd.npz"
    answers = np.arange(shape[0] if shape else 1) if labels is None else np.array(labels)
    np.savez(path, **{key: content, "y_train": answers, "x_test": content, "y_test": answers})
    before = files_of(tmp_path)
    try:
        loaded = load_images(str(path), split)
    except UserError as error:
        assert_one_line(error, "odd.npz")
    else:
        assert loaded.images.dtype == np.uint8
        assert set(loaded.images.shape[1:3]) <= {28, 32}
        assert len(loaded.images) == len(loaded.labels) > 0
    assert files_of(tmp_path) == before


def npy(shape: tuple[int, ...], content: bytes) -> bytes:
    """An `.npy` file whose header declares what its content need not hold."""
    header = repr({"descr": "|u1", "fortran_order": False, "shape": shape}).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + content


@pytest.mark.parametrize("lie", ["none", "in the header", "in the directory"])
def test_a_compressed_bomb_takes_no_more_memory_than_is_allowed(lie, tmp_path, monkeypatch):
    """64 MB of zeros, 64 kB on the disk; here 4 MB are allowed instead of 4 GiB."""
    monkeypatch.setattr(arrays, "MAX_BYTES", 4 * 2**20)
    count = 2**26 // 784
    shape = (20, 28, 28) if lie == "in the header" else (count, 28, 28)
    path = save_data(tmp_path / "bomb.npz", np.zeros((20, 28, 28), np.uint8), x_train=None)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x_train.npy", npy(shape, bytes(count * 784)))
        if lie == "in the directory":
            archive.getinfo("x_train.npy").file_size = 1000  # written when the archive is closed
    assert path.stat().st_size < 200_000
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match=r"bomb\.npz") as caught:
            load_images(str(path))
        if lie != "in the directory":  # then it is asked for, but never touched
            assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()
    assert_one_line(caught.value)


# --- model files from elsewhere

PAYLOAD = """
from pathlib import Path
Path(__file__).with_name("imported").touch()
class Layer:
    @classmethod
    def from_config(cls, config):
        Path(__file__).with_name("made").touch()
"""


def with_layer(path: Path, **layer) -> None:
    """Saves a small model, and then writes another layer into its file."""
    good = path.with_name("good.keras")
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(good)
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "config.json":
                config = json.loads(content)
                config["config"]["layers"][1].update(registered_name=None, **layer)
                content = json.dumps(config)
            target.writestr(name, content)


@pytest.mark.parametrize("kind", ["lambda", "command", "module", "function"])
def test_code_in_a_model_file_is_never_run(kind, tmp_path, monkeypatch, capsys):
    (tmp_path / "payload.py").write_text(PAYLOAD)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "evil.keras"
    touch = {"args": [sys.executable, "-c", "open('made', 'w')"]}
    if kind == "lambda":
        layer = keras.layers.Lambda(lambda x: (__import__("pathlib").Path("made").touch(), x)[1])
        keras.Sequential([keras.Input((3,)), layer]).save(path)
    elif kind == "command":
        with_layer(path, module="subprocess", class_name="Popen", config=touch)
    elif kind == "module":
        with_layer(path, module="payload", class_name="Layer", config={})
    else:
        call = {"module": "os", "class_name": "function", "config": "system"}
        with_layer(path, config={"units": 2, "activation": call | {"registered_name": "system"}})
    (tmp_path / "made").unlink(missing_ok=True)  # building the Lambda has called it
    before = files_of(tmp_path)
    with pytest.raises(UserError, match=r"evil\.keras' is not a Keras model") as caught:
        load_generator(path)
    assert_one_line(caught.value)
    assert main(["sample", str(path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert files_of(tmp_path) == before
    assert "payload" not in sys.modules
