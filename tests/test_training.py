"""Runs: what a training leaves behind, how it is found again, what is refused."""

import json
import shutil

import imageio.v3 as iio
import keras
import numpy as np
import pytest
from helpers import STEPS, arrays, equal, files_of, make_gan, tiny

from dcgan_lib import Recipe, UserError, load_generator, sample_latent, train_dcgan_mnist
from dcgan_lib.data import hold_out_indices, load_images, load_training_set
from dcgan_lib.measuring.health import read_health
from dcgan_lib.runs.checkpoints import Checkpoints
from dcgan_lib.runs.folder import HEALTH, default_folder, settings_record
from dcgan_lib.runs.loading import load_network, load_run
from dcgan_lib.training import segments

# --- a finished run


def test_a_run_folder_holds_everything(finished_run):
    names = {path.name for path in finished_run.folder.iterdir()}
    assert {
        *("recipe.json", "log.csv", "samples", "training.gif", "loss_plot.png"),
        *("final_samples.png", "latent_samples.png", "interpolation.png"),
        *("generator.keras", "discriminator.keras", "checkpoints", "metrics.json"),
    } <= names
    assert not list(finished_run.folder.rglob(".tmp-*"))


def test_the_record_says_what_was_trained_on_what(finished_run):
    record = json.loads((finished_run.folder / "recipe.json").read_text())
    assert Recipe(**record["recipe"]) == finished_run.recipe
    assert record["data"]["source"] == record["data"]["name"] == "digits"
    assert record["data"]["images"] == record["data"]["max_images"] == 300
    assert len(record["data"]["hash"]) == 12
    assert {"python", "tensorflow", "keras", "numpy"} <= record["versions"].keys()


def test_the_log_has_a_row_for_each_interval(finished_run):
    log = finished_run.log
    assert log["step"].tolist() == [4, 8, 12]
    assert log["images"].tolist() == [128, 256, 300 + 2 * 32]  # 300 are 9 batches and a bit
    assert (np.diff(log["seconds"]) >= 0).all()
    for name in ("d_accuracy_real", "d_accuracy_fake"):
        assert ((log[name] >= 0) & (log[name] <= 1)).all()


def test_the_numbers_of_a_run(finished_run):
    numbers = json.loads((finished_run.folder / "metrics.json").read_text())
    assert (numbers["steps"], numbers["images"]) == (12, 364)
    assert numbers["training_seconds"] > 0


def test_the_pictures_of_a_run(finished_run):
    names = [path.name for path in sorted((finished_run.folder / "samples").iterdir())]
    assert names == ["step_00000000.png", "step_00000005.png", "step_00000010.png"]
    sizes = {
        name: iio.imread(finished_run.folder / f"{name}.png").shape
        for name in ("final_samples", "latent_samples", "interpolation")
    }
    assert sizes["final_samples"] == (120, 120)  # 2 x 2 images of 28 + 2 pixels, twice enlarged
    assert sizes["latent_samples"] == sizes["interpolation"] == (600, 600)
    assert iio.immeta(finished_run.folder / "training.gif")["loop"] == 0


def test_a_saved_generator_draws_what_the_run_drew(finished_run):
    fixed = sample_latent(4, 10, seed=0)
    images = load_generator(finished_run.folder)(fixed, training=False).numpy()
    drawn = iio.imread(finished_run.folder / "final_samples.png")[2:58:2, 2:58:2]
    assert np.allclose((images[0, :, :, 0] + 1) * 127.5, drawn, atol=0.51)


def test_the_saved_generator_is_the_averaged_one(finished_run):
    assert finished_run.recipe.ema_decay > 0
    gan = make_gan(finished_run.recipe, 300)
    Checkpoints(finished_run.folder / "checkpoints").restore_newest(gan)
    assert equal(finished_run.generator.get_weights(), arrays(gan.sampler))
    assert not equal(finished_run.generator.get_weights(), arrays(gan.generator))
    assert equal(finished_run.discriminator.get_weights(), arrays(gan.discriminator))


