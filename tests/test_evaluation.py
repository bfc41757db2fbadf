"""The evaluators and the table of `dcgan evaluate`."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import save_data, tiny
from PIL import Image

from dcgan_lib.cli import main
from dcgan_lib.data import load_images, scale, unscale
from dcgan_lib.errors import UserError
from dcgan_lib.measuring import report
from dcgan_lib.measuring.evaluator import Evaluator, build_classifier, true_test
from dcgan_lib.measuring.metrics import blurred, frechet_distance, noise_like
from dcgan_lib.measuring.quality import QualityCallback
from dcgan_lib.measuring.report import (
    evaluate,
    known_baselines,
    load_references,
    measure,
    save_report,
)
from dcgan_lib.plots import read_log
from dcgan_lib.runs.log import RunLog
from dcgan_lib.shelf.stored import WEIGHTS, weights_hash
from dcgan_lib.training import train_dcgan_mnist

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

HASHES = {"primary": "67a18d0aad86", "second": "c5942aad00db"}


@pytest.mark.parametrize("name", HASHES)
def test_the_frozen_evaluator_is_the_one_that_published_numbers_name(name):
    evaluator = Evaluator(name)
    assert evaluator.hash == HASHES[name]
    assert (WEIGHTS / f"evaluator-{name}.npz").stat().st_size < 1_000_000


def test_the_readme_names_the_evaluators():
    page = (Path(__file__).parent.parent / "README.md").read_text()
    assert all(f"`{digits}`" in page for digits in HASHES.values())


@pytest.mark.parametrize("name", HASHES)
def test_accuracy_on_mnist(name, mnist_file):
    test = load_images(mnist_file, "test")
    _, probabilities = Evaluator(name)(scale(test.images))
    assert np.mean(probabilities.argmax(axis=1) == test.labels) >= 0.993


def test_the_hash_changes_with_any_weight():
    weights = build_classifier("primary").get_weights()
    before = weights_hash(weights)
    weights[3][0] += 1e-3
    assert weights_hash(weights) != before


def test_features_and_probabilities(real):
    features, probabilities = Evaluator()(real)
    assert features.shape == (len(real), 64)
    assert probabilities.shape == (len(real), 10)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda x: x * 127.5, "needed: from -1 to 1"),
        (lambda x: np.where(x > 0, np.nan, x), "not finite"),
        (lambda x: x[..., 0], "have the shape"),
        (lambda x: x[:, :14], "have the shape"),
        (lambda x: x[:0], "have the shape"),
    ],
)
def test_images_that_cannot_be_scored_are_refused(change, reason, real):
    with pytest.raises(UserError, match=reason):
        Evaluator()(change(real))


def test_unknown_evaluator():
    with pytest.raises(UserError, match="unknown evaluator 'third'; known: primary, second"):
        Evaluator("third")


@pytest.fixture(scope="module")
def references(_offline):
    return load_references("digits")


def test_the_held_out_images_are_not_trained_on(mnist_file):
    references = load_references(mnist_file)
    validation = {image.tobytes() for image in references.validation}
    assert len(references.validation) == len(references.test) == 10_000
    assert not any(image.tobytes() in validation for image in references.train)


def test_every_metric_ranks_real_images_above_blurred_and_noise(references):
    evaluator = Evaluator()
    real, _ = evaluator(references.test)
    count = len(references.test)
    sets = {
        "floor": references.validation[:count],
        "blurred": blurred(references.train[:count], 1.5),
        "noise": noise_like(references.test),
    }
    scores = {name: measure(x, real, evaluator, references) for name, x in sets.items()}
    for key in ("frechet_distance", "kernel_distance"):
        assert scores["floor"][key] < scores["blurred"][key] < scores["noise"][key]
    # Not the confidence: a classifier can be sure of noise.
    for key in ("precision", "density", "coverage", "classifier_score"):
        assert scores["floor"][key] > scores["noise"][key]
    assert scores["floor"]["modes"] == 10
    assert scores["noise"]["modes"] < 10


def test_a_dropped_class_is_counted(references):
    digits = load_images("digits")
    images = scale(digits.images[digits.labels != 3][:2000])
    evaluator = Evaluator()
    real, _ = evaluator(references.test)
    result = measure(images, real, evaluator, references)
    assert result["shares"][3] < 0.03
    assert result["distance_from_uniform"] > 0.05


def test_the_training_set_recited_is_called_copied(references):
    evaluator = Evaluator()
    real, _ = evaluator(references.test)
    result = measure(references.train[:1000], real, evaluator, references)
    assert result["copied_share"] == 1.0


def test_evaluate_writes_into_the_run_and_prints_a_table(run_copy, capsys):
    assert main(["evaluate", str(run_copy), "-n", "200"]) == 0
    quality = json.loads((run_copy / "metrics.json").read_text())["quality"]
    printed = capsys.readouterr().out
    assert quality["samples"] == 200
    assert quality["evaluator"] == "primary 67a18d0aad86"
    assert quality["evaluator"] in printed
    assert f"{quality['generator']['frechet_distance']:.2f}" in printed
    assert quality["floor"]["frechet_distance"] < quality["noise"]["frechet_distance"]
    assert "steps" in json.loads((run_copy / "metrics.json").read_text())


def test_an_array_of_images_is_scored_like_any_source(tmp_path, references, capsys):
    np.save(tmp_path / "real.npy", references.validation[:200])
    assert main(["evaluate", str(tmp_path / "real.npy"), "-n", "200", "--data", "digits"]) == 0
    quality = json.loads((tmp_path / "real.metrics.json").read_text())["quality"]
    assert quality["generator"] == quality["floor"]


@pytest.mark.parametrize("kind", ["folder", "0 to 255", "0 to 1", "npz"])
def test_images_in_any_form_are_scored(kind, tmp_path, references):
    images = unscale(references.validation[:70, ..., 0])
    place = tmp_path / "drawn.npy"
    if kind == "folder":
        place = tmp_path / "drawn"
        place.mkdir()
        for number, image in enumerate(images):
            Image.fromarray(image).save(place / f"{number}.png")
    elif kind == "npz":
        place = tmp_path / "drawn.npz"
        np.savez(place, images=images[..., np.newaxis])
    else:
        np.save(place, images if kind == "0 to 255" else images / np.float32(255))
    before = len(list(tmp_path.rglob("*")))
    quality = evaluate(place, 70, "digits", verbose=False)
    assert quality["generator"] == quality["floor"]
    assert json.loads((tmp_path / "drawn.metrics.json").read_text())["quality"]["samples"] == 70
    assert len(list(tmp_path.rglob("*"))) == before + 1
    with pytest.raises(UserError, match=r"has 70 images; 200 are needed"):
        evaluate(place, 200, "digits", verbose=False)


def test_of_a_folder_of_classes_all_are_scored(tmp_path, references):
    for number, image in enumerate(unscale(references.validation[:140, ..., 0])):
        place = tmp_path / "drawn" / f"class {number // 70}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{number}.png")
    images = report.images_of(tmp_path / "drawn", 70)
    np.testing.assert_allclose(images, references.validation[:140:2], atol=1e-6)


def test_a_published_generator_is_scored_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scored = report.evaluate("grouped", 100, verbose=False)
    assert scored["generator"]["frechet_distance"] < scored["blurred"]["frechet_distance"]
    assert list(tmp_path.iterdir()) == []


def test_the_second_evaluator_leaves_the_report_of_the_first(tmp_path):
    (tmp_path / "recipe.json").touch()  # it is a run
    for name in ("primary", "second", "primary"):
        save_report(tmp_path / "x.npy", {"evaluator": f"{name} 12"})
        save_report(tmp_path, {"evaluator": f"{name} 12"})
    wanted = {"quality": {"evaluator": "primary 12"}, "quality_second": {"evaluator": "second 12"}}
    for file in ("x.metrics.json", "metrics.json"):
        assert json.loads((tmp_path / file).read_text()) == wanted


def test_an_array_that_holds_no_images_is_refused(tmp_path, capsys):
    np.save(tmp_path / "x.npy", np.float32(1))
    assert main(["evaluate", str(tmp_path / "x.npy"), "-n", "200", "--data", "digits"]) == 2
    assert "holds a single number" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["-n", "0"], "0 asked for (-n) are too few to score; needed: at least 65"),
        (["-n", "64"], "64 asked for (-n) are too few to score; needed: at least 65"),
        (["--data", "nowhere"], "unknown data"),
    ],
)
def test_bad_requests_are_refused_in_one_line(arguments, reason, run_copy, capsys):
    before = (run_copy / "metrics.json").read_bytes()
    assert main(["evaluate", str(run_copy), *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("dcgan: error:")
    assert error.count("\n") == 1
    assert reason in error
    assert (run_copy / "metrics.json").read_bytes() == before


def test_too_few_images_are_refused_before_any_work(monkeypatch, run_copy, digits, tmp_path):
    monkeypatch.setattr(report, "load_references", lambda data: pytest.fail("went too far"))
    with pytest.raises(UserError, match="3 asked for"):
        evaluate(run_copy, 3)
    monkeypatch.undo()
    few = save_data(tmp_path / "few.npz", digits.images[:300])
    monkeypatch.setattr(report, "images_of", lambda *a: pytest.fail("went too far"))
    with pytest.raises(UserError, match="50 real images of few are too few to score"):
        evaluate(run_copy, 100, str(few))


def test_fewest_is_what_a_covariance_needs():
    for name in ("primary", "second"):
        assert Evaluator(name).both.outputs[0].shape[-1] + 1 == report.FEWEST


def test_too_few_images_in_an_array(tmp_path, references, capsys):
    np.save(tmp_path / "few.npy", references.validation[:100])
    assert main(["evaluate", str(tmp_path / "few.npy"), "-n", "200", "--data", "digits"]) == 2
    assert "has 100 images; 200 are needed" in capsys.readouterr().err


def quality_rows(folder):
    return read_log(folder / "quality.csv")


def test_quality_is_measured_during_training(tmp_path):
    recipe = tiny(steps=9, quality_every=4, hold_out=2000)
    run = train_dcgan_mnist(recipe, output=tmp_path / "run", data="digits", verbose=False)
    rows = quality_rows(run.folder)
    assert rows["step"].tolist() == [0, 4, 8]
    assert (rows["frechet_distance"] > 10 * rows["floor"]).all()
    assert rows["floor"].min() == rows["floor"].max() > 0
    assert (run.folder / "quality_plot.png").exists()


def test_quality_after_each_epoch_where_the_recipe_says_none(tmp_path):
    recipe = tiny(epochs=2, quality_every=None, hold_out=2000)
    run = train_dcgan_mnist(
        recipe, output=tmp_path / "run", data="digits", max_images=96, verbose=False
    )
    assert quality_rows(run.folder)["step"].tolist() == [0, 3, 6]


def test_without_enough_held_out_images_nothing_is_measured(tmp_path):
    recipe = tiny(steps=2, hold_out=1999)
    run = train_dcgan_mnist(recipe, output=tmp_path / "run", data="digits", verbose=False)
    assert not (run.folder / "quality.csv").exists()


def test_too_few_held_out_images_are_refused_by_the_callback(real, tmp_path):
    with pytest.raises(UserError, match="64 held-out images; needed: 2000"):
        QualityCallback(tmp_path / "quality.csv", real, log=None)


@pytest.mark.parametrize("name", HASHES)
def test_the_true_test_set_is_known_by_its_statistics(name, mnist_file):
    evaluator = Evaluator(name)
    real, _ = evaluator(scale(load_images(mnist_file, "test").images))
    stand_in = true_test(evaluator)
    np.testing.assert_allclose(stand_in.mean(axis=0), real.mean(axis=0), atol=1e-5)
    covariance = np.cov(real, rowvar=False)
    np.testing.assert_allclose(np.cov(stand_in, rowvar=False), covariance, atol=1e-4)
    others, _ = evaluator(scale(load_images("mnist10k").images))
    distance = frechet_distance(real, others)
    assert frechet_distance(stand_in, others) == pytest.approx(distance, rel=1e-3)


def test_statistics_are_kilobytes():
    assert sum(path.stat().st_size for path in WEIGHTS.glob("statistics-*")) < 30_000


@pytest.mark.slow
def test_without_mnist_a_run_is_scored_against_its_test_images(run_copy, capsys):
    record = json.loads((run_copy / "recipe.json").read_text())
    record["data"]["source"] = "mnist"
    (run_copy / "recipe.json").write_text(json.dumps(record))
    marks = json.loads(report.BASELINES.read_text())["67a18d0aad86 166e5e1e2006 10000"]
    quality = evaluate(run_copy, verbose=False)
    assert "MNIST is not at hand" in capsys.readouterr().err
    assert quality["samples"] == 10_000
    for name, scores in marks.items():  # of as many images
        assert quality[name]["frechet_distance"] == scores["frechet_distance"]
    assert "statistics of MNIST's test images" in quality["reference"]
    assert "500 against 500 of mnist10k" in quality["reference"]
    assert quality["generator"]["frechet_distance"] > 100
    assert evaluate(run_copy, 600, verbose=False)["samples"] == 500


def test_quality_of_a_run_on_the_part_is_against_the_test_images(tmp_path):
    run = train_dcgan_mnist(tiny(steps=2, hold_out=10_000), tmp_path / "run", verbose=False)
    rows = quality_rows(run.folder)
    real, _ = Evaluator()(scale(load_images("mnist10k", "test").images))
    assert rows["floor"][0] == pytest.approx(frechet_distance(true_test(Evaluator()), real))
    assert 0.5 < rows["floor"][0] < 5


class Clock:
    now = 100.0

    def perf_counter(self):
        return self.now


def test_measuring_does_not_count_as_training(tmp_path, monkeypatch):
    clock = Clock()
    monkeypatch.setattr("dcgan_lib.runs.log.time", clock)
    log = RunLog(tmp_path / "log.csv", tiny(), 64)
    before = log.seconds
    with log.paused():
        clock.now += 60
    clock.now += 1
    assert log.seconds - before == 1


def test_the_marks_that_come_with_the_package_can_be_measured_again(mnist_file):
    references, evaluator = load_references(mnist_file), Evaluator()
    known = known_baselines(evaluator, references, 10_000)
    real, _ = evaluator(references.test)
    held_out, _ = evaluator(references.validation)
    floor = frechet_distance(real, held_out)
    assert floor == pytest.approx(known["floor"]["frechet_distance"], rel=0.01)


@pytest.mark.parametrize(
    ("output", "reason"),
    [("mine", "a name ending in .npz"), ("nowhere/mine.npz", "there is no folder of that name")],
)
def test_an_evaluator_is_not_trained_for_a_file_that_cannot_be(output, reason):
    from evaluators import train_evaluator

    with pytest.raises(UserError, match=reason):
        train_evaluator("primary", output)


@pytest.mark.parametrize(("modes", "said"), [(1, "one class of 10"), (3, "3 classes of 10")])
def test_confidence_counts_for_little_where_classes_are_missing(modes, said):
    from dcgan_lib.measuring.report import TABLE, report_table

    scores = {key: 10 for key, *_ in TABLE} | {"kernel_distance_error": 0.1, "shares": [1.0]}
    report = dict.fromkeys(("generator", "floor", "blurred", "noise"), scores)
    report |= {"samples": 64, "reference": "x", "evaluator": "y"}
    assert "counts for little" not in report_table(report)
    report["generator"] = scores | {"modes": modes}
    assert report_table(report).endswith(f"{said}, drawn surely")
