"""Callbacks: frames, log, what a NaN and a signal do."""

import re
import shlex
import signal
import subprocess
import sys
import types
from pathlib import Path

import imageio.v3 as iio
import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import STEPS, fit, make_gan, read_rows, tiny, tiny_options

from dcgan_lib import (
    BinaryCrossentropyLoss,
    GenerateSamplesCallback,
    UserError,
    sample_latent,
    train_dcgan_mnist,
)
from dcgan_lib.cli import main
from dcgan_lib.gan import METRICS, state_variables
from dcgan_lib.measuring.divergence import StopOnNonFinite
from dcgan_lib.plots import image_grid
from dcgan_lib.runs.checkpoints import Checkpoints
from dcgan_lib.runs.log import RunLog
from dcgan_lib.runs.saving import SaveCheckpoints
from dcgan_lib.runs.signals import Signals, TrainingInterrupted

KILLED_RUN = Path(__file__).with_name("killed_run.py")


class FakeGan:
    """A game whose step is set by hand; it draws its step as a grey."""

    latent_dim = 10

    def __init__(self):
        self.step = tf.Variable(0, dtype=tf.int64)
        self.drawn_from = []
        self.generator = types.SimpleNamespace(input_shape=(None, 10))

    def __call__(self, noise, training):
        assert training is False
        self.drawn_from.append(np.array(noise))
        grey = float(self.step) / 100
        return tf.fill((len(noise), 28, 28, 1), grey)


def play(callback, epochs: int, per_epoch: int, at_once: int = 1, first_step: int = 0) -> FakeGan:
    """Calls a callback as `fit` would."""
    gan = FakeGan()
    gan.step.assign(first_step)
    callback.set_model(gan)
    callback.set_params({"steps": per_epoch})
    callback.on_train_begin()
    for epoch in range(first_step // per_epoch, epochs):
        for batch in range(at_once - 1, per_epoch, at_once):
            gan.step.assign_add(at_once)
            callback.on_train_batch_end(batch)
        callback.on_epoch_end(epoch)
    return gan


def frame_steps(folder: Path) -> list[int]:
    return [int(path.stem.split("_")[1]) for path in sorted(folder.glob("*.png"))]


# --- frames


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"every": 3}, [0, 3, 6, 9, 12, 15, 18]),
        ({"every": 7}, [0, 7, 14]),
        ({}, [0, 5, 10, 15, 20]),
        ({"epochs": (1, 3)}, [0, 5, 15]),
        ({"epochs": (9,)}, [0]),
    ],
)
def test_frames_come_at_their_steps(options, expected, tmp_path):
    callback = GenerateSamplesCallback(tmp_path, num_images=2, **options)
    play(callback, epochs=4, per_epoch=5)
    assert frame_steps(tmp_path) == expected


def test_several_steps_at_once_hide_no_frame(tmp_path):
    play(GenerateSamplesCallback(tmp_path, every=3, num_images=2), 4, 8, at_once=4)
    assert frame_steps(tmp_path) == [0, 4, 8, 12, 16, 20, 24, 28, 32]
    assert len(frame_steps(tmp_path)) == 1 + 32 // 4


def test_a_resumed_run_does_not_draw_its_beginning(tmp_path):
    play(GenerateSamplesCallback(tmp_path, every=3, num_images=2), 4, 5, first_step=10)
    assert frame_steps(tmp_path) == [12, 15, 18]


def test_every_frame_is_drawn_from_the_same_fixed_noise(tmp_path):
    gan = play(GenerateSamplesCallback(tmp_path, every=2, num_images=3, seed=5), 2, 4)
    assert len(gan.drawn_from) == 5
    for noise in gan.drawn_from:
        assert np.array_equal(noise, sample_latent(3, 10, seed=5))


def test_a_frame_shows_the_images_below_its_step(tmp_path):
    play(GenerateSamplesCallback(tmp_path, every=4, num_images=4), 1, 8)
    frame = iio.imread(tmp_path / "step_00000008.png")
    assert np.array_equal(frame[22:], image_grid(np.full((4, 28, 28, 1), 0.08)))
    captions = {iio.imread(path)[:22].tobytes() for path in tmp_path.iterdir()}
    assert len(captions) == 3


def test_no_folder_no_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    play(GenerateSamplesCallback(every=4, num_images=4), 1, 8)
    assert not list(tmp_path.iterdir())


def test_impossible_sampling_is_refused():
    for options in ({"every": 0}, {"num_images": 0}, {"every": -5}):
        with pytest.raises(UserError, match="at least 1"):
            GenerateSamplesCallback(**options)


def test_in_a_notebook_one_picture_is_replaced(monkeypatch):
    display = pytest.importorskip("IPython.display")
    shown, replaced = [], []

    class Handle:
        def update(self, picture):
            replaced.append(picture.data)

    def show(picture, display_id):
        assert display_id
        shown.append(picture.data)
        return Handle()

    monkeypatch.setattr(display, "display", show)
    play(GenerateSamplesCallback(every=2, num_images=4, show=True), 1, 6)
    assert len(shown) == 1
    assert len(replaced) == 3
    assert iio.imread(shown[0]).shape == (22 + 120, 120)
    assert len({*shown, *replaced}) == 4


# --- log


def test_a_log_row_is_the_mean_of_its_interval(tmp_path):
    gan = FakeGan()
    gan.interval_metrics = [keras.metrics.Mean(name=name) for name in METRICS]
    log = RunLog(tmp_path / "log.csv", tiny(log_every=2, batch_size=10, epochs=None, steps=5), 50)
    log.set_model(gan)
    log.on_train_begin()
    for value in (1.0, 3.0, 5.0, 9.0, 100.0):
        for metric in gan.interval_metrics:
            metric.update_state(value)
        gan.step.assign_add(1)
        log.on_train_batch_end(0)
    header, *rows = read_rows(tmp_path / "log.csv")
    assert header == ["step", "images", *METRICS]
    assert rows == [
        ["2", "20", *["2.0"] * 4],
        ["4", "40", *["7.0"] * 4],
        ["5", "50", *["100.0"] * 4],
    ]


