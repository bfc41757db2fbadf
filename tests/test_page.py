"""A run on one page: whole, small, and with a command that trains the same again."""

import json
import re
import shlex

import pytest
from helpers import tiny

import dcgan_lib
from dcgan_lib import RECIPES, cli
from dcgan_lib.runs.page import FILM, command, film, write_page


def test_a_run_ends_with_a_page_that_needs_nothing_else(finished_run):
    page = (finished_run.folder / "report.html").read_text(encoding="utf-8")
    addresses = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(addresses) >= 4
    assert all(address.startswith("data:image/") for address in addresses)
    frames = json.loads(re.search(r"const frames = (\[.*?\]\])", page)[1])
    assert [step for step, _ in frames] == [0, 5, 10]
    assert "$" not in re.sub(r"data:[^\"]*", "", page)
    assert "found nothing wrong" in page
    assert "generator_widths" in page
    assert len(page) < 3_000_000


def test_the_page_tells_what_the_monitor_found_and_what_was_scored(run_copy):
    metrics = json.loads((run_copy / "metrics.json").read_text())
    scores = dict.fromkeys(
        ("frechet_distance", "precision", "recall", "coverage", "modes", "copied_share"), 0.123
    )
    quality = {"generator": scores, "floor": scores, "samples": 64, "reference": "<test>"}
    (run_copy / "metrics.json").write_text(json.dumps(metrics | {"quality": quality}))
    page = write_page(run_copy, ["step 3: <ill>"]).read_text(encoding="utf-8")
    assert "step 3: &lt;ill&gt;" in page
    assert "64 samples against &lt;test&gt;" in page
    assert page.count("0.123") == 12


def test_the_film_has_as_many_frames_as_fit(tmp_path):
    for step in range(0, 90, 10):
        (tmp_path / f"step_{step:08d}.png").write_bytes(bytes(FILM // 6))
    assert [int(path.stem[5:]) for path in film(tmp_path)] == [0, 20, 40, 60, 80]


RUNS = {
    "another name": tiny(steps=None, epochs=2).replace(name="mine"),
    "no frames by steps": RECIPES["best"].replace(sample_every=None, seed=3, restart=False),
    "unchanged": RECIPES["vanilla"],
}


@pytest.mark.parametrize("kind", RUNS)
def test_the_command_trains_the_same_again(kind, monkeypatch):
    recipe, asked = RUNS[kind], {}

    def train(start, output, data, resume, max_images, **settings):
        assert max_images == 300
        asked.update(recipe=RECIPES[start].replace(**settings), data=data)
        raise KeyboardInterrupt

    monkeypatch.setattr(dcgan_lib, "train_dcgan_mnist", train, raising=False)
    line = command(recipe, {"source": "my data", "max_images": 300})
    assert cli.main(shlex.split(line)[1:]) == 130
    assert asked == {"recipe": recipe, "data": "my data"}


def test_a_notebook_shows_a_run_and_a_line_tells_it(finished_run):
    assert repr(finished_run) == f"<TrainingRun 'fast', 12 steps, in {str(finished_run.folder)!r}>"
    shown = finished_run._repr_html_()
    assert shown.count("data:image/png;base64,") == 2
    assert str(finished_run.folder) in shown
