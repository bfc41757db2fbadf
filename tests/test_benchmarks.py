"""The benchmark's table is made from its results, and its yardstick stays as it is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent.parent / "benchmarks"
sys.path.insert(0, str(HERE))

import bench  # noqa: E402


def test_the_table_is_made_from_the_results():
    made = {name: bench.medians(runs) for name, runs in bench.groups().items()}
    assert json.loads(bench.TABLE.read_text()) == made


def test_every_result_names_its_judge_and_its_settings():
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
