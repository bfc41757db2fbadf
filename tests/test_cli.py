"""The command line: what it prints, what it refuses, and what it leaves alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import imageio.v3 as iio
import keras
import numpy as np
import pytest
from helpers import STEPS, files_of, make_gan, save_data, tiny, tiny_options

from dcgan_lib import RECIPES, UserError, save_samples
from dcgan_lib.cli import main
from dcgan_lib.data import unscale
from dcgan_lib.runs.samples import _closed_walk

TINY = tiny_options("fast", **STEPS)


@pytest.fixture
def refuse(capsys, tmp_path, monkeypatch):
    """Runs a command that must fail, and returns what it said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dcgan_lib.training.build_gan", lambda *a: pytest.fail("went too far"))

    def run(*arguments) -> str:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert code == 2, out + err
        assert out == ""
        assert err.startswith("dcgan: error: ")
        assert err.count("\n") == 1
        assert err.endswith("\n")
        return err

    return run


# --- bad input

UNREADABLE = [
    (["trian"], "Available subcommands: train, sample, evaluate, recipes"),
    (["train", "--recipe"], "--recipe"),
    (["train", "--bach-size", "3"], "--batch-size"),  # perhaps you meant
    (["train", "stray"], "stray"),
    (["train", "--batch-size", "many"], "many"),
    (["train", "--architecture", "rnn"], "rnn"),
    (["sample"], "Required options"),
    (["sample", "nowhere", "-n", "some"], "some"),
    (["evaluate", "nowhere", "--evaluator", "third"], "third"),
    (["recipes", "--all"], "--all"),
]


