"""What may happen to a long run, done for real: it costs the work since the last checkpoint."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import keras
import numpy as np
import pytest
from helpers import STEPS, equal, files_of, fit, frames, make_gan, newest_state, read_rows, tiny

from dcgan_lib import UserError, train_dcgan_mnist
from dcgan_lib.cli import main
from dcgan_lib.measuring.divergence import StopOnNonFinite
from dcgan_lib.runs import lock, pictures
from dcgan_lib.runs.checkpoints import Checkpoints
from dcgan_lib.runs.folder import FINISHED, LOG
from dcgan_lib.runs.lock import locked
from dcgan_lib.runs.log import RunLog
from dcgan_lib.runs.saving import SaveCheckpoints
from dcgan_lib.runs.signals import Signals, TrainingInterrupted

RECIPE = tiny(sample_every=3, log_every=1, **STEPS)


@pytest.fixture
def train(digits_file, tmp_path):
    """Trains RECIPE into `run`, or goes on there."""

    def train(*callbacks, folder=tmp_path / "run", **options):
        options = {"data": str(digits_file), "verbose": False, "checkpoint_every": 4} | options
        return train_dcgan_mnist(RECIPE, folder, callbacks=callbacks, **options)

    return train


@pytest.fixture(scope="module")
def whole(digits_file, tmp_path_factory) -> Path:
    """The folder of a run that nothing happened to."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    options = {"data": str(digits_file), "verbose": False, "checkpoint_every": 4}
    return train_dcgan_mnist(RECIPE, folder, **options).folder


def assert_same_end(found: Path, wanted: Path) -> None:
    assert equal(list(newest_state(found).values()), list(newest_state(wanted).values()))
    assert read_rows(found / LOG) == read_rows(wanted / LOG)
    assert frames(found) == frames(wanted)
    assert not list(found.rglob(".tmp-*"))


class At(keras.callbacks.Callback):
    """Does something at the end of a step; at step 0, before the first."""

    def __init__(self, step: int, act):
        super().__init__()
        self.at, self.act = step, act

    def on_train_begin(self, logs=None):
        self.on_train_batch_end(0)

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.step) == self.at:
            self.act()


# --- signals


def send(number: int) -> None:
    signal.raise_signal(number)


def test_a_signal_before_the_first_step(train, whole):
    with pytest.raises(TrainingInterrupted, match="SIGTERM left at once") as caught:
        train(At(0, lambda: send(signal.SIGTERM)))
    assert caught.value.number == signal.SIGTERM
    assert_same_end(train().folder, whole)


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="Windows has no SIGUSR1")
def test_the_signal_of_a_batch_system(train, whole, tmp_path):
    with pytest.raises(TrainingInterrupted, match="SIGUSR1 at step 6, saved") as caught:
        train(At(6, lambda: send(signal.SIGUSR1)))
    assert caught.value.number == signal.SIGUSR1
    assert "step-00000006" in str(sorted((tmp_path / "run/checkpoints").iterdir()))
    assert_same_end(train().folder, whole)


def test_the_second_signal_leaves_at_once_and_harms_nothing(train, whole, tmp_path):
    with pytest.raises(TrainingInterrupted, match="SIGINT left at once"):
        train(At(6, lambda: (send(signal.SIGTERM), send(signal.SIGINT))))
    (saved,) = (tmp_path / "run/checkpoints").iterdir()
    assert "step-00000004" in saved.name
    assert_same_end(train().folder, whole)


@pytest.mark.slow
def test_a_signal_while_the_results_are_written(train, whole, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(pictures, "plot_losses", lambda path: send(signal.SIGINT))
        with pytest.raises(TrainingInterrupted, match="SIGINT left at once"):
            train()
    assert (tmp_path / "run/training.gif").exists()
    assert not (tmp_path / "run" / FINISHED).exists()
    assert_same_end(train().folder, whole)


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGUSR1", 138)])
def test_exit_codes(name, code, monkeypatch, capsys, tmp_path):
    number = getattr(signal, name, None) or pytest.skip(f"this system has no {name}")

    def be_struck(*arguments, **options):
        interruption = TrainingInterrupted(number, "at step 5, saved")
        interruption.folder = tmp_path / "run"
        raise interruption

    monkeypatch.setattr("dcgan_lib.train_dcgan_mnist", be_struck, raising=False)
    assert main(["train", "--output", str(tmp_path / "run")]) == code
    said = capsys.readouterr().out.splitlines()[-1]
    assert said == f"{name} at step 5, saved. Resume with: dcgan train --resume {tmp_path / 'run'}"


# --- two processes in one folder

HOLDER = """
import sys, time
from pathlib import Path
from dcgan_lib.runs.lock import locked
with locked(Path(sys.argv[1])):
    print("in", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process, in the folder `run`."""
    (tmp_path / "run").mkdir()
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "run")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "in\n"
        yield process
        process.kill()


def test_a_second_process_is_refused_and_a_dead_one_is_no_hindrance(holder, train, tmp_path):
    for resume in (True, False):
        with pytest.raises(UserError, match=rf"run'.*in use by process {holder.pid} on ") as caught:
            train(resume=resume)
        assert "\n" not in str(caught.value)
    assert list(files_of(tmp_path / "run")) == [".locked"]
    holder.kill()  # SIGKILL: it cannot tidy up
    holder.wait()
    assert str(holder.pid) in (tmp_path / "run/.locked").read_text()
    with locked(tmp_path / "run"):
        assert str(os.getpid()) in (tmp_path / "run/.locked").read_text()
    assert not (tmp_path / "run/.locked").exists()


