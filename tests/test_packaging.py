"""The package's names, bounds and doors agree with each other."""

import ast
import importlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import dcgan_lib
from dcgan_lib import cli

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
ISSUE_2_NAMES = (
    "load_images build_generator build_discriminator DCGAN GenerateSamplesCallback "
    "train_dcgan_mnist plot_images plot_losses make_gif interpolate Recipe RECIPES"
).split()


def bounds(lines: list[str]) -> dict[str, SpecifierSet]:
    requirements = [Requirement(line) for line in lines]
    return {canonicalize_name(r.name): r.specifier for r in requirements}


def content_lines(path: str) -> list[str]:
    lines = (line.strip() for line in (ROOT / path).read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


WANTED = bounds([*PROJECT["dependencies"], *EXTRAS["notebooks"], *EXTRAS["dev"]])


@pytest.fixture(scope="module")
def environment() -> dict:
    return yaml.safe_load((ROOT / "environment.yml").read_text())


@pytest.fixture(scope="module")
def workflow() -> dict:
    return yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text())


def test_environment_has_the_names_and_bounds_of_pyproject(environment):
    *conda, with_pip = environment["dependencies"]
    with_conda = bounds(conda)
    by_pip = bounds([line for line in with_pip["pip"] if not line.startswith("-")])
    python = with_conda.pop("python")
    with_conda.pop("pip")
    assert PROJECT["requires-python"] in str(python)
    assert not with_conda.keys() & by_pip.keys()
    assert with_conda | by_pip == WANTED
    assert [line for line in with_pip["pip"] if line.startswith("-")] == ["-e ."]


def test_lock_has_only_pins():
    lines = content_lines("requirements.lock")
    strange = [line for line in lines if line.startswith("-") or "://" in line or "@" in line]
    assert strange == []
    for line in lines:
        (pin,) = Requirement(line).specifier
        assert pin.operator == "=="
        assert "*" not in pin.version


def test_lock_satisfies_the_bounds_of_pyproject():
    for line in content_lines("requirements.lock"):
        requirement = Requirement(line)
        (pin,) = requirement.specifier
        bound = WANTED.get(canonicalize_name(requirement.name), SpecifierSet())
        assert bound.contains(pin.version), f"{line} is outside {bound}"
    missing = WANTED.keys() - bounds(content_lines("requirements.lock")).keys()
    assert not missing


def test_colab_versions_satisfy_the_bounds():
    for name, pin in bounds(content_lines(".github/colab-constraints.txt")).items():
        version = str(pin).removeprefix("==").removesuffix(".*")
        assert WANTED[name].contains(version), f"{name} {version} is outside {WANTED[name]}"


def test_gpu_extra_has_the_bound_of_tensorflow():
    assert bounds(EXTRAS["gpu"]) == {"tensorflow": WANTED["tensorflow"]}


def test_workflow_runs_make_test_on_each_python(environment, workflow):
    job = workflow["jobs"]["pinned"]
    assert any(step.get("run", "").startswith("make test") for step in job["steps"])
    versions = job["strategy"]["matrix"]["python"]
    assert versions == ["3.11", "3.12", "3.13"]
    python = bounds([environment["dependencies"][0]])["python"]
    assert all(python.contains(version) for version in versions)


@pytest.mark.parametrize("line", [*PROJECT["dependencies"], *chain(*EXTRAS.values())])
def test_each_dependency_has_one_lower_bound_and_no_upper_one(line):
    assert [bound.operator for bound in Requirement(line).specifier] == [">="]


def test_what_the_library_imports_has_a_bound():
    code = [ast.parse(path.read_bytes()) for path in (ROOT / "dcgan_lib").rglob("*.py")]
    nodes = [node for tree in code for node in ast.walk(tree)]
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
    roots = {name.split(".")[0] for name in names} - sys.stdlib_module_names
    roots -= {"dcgan_lib", "IPython"}  # IPython is there where a notebook runs
    needed = {{"PIL": "pillow", "sklearn": "scikit-learn"}.get(root, root) for root in roots}
    assert needed <= bounds(PROJECT["dependencies"]).keys()


def commands_of(target: str) -> list[str]:
    """What `make TARGET` would run in a fresh clone."""
    if not shutil.which("make"):
        pytest.skip("make is not installed")
    options = ["--dry-run", "--always-make", "--no-print-directory"]
    command, env = ["make", *options, target], os.environ | {"MAKEFLAGS": ""}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout.replace("\\\n", "").splitlines()


@pytest.mark.parametrize(
    ("versions", "resolution"), [("lowest", "lowest-direct"), ("newest", "highest")]
)
def test_both_ends_of_the_bounds_get_the_same_checks_as_the_lock(workflow, versions, resolution):
    *_, installer, install, _, ruff, form, floors, tests = commands_of(f"test-{versions}")
    env = f".venv-{versions}"
    assert re.search(r" uv==[\d.]+\s*$", installer)
    assert f"--resolution {resolution} " in install
    assert "'.[notebooks,dev]'" in install
    checks = [line.replace(env, ".venv") for line in (ruff, form, floors, tests)]
    of_the_lock = [line.removesuffix(' -m "not slow"') for line in commands_of("test")[-4:]]
    assert [line.strip() for line in checks] == of_the_lock
    assert any(env in line for line in commands_of("clean"))
    assert ".venv-*/" in content_lines(".gitignore")
    job = workflow["jobs"]["bounds"]
    assert job["steps"][-1]["run"] == "make test-${{ matrix.versions }} PYTHON=python"
    assert versions in job["strategy"]["matrix"]["versions"]
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.13"]


def test_badge_shows_the_workflow_that_exists():
    text = (ROOT / "tools/address.py").read_text()
    (name,) = re.findall(r"actions/workflows/([\w.-]+)/badge", text)
    assert (ROOT / ".github/workflows" / name).is_file()


def test_hooks_are_local():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    assert all(hook["language"] == "system" for hook in config["repos"][0]["hooks"])


def test_console_script_is_the_cli():
    module, function = PROJECT["scripts"]["dcgan"].split(":")
    assert getattr(importlib.import_module(module), function) is cli.main


@pytest.mark.parametrize("name", ISSUE_2_NAMES)
def test_public_name_can_be_imported(name):
    assert getattr(dcgan_lib, name) is not None
    assert name in dcgan_lib.__all__


@pytest.mark.parametrize("statement", ["pass", "from dcgan_lib.cli import main; main(['--help'])"])
def test_import_and_help_do_not_load_tensorflow(statement):
    loaded = "{'tensorflow', 'keras'} & {*sys.modules}"
    code = f"import sys, dcgan_lib; {statement}; print({loaded})"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "set()"


def test_train_help_does_not_load_tensorflow():
    code = (
        "import sys\n"
        "from dcgan_lib.cli import main\n"
        "main(['train', '--help'])\n"
        "print('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert "--batch-size" in result.stdout
    assert result.stdout.splitlines()[-1] == "False"


def test_files_beside_the_code_are_packaged():
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    packaged = {
        path
        for package, patterns in tools["setuptools"]["package-data"].items()
        for pattern in patterns
        for path in (ROOT / package.replace(".", "/")).glob(pattern)
    }
    tracked = subprocess.run(
        ["git", "ls-files", "dcgan_lib"], capture_output=True, text=True, cwd=ROOT
    )
    if tracked.returncode:
        pytest.skip("no git here")
    others = {ROOT / name for name in tracked.stdout.split() if not name.endswith(".py")}
    assert others
    assert others <= packaged
