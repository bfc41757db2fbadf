"""A run that begins with the networks of another, or with a published generator."""

import shutil

import keras
import pytest
from helpers import arrays, equal, make_gan, newest_state, tiny

from dcgan_lib import UserError, load_pretrained, train_dcgan_mnist
from dcgan_lib.cli import main
from dcgan_lib.measuring.starts import Signs, StartGuard, start_seed
from dcgan_lib.runs.folder import FROM, read_record
from dcgan_lib.runs.transfer import find_transfer, recipe_of


class Killed(Exception):
    pass


class Watch(keras.callbacks.Callback):
    """Remembers what each start begins with; kills the run after some step."""

    def __init__(self, last_step: int = 99):
        super().__init__()
        self.last_step = last_step
        self.begun = []

    def on_train_begin(self, logs=None):
        gan = self.model
        if int(gan.step) == 0:
            networks = [arrays(n) for n in (gan.generator, gan.sampler, gan.discriminator)]
            self.begun.append((gan.seed, *networks, int(gan.g_optimizer.iterations)))

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.step) == self.last_step:
            raise Killed


@pytest.fixture
def train(digits_file, tmp_path):
    def run(name, watch=None, **settings):
        options = {"data": str(digits_file), "verbose": False, "callbacks": [watch or Watch()]}
        return train_dcgan_mnist(output=tmp_path / name, **options | settings)

    return run


def test_it_begins_with_both_players_and_fresh_optimizers(finished_run, train):
    watch = Watch()
    run = train("run", watch, start_from=finished_run.folder, steps=3)
    ((_, generator, sampler, discriminator, moves),) = watch.begun
    assert equal(generator, arrays(finished_run.generator))
    assert equal(sampler, arrays(finished_run.generator))
    assert equal(discriminator, arrays(finished_run.discriminator))
    assert moves == 0
    assert run.recipe == finished_run.recipe.replace(steps=3)  # that of the source
    told = read_record(run.folder)["started_from"]
    assert told["source"] == str(finished_run.folder)
    assert len(told["hash"]) == 12
    assert train("run", start_from=finished_run.folder, steps=3).found
    for other in ({"recipe": run.recipe}, {"start_from": "fast", "steps": 3}):
        with pytest.raises(UserError, match=r"other settings.*started_from"):
            train("run", **other)


def test_a_run_that_was_cut_off_does_not_need_its_source(run_copy, train, monkeypatch, tmp_path):
    """Neither before its first checkpoint nor where its first start fails."""
    for name, value in {"FIRST": 4, "LAST": 8, "EVERY": 2}.items():
        monkeypatch.setattr(StartGuard, name, value)
    monkeypatch.setattr(StartGuard, "look", lambda self: Signs(float(self.model.seed > 0), 0.5))
    settings = {"start_from": str(run_copy), "steps": 7}
    whole, watch = train("whole", **settings).folder, Watch(last_step=2)
    with pytest.raises(Killed):
        train("cut", watch, **settings)
    shutil.rmtree(run_copy)
    watch.last_step = 6
    with pytest.raises(Killed):
        train("cut", watch, **settings)  # the same call again
    watch.last_step = 99
    cut = train("cut", watch).folder
    assert [seed for seed, *_ in watch.begun] == [0, 0, start_seed(0, 1), start_seed(0, 1)]
    for _, *networks, _ in watch.begun[1:]:
        assert all(map(equal, networks, watch.begun[0][1:4]))
    assert equal(*(list(newest_state(folder).values()) for folder in (whole, cut)))
    shutil.rmtree(tmp_path / "cut/checkpoints")
    (tmp_path / "cut/metrics.json").unlink()
    (tmp_path / "cut" / FROM).write_bytes(b"cut")
    with pytest.raises(UserError, match=f"{FROM}' is damaged; --fresh"):
        train("cut")


def test_layers_of_other_shapes_begin_anew_and_a_line_says_which(finished_run, train, capsys):
    watch, recipe = Watch(), finished_run.recipe.replace(latent_dim=7, steps=2)
    train("run", watch, recipe=recipe, start_from=finished_run.folder, verbose=True)
    ((_, generator, sampler, discriminator, _),) = watch.begun
    assert equal(generator[5:], arrays(finished_run.generator)[5:])
    assert generator[0].shape[0] == 7
    assert equal(generator, sampler)
    assert equal(discriminator, arrays(finished_run.discriminator))
    said = capsys.readouterr().out
    assert "generator 4 of 5 layers (new: dense" in said  # without BatchNorm's


def test_a_published_generator_gives_its_generator_alone(tmp_path):
    transfer = find_transfer(None, "fast", {})
    gan = make_gan(recipe_of("fast"))
    discriminator = arrays(gan.discriminator)
    said = transfer.begin(gan, tmp_path)
    assert "from fast: generator" in said
    assert "discriminator 0 of" in said
    for network in (gan.generator, gan.sampler):
        assert equal(arrays(network), arrays(load_pretrained("fast")))
    assert equal(discriminator, arrays(gan.discriminator))


def test_what_no_run_can_begin_with_is_refused(finished_run, run_copy, train, tmp_path, capsys):
    with pytest.raises(UserError, match="nowhere' does not exist; accepted: a run folder"):
        train("run", start_from="nowhere")
    assert not (tmp_path / "run").exists()
    with pytest.raises(UserError, match="is what the run starts from"):
        train("copy", start_from=run_copy, resume=False)  # the folder of `run_copy`
    assert (run_copy / "generator.keras").exists()
    other = tiny("vanilla", epochs=None, steps=2)
    with pytest.raises(UserError, match="no layer there has the shape"):
        train("other", recipe=other, start_from=finished_run.folder)


def test_the_option_is_called_from(finished_run, digits_file, tmp_path, capsys):
    options = ["--data", str(digits_file), "--steps", "2", "--output", str(tmp_path / "run")]
    assert main(["train", "--from", str(finished_run.folder), *options]) == 0
    assert f"from {finished_run.folder}: generator" in capsys.readouterr().out


def test_the_default_folder_is_another_for_another_source(run_copy, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    options = {"output": None, "data": "digits", "max_images": 300, "verbose": False, "steps": 2}
    recipe = tiny()
    folders = [
        train_dcgan_mnist(recipe, **options | more).folder
        for more in ({}, {"start_from": run_copy})
    ]
    assert folders[0] != folders[1]
    assert train_dcgan_mnist(recipe, **options, start_from=run_copy).found
