"""One line says how far a run is: in place in a terminal, now and then in a file."""

import io
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from dcgan_lib.runs import progress
from dcgan_lib.runs.progress import Progress, show_line
from dcgan_lib.runs.words import duration


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


LOGS = {"d_accuracy_real": 0.634, "d_accuracy_fake": 0.661, "d_loss": 1.2, "g_loss": 0.7}


@pytest.fixture
def steps(monkeypatch):
    """Plays steps of a run, a tenth of a second each, after a first one of 30 seconds."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(progress.time, "perf_counter", lambda: clock.now)
    monkeypatch.setattr(progress.shutil, "get_terminal_size", lambda: SimpleNamespace(columns=80))

    def play(shown: Progress, first: int, last: int, critic: bool = False) -> None:
        shown.on_train_begin()
        for step in range(first, last + 1):
            clock.now += 0.1 if step > 1 else 30.0
            game = SimpleNamespace(accuracy_counts=not critic)
            shown.set_model(SimpleNamespace(step=np.array(step), gan_loss=game))
            shown.model.step = SimpleNamespace(numpy=lambda step=step: step)
            shown.on_train_batch_end(0, LOGS)

    return play


def test_a_terminal_has_one_line_that_is_replaced(steps, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    steps(Progress(0, 100), 1, 100)
    *moments, last, rest = terminal.getvalue().replace("\n", "\r").split("\r")
    assert terminal.getvalue().count("\n") == 1
    assert len(moments) > 40
    assert last.rstrip() == "step 100/100 · D right on real 63 %, drawn 66 %"
    assert rest == ""
    assert max(map(len, moments)) < 80


def test_the_first_step_which_is_slow_is_in_no_estimate(steps, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    steps(Progress(0, 1000), 1, 600)
    lines = [line.rstrip() for line in terminal.getvalue().split("\r")]
    assert "left" not in "".join(lines[:10])
    assert re.match(r"step (59\d|600)/1000 · 4\d s left · D right on", lines[-2])


def test_a_file_gets_a_plain_line_at_each_tenth(steps, capsys):
    steps(Progress(0, 1000), 1, 1000)
    out = capsys.readouterr().out
    assert "\r" not in out
    assert [line.split(" ")[1] for line in out.splitlines()] == [
        f"{step}/1000" for step in range(100, 1001, 100)
    ]


def test_the_newest_distance_is_shown_once_there_is_one(steps, tmp_path, capsys):
    path = tmp_path / "quality.csv"
    shown = Progress(0, 10, path)
    steps(shown, 1, 1)
    path.write_text("step,frechet_distance\n")
    steps(shown, 2, 2)
    path.write_text("step,frechet_distance\n0,812.3\n2,41.2\n")
    steps(shown, 3, 3)
    first, second, third = capsys.readouterr().out.splitlines()
    assert "distance" not in first + second
    assert third.endswith("· distance 41")


def test_a_critic_has_no_verdicts(steps, capsys):
    steps(Progress(0, 1), 1, 1, critic=True)
    assert capsys.readouterr().out == "step 1/1\n"


def test_findings_stand_in_lines_of_their_own(steps, monkeypatch):
    terminal, findings = Terminal(), ["told by an earlier process"]
    monkeypatch.setattr(sys, "stdout", terminal)
    shown = Progress(0, 100, findings=findings)
    steps(shown, 1, 5)
    findings.append("step 5: ill.")
    shown.on_train_batch_end(0, LOGS)
    said = [line.split("\r")[-1].rstrip() for line in terminal.getvalue().split("\n")]
    assert said[0] == "step 5: ill."
    assert "earlier" not in terminal.getvalue()
    show_line("")  # the line that stands open is closed


@pytest.mark.parametrize(
    ("seconds", "said"), [(40.2, "40 s"), (99.6, "2 min"), (3599, "1 h 0 min"), (7500, "2 h 5 min")]
)
def test_seconds_as_a_person_says_them(seconds, said):
    assert duration(seconds) == said
