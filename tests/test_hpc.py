"""The batch files' own errors and the table of results; on a real cluster: `make test-slurm`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def batch(name: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
    kept = {key: value for key, value in os.environ.items() if key != "DCGAN_DATA"}
    command = ["bash", f"hpc/{name}", *arguments]
    return subprocess.run(
        command, env=kept | variables, capture_output=True, text=True, cwd=ROOT, timeout=60
    )


@pytest.mark.parametrize("name", ["train.sbatch", "multi_node.sbatch"])
def test_a_job_without_data_says_what_is_missing(name):
    done = batch(name, "--recipe", "fast")
    assert done.returncode == 2
    assert done.stderr.startswith(f"{name}: DCGAN_DATA is not set.")


def test_a_sweep_without_array_or_line_says_what_is_missing():
    assert "needs --array=1-N" in batch("sweep.sbatch", "hpc/sweep.txt").stderr
    assert "needs --array=1-N" in batch("sweep.sbatch", SLURM_ARRAY_TASK_ID="1").stderr
    beyond = batch("sweep.sbatch", "hpc/sweep.txt", SLURM_ARRAY_TASK_ID="7")
    assert (beyond.returncode, beyond.stderr) == (2, "sweep.sbatch: hpc/sweep.txt has no line 7\n")
    sixth = batch("sweep.sbatch", "hpc/sweep.txt", SLURM_ARRAY_TASK_ID="6")
    assert sixth.stdout == "task 6: --recipe hinge --seed 2\n"
    assert "train.sbatch: DCGAN_DATA is not set." in sixth.stderr


def gather(*runs: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "hpc/gather.py", *map(str, runs)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


def test_the_table_names_what_differs_and_what_is_not_finished(finished_run, run_copy, tmp_path):
    record = run_copy / "recipe.json"
    record.write_text(record.read_text().replace('"seed": 0', '"seed": 7'))
    (run_copy / "metrics.json").unlink()
    (run_copy / "quality.csv").write_text("step,frechet_distance\n5,70.25\n10,80.5\n15")
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    shutil.copy(finished_run.folder / "recipe.json", fresh)
    head, *rows = gather(finished_run.folder, run_copy, fresh).stdout.splitlines()
    assert head.split() == ["run", "seed", "state", "step", "seconds", "last", "best", "test"]
    assert rows[0].split()[1:4] == ["0", "finished", "12"]
    assert rows[0].split()[5:] == ["-", "-", "-"]
    assert rows[1].split()[1:4] == ["7", "unfinished", "12"]
    assert rows[1].split()[5:] == ["80.5", "70.2", "-"]
    assert rows[2].split()[1:5] == ["0", "unfinished", "0", "0"]
    assert rows[-1] == f"2 of 3 not finished: {run_copy} {fresh}"


def test_a_table_of_nothing_says_what_to_give(tmp_path):
    done = gather(tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no run folder given" in done.stderr
