"""A run that was killed goes on to the same end, bit for bit."""

import contextlib
import dataclasses
import random
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import (
    arrays,
    equal,
    files_of,
    frames,
    make_gan,
    newest_state,
    read_rows,
    tiny,
    tiny_options,
)

from dcgan_lib import UserError, train_dcgan_mnist, training_batches
from dcgan_lib.cli import main
from dcgan_lib.gan import state_variables
from dcgan_lib.latent import one_hot
from dcgan_lib.runs.checkpoints import KEPT, Checkpoints
from dcgan_lib.runs.files import atomic_path, write_json
from dcgan_lib.runs.folder import FINISHED, HEALTH, LOG, QUALITY, rewind

KILLED_RUN = Path(__file__).with_name("killed_run.py")
DRAW = random.Random(2026)

# --- three recipes, each killed twice at random moments (benchmarks/kills.py: more of both)


@dataclasses.dataclass
class Plan:
    """A run, and when it is killed."""

    name: str
    settings: dict
    steps: int
    per_epoch: int
    kills: list[int] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        self.kills = sorted(DRAW.sample(range(3, self.steps - 3), 2))


# 200 images: the last batch of each epoch is a partial one.
PLANS = {
    "fast": Plan("fast", {"batch_size": 16, "steps": 45, "sample_every": 7}, 45, 13),
    "keras": Plan("keras", {"batch_size": 30, "epochs": 4}, 28, 7),  # has Dropout
    "tutorial": Plan(  # moves both at once
        "tutorial", {"batch_size": 30, "epochs": 4, "snapshot_epochs": 2}, 28, 7
    ),
}


def options_of(plan: Plan, folder: Path, data: Path) -> list[str]:
    options = tiny_options(plan.name, log_every=1, **plan.settings)
    return [
        *(*options, "--data", str(data), "--max-images", "200"),
        *("--checkpoint-every", "5", "--output", str(folder)),
    ]


@pytest.fixture(scope="module")
def killed(digits_file, tmp_path_factory) -> Path:
    """A folder with runs, each of which was killed, resumed, and killed again."""
    folder = tmp_path_factory.mktemp("killed")
    for i in range(2):
        started = []
        for plan in PLANS.values():
            delay = f"{DRAW.uniform(0, 0.02):.4f}"
            if i and plan.name in ("keras", "tutorial"):
                delay = "writing"
            when = [str(int(signal.SIGKILL)), str(plan.kills[i]), delay]
            options = options_of(plan, folder / plan.name, digits_file)
            command = [sys.executable, str(KILLED_RUN), *when, *options]
            with open(folder / f"{plan.name}-{i}.txt", "w") as said:
                started.append(subprocess.Popen(command, stdout=said, stderr=said))
        for process in started:
            assert process.wait(timeout=300) == -signal.SIGKILL
    for name in ("keras", "tutorial"):
        assert len(list((folder / name).glob("checkpoints/.tmp-*"))) == 1
    return folder


@pytest.mark.parametrize("name", ["hinge", "spectral", "wgan_gp", "conditional", "grouped"])
def test_a_restored_game_goes_on_as_if_nothing_had_happened(name, images, tmp_path):
    recipe = tiny(name, batch_size=16, steps=6)
    recipe = recipe.replace(augmentations=("shift",) if name == "hinge" else ())
    labels = one_hot(np.arange(len(images)) % 10) if recipe.conditional else None

    def train(gan, first: int, steps: int) -> None:
        batches = training_batches(images, 16, recipe.seed, first, labels)
        gan.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0)

    whole, half, rest = (make_gan(recipe) for _ in range(3))
    train(whole, 0, 6)
    train(half, 0, 3)
    Checkpoints(tmp_path / "c").save(half, {})
    Checkpoints(tmp_path / "c").restore_newest(rest)
    train(rest, 3, 3)
    for wanted, found in ((whole, rest), (whole.discriminator, rest.discriminator)):
        assert equal(arrays(wanted.weights), arrays(found.weights))
    assert not equal(arrays(whole.weights), arrays(half.weights))


