"""The benchmark's table is made from its results, and its yardstick stays as it is."""

import json
import subprocess
import sys
import types
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent.parent / "benchmarks"
sys.path.insert(0, str(HERE))

import bench  # noqa: E402
import cost  # noqa: E402
import engine  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
import readme  # noqa: E402
import scoreboard  # noqa: E402
import scoreboard_report as report  # noqa: E402
import starts  # noqa: E402
from keras import layers  # noqa: E402

from dcgan_lib.building import build_networks  # noqa: E402
from dcgan_lib.recipes import RECIPES  # noqa: E402


def test_the_table_is_made_from_the_results():
    made = {name: bench.medians(runs) for name, runs in bench.groups().items()}
    assert json.loads(bench.TABLE.read_text()) == made


def test_the_readme_tells_what_share_of_starts_fails():
    kept = json.loads(starts.RESULTS.read_text())
    assert f"<!-- starts:begin -->\n{starts.table(kept)}\n" in readme.README.read_text()


def test_a_start_has_failed_if_its_samples_are_alike_or_far_from_all_others():
    found = {"0": [200.0, 0.9], "1": [180.0, 0.05], "2": [900.0, 0.9], "3": [190.0, 0.8]}
    assert starts.failed(found) == ["1", "2"]
    assert starts.share(found) == "2 of 4"


def test_every_result_names_its_evaluator_and_its_settings():
    results = [json.loads(file.read_text()) for file in bench.RESULTS.glob("*.json")]
    assert len(results) >= 6
    assert {result["evaluator"] for result in results} == {"67a18d0aad86"}
    for result in results:
        assert result["settings"]["name"] == result["recipe"]
        assert result["marks"] == sorted(result["marks"], key=lambda mark: mark["step"])


def test_the_yardstick_is_that_of_the_design():
    small = bench.SMALL
    assert (small.generator_widths, small.discriminator_widths) == ((64, 32), (32, 64))
    assert (small.generator_hidden, small.discriminator_hidden) == (0, 0)
    assert (small.batch_size, small.g_learning_rate, small.d_learning_rate) == (64, 1e-3, 4e-4)
    assert (small.beta_1, small.ema_decay, small.simultaneous) == (0.5, 0.99, False)


def test_medians_take_the_middle_run():
    def run(distance):
        mark = {"step": 10, "seconds": 1.0, "images": 640, "frechet_distance": distance}
        return {"marks": [{**mark, "frechet_distance": 99.0}, mark], "peak_mib": distance}

    row = bench.medians([run(3.0), run(1.0), run(2.0)])
    assert (row["seeds"], row["frechet_distance"], row["peak_mib"]) == (3, 2.0, 2.0)
    assert row["best_frechet_distance"] == 2.0


@pytest.mark.parametrize("argument", ["fats", "best_of_all"])
def test_an_unknown_recipe_is_refused_with_the_known_ones(argument):
    command = [sys.executable, str(HERE / "bench.py"), argument]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert f"unknown recipe '{argument}'; known: fast" in done.stderr


def readme_part(section: str) -> str:
    """What stands between two marks of the README."""
    begin, end = f"<!-- {section}:begin -->\n", f"\n<!-- {section}:end -->"
    return readme.README.read_text().partition(begin)[2].partition(end)[0]


# --- the engine, and how cost grows


def test_the_plain_loop_has_the_networks_of_the_tutorial():
    ours = build_networks(engine.RECIPE, (28, 28, 1))
    for plain, network in zip(engine.plain_networks(), ours, strict=True):
        assert [w.shape for w in plain.weights] == [w.shape for w in network.weights]
        for setting in ("negative_slope", "rate", "momentum", "epsilon", "kernel_size", "strides"):
            assert values_of(plain, setting) == values_of(network, setting)
    assert engine.operations_per_image(*ours) == engine.operations_per_image(
        *engine.plain_networks()
    )


def values_of(network, setting):
    return [getattr(layer, setting) for layer in network.layers if hasattr(layer, setting)]


