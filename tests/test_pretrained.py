"""The generators that come with the package."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from dcgan_lib import RECIPES, Evaluator, Recipe, UserError, load_images, sample_latent, scale
from dcgan_lib.beyond.augmentation import suited_to
from dcgan_lib.cli import main
from dcgan_lib.latent import generator_input, latent_dim_of
from dcgan_lib.measuring.metrics import class_balance, frechet_distance
from dcgan_lib.measuring.report import SAMPLE_SEED
from dcgan_lib.plots import image_grid
from dcgan_lib.recipes import EARLIER
from dcgan_lib.runs.folder import FINISHED
from dcgan_lib.runs.loading import load_generator, load_run
from dcgan_lib.shelf import pretrained
from dcgan_lib.shelf.pretrained import load_pretrained, model_card, published
from dcgan_lib.shelf.stored import WEIGHTS

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

from publish import publish

every_one = pytest.mark.parametrize("name", published())


def test_these_are_published():
    assert {"fast", "conditional", "explorer"} <= set(published())


@every_one
def test_card_says_what_it_is(name):
    card = model_card(name)
    assert card["name"] == name
    older = {name: value for name, value in EARLIER.items() if name not in card["recipe"]}
    recipe = suited_to(RECIPES[name], 50_000, (28, 28, 1))
    assert card["recipe"] | older == json.loads(json.dumps(vars(recipe))) | older
    assert card["data"]["hash"]
    assert card["limits"]
    assert card["training_seconds"] > 0
    evaluator = Evaluator()
    assert card["scores"]["quality"]["evaluator"] == f"primary {evaluator.hash}"
    assert card["scores"]["quality_second"]["evaluator"].startswith("second ")
    steps = card["recipe"]["steps"]
    for log in (card["log"], card["quality_curve"]):
        assert log["step"][-1] == steps
        assert {len(column) for column in log.values()} == {len(log["step"])}
    assert (WEIGHTS / f"generator-{name}.npz").stat().st_size < 2_500_000


@every_one
def test_it_draws_ten_kinds_of_digits(name):
    generator = load_pretrained(name)
    assert generator.count_params() == model_card(name)["parameters"]
    latent = sample_latent(500, latent_dim_of(generator), seed=3)
    images = generator.predict(generator_input(generator, latent), verbose=0)
    assert image_grid(images[:64]).shape == (480, 480)
    _, probabilities = Evaluator()(images)
    classes = class_balance(probabilities)
    assert classes.modes == 10
    assert classes.distance_from_uniform < 0.2
    assert probabilities.max(axis=1).mean() > 0.9


@every_one
def test_its_score_is_that_of_its_card(name, mnist_file):
    """As `dcgan evaluate` measured it; half precision costs next to nothing."""
    generator, evaluator = load_pretrained(name), Evaluator()
    latent = sample_latent(10_000, latent_dim_of(generator), SAMPLE_SEED)
    chosen = generator_input(generator, latent)
    fake, _ = evaluator(generator.predict(chosen, batch_size=500, verbose=0))
    real, _ = evaluator(scale(load_images(mnist_file, "test").images))
    known = model_card(name)["scores"]["quality"]["generator"]["frechet_distance"]
    assert frechet_distance(real, fake) == pytest.approx(known, rel=0.05)


def test_a_conditional_generator_draws_what_it_is_asked_for():
    generator = load_pretrained("conditional")
    labels = np.arange(500) % 10
    latent = sample_latent(500, latent_dim_of(generator), seed=5)
    images = generator.predict(generator_input(generator, latent, labels), verbose=0)
    _, probabilities = Evaluator()(images)
    assert np.mean(probabilities.argmax(axis=1) == labels) > 0.95


def test_the_command_line_draws_sevens_by_name(tmp_path):
    output = tmp_path / "sevens.npy"
    assert main(["sample", "conditional", "--digit", "7", "-n", "20", "--output", str(output)]) == 0
    images = np.load(output)
    assert images.shape == (20, 28, 28, 1)
    _, probabilities = Evaluator()(images)
    assert np.mean(probabilities.argmax(axis=1) == 7) > 0.8


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["conditional", "--digit", "10"], "0 to 9"),
        (["fast", "--digit", "3"], "cannot choose"),
        (["fats"], "conditional"),
    ],
)
def test_impossible_requests_are_refused(arguments, reason, tmp_path, capsys):
    output = tmp_path / "x.npy"
    assert main(["sample", *arguments, "--output", str(output)]) == 2
    assert reason in capsys.readouterr().err
    assert not output.exists()


def test_altered_weights_are_refused(tmp_path, monkeypatch):
    for file in WEIGHTS.glob("generator-fast.*"):
        shutil.copy(file, tmp_path)
    card = json.loads((tmp_path / "generator-fast.json").read_text())
    (tmp_path / "generator-fast.json").write_text(json.dumps(card | {"hash": "0" * 12}))
    monkeypatch.setattr(pretrained, "WEIGHTS", tmp_path)
    with pytest.raises(UserError, match="not those of its card"):
        load_pretrained("fast")
    with pytest.raises(UserError, match="known: fast"):
        load_pretrained("conditional")


def test_a_run_without_scores_is_not_published(run_copy, tmp_path):
    with pytest.raises(UserError, match="quality"):
        publish(run_copy, tmp_path)
    write_curve(run_copy)
    with pytest.raises(UserError, match="both evaluators"):
        publish(run_copy, tmp_path)
    assert not list(tmp_path.glob("generator-*"))


def write_curve(run):
    """As a run writes it that has enough held-out images to measure."""
    (run / "quality.csv").write_text("step,seconds,frechet_distance\n0,0.5,12.34567\n8,1.5,9.8\n")


def test_a_published_run_comes_back(run_copy, tmp_path, monkeypatch):
    numbers = json.loads((run_copy / FINISHED).read_text())
    scores = {"quality": {"evaluator": "x"}, "quality_second": {"evaluator": "y"}}
    (run_copy / FINISHED).write_text(json.dumps(numbers | scores))
    write_curve(run_copy)
    monkeypatch.setitem(RECIPES, "fast", Recipe(seed=9))
    with pytest.raises(UserError, match="settings of its own"):
        publish(run_copy, tmp_path)
    monkeypatch.setitem(RECIPES, "fast", load_run(run_copy).recipe)
    before = load_generator(run_copy)
    card = publish(run_copy, tmp_path)
    assert card == tmp_path / "generator-fast.json"
    slower = {"training_seconds": numbers["training_seconds"] + 100}
    (run_copy / FINISHED).write_text(json.dumps(numbers | scores | slower))
    publish(run_copy, tmp_path)  # the same weights, made on a busy machine
    assert json.loads(card.read_text())["training_seconds"] == numbers["training_seconds"]
    monkeypatch.setattr(pretrained, "WEIGHTS", tmp_path)
    after = load_pretrained("fast")
    assert model_card("fast")["quality_curve"] == {
        "step": [0, 8],
        "frechet_distance": [12.3457, 9.8],
    }
    assert model_card("fast")["log"]["step"] == load_run(run_copy).log["step"].tolist()
    latent = sample_latent(3, 10)
    np.testing.assert_allclose(before(latent), after(latent), atol=0.01)
