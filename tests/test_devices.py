"""Several devices play the game that one would play. The slow half is `make test-slurm`."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers import tiny

from dcgan_lib import UserError, train_dcgan_mnist
from dcgan_lib.distributed import rendezvous
from dcgan_lib.distributed.rendezvous import is_chief, wait_for_all, workers
from dcgan_lib.distributed.team import check_shares, connect

HERE = Path(__file__).parent


@pytest.mark.slow
def test_two_devices_do_what_one_does():
    """With SGD; `fast` has BatchNorm in both networks and averages, `smooth` Dropout and noise;
    the third has labels and a gradient penalty. A callback stops a run on two devices, too."""
    names = ["fast", "smooth", "labelled_wgan_gp", "augmented"]
    command = [sys.executable, HERE / "two_devices.py", *names, "stopped"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout.splitlines()[-1])
    assert results.pop("stopped") == {"steps": 3, "stopped": True}
    assert list(results) == names
    for result in results.values():
        assert result["step"] == 6
        assert result["moved"] > 1e-3
        assert result["apart"] < result["moved"] / 100


def test_more_devices_than_there_are_are_refused_before_any_work(digits_file, tmp_path):
    with pytest.raises(UserError, match="devices=99: this machine has"):
        train_dcgan_mnist(tiny(), tmp_path / "run", str(digits_file), devices=99)
    assert not (tmp_path / "run").exists()
    with pytest.raises(UserError, match="devices=0 is impossible; accepted: greater than 0"):
        train_dcgan_mnist(tiny(), tmp_path / "run", str(digits_file), devices=0)


@pytest.mark.parametrize(("images", "count"), [(250, 3), (250, 4)])
def test_batches_that_cannot_be_shared_evenly_are_refused(images, count):
    """32 is no multiple of 3, and the last 26 of 250 images are none of 4."""
    with pytest.raises(UserError, match=f"needed: a multiple of {count}"):
        check_shares(tiny(), images, count)
    check_shares(tiny(), images, 2)


@pytest.mark.parametrize(
    "content", ["{", "[]", "{}", '{"cluster": {"worker": ["a:1"]}, "task": {"index": 1}}']
)
def test_a_bad_tf_config_is_refused(content, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", content)
    with pytest.raises(UserError, match="is not usable; needed: cluster"):
        workers()


def test_without_tf_config_everybody_is_the_chief(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert workers() == []
    assert is_chief()
    assert connect(1) is None


@pytest.fixture
def as_worker(monkeypatch):
    """Makes this process the worker of that number, one of two."""
    with socket.socket() as free:
        free.bind(("", 0))
        port = free.getsockname()[1]

    def become(number: int) -> None:
        addresses = [f"127.0.0.1:{port}", "127.0.0.1:9"]
        content = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": number}}
        monkeypatch.setenv("TF_CONFIG", json.dumps(content))

    return become


@pytest.mark.parametrize(("number", "said"), [(0, "127.0.0.1:9 did not"), (1, "worker, did not")])
def test_a_worker_that_never_comes_is_given_up(number, said, as_worker, monkeypatch):
    as_worker(number)
    monkeypatch.setattr(rendezvous, "DEADLINE", 0.4)
    with pytest.raises(UserError, match=f"{said} come within 0.4 s; look at its log"):
        connect()


def test_workers_that_come_find_each_other(as_worker):
    """A stranger who calls does not count."""
    as_worker(1)
    host, port = workers()[0].split(":")
    who = os.environ["TF_CONFIG"].replace('"index": 1', '"index": 0')
    home = "dcgan_lib.distributed.rendezvous"
    script = f"from {home} import wait_for_all; wait_for_all(); print('all here')"
    chief = subprocess.Popen(
        [sys.executable, "-c", script],
        env=os.environ | {"TF_CONFIG": who},
        stdout=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection((host, int(port))):
            break
        time.sleep(0.1)
    wait_for_all()
    assert chief.communicate(timeout=60)[0] == "all here\n"