def test_operations_are_counted_by_the_rule():
    generator = keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(8),  # 24 multiply-adds
            layers.Reshape((2, 2, 2)),
            layers.Conv2DTranspose(1, 3, 2, padding="same"),  # 2 x 2 places x 9 x 2 channels: 72
        ]
    )
    discriminator = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            layers.Conv2D(2, 3, 2, padding="same"),  # 2 x 2 places x 9 x 2 channels: 72
            layers.Flatten(),
            layers.Dense(1),  # 8
        ]
    )
    forward = 96 + 2 * 80
    of_d = 2 * 80 + 2 * 8  # kernels; inputs of the last layer
    of_g = 80 + 96 + 72  # through D; kernels; inputs of G's last layer
    counted = engine.operations_per_image(generator, discriminator)
    assert counted == 2 * (forward + of_d + of_g)


def test_the_engine_is_ahead_of_the_plain_loop():
    result = json.loads(engine.TABLE.read_text())
    assert result["operations_per_image"] == engine.operations_per_image(*engine.plain_networks())
    assert readme_part("engine") == engine.sentences(result)
    for name in ("fit float32", "step float32"):
        assert result["contenders"][name]["of_plain_same_precision"] >= 1.1


def test_ratios_are_medians_of_rounds():
    theirs, ours = [(4.0, 1.0), (9.0, 1.0), (2.0, 1.0)], [(2.0, 0.5), (3.0, 1.0), (2.0, 2.0)]
    assert engine.ratio(theirs, ours, 0) == 2.0
    assert engine.ratio(theirs, ours, 1) == 1.0


def test_each_setting_has_its_cost():
    rows = json.loads(cost.TABLE.read_text())["rows"]
    for name, values in cost.VALUES.items():
        assert cost.curve(rows, name, "memory_mib")[0] == list(values)
    assert readme_part("cost") == "\n".join(cost.findings(rows))
    recipe = cost.recipe_of(cost.DEFAULT | {"width": 0.5, "batch size": 16})
    assert (recipe.batch_size, recipe.generator_widths, recipe.discriminator_hidden) == (
        16,
        (32, 16),
        64,
    )


# --- the scoreboard


def test_the_readme_has_what_the_results_say():
    numbers, text = report.content(report.results())
    assert json.loads(report.TABLE.read_text()) == numbers
    assert readme_part("scoreboard") == text


def test_every_score_names_its_evaluators():
    for runs in report.results().values():
        for run in runs:
            assert run["evaluators"] == {"primary": "67a18d0aad86", "second": "c5942aad00db"}
            assert run["curve"] == sorted(run["curve"], key=lambda row: row["step"])
            assert str(run["curve"][-1]["step"]) in run["reports"]


