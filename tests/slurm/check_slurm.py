"""The real batch files on a real cluster: `make test-slurm`.

Not part of `make test`: it needs root and Debian's SLURM packages, and takes some minutes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from cluster import CannotRun, ask, cluster, install
from helpers import frames, newest_state, read_rows, tiny_options

from dcgan_lib import checkpoints as ck

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("--cpus-per-task=1", "--mem=2G", "--chdir", str(ROOT))


@pytest.fixture(scope="module", autouse=True)
def slurm():
    try:
        install()
    except CannotRun as reason:
        pytest.skip(str(reason))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        patch.setenv("TF_NUM_INTRAOP_THREADS", "1")
        patch.setenv("TF_NUM_INTEROP_THREADS", "1")
        with cluster():
            yield


def submit(*arguments: object) -> str:
    """Submits a job and returns its number."""
    words = ["sbatch", "--parsable", *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout.strip()


def ended(job: str, seconds: float = 500) -> dict[str, str]:
    """Waits for a job's end and returns what SLURM knows of it; of an array, of its last task."""
    deadline = time.monotonic() + seconds
    while ask("squeue", "-h", "-j", job, "-o", "%A"):
        assert time.monotonic() < deadline, ask("scontrol", "show", "job", job)
        time.sleep(1)
    return dict(re.findall(r"(\w+)=(\S+)", ask("scontrol", "show", "job", job)))


def train_options(folder: Path, **changes) -> list[str]:
    options = tiny_options("fast", batch_size=16, sample_every=200, **changes)
    return [*options, "--data", "digits", "--max-images", "200", "--output", str(folder)]


def train_here(folder: Path, **changes) -> None:
    command = [sys.executable, "-m", "dcgan_lib", "train", *train_options(folder, **changes)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)


def test_a_job_without_data_says_what_is_missing(tmp_path):
    job = submit(*SMALL, "--output", tmp_path / "said.txt", "hpc/train.sbatch", "--seed", 1)
    assert ended(job)["ExitCode"] == "2:0"
    assert "DCGAN_DATA is not set" in (tmp_path / "said.txt").read_text()


def test_a_job_whose_time_runs_out_goes_on_to_the_same_end(tmp_path):
    """SLURM counts a time limit in minutes and warns up to one too early: so a long training."""
    said = tmp_path / "said.txt"
    limit = ("--time=1", "--signal=B:USR1@20", "--output", said)
    steps, struck = 4000, None
    while not struck:  # on a fast machine it was finished before the warning came
        steps *= 2
        parts = tmp_path / f"parts-{steps}"
        job = submit(*SMALL, *limit, "hpc/train.sbatch", *train_options(parts, steps=steps))
        end = ended(job)
        assert (end["JobState"], end["ExitCode"]) == ("COMPLETED", "0:0"), said.read_text()
        struck = re.search(r"resumed at step ([1-9]\d*)", said.read_text())
    assert int(end["Restarts"]) >= 1
    assert 0 < int(struck[1]) < steps
    assert "back to the queue" in said.read_text()
    whole = tmp_path / "whole"
    train_here(whole, steps=steps)
    first, second = newest_state(whole), newest_state(parts)
    assert len(first) == len(second) > 20
    assert [name for name in first if not np.array_equal(first[name], second[name])] == []
    assert read_rows(whole / ck.LOG) == read_rows(parts / ck.LOG)
    assert frames(whole) == frames(parts)
    assert (whole / "training.gif").read_bytes() == (parts / "training.gif").read_bytes()


def test_a_sweep_and_its_table(tmp_path):
    settings = tmp_path / "sweep.txt"
    lines = [train_options(tmp_path / f"runs/{i}", steps=20 + i, seed=i) for i in range(2)]
    settings.write_text("".join(" ".join(line) + "\n" for line in lines))
    said = tmp_path / "said-%a.txt"
    job = submit(*SMALL, "--array=1-3%2", "--output", said, "hpc/sweep.sbatch", settings)
    ended(job)
    states = ask("scontrol", "show", "job", job)
    assert sorted(re.findall(r"ExitCode=(\S+)", states)) == ["0:0", "0:0", "2:0"]
    assert "has no line 3" in (tmp_path / "said-3.txt").read_text()
    shutil.copytree(tmp_path / "runs/1", tmp_path / "runs/2")
    (tmp_path / "runs/2" / ck.FINISHED).unlink()
    table = gather(*sorted((tmp_path / "runs").iterdir()))
    assert [line.split()[1:5] for line in table[:4]] == [
        ["seed", "steps", "state", "step"],
        ["0", "20", "finished", "20"],
        ["1", "21", "finished", "21"],
        ["1", "21", "unfinished", "21"],
    ]
    assert table[-1] == f"1 of 3 not finished: {tmp_path / 'runs/2'}"


def gather(*runs: Path) -> list[str]:
    command = [sys.executable, "hpc/gather.py", *map(str, runs)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout.splitlines()
