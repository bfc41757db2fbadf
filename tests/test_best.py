"""`keep="best"`: the best generator of a run, beside its last."""

import csv
import json

import numpy as np
import pytest
from helpers import equal, newest_state, tiny

from dcgan_lib import UserError, load_generator, train_dcgan_mnist
from dcgan_lib.measuring.quality import QualityCallback
from dcgan_lib.runs.best import Best
from dcgan_lib.runs.folder import BEST

DISTANCES = {0: 9.0, 4: 3.0, 8: 5.0, 12: 2.0, 16: 4.0, 20: 6.0}


class Killed(Exception):
    pass


@pytest.fixture(autouse=True)
def looks(monkeypatch):
    """Quality is measured in tiny runs too."""
    monkeypatch.setattr(QualityCallback, "SAMPLES", 66)


@pytest.fixture
def known_distances(monkeypatch):
    offer = Best.offer
    monkeypatch.setattr(
        Best, "offer", lambda best, step, _, network: offer(best, step, DISTANCES[step], network)
    )


def train(folder, **settings):
    recipe = tiny(log_every=5, hold_out=140, quality_every=4, sample_every=50, steps=20)
    options = {"data": "digits", "max_images": 250, "verbose": False}
    return train_dcgan_mnist(recipe, folder, **options | settings)


def best_of(folder) -> dict:
    return json.loads((folder / "metrics.json").read_text())["best"]


def test_the_best_of_all_looks_is_kept_and_nothing_else_changes(tmp_path, capsys):
    folder = train(tmp_path / "run", keep="best").folder
    with open(folder / "quality.csv", newline="") as file:
        distances = {int(r["step"]): float(r["frechet_distance"]) for r in csv.DictReader(file)}
    step, distance = best_of(folder).values()
    assert (step, distance) == min(distances.items(), key=lambda item: item[1])
    assert (
        f"best generator: step {step}, Fréchet distance {distance:.2f}" in capsys.readouterr().out
    )
    plain = train(tmp_path / "plain").folder
    first, second = newest_state(plain), newest_state(folder)
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert not (plain / BEST).exists()
    assert (folder / "generator.keras").exists()


def test_it_survives_a_kill_and_what_came_after_the_checkpoint_does_not_count(
    known_distances, tmp_path, monkeypatch
):
    def die(*others):
        raise Killed

    folder, offer = tmp_path / "run", Best.offer
    with monkeypatch.context() as patch:
        patch.setattr(Best, "offer", lambda *a: die() if a[1] == 16 else offer(*a))
        with pytest.raises(Killed):  # it has seen step 12; its checkpoint is of step 10
            train(folder, keep="best", checkpoint_every=10)
    train_dcgan_mnist(output=folder, steps=11, verbose=False)  # goes on keeping, unasked
    assert best_of(folder) == {"step": 4, "frechet_distance": 3.0}
    fourth = train(tmp_path / "fourth", steps=4).folder
    assert equal(*(load_generator(path).get_weights() for path in (folder / BEST, fourth)))
    train_dcgan_mnist(output=folder, steps=20, verbose=False)
    assert best_of(folder) == {"step": 12, "frechet_distance": 2.0}


def test_where_it_cannot_be_kept_the_call_is_refused(tmp_path):
    for settings, reason in (
        ({"hold_out": 131}, "no quality is measured here; accepted: .* here 131 images are"),
        ({"data": "shapes"}, "no quality is measured here"),
        ({"keep": "first"}, "keep='first' is impossible"),
    ):
        with pytest.raises(UserError, match=reason):
            train(tmp_path / "run", **{"keep": "best"} | settings)
    assert not (tmp_path / "run").exists()
    folder = train(tmp_path / "run").folder
    with pytest.raises(UserError, match="comes too late"):
        train(folder, keep="best")
