"""Several devices, the slow half of tests/test_devices.py: all recipes, and two real workers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from cluster import free_ports
from helpers import tiny_options

from dcgan_lib import RECIPES
from dcgan_lib.runs.folder import FINISHED

TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def differences() -> dict[str, dict[str, float]]:
    command = [sys.executable, TESTS / "two_devices.py", *RECIPES]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", RECIPES)
def test_two_devices_do_what_one_does(name, differences):
    result = differences[name]
    assert result["moved"] > 1e-3
    assert result["apart"] < result["moved"] / 100


def options(folder: Path, data: Path, **changes) -> list[str]:
    recipe = tiny_options("fast", batch_size=16, **changes)
    return [*recipe, "--data", str(data), "--max-images", "200", "--output", str(folder)]


def start(folder: Path, index: int | None, addresses: list[str], *arguments: str):
    """Starts one worker, or a training by itself; it says everything into a file."""
    who = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
    more = {} if index is None else {"TF_CONFIG": json.dumps(who)}
    script = [sys.executable, TESTS / "worker.py", folder / f"weights-{index}.npz"]
    with open(folder / f"said-{index}.txt", "w") as said:
        return subprocess.Popen(
            [*script, *arguments], env=os.environ | more, stdout=said, stderr=said
        )


def two_addresses() -> list[str]:
    return [f"127.0.0.1:{port}" for port in free_ports(2)]


def weights(folder: Path, index: int | None) -> list[np.ndarray]:
    with np.load(folder / f"weights-{index}.npz") as saved:
        return [saved[name] for name in saved.files]


def test_two_workers_end_with_the_weights_of_one(digits_file, tmp_path):
    words, addresses = options(tmp_path / "run", digits_file, steps=15), two_addresses()
    processes = [start(tmp_path, index, addresses, *words) for index in (0, 1)]
    alone = start(tmp_path, None, [], *options(tmp_path / "alone", digits_file, steps=15))
    for process in (*processes, alone):
        assert process.wait(timeout=400) == 0, (tmp_path / "said-0.txt").read_text()
    chief, worker, one = (weights(tmp_path, index) for index in (0, 1, None))
    assert all(map(np.array_equal, chief, worker))
    assert max(np.abs(a - b).max() for a, b in zip(chief, one, strict=True)) < 1e-5
    assert (tmp_path / "said-1.txt").read_text() == ""
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        path.name for path in (tmp_path / "alone").iterdir()
    }


def test_a_killed_worker_ends_the_job_and_the_run_goes_on(digits_file, tmp_path):
    words = [*options(tmp_path / "run", digits_file, steps=400), "--checkpoint-every", "5"]
    addresses = two_addresses()
    chief, worker = (start(tmp_path, index, addresses, *words) for index in (0, 1))
    deadline = time.monotonic() + 300
    while not list(tmp_path.glob("run/checkpoints/step-*")):
        assert chief.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    worker.kill()
    worker.wait()
    assert chief.wait(timeout=120) == 2, (tmp_path / "said-0.txt").read_text()
    assert "dcgan: error: a worker was lost" in (tmp_path / "said-0.txt").read_text()
    assert not (tmp_path / "run" / FINISHED).exists()
    assert start(tmp_path, None, [], *words).wait(timeout=300) == 0
    assert re.search(r"resumed at step [1-9]", (tmp_path / "said-None.txt").read_text())
