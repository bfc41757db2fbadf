"""What the README says is true: its code runs, its lists are complete, its links lead somewhere."""

import functools
import json
import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

import dcgan_lib
from dcgan_lib import cli
from dcgan_lib.building import build_loss
from dcgan_lib.errors import UserError
from dcgan_lib.recipes import RECIPES

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "CONTRIBUTING.md")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text under a heading, up to the next one of any level."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", README, re.M | re.S)
    assert found, f"the README has no section {title!r}"
    return found[1]


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def rows(text: str) -> list[list[str]]:
    """The cells of the Markdown table in `text`, heading left out."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def prose_without_code(page: str) -> str:
    return re.sub(r"^```.*?^```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.M | re.S)


@pytest.fixture
def small_data(tmp_path, monkeypatch):
    """A hundred random pictures in place of MNIST, in a folder of their own."""
    draw = np.random.default_rng(0)
    images, labels = draw.integers(0, 256, (100, 28, 28), np.uint8), np.arange(100) % 10
    arrays = dict(x_train=images, y_train=labels, x_test=images[:20], y_test=labels[:20])
    np.savez(tmp_path / "small.npz", **arrays)
    monkeypatch.setenv("DCGAN_DATA", str(tmp_path / "small.npz"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_python_example_runs(small_data):
    code = blocks("python", section("Your own settings"))
    assert len(code) == 1
    exec(code[0], {})
    assert (small_data / "sixteen.png").stat().st_size > 0
    assert (small_data / "runs/short/metrics.json").exists()


def test_loss_in_ten_lines_runs(small_data, monkeypatch):
    (code,) = blocks("python", section("Change the loss in ten lines"))
    fit, histories = dcgan_lib.DCGAN.fit, []

    def short_fit(self, data, steps_per_epoch, epochs, **others):
        assert steps_per_epoch * epochs == RECIPES["fast"].steps, "as long as `fast`"
        histories.append(fit(self, data, steps_per_epoch=2, epochs=1, **others))

    monkeypatch.setattr(dcgan_lib.DCGAN, "fit", short_fit)
    names: dict = {}
    exec(code, names)
    assert (small_data / "least_squares.png").stat().st_size > 0
    (history,) = histories
    assert np.isfinite([history.history["d_loss"], history.history["g_loss"]]).all()
    loss = names["LeastSquaresLoss"]()
    real, fake = np.float32([[2.0], [0.5]]), np.float32([[-3.0], [1.0]])
    assert float(loss.discriminator_loss(real, fake)) == pytest.approx((1 + 0.25) / 2 + (9 + 1) / 2)
    assert float(loss.generator_loss(fake)) == pytest.approx((16 + 0) / 2)


def test_loss_class_has_ten_lines_at_most():
    (code,) = blocks("python", section("Change the loss in ten lines"))
    (body,) = re.findall(r"^class LeastSquaresLoss.*?(?=^\S)", code + "end", re.M | re.S)[:1]
    assert len([line for line in body.splitlines() if line.strip()]) <= 10


def test_loss_example_has_the_rates_of_fast():
    (code,) = blocks("python", section("Change the loss in ten lines"))
    fast = RECIPES["fast"]
    rates = [float(rate) for rate in re.findall(r"Adam\(([\d.e-]+)", code)]
    assert rates == [fast.g_learning_rate, fast.d_learning_rate]
    for name, value in (
        ("beta_1", fast.beta_1),
        ("ema_decay", fast.ema_decay),
        ("batch_size", fast.batch_size),
    ):
        (found, *others) = set(re.findall(rf"{name}=([\d.]+)", code))
        assert (float(found), others) == (value, [])


def command_lines() -> list[str]:
    lines = [line for block in blocks("bash") for line in block.splitlines()]
    return [line.split("#")[0].strip() for line in lines if line.startswith("dcgan ")]


@pytest.mark.parametrize("line", command_lines())
def test_command_is_accepted(line, monkeypatch):
    """The command line reads it; what it then calls is left out."""
    _, command, *arguments = shlex.split(line)
    reached = []

    def stop(*arguments, **settings):
        reached.append(command)
        raise KeyboardInterrupt

    for name in ("train_dcgan_mnist", "save_samples", "evaluate"):
        monkeypatch.setattr(dcgan_lib, name, stop, raising=False)
    monkeypatch.setattr(cli, "examine", stop)
    monkeypatch.setattr(cli, "page_of", stop)
    monkeypatch.setattr("dcgan_lib.runs.loading.find_generator", lambda source: None)
    for name in ("find_class", "class_names"):
        monkeypatch.setattr(f"dcgan_lib.runs.loading.{name}", lambda *asked: None)
    monkeypatch.setattr("dcgan_lib.runs.samples.save_likeness", stop)
    monkeypatch.setattr(Path, "is_file", lambda path: True)
    monkeypatch.setattr(Path, "exists", lambda path: True)
    code = cli.main([command, *arguments])
    assert (code, reached) == ((0, []) if command == "recipes" else (130, [command]))


def test_options_named_in_the_text_exist(capsys):
    for words in ("--help", "--help-all"):
        assert cli.main(["train", words]) == 0
    known = capsys.readouterr().out
    text = re.sub(r"`(pip|dcgan sample)\b[^`]*`", "", prose_without_code("README.md"))
    named = set(re.findall(r"`(?:dcgan train )?(--[a-z0-9-]+)", text)) - {"--seed"}
    assert named
    assert {option for option in named if f"{option} " not in known} == set()


def test_a_loss_and_a_recipe_of_ones_own(small_data, monkeypatch):
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    loss, recipe = blocks("python", page)
    command = next(line for line in "".join(blocks("bash", page)).splitlines() if "--loss" in line)
    (small_data / "my_losses.py").write_text(loss)
    monkeypatch.setattr(sys, "path", sys.path[:])  # the command adds the present folder
    arguments = shlex.split(command)[1:-1]
    assert cli.main([*arguments, "2", "--output", "by_command", "--batch-size", "32"]) == 0
    record = json.loads((small_data / "by_command/recipe.json").read_text())["recipe"]
    assert record["loss"] == "my_losses:LeastSquaresLoss"
    short = functools.partial(dcgan_lib.train_dcgan_mnist, steps=2, batch_size=32)
    monkeypatch.setattr(dcgan_lib, "train_dcgan_mnist", short)
    names: dict = {}
    exec(recipe, names)
    assert names["run"].recipe.discriminator_widths == (48, 96)


def test_recipes_that_refuse_this_loss_are_named(small_data, monkeypatch):
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (small_data / "my_loss.py").write_text(blocks("python", page)[0])
    monkeypatch.syspath_prepend(small_data)
    refused = []
    for name, recipe in RECIPES.items():
        try:
            build_loss(recipe.replace(loss="my_loss:LeastSquaresLoss"))
        except UserError:
            refused.append(name)
    (named,) = re.findall(r"Only (.*?) refuse this one", page)
    assert set(re.findall(r"`(\w+)`", named)) == set(refused)


def test_tools_are_listed_file_by_file():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^## Tools\n(.*?)^## ", page, re.M | re.S)
    listed = {name.strip("`") for name, _ in rows(text)}
    assert listed == {path.name for path in (ROOT / "tools").glob("*.py")}


def test_recipe_table_says_what_the_recipes_say():
    table = {}
    for cells in rows(section("Recipes: what others do → what it is called here")):
        table[cells[1].strip("`")] = (cells[2], cells[3])
    assert table == {
        name: (
            str(recipe.batch_size),
            f"{recipe.steps} steps" if recipe.steps else f"{recipe.epochs} epochs",
        )
        for name, recipe in RECIPES.items()
    }


def test_run_folder_is_listed_file_by_file():
    from dcgan_lib.runs.folder import ARTIFACTS, RECORD

    listed = [cells[0].strip("`").rstrip("/") for cells in rows(section("What comes out"))]
    assert sorted(listed) == sorted({*ARTIFACTS, RECORD})


def test_learning_path_is_the_notebooks_folder():
    table = rows(section("Learning path"))
    assert [cells[0] for cells in table] == [f"{number:02d}" for number in range(1, 11)]
    for number, cell, *_ in table:
        found = re.fullmatch(r"\[`(\w+)`\]\(notebooks/(\w+)\.ipynb\)|`(\w+)` \(coming\)", cell)
        assert found, f"the row of notebook {number} is neither a link nor (coming): {cell}"
        linked, target, coming = found.groups()
        assert linked == target
        assert (linked or coming).startswith(f"{number}_")
        here = [path.stem for path in (ROOT / "notebooks").glob(f"{number}_*.ipynb")]
        assert here == ([linked] if linked else []), (
            f"notebooks/ has {here or 'no notebook'} for {number}; the README's row says: {cell}"
        )


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    text = prose_without_code(page)
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    local = [target for target in targets if not target.startswith(("http://", "https://"))]
    assert local
    for target in local:
        path, _, anchor = target.partition("#")
        assert not path or (ROOT / path).exists(), f"{page} links {path}, which is not there"
        if anchor:
            assert anchor in anchors(path or page), f"{page}: no heading for {target}"


def anchors(page: str) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", prose_without_code(page), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_picture_has_words():
    pictures = re.findall(r"!\[([^\]]*)\]\((images/[^)]*)\)", README)
    shown = {path for _, path in pictures}
    assert shown >= {f"images/{n}" for n in ("final_epoch.png", "training.gif", "loss_plot.png")}
    assert all(len(words) > 20 for words, _ in pictures)


def test_badges_have_one_place():
    places = [README.index("<!-- badges:begin -->"), README.index("<!-- badges:end -->")]
    assert places == sorted(places)
    assert README.count("badges:begin") == README.count("badges:end") == 1
    assert places[0] < README.index("\n## ")


def test_variable_for_lone_notebooks_is_the_one_they_read():
    (name,) = set(re.findall(r"`(DCGAN_SO\w+)`", README))
    assert f'"{name}"' in (ROOT / "tools/first_cell.py").read_text()