@pytest.fixture(scope="module", params=PLANS)
def pair(request, killed, digits_file, tmp_path_factory) -> tuple[Plan, Path, Path]:
    """A run of one go, and the killed one, taken to its end by the same command."""
    plan = PLANS[request.param]
    whole, parts = tmp_path_factory.mktemp("whole") / plan.name, killed / plan.name
    assert not (parts / FINISHED).exists()
    spoil(parts)
    for folder in (whole, parts):
        assert main(["train", *options_of(plan, folder, digits_file)]) == 0
    return plan, whole, parts


def spoil(folder: Path) -> None:
    """Leaves behind what a kill at the worst moment would."""
    for name in ("checkpoints/.tmp-a_b.npz", "samples/.tmp-a_b.png", ".tmp-a_b.csv"):
        (folder / name).write_bytes(b"half")
    with open(folder / LOG, "a") as log:
        log.write("99,17")
    (folder / "samples/step_00000027.png").write_bytes(b"from a later step")


@pytest.mark.slow
def test_a_killed_run_ends_with_the_same_state(pair):
    _, whole, parts = pair
    first, second = newest_state(whole), newest_state(parts)
    assert first.keys() == second.keys()
    assert len(first) > 20
    assert [name for name in first if not np.array_equal(first[name], second[name])] == []


def test_a_killed_run_ends_with_the_same_log(pair):
    plan, whole, parts = pair
    rows = read_rows(parts / LOG)
    assert rows == read_rows(whole / LOG)
    assert [row[0] for row in rows[1:]] == [str(i) for i in range(1, plan.steps + 1)]


def test_a_killed_run_ends_with_the_same_frames(pair):
    plan, whole, parts = pair
    every = plan.settings.get("sample_every") or plan.per_epoch
    expected = [f"step_{i:08d}.png" for i in range(0, plan.steps + 1, every)]
    assert list(frames(parts)) == expected
    assert frames(parts) == frames(whole)


def test_a_killed_run_ends_with_the_same_files_and_pictures(pair):
    _, whole, parts = pair
    here, there = (
        {path.name for path in folder.rglob("*") if path.parent.name != "checkpoints"}
        for folder in (whole, parts)
    )
    assert here == there
    for name in ("training.gif", "final_samples.png", "latent_samples.png", "interpolation.png"):
        assert (whole / name).read_bytes() == (parts / name).read_bytes()


def test_half_written_files_are_gone(pair):
    _, _, parts = pair
    assert not list(parts.rglob(".tmp-*"))


def test_the_second_processes_went_on_and_some_of_them_in_mid_epoch(killed):
    """Otherwise the tests above would prove too little."""
    starts = {}
    for name in PLANS:
        found = re.search(r"resumed at step (\d+)", (killed / f"{name}-1.txt").read_text())
        starts[name] = int(found[1]) if found else 0
    assert sum(step > 0 for step in starts.values()) >= 2
    assert any(step % PLANS[name].per_epoch for name, step in starts.items())


def test_few_checkpoints_are_kept_and_snapshots_stay(pair):
    plan, whole, parts = pair
    for folder in (whole, parts):
        names = sorted(path.name for path in (folder / "checkpoints").iterdir())
        snapshots = [int(name.split("-")[1]) for name in names if name.startswith("snapshot")]
        assert snapshots == ([14, 28] if plan.settings.get("snapshot_epochs") else [])
        steps = [name for name in names if name.startswith("step-")]
        assert len(steps) == len(names) - len(snapshots) == KEPT


