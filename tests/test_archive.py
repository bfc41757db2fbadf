"""A model file is looked at before Keras reads it."""

import io
import json
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from dcgan_lib.beyond.variants import with_spectral_norm
from dcgan_lib.errors import UserError
from dcgan_lib.runs.loading import load_generator, load_network

DENSE = {"module": "keras.layers", "class_name": "Dense", "registered_name": None}
FOREIGN = {
    "module": {"module": "changed_by_import", "class_name": "Dense", "config": {}},
    "function": {"module": "builtins", "class_name": "function", "config": "exec"},
    "built-in function": {"module": "builtins", "class_name": "function", "config": "relu"},
    "lambda": {"class_name": "__lambda__", "config": {"value": ["", None, None]}},
    "type": {"class_name": "__typespec__", "spec_name": "x", "module": "os", "config": []},
    "utility": {"module": "keras.utils", "class_name": "get_file", "config": {}},
    "Lambda": {**DENSE, "class_name": "Lambda"},
    "Lambda of old": {"class_name": "Lambda", "config": {}},
    "file reader": {**DENSE, "class_name": "StringLookup"},
    "graph from a folder": {**DENSE, "class_name": "TFSMLayer"},
    "unknown of ours": {**DENSE, "registered_name": "dcgan_lib>Dense"},
    "renamed": {**DENSE, "registered_name": "other>Dense"},
    "no class": {"module": "os"},
}


@pytest.fixture
def model_file(tmp_path) -> Path:
    path = tmp_path / "model.keras"
    keras.Sequential([keras.Input((3,)), layers.Dense(4)]).save(path)
    return path


def rewrite(path: Path, changes: dict[str, bytes], packing: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, content in (members | changes).items():
            archive.writestr(name, content)


def config_of(path: Path) -> dict:
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("config.json"))


@pytest.mark.parametrize("where", ["activation", "deep", "layer"])
@pytest.mark.parametrize("kind", FOREIGN)
def test_code_in_a_model_file_is_never_run(kind, where, model_file, tmp_path, monkeypatch):
    (tmp_path / "changed_by_import.py").write_text("open('ran', 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    config, foreign = config_of(model_file), FOREIGN[kind]
    dense = config["config"]["layers"][1]
    if where == "layer":
        config["config"]["layers"][1] = foreign
    else:
        dense["config"]["activation"] = [{"a": [foreign]}] if where == "deep" else foreign
    rewrite(model_file, {"config.json": json.dumps(config).encode()})
    name = foreign.get("class_name", foreign.get("module"))
    with pytest.raises(UserError, match=rf"it has '.*{name}'; accepted: Keras's layers") as caught:
        load_network(model_file)
    assert "\n" not in str(caught.value)
    assert not Path("ran").exists()


def test_a_lambda_that_keras_saved_is_refused(tmp_path):
    path = tmp_path / "lambda.keras"
    keras.Sequential([keras.Input((3,)), layers.Lambda(lambda x: x)]).save(path)
    with pytest.raises(UserError, match=r"keras\.layers\.Lambda"):
        load_network(path)


def test_an_old_model_with_a_lambda_is_refused_under_any_name(model_file):
    """Keras reads `.h5` in another way; a file can be a zip archive and that, both."""
    model_file = model_file.rename(model_file.with_suffix(".h5"))
    with pytest.raises(UserError, match=r"the ending '.h5'; accepted: .keras"):
        load_network(model_file)


@pytest.mark.parametrize("more", ["model.weights.npz", "assets/words.txt", "../up"])
def test_members_that_keras_does_not_write_are_refused(more, model_file):
    rewrite(model_file, {more: b""})
    with pytest.raises(UserError, match=r"accepted: config.json, metadata.json, model.weights.h5"):
        load_network(model_file)


def test_packed_members_are_refused(model_file):
    rewrite(model_file, {"metadata.json": b" " * 10**6}, zipfile.ZIP_DEFLATED)
    with pytest.raises(UserError, match=r"packed .*metadata.json"):
        load_network(model_file)


def elsewhere(group: h5py.Group, shape: tuple) -> None:
    group["0"] = h5py.ExternalLink("secret.h5", "/x")


def soft(group: h5py.Group, shape: tuple) -> None:
    group["0"] = h5py.SoftLink("/x")


def raw_file(group: h5py.Group, shape: tuple) -> None:
    group.create_dataset("0", shape, "f4", external="secret.bin")


def virtual(group: h5py.Group, shape: tuple) -> None:
    layout = h5py.VirtualLayout(shape, "f4")
    layout[:] = h5py.VirtualSource("secret.h5", "x", shape)
    group.create_virtual_dataset("0", layout)


def packed(group: h5py.Group, shape: tuple) -> None:
    group.create_dataset("0", data=np.zeros(shape), compression="gzip")


def empty(group: h5py.Group, shape: tuple) -> None:
    group.create_dataset("0", (10**9,), "f4")  # needs no room in the file


@pytest.mark.parametrize("put", [elsewhere, soft, raw_file, virtual, packed, empty])
def test_weights_in_another_file_or_larger_than_their_own_are_refused(put, model_file):
    with zipfile.ZipFile(model_file) as archive:
        content = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(content, "r+") as file:
        group = file["layers/dense/vars"]
        shape = group["0"].shape
        del group["0"]
        put(group, shape)
    rewrite(model_file, {"model.weights.h5": content.getvalue()})
    with pytest.raises(UserError, match="weights that are not plain arrays"):
        load_network(model_file)


@pytest.mark.filterwarnings("ignore:The object being serialized")
def test_a_generator_of_many_of_keras_own_layers_loads(tmp_path):
    """One compiled with a function of its own, too: that is not loaded."""
    inputs = keras.Input((8,))
    x = layers.Dense(4 * 4 * 8, kernel_regularizer="l2", kernel_constraint="non_neg")(inputs)
    x = layers.Reshape((4, 4, 8))(layers.LeakyReLU()(x))
    x = layers.Conv2DTranspose(8, 3, padding="same", activation=keras.ops.relu)(x)
    x = layers.LayerNormalization()(x) * 0.5 + layers.SpectralNormalization(layers.Conv2D(8, 1))(x)
    x = layers.TimeDistributed(layers.Bidirectional(layers.GRU(4, return_sequences=True)))(x)
    x = layers.Concatenate()([x, layers.MultiHeadAttention(2, 4)(x, x)])
    x = layers.UpSampling2D()(layers.Dropout(0.1)(layers.PReLU()(x)))
    x = keras.ops.tanh(x[:, 1:, 1:, :])
    inner = keras.Sequential([layers.Conv2D(1, 1, dtype="mixed_float16"), layers.GaussianNoise(1)])
    model = keras.Model(inputs, layers.Rescaling(0.5)(inner(x)))
    model.compile("adam", loss=lambda y, z: z)
    model.save(tmp_path / "own.keras")
    loaded = load_generator(tmp_path / "own.keras")
    noise = np.ones((2, 8), np.float32)
    np.testing.assert_array_equal(loaded(noise), model(noise))


def test_our_own_layers_load(tmp_path):
    plain = keras.Sequential([keras.Input((4, 4, 1)), layers.Conv2D(2, 3), layers.Flatten()])
    with_spectral_norm(plain).save(tmp_path / "d.keras")
    assert type(load_network(tmp_path / "d.keras").layers[0]).__name__ == "SpectralConv2D"
