"""What Windows, exFAT and some shares refuse, refused here too: runs are written all the same."""

import errno
import io
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import STEPS, tiny

import dcgan_lib
from dcgan_lib import UserError, train_dcgan_mnist
from dcgan_lib.cli import main
from dcgan_lib.distributed import rendezvous, team
from dcgan_lib.runs import checkpoints
from dcgan_lib.runs.files import append_row, quoted, write_json
from dcgan_lib.runs.folder import check_record, rewind

ROOT = Path(__file__).parent.parent


@pytest.fixture
def strict(monkeypatch):
    """Flushing, rights, folders, and files that are open: as Windows has it."""
    fcntl = pytest.importorskip("fcntl")
    opened = Path("/proc/self/fd")
    if not opened.exists():
        pytest.skip("this system does not tell which files are open")
    real = {name: getattr(os, name) for name in ("fsync", "open", "replace", "unlink")}

    def refuse(number, path=None):
        raise PermissionError(number, os.strerror(number), path and str(path))

    def fsync(number):
        reads = fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
        if reads or stat.S_ISDIR(os.fstat(number).st_mode):
            refuse(errno.EBADF)
        real["fsync"](number)

    def open_file(path, flags, *arguments, **options):
        if os.path.isdir(path) and not flags & os.O_DIRECTORY:  # Linux's own kind of temporary file
            refuse(errno.EACCES, path)
        return real["open"](path, flags, *arguments, **options)

    def check_closed(path):
        for number in opened.iterdir():
            if os.path.realpath(number) == os.path.realpath(path):
                refuse(errno.EACCES, path)

    def replace(source, target, **options):
        check_closed(source)
        check_closed(target)
        real["replace"](source, target, **options)

    def unlink(path, **options):
        if not options and ".locked" not in str(path):  # filelock has its own ways there
            check_closed(path)
        real["unlink"](path, **options)

    monkeypatch.setattr(shutil, "_use_fd_functions", False)
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "chmod", lambda path, *a, **o: refuse(errno.EPERM, path))
    monkeypatch.setattr(os, "open", open_file)
    monkeypatch.setattr(os, "replace", replace)
    monkeypatch.setattr(os, "rename", lambda source, target: refuse(errno.EEXIST, target))
    monkeypatch.setattr(os, "unlink", unlink)


def test_what_is_refused_there_is_refused_here(strict, tmp_path):
    (tmp_path / "file").touch()
    with open(tmp_path / "file") as file:
        for act in (
            lambda: os.fsync(file.fileno()),
            lambda: os.replace(tmp_path / "file", tmp_path / "other"),
            lambda: os.unlink(tmp_path / "file"),
            lambda: os.open(tmp_path, os.O_RDONLY),
            lambda: os.chmod(tmp_path / "file", 0o644),
        ):
            with pytest.raises(PermissionError):
                act()


def test_a_run_is_written_resumed_and_replaced(strict, digits_file, tmp_path):
    recipe = tiny(sample_every=3, log_every=1, **STEPS)
    options = {"data": str(digits_file), "verbose": False, "checkpoint_every": 4}
    run = train_dcgan_mnist(recipe, tmp_path / "run", **options)
    (run.folder / "metrics.json").unlink()
    newest = max((run.folder / "checkpoints").iterdir())
    newest.write_bytes(newest.read_bytes()[:-1])
    newest.with_suffix(".damaged").touch()  # the one set aside before has the same name
    assert not train_dcgan_mnist(recipe, tmp_path / "run", **options).found
    assert not train_dcgan_mnist(recipe, tmp_path / "run", resume=False, **options).found
    assert not list(tmp_path.rglob(".tmp-*"))