def test_a_finished_run_is_found_not_trained_again(finished_run, monkeypatch):
    monkeypatch.setattr("dcgan_lib.training.build_gan", lambda *a: pytest.fail("trained"))
    before = files_of(finished_run.folder)
    again = train_dcgan_mnist(
        finished_run.recipe, finished_run.folder, data="digits", max_images=300, verbose=False
    )
    assert again.found
    assert not finished_run.found
    assert again.recipe == finished_run.recipe
    without_words = train_dcgan_mnist(output=finished_run.folder, verbose=False)
    assert without_words.recipe == finished_run.recipe
    assert files_of(finished_run.folder) == before


# --- folders


def test_the_same_settings_find_the_same_default_folder(digits_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = {"data": str(digits_file), "verbose": False}
    recipe = tiny("vanilla", epochs=None, steps=2)
    first = train_dcgan_mnist(recipe, **options)
    assert str(first.folder).startswith("runs/vanilla-s0-")
    assert train_dcgan_mnist(recipe, **options).found
    other = train_dcgan_mnist(recipe, seed=1, **options)
    assert other.folder.name.startswith("vanilla-s1-")
    assert not other.found
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_default_folders_differ_with_settings_and_data():
    data = {"name": "mnist", "hash": "1"}
    records = [
        settings_record(tiny(), data),
        settings_record(tiny(batch_size=16), data),
        settings_record(tiny(), data | {"hash": "2"}),
    ]
    assert len({default_folder(record) for record in records}) == 3


@pytest.mark.parametrize(
    ("settings", "named"),
    [({"seed": 1}, "seed: 0 there, 1 here"), ({"max_images": 299}, "max_images: 300 there")],
)
def test_a_run_with_other_settings_is_refused_and_not_harmed(finished_run, settings, named):
    before = files_of(finished_run.folder)
    options = {"data": "digits", "max_images": 300, "verbose": False} | settings
    with pytest.raises(UserError, match=f"other settings.*{named}"):
        train_dcgan_mnist(finished_run.recipe, output=finished_run.folder, **options)
    assert files_of(finished_run.folder) == before


def test_starting_anew_leaves_no_old_frames_and_no_harm_to_other_files(run_copy):
    (run_copy / "my notes.txt").write_text("keep me")
    recipe = tiny(seed=1, sample_every=6, hold_out=100, **STEPS)
    run = train_dcgan_mnist(
        recipe, output=run_copy, data="digits", max_images=300, resume=False, verbose=False
    )
    assert not run.found
    assert run.recipe.seed == 1
    assert [path.stem for path in sorted((run_copy / "samples").iterdir())] == [
        *("step_00000000", "step_00000006", "step_00000012")
    ]
    assert len(list((run_copy / "checkpoints").iterdir())) == 1
    assert run.log["step"].tolist() == [12]
    assert (run_copy / "my notes.txt").read_text() == "keep me"


def test_a_folder_with_other_things_is_refused_even_when_starting_anew(digits_file, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    for resume in (True, False):
        with pytest.raises(UserError, match="not empty and not a run"):
            train_dcgan_mnist(tiny(), tmp_path, data=str(digits_file), resume=resume)
    assert list(files_of(tmp_path)) == ["thesis.txt"]


def test_a_damaged_record_is_refused(run_copy):
    for content in ("", "{", "[]", '{"recipe": [], "data": {}}', '{"recipe": {"x": 1}}'):
        (run_copy / "recipe.json").write_text(content)
        with pytest.raises(UserError, match="damaged"):
            train_dcgan_mnist(output=run_copy)
    (run_copy / "recipe.json").write_text(
        '{"recipe": {"colour": 1}, "data": {"source": "digits", "max_images": 1}}'
    )
    with pytest.raises(UserError, match="colour"):
        train_dcgan_mnist(output=run_copy)


def test_impossible_things_are_refused_before_a_folder_is_made(digits_file, tmp_path):
    folder, data = tmp_path / "run", str(digits_file)
    for options, named in (
        ({"data": data, "batch_size": 251}, "batch_size=251.*250"),
        ({"data": data, "max_images": 0}, "max_images=0"),
        ({"data": data, "max_images": 31}, "batch_size=32.*31"),
        ({"data": data, "generator_widths": (8, 4, 2), "generator_strides": (2, 2, 2)}, "strides"),
        ({"data": "mnist"}, "MNIST cannot be reached"),
        ({"data": "nowhere.npz"}, "nowhere.npz"),
        ({"data": data, "bach_size": 3}, "bach_size"),
    ):
        with pytest.raises(UserError, match=named):
            train_dcgan_mnist(tiny(), output=folder, **options)
    assert not folder.exists()


# --- data for training


def test_the_held_out_images_are_never_trained_on(digits_file):
    every = load_images(str(digits_file)).images
    images, labels, held_out, record, _ = load_training_set(tiny(), str(digits_file))
    allowed, kept = hold_out_indices(300, 10_000)
    assert np.array_equal(images[..., 0], every[allowed])
    assert np.array_equal(held_out[..., 0], every[kept])
    assert (len(images), len(held_out), record["images"]) == (250, 50, 250)
    assert labels is None
    some = load_training_set(tiny(), str(digits_file), 40)
    assert np.array_equal(some.images, images[:40])
    assert np.array_equal(some.held_out, held_out)


@pytest.mark.parametrize(
    ("begin", "total", "expected"),
    [
        (0, 20, [(0, 2, 10)]),
        (0, 25, [(0, 2, 10), (2, 1, 5)]),
        (0, 7, [(0, 1, 7)]),
        (13, 40, [(1, 1, 7), (2, 2, 10)]),
        (13, 15, [(1, 1, 2)]),
        (20, 45, [(2, 2, 10), (4, 1, 5)]),
        (42, 45, [(4, 1, 3)]),
        (20, 20, []),
        (23, 23, []),
    ],
)
def test_a_run_is_cut_into_whole_epochs_and_rests(begin, total, expected):
    assert segments(begin, total, 10) == expected


def test_segments_cover_every_step_once():
    for total in (1, 5, 20, 23):
        for begin in range(total + 1):
            step = begin
            for epoch, epochs, steps in segments(begin, total, 5):
                assert step // 5 == epoch
                assert epochs > 0
                assert steps > 0  # `fit` would take 0 for "as long as there is data"
                step += epochs * steps
            assert step == total


# --- loading


def test_loading_what_is_no_generator_is_refused(finished_run, tmp_path):
    whole_game = tmp_path / "game.keras"
    make_gan(tiny()).save(whole_game)
    two_inputs = tmp_path / "two.keras"
    ends = keras.Input((3,)), keras.Input((3,))
    keras.Model(ends, keras.layers.Add()(ends)).save(two_inputs)
    for path in (finished_run.folder / "discriminator.keras", whole_game, two_inputs):
        with pytest.raises(UserError, match="not a generator"):
            load_generator(path)


def test_loading_what_is_no_model_is_refused(tmp_path):
    bad = tmp_path / "bad.keras"
    bad.write_text("not a model")
    with pytest.raises(UserError, match="is not a Keras model") as caught:
        load_network(bad)
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="does not exist"):
        load_generator(tmp_path / "none.keras")
    with pytest.raises(UserError, match="not a run folder"):
        load_generator(tmp_path)


def test_an_unfinished_run_is_refused_with_the_way_on(run_copy):
    (run_copy / "metrics.json").unlink()
    with pytest.raises(UserError, match=r"not finished: dcgan train --resume"):
        load_run(run_copy)
    with pytest.raises(UserError, match="not finished"):
        load_generator(run_copy)  # as `evaluate` does, which would write metrics.json


@pytest.mark.parametrize(
    "lost", [("metrics.json", "generator.keras", "training.gif"), ("discriminator.keras",)]
)
def test_a_run_that_lost_some_results_is_completed(lost, finished_run, run_copy):
    for name in lost:
        (run_copy / name).unlink()
    shutil.rmtree(run_copy / "samples")
    shutil.copytree(finished_run.folder / "samples", run_copy / "samples")
    run = train_dcgan_mnist(output=run_copy, verbose=False)
    assert equal(run.generator.get_weights(), finished_run.generator.get_weights())
    for name in ("training.gif", "final_samples.png", "log.csv"):
        assert (run_copy / name).read_bytes() == (finished_run.folder / name).read_bytes()


def test_the_health_monitor_looks_at_every_run(digits_file, tmp_path):
    recipe = tiny(steps=201, log_every=50, sample_every=200)
    run = train_dcgan_mnist(recipe, tmp_path / "run", str(digits_file), verbose=False)
    (row,) = read_health(run.folder / HEALTH)
    assert row["step"] == 200
    assert row["d_loss"] > 0
    assert row["g_gradient"] > 0