def test_two_trainings_in_one_folder(train, whole):
    refused = []

    def try_again():
        with pytest.raises(UserError, match="in use by process") as caught:
            train(resume=False)
        refused.append(caught)

    assert_same_end(train(At(6, try_again)).folder, whole)
    assert len(refused) == 1


def test_the_lock_file_of_an_older_version_is_no_hindrance(train, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/.lock").touch()
    train(steps=1)


@pytest.mark.parametrize("alive", [False, True])
def test_a_process_elsewhere_is_known_by_its_heartbeat(alive, tmp_path, monkeypatch, capsys):
    """Its number says nothing here; a file that is written again and again does."""
    monkeypatch.setattr(lock, "LEASE", 1.0)
    path = tmp_path / ".locked"
    with locked(tmp_path):
        record = path.read_text().replace(socket.gethostname(), "elsewhere")
    path.write_text(record)
    done = threading.Event()

    def beat():
        while not done.wait(0.1):
            os.utime(path)

    heart = threading.Thread(target=beat)
    heart.start() if alive else None
    refused = pytest.raises(
        UserError, match=rf"process {os.getpid()} on elsewhere.*delete '.*locked'"
    )
    try:
        with refused if alive else contextlib.nullcontext(), locked(tmp_path):
            assert "elsewhere" not in path.read_text()
    finally:
        done.set()
        heart.join() if alive else None
    assert f"process {os.getpid()} on elsewhere may still be in" in capsys.readouterr().err


# --- a disk that is full, or can no longer be written


class Disk:
    """A small file system in memory."""

    def __init__(self, folder: Path):
        self.folder = folder

    def mount(self, *options: str) -> bool:
        command = ["mount", *options, str(self.folder)]
        return subprocess.run(command, capture_output=True).returncode == 0

    def fill(self) -> None:
        with contextlib.suppress(OSError), open(self.folder / "filler", "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def make_room(self) -> None:
        (self.folder / "filler").unlink()

    def protect(self) -> None:
        """Lays a read-only view of the same files over them."""
        assert self.mount("--bind", str(self.folder))
        assert self.mount("-o", "remount,bind,ro")

    def unmount(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path):
    disk = Disk(tmp_path / "disk")
    disk.folder.mkdir()
    if not (shutil.which("mount") and disk.mount("-t", "tmpfs", "-o", "size=4m", "tmpfs")):
        pytest.skip("mounting is not allowed here: needs Linux and root")
    yield disk
    disk.unmount()


def assert_stopped(caught, folder: Path, reason: str) -> None:
    """One line; what was there can be loaded."""
    assert re.search(rf"run/.*' cannot be written: {reason}.*the same command", str(caught.value))
    assert "\n" not in str(caught.value)
    gan = make_gan(tiny(sample_every=3, log_every=1, seed=5, **STEPS), 250)
    assert Checkpoints(folder / "checkpoints").restore_newest(gan)
    assert int(gan.step) == 4


def test_a_full_disk(disk, train, whole):
    folder = disk.folder / "run"
    with pytest.raises(UserError) as caught:
        train(At(6, disk.fill), folder=folder)
    disk.make_room()
    assert_stopped(caught, folder, r"No space left on device \(.*0\.0 MB free\)")
    assert_same_end(train(folder=folder).folder, whole)


def test_a_disk_that_becomes_read_only(disk, train, whole):
    folder = disk.folder / "run"
    with pytest.raises(UserError) as caught:
        train(At(6, disk.protect), folder=folder)
    with pytest.raises(UserError, match=r"output .* cannot be written: Read-only file system"):
        train(folder=folder)
    disk.unmount()
    assert_stopped(caught, folder, "Read-only file system")
    assert_same_end(train(folder=folder).folder, whole)


@pytest.mark.slow
def test_a_checkpoint_that_is_larger_than_what_is_allowed(train, whole, tmp_path):
    """A quota, or a limit on files, strikes when the checkpoint is written: it says how much."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    narrow = (20_000, before[1])
    try:
        with pytest.raises(UserError, match=r"checkpoints/step-00000008") as caught:
            train(At(6, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, narrow)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert_stopped(caught, tmp_path / "run", r"File too large \(\d+\.\d MB needed, ")
    assert_same_end(train().folder, whole)


# --- not a number


@pytest.mark.parametrize("network", ["generator", "discriminator"])
@pytest.mark.parametrize("hidden", [0, 3])
@pytest.mark.parametrize("d_steps", [1, 2])  # after one look, and in turns
def test_the_network_that_diverged_first_is_named(network, hidden, d_steps, images, tmp_path):
    gan = make_gan(tiny(batch_size=16, d_steps=d_steps))
    rates = {"generator": 0.0, "discriminator": 0.0, network: 3e38}
    gan.compile(
        keras.optimizers.SGD(rates["generator"]),
        keras.optimizers.SGD(rates["discriminator"]),
        steps_per_execution=1 + hidden,
    )
    log = RunLog(tmp_path / "log.csv", RECIPE, 64)
    saving = SaveCheckpoints(Checkpoints(tmp_path / "checkpoints"), log, Signals(), every=1)
    saving.checkpoints.save(gan, {"seconds": 1.0})
    when = "at step 4 or in the 3 before" if hidden else "at step [12]"
    with pytest.raises(UserError, match=rf"{when}: the .*{network}.* diverged first") as caught:
        fit(gan, images, tiny(batch_size=16), 2, [StopOnNonFinite(), log, saving])
    if not hidden:
        other = ({"generator", "discriminator"} - {network}).pop()
        assert f"the {other} diverged" not in str(caught.value)
    for path in (tmp_path / "checkpoints").iterdir():
        with np.load(path) as saved:
            assert all(np.isfinite(saved[name]).all() for name in saved.files if name != "notes")
