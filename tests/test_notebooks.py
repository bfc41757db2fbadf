"""The notebooks' tooling, their form, and that what they show is the library's code.

That they run is checked by nbval, which collects notebooks/*.ipynb itself.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import statistics
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import address  # noqa: E402

import notebooks as tool  # noqa: E402

SHOWN = {
    "01": {"with_channels", "scale", "unscale", "training_batches"},
    "02": {"build_generator", "first_size", "transposed_convolution", "add_norm_and_activation"},
    "03": {"build_discriminator", "add_norm_leak_dropout", "add_verdict"}
    | {"GANLoss", "BinaryCrossentropyLoss"},
    "04": {"train_step", "d_step", "g_step", "joint_step", "apply_gradients", "untouched"},
    "05": {
        "interpolate",
        "_spherical",
        "latent_grid",
        "rescale",
        "neighbours",
        "tour",
        "principal_directions",
        "descend",
    },
    "06": {"build_dense_generator", "build_dense_discriminator", "with_pooling"},
    "07": {"frechet_distance"},
    "08": {"SwappedLoss", "FrozenNoiseDCGAN"},
    "09": {"HingeLoss", "WassersteinLoss", "slope_penalty", "penalty", "unit", "normalised_kernel"}
    | {"one_hot", "generator_input", "draw", "find_groups"}
    | {"build_conditional_generator", "build_conditional_discriminator"},
    "10": {"first_size", "movements"},
}
TERMS = {
    "01": "label, class, pixel, channel, normalise, tanh, batch, iteration, step, epoch, "
    "shuffle buffer, seed, distribution, spread, correlation, classifier, held-out",
    "02": "latent vector, recipe, seed, dense, weights, parameters, bias, channels, upsampling, "
    "kernel, stride, transposed convolution, padding, convolution, checkerboard, activation, ReLU, "
    "LeakyReLU, tanh, batch normalisation, training mode, inference mode, moving averages, "
    "momentum, feature maps",
    "03": "channel, convolution, kernel, feature map, stride, padding, LeakyReLU, gradient, "
    "Dropout, seed, recipe, BatchNorm, logit, sigmoid, probability, loss, cross-entropy, "
    "binary cross-entropy, label, expectation, min–max game, density, equilibrium, "
    "saturating loss, non-saturating loss, mode, learning rate, Adam, oscillation, mode collapse, "
    "frozen, norm",
    "04": "batch, step, iteration, epoch, recipe, seed, latent vector, fixed noise, loss, label, "
    "logit, binary cross-entropy, gradient, tape, trainable variables, optimizer, Adam, betas, "
    "learning rate, callback, traces, graph, run folder, equilibrium, checkpoint, inference mode",
    "05": "recipe, model card, latent vector, latent space, standard normal, seed, "
    "inference mode, evaluator, confidence, norm, length, interpolation, linear interpolation, "
    "spherical interpolation, variety, pixel distance, continuous, neighbour, "
    "arithmetic of latent vectors, control, temperature, truncation, principal component analysis, "
    "nearest neighbour, features, GAN inversion",
    "06": "dense, biases, parameters, recipe, BatchNorm, learning rate, batch, control, "
    "convolution, kernel, stride, transposed convolution, channel, locality, weight sharing, "
    "callback, step, latent vector, Fréchet distance, epoch, seed, ablation, gradient, "
    "max pooling, ReLU, LeakyReLU, tanh",
    "07": "loss, step, held-out, classifier, feature, evaluator, frozen, confidence, mean, "
    "spread, Gaussian, Fréchet distance, covariance, floor, kernel distance, precision, recall, "
    "density, coverage, mode, overfitting, seed, bias",
    "09": "recipe, study, step, batch, seed, Fréchet distance, evaluator, held-out, "
    "processor time, loss, gradient, logit, cross-entropy, label, label smoothing, one-sided, "
    "two-sided, instance noise, learning rate, schedule, average, two-time-scale update rule, "
    "hinge, Wasserstein, critic, slope, gradient penalty, BatchNorm, kernel, singular value, "
    "spectral normalisation, power iteration, graph, conditional, one-hot, latent vector, "
    "projection, correlation, prototype, coverage, features",
    "10": "pixel, label, channel, recipe, transposed convolution, stride, widths, parameters, "
    "dense, step, batch, latent vector, run folder, learning rate, "
    "continuous, evaluator, classifier, confidence, standard deviation, collapsed, hue, "
    "nearest neighbour, distance, classes",
    "08": "loss, mode, callback, norm, gradient, spread, seed, learning rate, saturating loss, "
    "non-saturating loss, mode collapse, gradient penalty, oscillation, traces, graph, BatchNorm, "
    "inference mode, logit, frozen",
}

every_notebook = pytest.mark.parametrize("path", tool.sources(), ids=lambda path: path.stem)


# --- the pair, its outputs, its first cell


@every_notebook
def test_pair_agrees_and_outputs_are_fresh(path):
    assert tool.problems(path) == []


@every_notebook
def test_first_cell_is_the_common_one(path):
    expected = address.first_cell(address.address())
    for file in (path, path.with_suffix(".ipynb")):
        assert tool.code_cells(tool.read(file))[0].source == expected


def test_readme_tells_the_measured_run_times():
    assert tool.with_run_times(tool.README.read_text()) == tool.README.read_text()
    stale = "| 04 | [`04_training`](notebooks/04_training.ipynb) | y | 99 min |"
    assert "99" not in tool.with_run_times(stale)


def test_readme_agrees_on_the_address():
    text = address.README.read_text()
    assert address.BEGIN + address.badges(address.address()) + address.END in text


# --- shown code is the library's code


def definitions(tree: ast.Module) -> Iterator[ast.AST]:
    """Yields a module's functions and classes, and their methods."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node
        if isinstance(node, ast.ClassDef):
            yield from (part for part in node.body if isinstance(part, ast.FunctionDef))