def test_an_old_checkpoint_that_is_open_elsewhere_stops_nothing(tmp_path, monkeypatch):
    for step in range(3):
        (tmp_path / f"step-0000000{step}-{'0' * 16}.npz").touch()

    def refuse(path, **options):
        raise PermissionError(errno.EACCES, "open elsewhere", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    from helpers import make_gan

    path = checkpoints.Checkpoints(tmp_path).save(make_gan(tiny()), {})
    assert path.exists()


@pytest.mark.parametrize("name", ["log.csv", "training.gif"])
def test_a_file_that_another_program_has_open_is_named(name, run_copy, monkeypatch, capsys):
    unlink, replace = os.unlink, os.replace

    def check(act, path, *others):
        if any(str(part).endswith(name) for part in (path, *others)):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return act(path, *others)

    monkeypatch.setattr(os, "unlink", lambda path: check(unlink, path))
    monkeypatch.setattr(os, "replace", lambda *paths: check(replace, *paths))
    assert main(["train", "--data", "digits", "--output", str(run_copy), "--fresh"]) == 2
    said = capsys.readouterr().err
    assert f"{name}' cannot be written: Permission denied. " in said
    assert "close what else has it open, then give the same command again\n" in said
    assert said.count("\n") == 1


def test_a_worker_needs_no_signal_that_is_not_there(monkeypatch):
    monkeypatch.delattr(signal, "SIGUSR1", raising=False)
    monkeypatch.setattr(rendezvous, "workers", lambda: ["a:1", "b:1"])
    monkeypatch.setattr(rendezvous, "is_chief", lambda: False)
    monkeypatch.setattr(rendezvous, "wait_for_all", lambda: None)
    monkeypatch.setattr(team.faulthandler, "dump_traceback_later", lambda *a, **o: None)
    monkeypatch.setattr(team, "from_chief", lambda *a: None)
    monkeypatch.setattr(team.tf.distribute, "MultiWorkerMirroredStrategy", lambda: "strategy")
    assert team.connect.__wrapped__() == "strategy"


# --- the console


def test_a_path_in_a_hint_can_be_pasted(monkeypatch):
    assert quoted("runs/a b") == "'runs/a b'"
    monkeypatch.setattr(os, "name", "nt")
    assert quoted("C:\\my runs\\a") == '"C:\\my runs\\a"'
    assert quoted("C:\\runs\\a") == "C:\\runs\\a"


def test_an_unfinished_run_is_named_so_that_it_can_be_pasted(run_copy):
    place = run_copy.rename(run_copy.parent / "a b")
    (place / "metrics.json").unlink()
    with pytest.raises(UserError, match=re.escape(f"dcgan train --resume {quoted(place)}")):
        dcgan_lib.load_generator(place)


@pytest.mark.parametrize("encoding", ["ascii", "cp437", "cp1251", "cp1252"])
def test_letters_that_a_console_lacks_stop_nothing(encoding, tmp_path):
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    for arguments in (["--help"], ["sample", "Ω\u2192.keras"]):
        command = [sys.executable, "-m", "dcgan_lib", *arguments]
        ended = subprocess.run(command, capture_output=True, env=environment, cwd=ROOT)
        assert ended.returncode == (2 if "sample" in arguments else 0)
        assert b"Traceback" not in ended.stderr


def test_the_table_is_printed_where_there_is_no_accent(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="cp1251"))
    monkeypatch.setattr("dcgan_lib.evaluate", lambda *a: {}, raising=False)
    monkeypatch.setattr("dcgan_lib.report_table", lambda report: "Fréchet ✓", raising=False)
    assert main(["evaluate", "fast", "-n", "100"]) == 0
    sys.stdout.flush()
    assert sys.stdout.buffer.getvalue().split() == [b"Fr?chet", b"?"]


# --- text

PLAIN = {  # only numbers, or JSON in which every other letter is written as ASCII
    "plots.py", "health.py", "studies.py", "pretrained.py",
}  # fmt: skip


def test_texts_are_read_and_written_as_utf_8():
    opens = re.compile(r'(read_text|write_text|(?<![\w.])open|\.open)\(.*"')
    for path in [*(ROOT / "dcgan_lib").rglob("*.py"), *(ROOT / "tools").glob("*.py")]:
        for line in path.read_text("utf-8").splitlines():
            if re.search(r"read_text\(\)", line) or opens.search(line):
                told = re.search(r'utf-8|"(r|w|r\+)b"', line) or "json.dumps" in line
                assert told or path.name in PLAIN, f"{path.name}: {line}"
    for path in (ROOT / "dcgan_lib/shelf").rglob("*.json"):
        assert path.read_bytes().isascii(), path


def test_what_is_written_is_the_same_in_every_encoding(tmp_path):
    write_json(tmp_path / "x.json", {"name": "Ω"})
    append_row(tmp_path / "x.csv", ["é"])
    assert (tmp_path / "x.json").read_bytes().isascii()
    assert (tmp_path / "x.csv").read_bytes().startswith("é".encode())


def test_nothing_is_open_while_logs_are_taken_back(run_copy, strict):
    rewind(run_copy, 4)
    check_record(run_copy, {}, fresh=True)
    assert not (run_copy / "log.csv").exists()
