"""The published studies: complete, and made by what the benchmark says."""

import sys
from pathlib import Path

import pytest

from dcgan_lib import Evaluator, UserError, load_study
from dcgan_lib.shelf.studies import RESULTS

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

import studies as benchmark  # noqa: E402

every_study = pytest.mark.parametrize("name", sorted(benchmark.STUDIES))


@every_study
def test_every_variant_was_trained_and_measured(name):
    study = load_study(name)
    assert study.about["evaluator"] == Evaluator().hash
    assert study.about["command"].endswith(f" {name}")
    assert set(study.settings) == set(benchmark.STUDIES[name])
    assert {row["variant"] for row in study.rows} == set(study.settings)
    assert all(row["frechet_distance"] > 0 and row["seconds"] > 0 for row in study.rows)
    assert all(picture.shape == (64, 28, 28) for picture in study.pictures.values())


@every_study
def test_published_results_are_those_of_the_files(name):
    """Nothing was typed by hand."""
    files = benchmark.RESULTS.glob(f"{name}-*.json")
    kept = [row for file in files for row in benchmark.json.loads(file.read_text())["rows"]]
    assert sorted(map(str, load_study(name).rows)) == sorted(map(str, kept))


@every_study
def test_settings_are_possible(name):
    for variant in benchmark.STUDIES[name]:
        recipe = benchmark.recipe_of(name, variant, seed=3)
        assert recipe.seed == 3


def test_an_unknown_study_is_refused_with_the_known_ones():
    with pytest.raises(UserError, match="ablations, gan_vs_dcgan, side_by_side, tricks"):
        load_study("tricksy")


def test_they_come_with_the_package_and_are_small():
    assert sum(file.stat().st_size for file in RESULTS.iterdir()) < 2_200_000
