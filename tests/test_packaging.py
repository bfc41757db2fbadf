"""The package's names, bounds and doors agree with each other."""

import importlib
import re
import subprocess
import sys
import tomllib
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