# --- not a number


class Spoiled(BinaryCrossentropyLoss):
    """One player's loss is no number from its fifth value on."""

    def __init__(self, player: str, value: float):
        super().__init__()
        self.player, self.value = player, value
        self.calls = tf.Variable(0)

    def spoil(self, player, loss):
        if player != self.player:
            return loss
        return tf.where(self.calls.assign_add(1) >= 5, self.value, loss)

    def discriminator_loss(self, real_output, fake_output):
        return self.spoil("d", super().discriminator_loss(real_output, fake_output))

    def generator_loss(self, fake_output):
        return self.spoil("g", super().generator_loss(fake_output))


@pytest.mark.parametrize(("player", "value"), [("d", np.nan), ("g", np.nan), ("g", np.inf)])
def test_a_loss_that_is_no_number_stops_and_the_checkpoint_is_sound(
    player, value, images, tmp_path
):
    gan = make_gan(tiny())
    gan.compile(gan.g_optimizer, gan.d_optimizer, Spoiled(player, value), run_eagerly=True)
    log = RunLog(tmp_path / "log.csv", tiny(log_every=1), 64)
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    saving = SaveCheckpoints(checkpoints, log, Signals(), every=1)
    with pytest.raises(UserError, match=rf"{player}_loss is {value} at step 5.*learning rate"):
        fit(gan, images, tiny(), 20, [StopOnNonFinite(), log, saving])
    fresh = make_gan(tiny(seed=3))
    assert Checkpoints(tmp_path / "checkpoints").restore_newest(fresh) is not None
    assert int(fresh.step) == 4
    assert all(np.isfinite(variable).all() for variable in state_variables(fresh))
    assert not list((tmp_path / "checkpoints").glob(".tmp-*"))


# --- signals


class SignalAt(keras.callbacks.Callback):
    """Sends this process a signal at the end of a step."""

    def __init__(self, step: int, number: int):
        super().__init__()
        self.at, self.number = step, number

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.step) == self.at:
            signal.raise_signal(self.number)


class EpochMeans(keras.callbacks.Callback):
    """Keeps what `fit` reports at each epoch's end."""

    def on_train_begin(self, logs=None):
        self.means = getattr(self, "means", {})

    def on_epoch_end(self, epoch, logs=None):
        self.means[epoch] = {name: float(value) for name, value in logs.items()}


@pytest.mark.parametrize(
    ("number", "step"), [(signal.SIGINT, 5), (signal.SIGTERM, 8)], ids=["mid-epoch", "epoch's end"]
)
def test_an_interrupted_run_goes_on_to_the_same_end(
    number, step, uninterrupted, digits_file, tmp_path
):
    """Also when the signal comes with an epoch's last batch: its frame is still drawn."""
    recipe, expected, epoch_means = uninterrupted
    before = signal.getsignal(number)
    options = {"output": tmp_path / "run", "data": str(digits_file), "verbose": False}
    with pytest.raises(TrainingInterrupted, match=f"{number.name} at step {step}"):
        train_dcgan_mnist(recipe, callbacks=[SignalAt(step, number)], **options)
    assert signal.getsignal(number) is before
    assert len(list((tmp_path / "run/checkpoints").iterdir())) == 1
    resumed = EpochMeans()
    run = train_dcgan_mnist(recipe, callbacks=[resumed], **options)
    assert resumed.means == {i: epoch_means[i] for i in range(step // 8, 2)}
    assert frame_steps(run.folder / "samples") == [0, 8, 16]
    assert read_rows(run.folder / "log.csv") == read_rows(expected.folder / "log.csv")
    assert_same_weights(run.discriminator, expected.discriminator)


@pytest.fixture(scope="module")
def uninterrupted(digits_file, tmp_path_factory):
    recipe = tiny(epochs=2, sample_every=None, log_every=3)  # 8 batches of 32 in an epoch
    folder = tmp_path_factory.mktemp("uninterrupted") / "run"
    kept = EpochMeans()
    options = {"output": folder, "data": str(digits_file), "verbose": False}
    run = train_dcgan_mnist(recipe, callbacks=[kept], **options)
    assert frame_steps(folder / "samples") == [0, 8, 16]
    assert sorted(kept.means) == [0, 1]
    return recipe, run, kept.means


def assert_same_weights(first, second):
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        assert np.array_equal(a, b)


@pytest.mark.slow
def test_ctrl_c_ends_with_the_command_that_goes_on(digits_file, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "a run"  # with a space: the command must survive being pasted
    options = tiny_options("fast", log_every=1, **STEPS)
    options += ["--data", str(digits_file), "--output", str(folder)]
    command = [sys.executable, str(KILLED_RUN), str(int(signal.SIGINT)), "4", "0", *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 130, ended.stderr
    assert "Traceback" not in ended.stderr
    words = shlex.split(re.search(r"Resume with: dcgan (.*)", ended.stdout)[1])
    interrupted_at = len(read_rows(folder / "log.csv")) - 1
    assert 4 <= interrupted_at < 12
    monkeypatch.chdir(tmp_path)
    assert main(words) == 0
    assert f"resumed at step {interrupted_at} of 12" in capsys.readouterr().out
    assert [row[0] for row in read_rows(folder / "log.csv")[1:]] == [str(i) for i in range(1, 13)]