def without_docstrings(node: ast.AST) -> str:
    """Type hints stay: they tell the reader what goes in and out, and simple rules are best."""
    copy = ast.parse(ast.unparse(node))
    for part in ast.walk(copy):
        if isinstance(part, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(part):
            part.body = part.body[1:]
    return ast.dump(copy)


def library_definitions() -> dict[str, list[str]]:
    """Returns the library's code without docstrings, by the name of the function or class."""
    found: dict[str, list[str]] = {}
    for file in (ROOT / "dcgan_lib").rglob("*.py"):
        for node in definitions(ast.parse(file.read_text())):
            found.setdefault(node.name, []).append(without_docstrings(node))
    return found


@every_notebook
def test_shown_code_is_the_librarys(path):
    library = library_definitions()
    shown = set()
    for cell in tool.code_cells(tool.read(path)):
        for node in ast.parse(cell.source).body:
            if getattr(node, "name", None) in library:
                assert without_docstrings(node) in library[node.name], node.name
                shown.add(node.name)
    assert shown >= SHOWN.get(path.name[:2], set())


def test_another_body_is_not_the_librarys_code():
    code = "def apply_gradients(tape, loss, network, optimizer):\n    optimizer.apply(tape, loss)"
    node = ast.parse(code).body[0]
    assert without_docstrings(node) not in library_definitions()["apply_gradients"]


# --- the switch of those that load what takes long to train


@pytest.mark.slow
@pytest.mark.parametrize("number", ["06", "07"])
def test_a_reader_may_train_instead_of_loading(number, tmp_path):
    notebook = tool.read(tool.sources(number)[0])
    last = max(i for i, cell in enumerate(notebook.cells) if "if TRAIN" in cell.source)
    del notebook.cells[last + 1 :]  # the others do not care
    switch = next(cell for cell in tool.code_cells(notebook) if "TRAIN = False" in cell.source)
    switch.source = switch.source.replace("TRAIN = False", "TRAIN = True")
    folder = {"metadata": {"path": str(tmp_path)}}
    tool.NotebookClient(notebook, timeout=300, resources=folder).execute()
    texts = [out.get("text", "") for cell in tool.code_cells(notebook) for out in cell.outputs]
    assert any("trained just now" in text for text in texts)


# --- form


def markdown(notebook) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def bullets(text: str) -> list[str]:
    return re.findall(r"^- ", text, flags=re.MULTILINE)


@every_notebook
def test_opens_and_closes_in_the_common_frame(path):
    notebook = tool.read(path)
    first, last = notebook.cells[0].source, notebook.cells[-1].source
    assert first.startswith(f"# {path.name[:2]} · ")
    assert "**You need**" in first
    assert "**Run time**" in first
    assert len(bullets(first)) >= 3
    closing = last.partition("## What you did")[2]
    assert len(bullets(closing)) == len(bullets(first))
    assert re.search(r"\*\*Next:\*\* \[[^]]+\]\(\d\d_\w+\.ipynb\)", closing)


@every_notebook
def test_every_exercise_has_a_check_and_a_folded_solution(path):
    notebook = tool.read(path)
    exercises = markdown(notebook).partition("## Exercises")[2]
    count = len(re.findall(r"^### \d · ", exercises, flags=re.MULTILINE))
    assert 2 <= count <= 3
    for tag in ("check", "solution"):
        cells = [c for c in tool.code_cells(notebook) if tag in c.metadata.get("tags", [])]
        assert len(cells) == count
        assert all(cell.metadata["jupyter"]["source_hidden"] for cell in cells)
        assert all(cell.metadata["cellView"] == "form" for cell in cells)


@every_notebook
def test_cells_are_short_and_never_three_code_cells_in_a_row(path):
    notebook = tool.read(path)
    kinds = "".join(cell.cell_type[0] for cell in notebook.cells)
    assert "ccc" not in kinds
    sizes = [
        len([line for line in cell.source.splitlines() if line.strip()])
        for cell in tool.code_cells(notebook)
        if "jupyter" not in cell.metadata
    ]
    assert max(sizes) <= 25
    assert statistics.median(sizes) <= 6


@every_notebook
def test_terms_are_marked_where_they_are_explained(path):
    text = markdown(tool.read(path)).lower()
    terms = TERMS.get(path.name[:2], "").lower()
    missing = [term for term in re.split(r",\s+", terms) if term and f"**{term}" not in text]
    assert missing == []


# --- the tools


def test_docstrings_and_comments_do_not_make_outputs_stale():
    code = "def f(x):\n    return x + 1\n"
    talkative = 'def f(x):\n    """Adds one."""\n\n    # quickly\n    return x + 1  # done\n'
    assert tool.bare(talkative) == tool.bare(code)
    assert tool.bare(code) != tool.bare(code.replace("1", "2"))


def test_provenance_follows_imports_through_the_library():
    modules = tool.library_modules("from dcgan_lib import DCGAN, RECIPES")
    assert {"gan", "losses"} <= modules
    assert "building" not in modules
    trains = tool.library_modules("from dcgan_lib import train_dcgan_mnist")
    assert {"building", "beyond.variants", "data"} <= trains
    assert not [name for name in trains if name.startswith(tool.MACHINERY)]
    assert "measuring.health" in tool.library_modules("from dcgan_lib import HealthMonitor")


def test_a_change_of_code_makes_outputs_stale():
    notebook = tool.read(tool.sources("04")[0])
    before = tool.provenance(notebook)
    notebook.metadata["dcgan"] = before
    assert tool.is_fresh(notebook, tool.provenance(notebook))
    tool.code_cells(notebook)[3].source += "\n1 + 1"
    assert not tool.is_fresh(notebook, tool.provenance(notebook))


def test_the_shortest_run_of_the_same_code_counts():
    def made(code, seconds):
        return tool.nbformat.v4.new_notebook(metadata={"dcgan": {"code": code, "seconds": seconds}})

    cases = ((made("a", 20), 20), (made("a", 90), 50), (made("b", 20), 50), (None, 50))
    for old, expected in cases:
        new = made("a", 50)
        tool.keep_shortest_time(new, old)
        assert new.metadata["dcgan"]["seconds"] == expected


def test_build_refuses_data_that_are_not_mnist(digits_file, monkeypatch):
    monkeypatch.setenv("DCGAN_DATA", str(digits_file))
    with pytest.raises(SystemExit, match="real MNIST"):
        tool.require_mnist()


@pytest.fixture
def copied(tmp_path, monkeypatch) -> Path:
    """A copy of the files that hold the address; the tool works on it."""
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks", ignore=lambda *_: {"runs"})
    monkeypatch.setattr(address, "PYPROJECT", tmp_path / "pyproject.toml")
    monkeypatch.setattr(address, "README", tmp_path / "README.md")
    monkeypatch.setattr(tool, "FOLDER", tmp_path / "notebooks")
    return tmp_path


def test_one_command_writes_the_address_everywhere(copied):
    url = "https://github.com/somebody/dcgan"
    before = [tool.problems(path) for path in tool.sources()]
    address.write(url)
    assert address.address() == url
    test_readme_agrees_on_the_address()
    assert f"colab.research.google.com/github/{url[19:]}" in address.README.read_text()
    for path in tool.sources():
        test_first_cell_is_the_common_one(path)
        assert f'"git+{url}"' in path.read_text()
    assert [tool.problems(path) for path in tool.sources()] == before  # outputs are as fresh
    address.write("unset")
    assert address.README.read_text() == (ROOT / "README.md").read_text()


@pytest.mark.parametrize(
    "url", ["http://github.com/a/b", "github.com/a/b", "https://x", "", 'https://a/"']
)
def test_addresses_that_are_refused(url, copied):
    with pytest.raises(SystemExit, match="accepted"):
        address.write(url)
    assert address.PYPROJECT.read_text() == (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize(
    "origin",
    ["https://github.com/a/b.git", "git@github.com:a/b.git", "ssh://git@github.com/a/b"],
)
def test_a_clone_knows_its_own_address(origin, tmp_path, monkeypatch):
    monkeypatch.setattr(address, "ROOT", tmp_path)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    with pytest.raises(SystemExit, match="no remote `origin`; give the address"):
        address.of_origin()
    subprocess.run(["git", "remote", "add", "origin", origin], cwd=tmp_path, check=True)
    assert address.of_origin() == "https://github.com/a/b"


def test_a_fork_is_told_the_command(copied):
    address.write("https://github.com/somebody/dcgan")
    address.check("https://github.com/somebody/dcgan")
    with pytest.raises(SystemExit, match="One command sets it: make address"):
        address.check("https://github.com/another/dcgan")


# --- the first cell, in its three places


def test_the_first_cell_is_short():
    lines = address.first_cell("https://github.com/somebody/dcgan").splitlines()
    assert len([line for line in lines if line.strip()]) <= 10


@pytest.fixture(scope="module")
def lone_python(tmp_path_factory) -> Path:
    """The Python of a clean environment that sees TensorFlow and pip's rest, but no dcgan_lib."""
    env = tmp_path_factory.mktemp("lone") / "env"
    subprocess.run([sys.executable, "-m", "venv", str(env)], check=True)
    python = env / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    own = next(env.glob("**/site-packages"))
    # Folders named in a .pth file are searched; the .pth files in them (our editable one) are not.
    (own / "theirs.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


LOAD = "dcgan_lib.import_tensorflow()"  # the last line of the first cell: seconds


def run_first_cell(python: Path, folder: Path, after: str = "", **variables: str):
    """Runs the first cell (with no address) in `folder`, and says which library it found."""
    cell = address.first_cell("unset").removesuffix(LOAD)
    code = f"{cell}\nprint(dcgan_lib.__file__)\n{after}"
    hidden = ("DCGAN_SOURCE", "DCGAN_DATA", "PYTHONPATH", "TF_CPP_MIN_LOG_LEVEL")
    env = {name: value for name, value in os.environ.items() if name not in hidden} | variables
    return subprocess.run(
        [str(python), "-c", code], cwd=folder, env=env, capture_output=True, text=True
    )


@pytest.mark.parametrize("place", ["notebooks", "."])
def test_first_cell_in_a_clone_uses_its_library(place, lone_python):
    result = run_first_cell(lone_python, ROOT / place)
    assert Path(result.stdout.strip()) == ROOT / "dcgan_lib" / "__init__.py"


def test_first_cell_where_the_library_is_installed_is_silent(tmp_path):
    result = run_first_cell(Path(sys.executable), tmp_path, LOAD)
    assert result.stderr == ""
    assert result.stdout.strip().endswith("__init__.py")


def test_first_cell_alone_without_an_address_says_what_to_set(lone_python, tmp_path):
    result = run_first_cell(lone_python, tmp_path)
    assert result.returncode != 0
    assert "KeyError: 'DCGAN_SOURCE'" in result.stderr
    assert "set it to a folder" in address.first_cell("unset")  # the line that a notebook shows


@pytest.fixture
def repository(tmp_path) -> str:
    """What pip can install the present library from: a git address, where there is git."""
    folder = tmp_path / "repository"
    shutil.copytree(ROOT / "dcgan_lib", folder / "dcgan_lib")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    if shutil.which("git") is None:
        return str(folder)
    who = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    for command in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "all"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return f"git+{folder.as_uri()}"


def test_first_cell_alone_installs_the_library_and_nothing_else(lone_python, repository, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    after = f"{LOAD}\nfrom dcgan_lib import build_generator\nprint(build_generator().output_shape)"
    result = run_first_cell(lone_python, empty, after, DCGAN_SOURCE=repository)
    if "No matching distribution found for setuptools" in result.stderr:
        pytest.skip("the package index is out of reach: pip cannot build anything")
    assert result.returncode == 0, result.stderr
    library, shape = result.stdout.strip().splitlines()
    own = Path(library).parent.parent
    assert own.is_relative_to(lone_python.parent.parent)
    assert shape == "(None, 28, 28, 1)"
    assert not any((own / name).exists() for name in ("tensorflow", "keras", "numpy"))