def test_a_damaged_newest_checkpoint_falls_back(digits_file, tmp_path, capsys):
    recipe = tiny(batch_size=40, steps=9, log_every=1, sample_every=3)
    options = {"data": str(digits_file), "max_images": 200, "verbose": False}
    whole = train_dcgan_mnist(recipe, output=tmp_path / "whole", **options).folder
    parts = train_dcgan_mnist(recipe, tmp_path / "parts", checkpoint_every=4, **options).folder
    (parts / FINISHED).unlink()
    newest = max((parts / "checkpoints").iterdir(), key=lambda path: path.name.split("-")[1])
    newest.write_bytes(newest.read_bytes()[:-100])
    train_dcgan_mnist(recipe, output=parts, **options)
    assert f"{newest.name} is damaged" in capsys.readouterr().err
    assert newest.with_suffix(".damaged").exists()
    assert equal(list(newest_state(whole).values()), list(newest_state(parts).values()))
    assert read_rows(whole / LOG) == read_rows(parts / LOG)
    assert frames(whole) == frames(parts)


# --- checkpoints by themselves


@pytest.fixture
def gan():
    return make_gan(tiny(ema_decay=0.9))


def save_at(checkpoints: Checkpoints, gan, *steps: int, **options) -> None:
    for step in steps:
        gan.step.assign(step)
        checkpoints.save(gan, {"seconds": float(step)}, **options)


def steps_in(folder: Path) -> list[int]:
    return sorted(int(path.name.split("-")[1]) for path in folder.glob("*.npz"))


def test_an_empty_folder_restores_nothing_and_says_so(gan, tmp_path):
    before = arrays(gan.weights)
    assert Checkpoints(tmp_path / "new").restore_newest(gan) is None
    assert equal(before, arrays(gan.weights))


def test_everything_comes_back(gan, real, tmp_path):
    gan.fit(real, batch_size=32, verbose=0)
    Checkpoints(tmp_path).save(gan, {"seconds": 1.5})
    fresh = make_gan(tiny(ema_decay=0.9, seed=5))
    assert Checkpoints(tmp_path).restore_newest(fresh) == {"seconds": 1.5}
    first, second = state_variables(gan), state_variables(fresh)
    assert equal(arrays(first), arrays(second))
    everything = (
        *(*gan.generator.weights, *gan.discriminator.weights, *gan.sampler.weights),
        *(*gan.g_optimizer.variables, *gan.d_optimizer.variables, gan.step),
        *(v for m in (*gan.epoch_metrics, *gan.interval_metrics) for v in m.variables),
    )
    assert {id(variable) for variable in everything} == {id(variable) for variable in first}
    moments = [v for v in gan.g_optimizer.variables if "momentum" in v.path]
    assert moments
    assert all(np.any(np.array(moment)) for moment in moments)


def test_the_newest_two_are_kept_and_snapshots_besides(gan, tmp_path):
    checkpoints = Checkpoints(tmp_path)
    save_at(checkpoints, gan, 2, snapshot=True)
    save_at(checkpoints, gan, 5, 10, 15, 100)
    assert steps_in(tmp_path) == [2, 15, 100]
    assert checkpoints.restore_newest(gan) == {"seconds": 100.0}


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip_one_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def overwrite_with_another(path: Path) -> None:
    path.write_bytes(next(path.parent.glob("step-00000005-*.npz")).read_bytes())


def make_unreadable(path: Path) -> None:
    path.unlink()
    path.mkdir()  # permissions would not keep root from reading


