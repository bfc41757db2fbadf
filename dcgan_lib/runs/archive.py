"""What a model file may hold: looked at before Keras reads it.

A network is rebuilt from names, and some versions of Keras import whatever a file names. Here a
name has to be on a short list, so that it does not matter which version reads the file.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import keras

from dcgan_lib.errors import UserError

MEMBERS = ["config.json", "metadata.json", "model.weights.h5"]

# Not here: Lambda and what wraps foreign code; layers that may read another file (StringLookup).
CLASSES = {
    "keras": "Sequential Functional Model DTypePolicy",
    "keras.src.models.functional": "Functional",
    "keras.dtype_policies": "DTypePolicy FloatDTypePolicy",
    "keras.layers": """
        InputLayer Dense EinsumDense Embedding Identity Masking Wrapper TimeDistributed
        Bidirectional Activation ReLU LeakyReLU PReLU ELU Softmax ActivityRegularization
        Conv ConvTranspose DepthwiseConv SeparableConv ConvLSTM SpectralNormalization
        UpSampling ZeroPadding Cropping Resizing Rescaling CenterCrop
        MaxPooling AveragePooling GlobalMaxPooling GlobalAveragePooling
        AdaptiveMaxPooling AdaptiveAveragePooling
        Flatten Reshape Permute RepeatVector Add Subtract Multiply Average Maximum Minimum
        Concatenate Dot Attention AdditiveAttention MultiHeadAttention GroupQueryAttention
        BatchNormalization LayerNormalization GroupNormalization UnitNormalization
        RMSNormalization Normalization Dropout SpatialDropout AlphaDropout GaussianDropout
        GaussianNoise RNN SimpleRNN SimpleRNNCell LSTM LSTMCell GRU GRUCell StackedRNNCells
        RandomFlip RandomRotation RandomTranslation RandomZoom RandomCrop RandomBrightness
        RandomContrast""",
    "keras.initializers": """
        Zeros Ones Constant Identity Orthogonal RandomNormal RandomUniform TruncatedNormal
        VarianceScaling GlorotNormal GlorotUniform HeNormal HeUniform LecunNormal LecunUniform""",
    "keras.regularizers": "L1 L2 L1L2 OrthogonalRegularizer",
    "keras.constraints": "MaxNorm MinMaxNorm NonNeg UnitNorm",
    "keras.src.ops.numpy": """
        Add Subtract Multiply Divide TrueDivide Negative Power Square Sqrt Mean Sum Clip Tanh
        Reshape Transpose Squeeze ExpandDims Concatenate Stack GetItem Repeat""",
    "keras.src.ops.nn": "Relu LeakyRelu Elu Gelu Sigmoid Silu Softplus Softmax",
    None: "__keras_tensor__ __slice__ __ellipsis__",
}


def check_archive(path: Path) -> None:
    """Looks into a `.keras` file without building anything of it.

    Args:
        path: the file; Keras reads one of another name in another way.

    Raises:
        UserError: a class that is not on the list, a member that Keras does not write, packed
            data, or weights that lie in another file. The message does not name the file.
    """
    _accept(path.suffix == ".keras", f"the ending {path.suffix!r}", ".keras")
    with zipfile.ZipFile(path) as archive:
        names = sorted(archive.namelist())
        _accept(names == MEMBERS, ", ".join(names), ", ".join(MEMBERS))
        # Keras does not pack them, so nothing can grow to more than the file itself.
        packed = [i.filename for i in archive.infolist() if i.file_size > i.compress_size]
        _accept(not packed, f"packed {', '.join(packed)}", "members that are not packed")
        config, _, weights = map(archive.read, names)
    content = json.loads(config)
    content.pop("compile_config", None)  # `compile=False` does not read it
    for found in _configs(content):
        name = ".".join(str(found[key]) for key in ("module", "class_name") if key in found)
        _accept(
            _is_listed(found), repr(name), "Keras's layers that run no code of a file, and ours"
        )
    with h5py.File(io.BytesIO(weights)) as file:
        _accept(_is_plain(file, len(weights)), "weights that are not plain arrays", "plain arrays")


def write_classes(path: Path, names: list[str]) -> None:
    """Adds the names of the classes to what a `.keras` file says of itself."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    about = json.loads(members["metadata.json"]) | {"classes": names}
    members["metadata.json"] = json.dumps(about).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def read_classes(path: Path) -> list[str]:
    """Returns the names that `write_classes` has written, if it has."""
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("metadata.json")).get("classes", [])


def _accept(good: bool, found: str, accepted: str) -> None:
    if not good:
        raise UserError(f"it has {found}; accepted: {accepted}")


def _configs(value: Any) -> Iterator[dict[str, Any]]:
    """Yields each dictionary in a JSON value that names a class or a module, at any depth."""
    if isinstance(value, dict):
        if {"class_name", "module"} & value.keys():
            yield value
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from _configs(inner)


def _is_listed(config: dict[str, Any]) -> bool:
    """Whether `config` names a class of the list, or one that this package has registered."""
    name, registered = config.get("class_name"), config.get("registered_name")
    if registered == f"dcgan_lib>{name}":
        return keras.saving.get_registered_object(registered) is not None
    listed = CLASSES.get(config.get("module"), "").split()
    return registered in (None, name) and re.sub("[123]D", "", str(name)) in listed


def _is_plain(file: h5py.File, size: int) -> bool:
    """Whether all arrays lie inside this file, unpacked, and in all are no larger than it."""
    links: dict[str, Any] = {}
    file.visititems_links(links.__setitem__)
    if not all(isinstance(link, h5py.HardLink) for link in links.values()):
        return False
    arrays = [file[name] for name in links if isinstance(file[name], h5py.Dataset)]
    whole = not any(a.external or a.is_virtual or a.chunks for a in arrays)
    return whole and sum(array.nbytes for array in arrays) <= size