@pytest.mark.parametrize("name", ["fast", "tutorial"])
def test_generators_are_put_aside_at_the_marks_and_at_the_last_step(name):
    recipe = RECIPES[name]
    total, pace = recipe.total_steps(scoreboard.TRAINED_ON), scoreboard.pace_of(name)
    for last in (5, total // 2, total):
        steps = scoreboard.moments(recipe, last)
        assert steps == sorted(set(steps))
        assert steps[-1] == last
        assert {step for mark in scoreboard.MARKS if (step := round(mark / pace)) < last} <= {
            *steps
        }
    if recipe.epochs:
        assert recipe.steps_per_epoch(scoreboard.TRAINED_ON) in steps


def run_of(distances, reports, total=100, kind="itself"):
    curve = [
        {"step": 10 * i, "seconds": 20.0 * i, kind: d, "averaged": d}
        for i, d in enumerate(distances, 1)
    ]
    verdict = {"frechet_distance": 1.0, "floor": 0.5, "coverage": 0.8, "coverage_floor": 0.9}
    verdicts = {
        step: {
            each: {
                evaluator: verdict | {"frechet_distance": d} for evaluator in ("primary", "second")
            }
            for each in (kind, "averaged")
        }
        for step, d in reports.items()
    }
    return {"curve": curve, "reports": verdicts, "drawn_from": kind, "total_steps": total}


def test_a_recipe_that_has_ended_keeps_its_last_score_and_one_cut_off_has_none():
    ended = run_of([9, 8, 7], {"30": 3.0}, total=30)
    cut_off = run_of([9, 8, 7], {"30": 3.0}, total=100)
    assert report.summary([ended])["after_300_s"] == 3.0
    assert report.summary([cut_off])["after_300_s"] is None
    assert report.summary([cut_off])["after_60_s"] == 3.0


def test_losses_are_averaged_over_epochs():
    columns = "d_loss g_loss d_accuracy_real d_accuracy_fake".split()
    log = {name: np.array([1.0, 3.0, 5.0]) for name in columns} | {"step": np.array([50, 100, 150])}
    means = scoreboard.epoch_means(log, per_epoch=100)
    assert means == {name: [2.0, 5.0] for name in columns}


def test_what_is_erratic_is_told_by_its_best_and_the_middle_of_its_last():
    row = report.ups_and_downs([run_of([5, 90, 1, 40, 20, 30, 60], {"70": 2.0})])
    assert (row["itself_best"], row["itself_last_five"]) == (1, 30)


@pytest.mark.parametrize("ends", [[30, 8], [30, 60]])
def test_the_race_is_told_even_where_a_run_of_the_tutorial_never_gets_there(ends):
    found = {
        "tutorial": [run_of([90, end, 50, 40, end], {"50": 30.0}) for end in ends],
        "fast": [run_of([50, 20, 5], {"30": 5.0}, total=30)],
    }
    found["tutorial"].append(run_of([9], {"10": 9.0}))  # cut off early: no part of the race
    rows = {name: report.summary(runs) for name, runs in found.items()}
    race = report.race(found, rows)
    assert race["target"] == np.median([sorted([90, end, 50, 40, end])[2] for end in ends])
    assert race["tutorial_seconds"] == 100.0
    text = report.sentences(rows, race)
    assert "medians of 2 runs" in text
    assert f"`fast` is at that median after {race['seconds']['fast']:.0f} s: **" in text
    assert "`tutorial`, told" not in report.table(rows)
    assert "| 3 (2 that long) |" in report.table(rows)


def test_a_mark_is_the_generator_next_to_it():
    assert scoreboard.nearest([10, 100, 1000], 130) == 100


def test_a_score_is_kept_beside_what_was_scored(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(scoreboard, "draw", lambda recipe, path, kind: drawn.append(kind))
    evaluator = types.SimpleNamespace(hash="one")
    both = types.SimpleNamespace(
        evaluators=[evaluator], curve=lambda images: 7.0, report=lambda images: {"primary": 7.0}
    )
    path = scoreboard.aside(tmp_path, 12)

    def score(exactly: bool) -> dict:
        return scoreboard.score_one(RECIPES["tutorial"], path, both, exactly)

    assert score(False) == score(False)
    assert drawn == ["itself", "averaged"]  # once
    assert score(True) == score(True) == score(False)
    assert score(True)["report"] == {kind: {"primary": 7.0} for kind in ("itself", "averaged")}
    assert len(drawn) == 4  # the report was missing
    evaluator.hash = "another"
    score(False)
    assert len(drawn) == 6
    keeping = scoreboard.PutAside(tmp_path, [12], RECIPES["tutorial"])
    network = types.SimpleNamespace(get_weights=lambda: [np.zeros(2)])
    keeping.set_model(types.SimpleNamespace(generator=network, sampler=network))
    keeping.keep(12)
    score(False)
    assert len(drawn) == 8  # the run began anew: these are other weights


def test_equal_steps_have_equal_paces():
    """These two differ in how many steps they take, and in their rates."""
    assert scoreboard.pace_of("best") == pytest.approx(scoreboard.pace_of("conditional"), rel=0.05)


def test_the_time_to_a_quality_is_that_of_the_middle_seed():
    runs = [run_of(d, {"30": 2.0}) for d in ([9, 5, 1], [5, 4, 1], [9, 9, 5])]
    assert report.sooner(runs, 5) == 40.0
    assert report.sooner(runs, 0.1) is None
