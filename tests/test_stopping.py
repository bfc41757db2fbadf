"""A callback that stops a training stops the whole run, at its true step; it can be resumed."""

import json

import keras
import pytest
from helpers import newest_state, read_rows, tiny

from dcgan_lib import load_generator, load_run, read_log, train_dcgan_mnist
from dcgan_lib.cli import main


class StopAt(keras.callbacks.Callback):
    def __init__(self, step):
        super().__init__()
        self.at = step

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.step) >= self.at:
            self.model.stop_training = True


def train(folder, digits_file, callbacks=(), **changes):
    recipe = tiny(steps=20, log_every=50, sample_every=50, **changes)  # epochs of 8 steps
    options = {"max_images": 250, "callbacks": callbacks, "verbose": False}
    return train_dcgan_mnist(recipe, folder, str(digits_file), **options)


@pytest.mark.parametrize(
    "step",
    [1, pytest.param(7, marks=pytest.mark.slow), 9],  # at once, within an epoch, in the next
)
def test_the_run_ends_where_it_is_stopped_and_goes_on_from_there(
    step, digits_file, tmp_path, capsys
):
    run = train(tmp_path / "run", digits_file, [StopAt(step)])
    numbers = json.loads((run.folder / "metrics.json").read_text())
    assert (numbers["steps"], numbers["stopped"]) == (step, True)
    assert f"stopped at step {step} of 20: dcgan train --resume" in capsys.readouterr().out
    assert read_log(run.folder / "log.csv")["step"].tolist() == [step]
    assert (run.folder / "final_samples.png").exists()
    assert load_generator(run.folder)
    assert load_run(run.folder).log["step"][-1] == step
    assert main(["train", "--resume", str(run.folder)]) == 0
    numbers = json.loads((run.folder / "metrics.json").read_text())
    assert numbers["steps"] == 20
    assert "stopped" not in numbers
    assert "finished already" not in capsys.readouterr().out


@pytest.mark.slow
def test_a_stopped_run_ends_with_the_weights_of_an_unbroken_one(digits_file, tmp_path):
    train(tmp_path / "stopped", digits_file, [StopAt(9)])
    train(tmp_path / "stopped", digits_file)
    train(tmp_path / "unbroken", digits_file)
    stopped, unbroken = newest_state(tmp_path / "stopped"), newest_state(tmp_path / "unbroken")
    assert all((stopped[name] == unbroken[name]).all() for name in unbroken)
    assert read_rows(tmp_path / "stopped/log.csv") == read_rows(tmp_path / "unbroken/log.csv")


def test_early_stopping_ends_the_run(digits_file, tmp_path):
    early = keras.callbacks.EarlyStopping("d_loss", mode="min", min_delta=99.0, patience=1)
    run = train(tmp_path / "run", digits_file, [early])
    assert json.loads((run.folder / "metrics.json").read_text())["steps"] == 16
