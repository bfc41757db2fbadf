"""A tiny run's end, made by an earlier version of the library: later ones come to the same bits.

tests/data/ holds the run (state, log and frames of its end), the same run killed half way, and a
checksum of the final state of a tiny run of each recipe, and how large its first weights are.
Another kind of processor, or another version of TensorFlow, rounds otherwise: there the end is
compared closely, and the checksums not.
"""

import hashlib
import json
import platform
import re
import shutil
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from helpers import make_gan, newest_state, read_rows, tiny

from dcgan_lib import Recipe, train_dcgan_mnist
from dcgan_lib.recipes import EARLIER
from dcgan_lib.runs.folder import versions

DATA = Path(__file__).parent / "data"
PINNED = json.loads((DATA / "pinned.json").read_text())
RECIPE = Recipe(**EARLIER | json.loads((DATA / "run/recipe.json").read_text())["recipe"])
# D's biases before a BatchNorm, and the means that follow them. Such a bias changes nothing: its
# gradient is rounding and no more, and Adam makes whole steps of it.
ROUNDING = {"0019", "0022", "0025", "0028"}
SMALL = {"latent_dim": 10, "batch_size": 32, "num_samples": 4, "hold_out": 20, "steps": 12}
SMALL |= {"sample_every": 5, "sample_epochs": (), "log_every": 4, "quality_every": None}
SMALL |= {"snapshot_epochs": None}


def as_it_was(name: str) -> Recipe:
    return tiny(name, **SMALL | EARLIER, simultaneous=name == "tutorial")


def made_here() -> bool:
    """Whether this is the kind of processor, and these the versions, that the end was made with."""
    cpus = Path("/proc/cpuinfo")
    flags = re.search(r"^flags\s*: (.*)$", cpus.read_text() if cpus.exists() else "", re.M)
    words = " ".join(sorted(flags[1].split() if flags else [platform.processor()]))
    here = {"processor": hashlib.sha256(words.encode()).hexdigest()[:12], "versions": versions()}
    here["versions"]["python"] = PINNED["made_on"]["versions"]["python"]
    return here == PINNED["made_on"]


def assert_is_the_end(folder: Path) -> None:
    with np.load(DATA / "end.npz") as saved:
        wanted = {name: saved[name] for name in saved.files}
    state = newest_state(folder)
    frames = sorted((folder / "samples").iterdir())
    assert [frame.name for frame in frames] == [
        f.name for f in sorted((DATA / "end_frames").iterdir())
    ]
    rows, wanted_rows = read_rows(folder / "log.csv"), read_rows(DATA / "end.csv")
    assert [row[:2] for row in rows] == [row[:2] for row in wanted_rows]
    for name in wanted.keys() - ROUNDING:
        assert np.allclose(state[name], wanted[name], atol=1e-3), name
    assert np.allclose(np.float64(rows[1:]), np.float64(wanted_rows[1:]), rtol=1e-3)
    for frame in frames:
        apart = iio.imread(frame).astype(int) - iio.imread(DATA / "end_frames" / frame.name)
        assert np.abs(apart).max() <= 3
    if made_here():
        assert all(np.array_equal(state[name], array) for name, array in wanted.items())
        assert rows == wanted_rows
        assert all(f.read_bytes() == (DATA / "end_frames" / f.name).read_bytes() for f in frames)


def test_a_run_ends_as_it_did(tmp_path):
    run = train_dcgan_mnist(RECIPE, tmp_path / "run", str(DATA / "digits.npz"), verbose=False)
    assert_is_the_end(run.folder)


def test_a_run_that_an_earlier_version_was_killed_in_is_resumed_to_the_same_end(tmp_path):
    folder = Path(shutil.copytree(DATA / "run", tmp_path / "run"))
    record = json.loads((folder / "recipe.json").read_text())
    record["data"]["source"] = str(DATA / "digits.npz")
    (folder / "recipe.json").write_text(json.dumps(record))
    run = train_dcgan_mnist(output=folder, verbose=False)
    assert not run.found
    assert_is_the_end(folder)


@pytest.mark.parametrize("name", PINNED["beginnings"])
def test_every_recipe_begins_as_it_did(name):
    """On any processor: the weights are drawn in the same order, from the same seeds."""
    gan = make_gan(as_it_was(name))
    sizes = [
        sum(np.abs(weight.numpy()).sum() for weight in network.weights)
        for network in (gan.generator, gan.discriminator)
    ]
    assert sizes == pytest.approx(PINNED["beginnings"][name], rel=1e-4)


@pytest.mark.skipif(not made_here(), reason="made on another processor, or with other versions")
@pytest.mark.parametrize("name", PINNED["states"])
def test_every_recipe_ends_as_it_did(name, tmp_path):
    train_dcgan_mnist(as_it_was(name), tmp_path, str(DATA / "digits.npz"), verbose=False)
    digest = hashlib.sha256()
    for key, array in sorted(newest_state(tmp_path).items()):
        digest.update(key.encode() + np.ascontiguousarray(array).tobytes())
    assert digest.hexdigest()[:16] == PINNED["states"][name]