DAMAGE = {
    "cut": (cut, "content has changed"),
    "flipped": (flip_one_bit, "content has changed"),
    "empty": (lambda path: path.write_bytes(b""), "content has changed"),
    "another": (overwrite_with_another, "content has changed"),
    "unreadable": (make_unreadable, "directory"),
    "another step": (
        lambda path: path.rename(str(path).replace("00000010", "00000099")),
        "it holds step 10",
    ),
    "another name": (lambda path: path.rename(path.with_name("zebra.npz")), "not a checkpoint's"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_noticed_named_and_set_aside(kind, gan, tmp_path, capsys):
    harm, reason = DAMAGE[kind]
    checkpoints = Checkpoints(tmp_path)
    save_at(checkpoints, gan, 5, 10)
    before = sorted(tmp_path.iterdir())
    harm(before[1])
    (harmed,) = set(tmp_path.iterdir()) - {before[0]}
    gan.step.assign(10)
    assert checkpoints.restore_newest(gan) == {"seconds": 5.0}
    assert int(gan.step) == 5
    said = capsys.readouterr().err
    assert harmed.name in said
    assert reason in said
    assert sorted(tmp_path.iterdir()) == sorted([before[0], harmed.with_suffix(".damaged")])


def test_when_all_are_damaged_nothing_is_restored(gan, tmp_path):
    checkpoints = Checkpoints(tmp_path)
    save_at(checkpoints, gan, 5, 10)
    for path in tmp_path.glob("*.npz"):
        path.write_bytes(b"rubbish")
    before = arrays(gan.weights)
    assert checkpoints.restore_newest(gan) is None
    assert equal(before, arrays(gan.weights))


def test_a_checkpoint_of_other_networks_is_refused(gan, tmp_path):
    save_at(Checkpoints(tmp_path), gan, 5)
    other = make_gan(tiny(ema_decay=0.9, generator_widths=(8, 5)))
    with pytest.raises(UserError, match="other networks"):
        Checkpoints(tmp_path).restore_newest(other)


def test_half_written_checkpoints_are_swept_away(gan, tmp_path):
    (tmp_path / ".tmp-abc.npz").write_bytes(b"half")
    Checkpoints(tmp_path).restore_newest(gan)
    assert not list(tmp_path.iterdir())


def test_a_file_takes_its_place_whole_or_not_at_all(tmp_path):
    path = tmp_path / "numbers.json"
    write_json(path, {"old": 1})
    old = path.read_text()
    with pytest.raises(TypeError):
        write_json(path, {"new": object()})
    with contextlib.suppress(KeyError), atomic_path(path) as temporary:
        temporary.write_text("half")
        assert path.read_text() == old
        raise KeyError
    assert path.read_text() == old
    assert [each.name for each in tmp_path.iterdir()] == ["numbers.json"]


def test_rewinding_takes_back_rows_and_frames(tmp_path):
    (tmp_path / "samples").mkdir()
    for step in (0, 5, 10):
        (tmp_path / f"samples/step_{step:08d}.png").touch()
    ones_own = tmp_path / "samples/step_by_step.png"
    ones_own.touch()
    log = tmp_path / LOG
    log.write_text("step,d_loss\n5,1.0\n10,2.0\n15,3")
    rewind(tmp_path, 9)
    assert log.read_text().split() == ["step,d_loss", "5,1.0"]
    assert ones_own.exists()
    ones_own.unlink()
    assert list(frames(tmp_path)) == ["step_00000000.png", "step_00000005.png"]


@pytest.mark.parametrize("left", ["", "step,ima", "step,d_loss\n", "step,d_loss\n10,2.0\n"])
def test_a_log_without_a_row_to_keep_begins_anew(left, tmp_path):
    """A full disk, or a kill in the wrong moment, leaves a header that is half written or none."""
    for name in (LOG, QUALITY, HEALTH):
        (tmp_path / name).write_text(left)
    rewind(tmp_path, 9)
    assert not list(tmp_path.iterdir())


def test_a_run_whose_logs_were_left_empty_is_finished(digits_file, tmp_path):
    options = [*tiny_options("fast", batch_size=16, steps=6, log_every=2), "--data"]
    command = ["train", *options, str(digits_file), "--output", str(tmp_path / "run")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dcgan_lib.training.play", lambda *a: [][0])  # it dies at the first step
        with pytest.raises(IndexError):
            main(command)
    for name in (LOG, HEALTH):
        (tmp_path / "run" / name).write_text("")
    assert main(command) == 0
    assert [row[0] for row in read_rows(tmp_path / "run" / LOG)] == ["step", "2", "4", "6"]


def test_weights_that_are_not_numbers_are_never_saved(tmp_path):
    gan = make_gan(tiny())
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    checkpoints.save(gan, {"seconds": 1.0})
    before = files_of(tmp_path)
    weight = gan.discriminator.trainable_variables[0]
    weight.assign(weight * float("nan"))
    with pytest.raises(UserError, match="no longer numbers at step 0"):
        checkpoints.save(gan, {"seconds": 2.0})
    assert files_of(tmp_path) == before
