"""Starts that fail: how they are known, and that a run begins again, always in the same way."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from helpers import equal, newest_state, tiny

from dcgan_lib import UserError, scale, signs_of, train_dcgan_mnist
from dcgan_lib.data import load_training_set
from dcgan_lib.measuring.starts import MOST, Signs, StartGuard, start_seed
from dcgan_lib.runs.folder import default_folder, read_record

SECOND = start_seed(0, 1)
OPTIONS = {"data": "digits", "max_images": 300, "verbose": False}
DEADLY = {"generator_output_scale": 1e-6}  # grey, whatever the weights


@pytest.fixture
def early(monkeypatch):
    """The guard looks at steps 4, 6 and 8 of a tiny run."""
    for name, value in {"FIRST": 4, "LAST": 8, "EVERY": 2}.items():
        monkeypatch.setattr(StartGuard, name, value)


@pytest.fixture
def first_fails(early, monkeypatch):
    """Whatever a start of seed 0 draws, it has failed."""
    look = StartGuard.look

    def seen(guard):
        signs = look(guard)
        return (
            Signs(0.0, 2.0) if guard.model.seed == 0 else signs._replace(spread=1.0, distance=0.5)
        )

    monkeypatch.setattr(StartGuard, "look", seen)


def failed_starts(folder) -> list[int]:
    return [start["seed"] for start in read_record(folder)["failed_starts"]]


# --- the signs


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        (lambda x: x, False),
        (lambda x: 0.5 * x - 0.5, False),  # too dark, but digits
        (lambda x: np.repeat(x[:1], len(x), axis=0), True),
        (lambda x: np.full_like(x, -1.0), True),
        (lambda x: 0.05 * np.random.default_rng(0).normal(size=x.shape), False),  # not yet begun
        (lambda x: -x, True),
    ],
)
def test_what_counts_as_failed(images, change, failed):
    real = scale(images)
    assert signs_of(change(real), real).failed == failed


def test_real_images_have_the_signs_that_are_promised(digits):
    real = scale(digits.images[:400])
    spread, distance = signs_of(real[::2], real[1::2])
    assert spread == pytest.approx(1.0, abs=0.1)
    assert distance == pytest.approx(0.0, abs=0.05)


# --- a run whose start fails


def test_a_start_that_is_made_to_die_is_seen_and_the_run_ends_with_advice(early, tmp_path, capsys):
    recipe = tiny(**DEADLY, steps=12)
    with pytest.raises(UserError, match=r"3 starts have failed: .* smaller g_learning_rate"):
        train_dcgan_mnist(recipe, tmp_path, **OPTIONS)
    assert failed_starts(tmp_path) == [start_seed(0, i) for i in range(MOST)]
    assert capsys.readouterr().out.count("has failed") == MOST
    with pytest.raises(UserError, match="3 starts have failed"):  # at once
        train_dcgan_mnist(recipe, tmp_path, **OPTIONS)


def test_without_restart_it_is_left_as_it_is(early, tmp_path):
    run = train_dcgan_mnist(tiny(**DEADLY, restart=False, steps=12), tmp_path, **OPTIONS)
    assert run.log["step"][-1] == 12
    assert "failed_starts" not in read_record(tmp_path)


@pytest.mark.parametrize("name", [pytest.param("fast", marks=pytest.mark.slow), "conditional"])
def test_the_second_start_is_the_run_of_another_seed(name, first_fails, tmp_path, capsys):
    recipe = tiny(name, epochs=None, steps=12, g_schedule="cosine")
    run = train_dcgan_mnist(recipe, tmp_path / "two", **OPTIONS)
    assert run.recipe == recipe  # the record says what was asked for, and what became of it
    assert failed_starts(run.folder) == [0]
    out = capsys.readouterr().out
    assert "step 4: spread 0.000 (real images: 1), distance 2.00 (theirs: 0): this start" in out
    other = train_dcgan_mnist(recipe.replace(seed=SECOND), tmp_path / "other", **OPTIONS)
    states = [list(newest_state(folder).values()) for folder in (run.folder, other.folder)]
    assert equal(*states)


class Killed(Exception):
    pass


def killed(*others):
    raise Killed


@pytest.mark.slow
def test_a_run_that_was_killed_decides_again_in_the_same_way(first_fails, tmp_path, monkeypatch):
    """Killed before the first start has failed, while that is recorded, and in the second start."""

    class Kill(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if (self.model.seed, int(self.model.step.numpy())) in [(0, 3), (SECOND, 9)]:
                raise Killed

    recipe = tiny(steps=12)
    whole = train_dcgan_mnist(recipe, tmp_path / "whole", **OPTIONS)
    folder, options = tmp_path / "cut", OPTIONS | {"checkpoint_every": 2}
    with pytest.raises(Killed):
        train_dcgan_mnist(recipe, folder, callbacks=[Kill()], **options)
    assert "failed_starts" not in read_record(folder)
    with monkeypatch.context() as patch:
        patch.setattr("dcgan_lib.runs.run.write_json", killed)
        with pytest.raises(Killed):
            train_dcgan_mnist(output=folder, **options)
    with pytest.raises(Killed):
        train_dcgan_mnist(output=folder, callbacks=[Kill()], **options)
    cut = train_dcgan_mnist(output=folder, **options)
    assert failed_starts(folder) == [0]
    assert equal(*(list(newest_state(run.folder).values()) for run in (whole, cut)))
    frames = [sorted(p.name for p in (run.folder / "samples").iterdir()) for run in (whole, cut)]
    assert frames[0] == frames[1]


def test_a_short_run_is_not_looked_at(monkeypatch, tmp_path):
    monkeypatch.setattr(StartGuard, "look", lambda guard: pytest.fail("looked"))
    train_dcgan_mnist(tiny(steps=12), tmp_path, **OPTIONS)


@pytest.mark.slow
def test_two_devices_begin_again_together(tmp_path):
    script = f"""
import tensorflow as tf
processor = tf.config.list_physical_devices("CPU")[0]
halves = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(processor, halves)
from helpers import tiny
from dcgan_lib import train_dcgan_mnist
from dcgan_lib.measuring.starts import Signs, StartGuard
StartGuard.FIRST, StartGuard.LAST, StartGuard.EVERY = 4, 8, 2
StartGuard.look = lambda guard: Signs(float(guard.model.seed != 0), 0.5)
train_dcgan_mnist(tiny(steps=6), {str(tmp_path / "run")!r}, "digits", max_images=288, devices=2)
"""
    where = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=where)
    assert done.returncode == 0, done.stderr
    assert failed_starts(tmp_path / "run") == [0]
    assert json.loads((tmp_path / "run/metrics.json").read_text())["steps"] == 6


# --- records of runs that know nothing of this


def test_the_settings_that_came_with_it_do_not_move_the_default_folder():
    record = {"recipe": vars(tiny("tutorial")), "data": {}}
    older = {
        n: v for n, v in record["recipe"].items() if n not in "restart minibatch_stddev".split()
    }
    del older["generator_output_scale"]
    assert default_folder(record) == default_folder({"recipe": older, "data": {}})
    changed = {"recipe": record["recipe"] | {"minibatch_stddev": True}, "data": {}}
    assert default_folder(record) != default_folder(changed)


def test_samples_are_compared_with_images_of_all_classes():
    training_set = load_training_set(tiny(), "digits", 300)
    assert len(np.unique(StartGuard(training_set).real, axis=0)) == StartGuard.IMAGES
