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
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cluster import CannotRun, ask, cluster, install
from helpers import frames, newest_state, read_rows, tiny_options

from dcgan_lib.runs.folder import FINISHED, LOG

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


def wait_for(condition: Callable[[], bool], seconds: float = 500) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, ask("scontrol", "show", "jobs")
        time.sleep(0.5)


def running(job: str) -> bool:
    return bool(ask("squeue", "-h", "-j", job, "-o", "%A"))


def knows(job: str) -> dict[str, str]:
    """Returns what SLURM knows of a job."""
    return dict(re.findall(r"(\w+)=(\S+)", ask("scontrol", "show", "job", job)))


def ended(job: str) -> dict[str, str]:
    wait_for(lambda: not running(job))
    return knows(job)


def minutes_run(job: str) -> int:
    hours, minutes, _ = map(int, knows(job)["RunTime"].split(":"))
    return 60 * hours + minutes


def set_time_limit(job: str, minutes: int) -> None:
    """As an administrator may: so the limit strikes in mid-training, however slow the machine."""
    ask("scontrol", "update", f"JobId={job}", f"TimeLimit={minutes}")


def train_options(folder: Path, **changes) -> list[str]:
    options = tiny_options("fast", batch_size=16, sample_every=1000, **changes)
    return [*options, "--data", "digits", "--max-images", "200", "--output", str(folder)]


def train_here(folder: Path, **changes) -> None:
    command = [sys.executable, "-m", "dcgan_lib", "train", *train_options(folder, **changes)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)


def test_a_job_without_data_says_what_is_missing(tmp_path):
    job = submit(*SMALL, "--output", tmp_path / "said.txt", "hpc/train.sbatch", "--seed", 1)
    assert ended(job)["ExitCode"] == "2:0"
    assert "DCGAN_DATA is not set" in (tmp_path / "said.txt").read_text()


def test_a_job_whose_time_runs_out_goes_on_to_the_same_end(tmp_path):
    steps, struck = 1000, None
    while not struck:  # on a fast machine it was finished before its time was up
        steps *= 2
        parts, said = tmp_path / f"parts-{steps}", tmp_path / f"said-{steps}.txt"
        limit = ("--time=30", "--output", said)
        job = submit(*SMALL, *limit, "hpc/train.sbatch", *train_options(parts, steps=steps))
        wait_for(lambda at=parts: len(read_rows(at / LOG)) > 2 if (at / LOG).exists() else False)
        set_time_limit(job, minutes_run(job) + 1)
        wait_for(lambda job=job: knows(job)["Restarts"] == "1" or not running(job))
        set_time_limit(job, 30)
        wait_for(lambda job=job: not running(job))
        end = knows(job)
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
    assert read_rows(whole / LOG) == read_rows(parts / LOG)
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
    (tmp_path / "runs/2" / FINISHED).unlink()
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


def test_two_nodes_train_together_and_go_on_after_the_signal(tmp_path):
    """The signal is sent by hand here: it is the one that SLURM sends when time is nearly up."""
    run, said = tmp_path / "run", tmp_path / "said.txt"
    words = [*train_options(run, steps=400, log_every=10), "--checkpoint-every", 20]
    job = submit(*SMALL, "--nodes=2", "--output", said, "hpc/multi_node.sbatch", *words)
    wait_for(lambda: (run / LOG).exists() and len(read_rows(run / LOG)) > 2)
    ask("scancel", "--batch", "--signal=USR1", job)
    end = ended(job)
    assert (end["JobState"], end["ExitCode"]) == ("COMPLETED", "0:0"), said.read_text()
    assert end["Restarts"] == "1"
    assert re.search(r"resumed at step [1-9]", said.read_text())
    assert (run / FINISHED).exists()
    assert [row[0] for row in read_rows(run / LOG)[1:]] == [str(i) for i in range(10, 401, 10)]
