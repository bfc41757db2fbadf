"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import csv
import errno
import hashlib
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from dcgan_lib.errors import UserError, first_line

SIGNATURE = b"dcgan sample"  # in single pictures: nothing else is ever replaced

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def writing(
    path: str | Path, needed: int | None = None, only: tuple[int, ...] = ()
) -> Iterator[None]:
    """Turns the system's refusal to write `path` into what its reader can act upon.

    Args:
        needed: bytes, where they are known before.
        only: numbers of the errors that are meant; by default all of them.

    Raises:
        UserError: names the file, the reason, and the room that there is.
    """
    try:
        yield
    except OSError as error:
        if only and error.errno not in only:
            raise
        room, cure = "", "make it writable, or close what else has it open"
        if error.errno in NO_ROOM:
            wanted = f"{needed / 1e6:.1f} MB needed, " if needed else ""
            room = f" ({wanted}{shutil.disk_usage(Path(path).parent).free / 1e6:.1f} MB free)"
            cure = "make room"
        raise UserError(
            f"{str(error.filename or path)!r} cannot be written: "
            f"{error.strerror or first_line(error)}{room}. What was there before is unharmed: "
            f"{cure}, then give the same command again"
        ) from None


@contextlib.contextmanager
def atomic_path(path: str | Path, needed: int | None = None) -> Iterator[Path]:
    """Gives a temporary path to write to; it takes the place of `path` only when complete.

    Raises:
        UserError: as `writing`.
    """
    path = Path(path)
    with writing(path, needed):
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".tmp-", suffix=path.suffix)
        os.close(handle)
        try:
            yield Path(temporary)
            with open(temporary, "r+b") as file:  # Windows flushes only what may be written
                os.fsync(file.fileno())
            with contextlib.suppress(OSError):  # exFAT and some shares know no rights
                os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def write_json(path: str | Path, content: Any) -> None:
    """Writes `content` as JSON, all or nothing."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")


def check_samples_name(path: str | Path) -> str:
    """Returns how samples are written under such a name: its ending, or `/` for a folder.

    Raises:
        UserError: nothing can be written so, or the folder holds something else.
    """
    from PIL import Image

    if str(path).endswith(("/", os.sep)) or Path(path).is_dir():
        single_pictures(Path(path))
        return "/"
    suffix = Path(path).suffix.lower()
    try:
        if suffix not in (".npy", ".npz"):  # of some formats Pillow only reads: it has to try
            kind = Image.registered_extensions()[suffix]
            Image.new("L", (64, 64)).save(io.BytesIO(), kind)
    except (KeyError, OSError, ValueError):
        raise UserError(
            f"output {str(path)!r}; accepted: a name ending in .png, .jpg or another that Pillow "
            "writes, in .gif (a walk), .npy or .npz (numbers), or a folder, ending in /"
        ) from None
    return suffix


def single_pictures(folder: Path) -> list[Path]:
    """Returns the pictures in `folder` that were written there one by one, and may be replaced.

    Raises:
        UserError: there is anything else in it.
    """
    files = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    for file in files:
        numbered = re.fullmatch(r"\d{5,}\.png", file.name) and file.is_file()
        if not numbered or SIGNATURE not in file.read_bytes()[:200]:
            raise UserError(
                f"output {str(folder)!r} holds {str(file.relative_to(folder))!r}, which is none of "
                "the pictures of `dcgan sample`; choose a new or an empty folder"
            )
    return files


def quoted(path: str | Path) -> str:
    """Returns a path as a command may be given it, in the shell of this system."""
    return subprocess.list2cmdline([str(path)]) if os.name == "nt" else shlex.quote(str(path))


def checksum(content: bytes) -> str:
    """Sixteen hexadecimal digits of SHA-256."""
    return hashlib.sha256(content).hexdigest()[:16]


def append_row(path: Path, row: Iterable[Any]) -> None:
    """Adds a row to a CSV file; raises UserError if it cannot be written."""
    with writing(path), open(path, "a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow(row)
