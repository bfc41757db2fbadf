"""A run is given another length: after its end, or where it was cut off."""

import json
import shutil

import numpy as np
import pytest
from helpers import files_of, frames, newest_state, read_rows, tiny

from dcgan_lib import UserError, train_dcgan_mnist
from dcgan_lib.cli import main
from dcgan_lib.measuring.health import HealthMonitor
from dcgan_lib.measuring.quality import QualityCallback
from dcgan_lib.runs.folder import HEALTH, LOG, QUALITY, read_record

PICTURES = ("training.gif", "final_samples.png", "latent_samples.png", "interpolation.png")


@pytest.fixture
def looks(monkeypatch):
    """Quality and health are looked at in tiny runs too."""
    monkeypatch.setattr(QualityCallback, "SAMPLES", 66)
    monkeypatch.setattr(HealthMonitor.__init__, "__defaults__", (4, None, None, 0, True, None))


@pytest.fixture
def train():
    """Trains on 250 images: epochs of 8 steps."""

    def run(folder, **settings):
        options = {"data": "digits", "max_images": 250, "verbose": False}
        return train_dcgan_mnist(output=folder, **options | settings)

    return run


def short(**changes):
    return tiny(steps=11, log_every=5, hold_out=140, **changes)


@pytest.mark.parametrize(
    "every",
    [{"sample_every": 4, "quality_every": 4}, {"sample_every": None, "quality_every": None}],
)
def test_a_longer_run_ends_as_one_that_was_never_shorter(every, looks, train, tmp_path):
    whole = train(tmp_path / "whole", recipe=short(**every), steps=20).folder
    longer = train(tmp_path / "longer", recipe=short(**every)).folder
    assert [row[0] for row in read_rows(longer / LOG)] == ["step", "5", "10", "11"]
    before = json.loads((longer / "metrics.json").read_text())
    run = train(longer, steps=20)
    assert (run.found, run.recipe.steps, before["steps"]) == (False, 20, 11)
    assert json.loads((longer / "metrics.json").read_text())["steps"] == 20
    first, second = newest_state(whole), newest_state(longer)
    assert [name for name in first if not np.array_equal(first[name], second[name])] == []
    for log in (LOG, QUALITY):
        assert read_rows(longer / log) == read_rows(whole / log)
        assert len(read_rows(whole / log)) > 3
    assert (longer / HEALTH).read_bytes() == (whole / HEALTH).read_bytes()
    assert frames(longer) == frames(whole)
    assert [(longer / p).read_bytes() for p in PICTURES] == [
        (whole / p).read_bytes() for p in PICTURES
    ]


def test_the_record_tells_both_parts_and_a_kill_at_any_moment_does_no_harm(
    run_copy, monkeypatch, capsys
):
    def die(*others):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("dcgan_lib.training.play", die)
        assert main(["train", "--resume", str(run_copy), "--steps", "20"]) == 130
    record = read_record(run_copy)
    assert record["recipe"]["steps"] == 20
    assert record["earlier_lengths"] == [{"steps": 12, "epochs": None, "went_on_from": 12}]
    capsys.readouterr()
    assert main(["train", "--resume", str(run_copy)]) == 0
    said = capsys.readouterr().out
    assert "resumed at step 12 of 20 steps" in said
    assert f"dcgan train --resume {run_copy} --steps 40" in said
    assert json.loads((run_copy / "metrics.json").read_text())["steps"] == 20
    assert main(["train", "--resume", str(run_copy), "--epochs", "3"]) == 0  # of 10 steps
    said = capsys.readouterr().out
    assert "resumed at step 20 of 30 steps" in said
    assert "--epochs 6" in said
    assert [part["steps"] for part in read_record(run_copy)["earlier_lengths"]] == [12, 20]


def test_what_is_no_longer_run_is_refused_and_not_harmed(finished_run, run_copy):
    before = files_of(run_copy)
    same = {"data": "digits", "max_images": 300, "verbose": False}
    for settings, reason in (
        ({"steps": 11}, "steps=11 is impossible: .* has done 12 steps"),
        ({"epochs": 1}, "epochs=1 is impossible: .* has done 12 steps"),
        ({"steps": 20, "seed": 1}, r"other settings \(seed: 0 there, 1 here\)"),
        ({"recipe": finished_run.recipe.replace(steps=20), **same}, r"--resume \S+ --steps N"),
    ):
        with pytest.raises(UserError, match=reason):
            train_dcgan_mnist(output=run_copy, **settings)
    assert files_of(run_copy) == before


def test_falling_rates_are_those_of_the_new_length_and_a_line_says_so(train, tmp_path, capsys):
    recipe = short(g_schedule="cosine")
    longer = train(tmp_path / "longer", recipe=recipe).folder
    train(longer, steps=20)
    said = "from step 11 on the learning rates are those of a run of 20 steps"
    assert said in capsys.readouterr().out
    whole = train(tmp_path / "whole", recipe=recipe, steps=20).folder
    first, second = newest_state(whole), newest_state(longer)
    assert not all(np.array_equal(first[name], second[name]) for name in first)


def test_a_run_that_was_cut_off_can_be_made_shorter(train, tmp_path):
    class Cut(Exception):
        pass

    def cut(*others):
        raise Cut

    recipe = short(sample_every=4)
    whole = train(tmp_path / "whole", recipe=recipe).folder
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dcgan_lib.runs.run.write_pictures", cut)
        patch.setattr("dcgan_lib.runs.checkpoints.KEPT", 9)
        with pytest.raises(Cut):
            train(tmp_path / "cut", recipe=recipe, steps=20, checkpoint_every=7)
    newest = max((tmp_path / "cut/checkpoints").iterdir(), key=lambda path: path.name)
    newest.unlink()
    next((tmp_path / "cut/checkpoints").glob("step-00000014-*")).unlink()
    shutil.rmtree(whole / "checkpoints")  # not needed for what follows
    cut_off = train(tmp_path / "cut", steps=11).folder
    assert frames(cut_off) == frames(whole)
    assert read_rows(cut_off / LOG) == read_rows(whole / LOG)
    assert (cut_off / "generator.keras").exists()
    assert not (cut_off / "samples/step_00000012.png").exists()