@pytest.mark.parametrize(("arguments", "reason"), UNREADABLE, ids=lambda a: str(a)[:60])
def test_what_cannot_be_read_is_explained(arguments, reason, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert reason in err
    assert out == ""
    assert not list(tmp_path.iterdir())


BAD_OPTIONS = [
    (["train", "--recipe", "fats"], "unknown recipe 'fats'; known: fast, tutorial"),
    (["train", "--batch-size", "0"], "batch_size=0 is impossible; accepted: greater than 0"),
    (["train", "--batch-size", "-3"], "batch_size=-3"),
    (["train", "--g-learning-rate", "-0.001"], "g_learning_rate=-0.001"),
    (["train", "--d-learning-rate", "0"], "d_learning_rate=0"),
    (["train", "--g-learning-rate", "nan"], "g_learning_rate=nan"),
    (["train", "--g-steps", "0"], "g_steps=0"),
    (["train", "--d-steps", "0"], "d_steps=0"),
    (["train", "--dropout", "1"], "dropout=1.0 is impossible"),
    (["train", "--latent-dim", "0"], "latent_dim=0"),
    (["train", "--steps", "0"], "steps=0"),
    (["train", "--epochs", "-1"], "epochs=-1"),
    (["train", "--steps", "5", "--epochs", "5"], "give exactly one"),
    (["train", "--seed", "-1"], "seed=-1"),
    (["train", "--generator-widths", "64", "0"], "generator_widths=(64, 0)"),
    (["train", "--loss", "mse", "--data", "digits"], "unknown loss 'mse'; known: cross_entropy"),
    (["train", "--loss", "no_such:Loss", "--data", "digits"], "'no_such:Loss' cannot be imported"),
    (["train", "--max-images", "0", "--data", "digits"], "max_images=0"),
    (["train", "--checkpoint-every", "0", "--data", "digits"], "checkpoint_every=0"),
    (["train", "--data", "cifar"], "unknown data 'cifar'; known: auto, mnist, mnist10k, digits"),
    (["train", "--data", "mnist"], "MNIST cannot be reached"),
    (["train", "--resume", "nowhere"], "'nowhere' is not a run folder"),
    (["train", "--data", "digits", "--batch-size", "99999"], "batch_size=99999 is larger"),
    (["train", "--data", "digits", "--max-images", "9"], "batch_size=64 is larger"),
    (["sample", "nowhere"], "'nowhere' does not exist"),
    (["sample", "nowhere", "-n", "0"], "-n 0 is impossible"),
    (["sample", "nowhere", "--output", "grid.xyz"], "'grid.xyz'; accepted: a name ending in .png"),
    (["sample", "nowhere", "--output", "grid"], "'grid'; accepted: a name ending in .png, .jpg"),
    (["sample", "nowhere", "--output", "grid.h5"], "'grid.h5'; accepted: a name ending in .png"),
    (["evaluate", "nowhere", "-n", "0"], "0 asked for (-n) are too few to score; needed: at least"),
    (["evaluate", "nowhere", "-n", "64"], "64 asked for (-n) are too few to score"),
    (["sample", "fast", "--seed", "-1"], "--seed -1 is impossible; accepted: 0 or above"),
]


@pytest.mark.parametrize(
    ("arguments", "reason"), BAD_OPTIONS, ids=[" ".join(a)[:60] for a, _ in BAD_OPTIONS]
)
def test_bad_options_give_one_clear_line(arguments, reason, refuse, tmp_path):
    assert reason in refuse(*arguments)
    assert not list(tmp_path.iterdir())


GOOD = np.zeros((64, 28, 28), np.uint8)
BAD_DATA = {
    "wrong shape": (GOOD.reshape(64, 2, 392), "2"),
    "wrong type": (GOOD * 1j, "complex"),
    "pickled": (np.array([GOOD, None], dtype=object), "pickle"),
    "empty": (GOOD[:0], "no images"),
    "missing": (None, "does not exist"),
    "truncated": (GOOD, "few.npz"),
}


@pytest.mark.parametrize("kind", BAD_DATA)
@pytest.mark.parametrize("way", ["option", "variable"])
def test_bad_data_gives_one_clear_line(kind, way, refuse, tmp_path, monkeypatch):
    images, reason = BAD_DATA[kind]
    path = tmp_path / "few.npz"
    if images is not None:
        save_data(path, images)
    if kind == "truncated":
        path.write_bytes(path.read_bytes()[:-300])
    if way == "variable":
        monkeypatch.setenv("DCGAN_DATA", str(path))
    options = ["--data", path] if way == "option" else []
    said = refuse("train", *options, "--output", tmp_path / "run")
    assert reason in said
    assert "few.npz" in said
    assert not (tmp_path / "run").exists()


def test_an_output_that_cannot_be_written(refuse, digits_file, tmp_path):
    (tmp_path / "file").touch()
    for output in ("file", "file/below"):
        said = refuse("train", *TINY, "--data", digits_file, "--output", tmp_path / output)
        assert "cannot be written" in said
    assert (tmp_path / "file").read_bytes() == b""


def test_an_output_that_holds_another_run_is_not_harmed(refuse, run_copy):
    before = files_of(run_copy)
    said = refuse("train", *TINY, "--seed", "9", "--data", "digits", "--output", run_copy)
    assert "holds a run with other settings" in said
    assert "seed: 0 there, 9 here" in said
    assert "--fresh" in said
    assert "has done 12 steps" in refuse("train", "--resume", run_copy, "--steps", "11")
    usual = ("--batch-size", RECIPES["fast"].batch_size)  # what `fast` has, and this run has not
    assert "batch_size" in refuse("train", "--resume", run_copy, *usual)
    for fresh in (["--fresh"], ["--output", "elsewhere"]):
        assert "--resume takes a run up" in refuse("train", "--resume", run_copy, *fresh)
    assert files_of(run_copy) == before


def test_an_output_that_holds_something_else_is_not_harmed(refuse, digits_file, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "log.csv").write_text("mine")
    for fresh in ([], ["--fresh"]):
        command = ["train", *TINY, "--data", digits_file, "--output", folder, *fresh]
        assert "not empty and not a run" in refuse(*command)
    assert files_of(folder) == {"log.csv": b"mine"}


def test_a_run_goes_on_with_its_own_recipe_alone(refuse, run_copy):
    before = files_of(run_copy)
    for more in (["--recipe", "fast"], ["--fresh"], ["--output", "x"]):
        assert "without --fresh, --output and --recipe" in refuse(
            "train", "--resume", run_copy, *more
        )
    assert files_of(run_copy) == before


def test_sampling_from_what_is_no_generator(refuse, finished_run, run_copy, tmp_path):
    bad = tmp_path / "bad.keras"
    bad.write_bytes(b"not a model")
    assert "not a Keras model" in refuse("sample", bad)
    said = refuse("sample", finished_run.folder / "discriminator.keras")
    assert "is not a generator: it goes from (None, 28, 28, 1) to (None, 1)" in said
    assert "not a Keras model" in refuse("sample", finished_run.folder / "log.csv")
    (run_copy / "generator.keras").unlink()
    assert "not finished: dcgan train --resume" in refuse("sample", run_copy)
    assert "not a run folder" in refuse("sample", tmp_path)
    assert not (tmp_path / "grid.png").exists()


def test_samples_that_cannot_be_written(refuse, finished_run, tmp_path):
    (tmp_path / "file").touch()
    for output in ("file/grid.png", "file/below/grid.npy"):
        assert "cannot be written" in refuse("sample", finished_run.folder, "--output", output)


@pytest.mark.parametrize(("player", "rate"), [("g", "1e38"), ("d", "1e38"), ("d", "1e30")])
def test_a_training_that_diverges_stops_with_one_line(player, rate, digits_file, tmp_path, capsys):
    options = [*TINY, "--data", str(digits_file), "--output", str(tmp_path / "run")]
    assert main(["train", *options, f"--{player}-learning-rate", rate, "--beta-1", "0"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    network = {"g": "generator", "d": "discriminator"}[player]
    assert f"the {network} diverged first" in said[0]
    assert said[0].endswith(f" usually helps: {player}_learning_rate")


def test_the_real_command_says_nothing_else_on_stderr(digits_file, tmp_path):
    """In a process of its own, where TensorFlow's C++ code could talk."""
    command = [sys.executable, "-m", "dcgan_lib", "train", "--batch-size", "9999"]
    command += ["--data", str(digits_file)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300)
    assert ended.returncode == 2
    assert ended.stdout == ""
    accepted = "is larger than the dataset; accepted: up to 300 (--batch-size 300)"
    assert ended.stderr == f"dcgan: error: batch_size=9999 {accepted}\n"


def test_ctrl_c_before_the_training_is_no_traceback(monkeypatch, capsys):
    def interrupt(*arguments, **settings):
        raise KeyboardInterrupt

    monkeypatch.setattr("dcgan_lib.train_dcgan_mnist", interrupt, raising=False)
    assert main(["train"]) == 130
    assert capsys.readouterr().err == "dcgan: interrupted\n"


# --- help

ASK_FOR_HELP = """
import sys
from dcgan_lib.cli import main
train = (["train", "--help"], ["train", "--help-all"])
others = (["sample", "--help"], ["recipes"], ["recipes", "--help"])
for arguments in (["--help"], *train, *others, []):
    assert main(arguments) == 0
heavy = {"tensorflow", "keras", "matplotlib", "sklearn", "scipy"} & set(sys.modules)
print("LOADED", sorted(heavy))
"""


def test_help_does_not_load_tensorflow():
    ended = subprocess.run(
        [sys.executable, "-c", ASK_FOR_HELP], capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.endswith("LOADED []\n")
    words = " ".join(ended.stdout.replace("│", " ").split())
    for command in ("train", "sample", "evaluate", "recipes"):
        assert f"• {command} " in words
    assert "--batch-size" in words
    assert "small batches give more steps in a minute" in words  # the recipe's own reasons
    assert "A run folder, a .keras file" in words


def test_help_names_every_setting_with_its_reason_and_default(capsys):
    assert main(["train", "--help-all"]) == 0
    words = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for name in vars(RECIPES["fast"]):
        assert f"--{name.replace('_', '-')}" in words
    assert "small batches give more steps in a minute. (64)" in words
    assert "--show" not in words  # for notebooks


def test_train_help_is_short_and_has_an_example_for_each_option(capsys):
    from dcgan_lib.cli.hints import EXAMPLES

    assert main(["train", "--help"]) == 0
    out = capsys.readouterr().out
    assert len(out.splitlines()) <= 45
    for name, example in EXAMPLES.items():
        assert f"--{name.replace('_', '-')} " in out
        assert f"dcgan train {example}" in out
    assert "small batches give more steps" in " ".join(out.split())
    assert "--help-all" in out
    assert "--dropout" not in out


@pytest.mark.parametrize(
    ("message", "meant"),
    [
        ("unknown recipe 'fats'; known: fast, tutorial", "'fast'"),
        ("unknown data 'cifar'; known: auto, cifar10, or a path", "'cifar10'"),
        ("unknown loss 'hinj'; known: cross_entropy, hinge", "'hinge'"),
        ("'conditonal' does not exist; accepted: a run folder, or best or conditional", "'cond"),
        ("unknown loss 'mse'; known: cross_entropy, hinge", None),
        ("batch_size=0 is impossible; accepted: greater than 0", None),
    ],
)
def test_a_made_up_word_suggests_the_nearest(message, meant):
    from dcgan_lib.cli.hints import with_nearest

    said = with_nearest(message)
    assert said.startswith(message)
    assert f"perhaps you meant {meant}" in said if meant else said == message


def test_recipes_lists_them_all_and_no_two_alike(capsys):
    assert main(["recipes"]) == 0
    out = capsys.readouterr().out
    listed, _, notes = out.partition("\n\n")
    lines = listed.splitlines()
    assert [line.split()[0] for line in lines[::3]] == list(RECIPES)
    bodies = ["".join(lines[i + 1 : i + 3]) for i in range(0, len(lines), 3)]
    assert len(set(bodies)) == len(RECIPES)
    tutorial = listed[listed.index("\ntutorial") :]
    assert "G 256-128-64" in tutorial
    assert "100 epochs  about 2 h 17 min" in tutorial
    assert "d_steps=1 g_steps=3" in listed
    assert "p and k" in notes
    assert max(map(len, out.splitlines())) < 120


def test_the_times_of_recipes_are_those_that_were_measured():
    from dcgan_lib.cli.listing import ABOUT

    pace = Path(__file__).parent.parent / "benchmarks/scoreboard/pace.json"
    measured = json.loads(pace.read_text())["milliseconds_per_step"]
    assert {name: milliseconds for name, (_, milliseconds) in ABOUT.items()} == measured


# --- the page of a run, and the doctor


def test_open_writes_the_page_where_it_is_missing_or_old(run_copy, capsys, monkeypatch):
    monkeypatch.setattr("webbrowser.open", lambda address: pytest.fail("there is no screen"))
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    page = run_copy / "report.html"
    page.unlink(missing_ok=True)
    assert main(["open", str(run_copy)]) == 0
    assert str(page) in capsys.readouterr().out
    page.write_text("old")
    os.utime(page, (0, 0))
    assert main(["open", str(run_copy)]) == 0
    assert page.read_text().startswith("<!doctype html>")
    assert main(["open", str(run_copy / "samples")]) == 2


def test_the_doctor_ends_with_one_line_to_send(monkeypatch, capsys):
    from dcgan_lib.cli import checkup

    monkeypatch.setattr(checkup, "_fast", lambda: "about 50 s here (30 steps)")
    assert main(["doctor"]) == 0
    *lines, empty, last = capsys.readouterr().out.splitlines()
    assert empty == ""
    assert "MNIST       not here" in "\n".join(lines)
    assert last.startswith("dcgan doctor: ready; ")
    assert last.endswith("; fast: about 50 s here")
    monkeypatch.setattr(checkup, "NEEDED", 1e18)
    assert main(["doctor"]) == 1
    assert "dcgan doctor: look at disk; " in capsys.readouterr().out


# --- training


def test_train_reports_finds_again_and_starts_anew(digits_file, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command = ["train", *TINY, "--data", str(digits_file)]
    assert main(command) == 0
    first = capsys.readouterr().out
    assert "recipe fast: training for 12 steps of 32 images, 250 images" in first
    assert "Run folder: runs/fast-s0-" in first
    for name in ("report.html", "final_samples.png", "training.gif", "log.csv", "health.csv"):
        assert name in first
    assert "quality.csv" not in first  # too few images were held out
    for command_after in ("open", "sample", "evaluate"):
        assert f"dcgan {command_after} runs/fast-s0-" in first
    assert "Training: " in first
    (folder,) = (tmp_path / "runs").iterdir()
    before = files_of(folder)

    assert main(command) == 0
    assert "finished already" in capsys.readouterr().out
    assert main(["train", "--resume", str(folder)]) == 0
    assert "finished already" in capsys.readouterr().out
    assert files_of(folder) == before

    assert main([*command, "--fresh"]) == 0
    assert "training for 12 steps" in capsys.readouterr().out
    after = files_of(folder)
    assert after["log.csv"] != before["log.csv"]  # other seconds
    assert after["final_samples.png"] == before["final_samples.png"]


def test_options_become_settings(monkeypatch, finished_run):
    asked = {}

    def train(recipe, output, data, **options):
        asked.update(options, recipe=recipe, output=output, data=data)
        return finished_run

    monkeypatch.setattr("dcgan_lib.train_dcgan_mnist", train, raising=False)
    command = ["train", "--recipe", "keras", "--dropout", "0.2", "--steps", "7"]
    command += ["--generator-widths", "9", "8", "--no-generator-batch-norm", "--output", "x"]
    assert main([*command, "--data", "digits", "--max-images", "50", "--fresh"]) == 0
    assert asked["recipe"] == "keras"
    assert asked["dropout"] == 0.2
    assert asked["steps"] == 7
    assert asked["generator_widths"] == (9, 8)
    assert asked["generator_batch_norm"] is False
    assert (asked["data"], asked["max_images"], str(asked["output"])) == ("digits", 50, "x")
    assert asked["resume"] is False
    assert len(asked) == 9  # and nothing that was not asked for


@pytest.mark.parametrize("recipe", ["fast", "tutorial"])
@pytest.mark.parametrize("given", ["steps", "epochs"])
@pytest.mark.parametrize("form", ["--{} 3", "--{}=3"])
def test_steps_or_epochs_whatever_the_recipe_has(recipe, given, form, monkeypatch, finished_run):
    def train(start, output, data, resume, **settings):
        chosen = RECIPES[start].replace(**settings)
        other = "epochs" if given == "steps" else "steps"
        assert (getattr(chosen, given), getattr(chosen, other)) == (3, None)
        return finished_run

    monkeypatch.setattr("dcgan_lib.train_dcgan_mnist", train, raising=False)
    assert main(["train", "--recipe", recipe, *form.format(given).split()]) == 0


# --- sampling


def test_samples_as_an_array(finished_run, tmp_path, capsys):
    path = tmp_path / "samples.npy"
    for source in (finished_run.folder, finished_run.folder / "generator.keras"):
        assert main(["sample", str(source), "-n", "5", "--seed", "3", "--output", str(path)]) == 0
        images = np.load(path)
        assert images.shape == (5, 28, 28, 1)
        assert images.dtype == np.float32
        assert np.abs(images).max() <= 1
        assert images.min() < 0
    assert f"5 images: {path}" in capsys.readouterr().out


def test_samples_depend_on_the_seed_alone(finished_run, tmp_path):
    drawn = []
    for count, seed in ((4, 0), (9, 0), (4, 1)):
        path = str(tmp_path / "samples.npy")
        arguments = ["-n", str(count), "--seed", str(seed), "--output", path]
        assert main(["sample", str(finished_run.folder), *arguments]) == 0
        drawn.append(np.load(path))
    assert np.allclose(drawn[0], drawn[1][:4], atol=1e-6)
    assert not np.allclose(drawn[0], drawn[2], atol=1e-3)


def test_samples_as_a_grid(finished_run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["sample", str(finished_run.folder)]) == 0
    assert iio.imread("grid.png").shape == (480, 480)  # 8 x 8, twice enlarged


@pytest.mark.parametrize("name", ["x.jpg", "a/b/X.JPEG", "x.bmp", "new/x.webp", "x.pdf"])
def test_samples_in_other_formats_and_in_new_folders(name, finished_run, tmp_path):
    output = tmp_path / name
    assert main(["sample", str(finished_run.folder), "-n", "9", "--output", str(output)]) == 0
    if output.suffix == ".pdf":  # which Pillow only writes
        assert output.read_bytes().startswith(b"%PDF")
    else:
        assert iio.imread(output).shape[:2] == (180, 180)


def test_samples_under_a_name_that_says_nothing(finished_run, tmp_path):
    with pytest.raises(UserError, match=r"grid\.xyz'; accepted"):
        save_samples(finished_run.generator, tmp_path / "new/grid.xyz", 4)
    assert not list(tmp_path.iterdir())


def test_samples_in_colour(tmp_path):
    from dcgan_lib import build_generator

    build_generator(tiny(), (28, 28, 3)).save(tmp_path / "colour.keras")
    output = tmp_path / "grid.png"
    assert main(["sample", str(tmp_path / "colour.keras"), "--output", str(output)]) == 0
    assert iio.imread(output).shape == (480, 480, 3)
    assert keras.models.load_model(tmp_path / "colour.keras") is not None


# --- single pictures, arrays with labels, films


def test_each_sample_in_a_file_of_its_own(finished_run, tmp_path):
    folder, array = tmp_path / "new" / "single", tmp_path / "x.npy"
    for output, count in ((f"{folder}/", 7), (folder, 5), (array, 5)):  # the second replaces
        command = ["sample", str(finished_run.folder), "-n", str(count), "--output", str(output)]
        assert main(command) == 0
    assert sorted(path.name for path in folder.iterdir()) == [f"0000{n}.png" for n in range(5)]
    read = np.stack([iio.imread(path) for path in sorted(folder.iterdir())])
    assert np.array_equal(read, unscale(np.load(array))[..., 0])


def test_each_class_in_a_folder_of_its_own(tmp_path):
    generator = make_gan(tiny("conditional")).generator
    names = ["T-shirt/top", "..", *"cdefghij"]
    save_samples(generator, f"{tmp_path / 'all'}/", 12, classes=names)
    save_samples(generator, tmp_path / "all.npz", 12)
    arrays = np.load(tmp_path / "all.npz")
    assert arrays["y"].tolist() == [*range(10), 0, 1]
    files = sorted((tmp_path / "all").rglob("*.png"), key=lambda path: path.name)
    folders = ["T-shirt_top", "1", *"cdefghij"]
    assert [path.parent.name for path in files] == [*folders, *folders[:2]]
    assert [path.stem for path in files] == [f"{number:05}" for number in range(12)]
    assert np.array_equal([iio.imread(path) for path in files], unscale(arrays["x"])[..., 0])
    save_samples(generator, tmp_path / "all", 2, digit=3)
    assert list(files_of(tmp_path / "all")) == ["3/00000.png", "3/00001.png"]


@pytest.mark.parametrize("name", ["mine.txt", "00000.png", "sub/00001.png", ".hidden"])
def test_a_folder_with_anything_else_is_refused_and_not_harmed(
    name, refuse, finished_run, tmp_path
):
    folder = tmp_path / "single"
    save_samples(finished_run.generator, f"{folder}/", 2)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"mine")
    before = files_of(folder)
    said = refuse("sample", finished_run.folder, "--output", folder)
    assert "is none of the pictures of `dcgan sample`; choose a new or an empty folder" in said
    assert files_of(folder) == before


def test_a_film_walks_evenly_and_comes_back(finished_run, tmp_path):
    labelled = make_gan(tiny("conditional")).generator
    for generator in (finished_run.generator, labelled):
        save_samples(generator, tmp_path / "walk.gif", 20)
        film = iio.imread(tmp_path / "walk.gif")
        assert film.shape[:3] == (20, 120, 120)
        inputs = _closed_walk(generator, 400, 0, None)
        images = generator(inputs, training=False).numpy()
        steps = np.abs(images - np.roll(images, 1, axis=0)).mean(axis=(1, 2, 3))
        assert steps.min() > 0
        assert steps[0] < 3 * np.median(steps)  # from the last to the first
        assert steps.max() < 10 * np.median(steps)
    assert np.allclose(inputs[1].sum(axis=1), 1)


def test_one_digit_in_a_film_stays(tmp_path):
    generator = make_gan(tiny("conditional")).generator
    _, labels = _closed_walk(generator, 30, 0, 7)
    assert (labels == np.eye(10)[7]).all()
