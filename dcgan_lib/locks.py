"""One process at a time in a run folder: two would overwrite each other's checkpoints.

The operating system's lock vanishes with its process, however that ends. Some file systems of
clusters have none, or keep it within one machine; there a heartbeat decides, the lock file's
time: a holder on another machine that is silent for long is taken for dead.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from dcgan_lib.errors import UserError

LOCK = ".lock"
BEAT = 5.0  # seconds between two heartbeats
SILENCE = 30.0  # after so many seconds without one, its process is taken for dead
PATIENCE = 120.0  # a network file system gives a lost machine's lock back after about 90 s


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps other processes out of `folder` meanwhile.

    Raises:
        UserError: another process is in it.
    """
    path = folder / LOCK
    with open(path, "a+") as file:  # kept when empty: a deleted file can be locked twice
        file.seek(0)
        _enter(path, file, holder=file.read())
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
        file.flush()
        done = threading.Event()
        heart = threading.Thread(target=_beat, args=(file.fileno(), path, done), daemon=True)
        heart.start()
        try:
            yield
        finally:
            done.set()
            heart.join()
            with contextlib.suppress(OSError):
                file.truncate(0)


def _enter(path: Path, file: IO[str], holder: str) -> None:
    """Waits until it is sure whether the holder, if any, is alive."""
    granted = _grant(file)
    if granted and (not holder or _host_of(holder) == socket.gethostname()):
        return
    if granted is False and _host_of(holder) in ("", socket.gethostname()):
        raise _refusal(path, holder)
    if not holder:
        return  # no lock to be had here, and nobody's name
    print(f"{_named(holder)} may still be in {path.parent}: watching it", file=sys.stderr)
    begin, last_beat = time.monotonic(), _time_of(path)
    while (watched := time.monotonic() - begin) < PATIENCE:
        granted = granted or _grant(file)
        if _time_of(path) != last_beat:
            raise _refusal(path, holder)
        if watched > SILENCE and granted is not False:
            return
        time.sleep(min(1.0, SILENCE / 10))
    raise _refusal(path, holder)


def _grant(file: IO[str]) -> bool | None:
    """Asks the system for the lock: granted, held by another, or (None) not to be had."""
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(2**30)  # others must be able to read what stands at the beginning
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return None
    return True


def _beat(descriptor: int, path: Path, done: threading.Event) -> None:
    while not done.wait(BEAT):
        with contextlib.suppress(OSError):
            os.utime(descriptor if os.utime in os.supports_fd else path)


def _time_of(path: Path) -> int:
    with open(path) as file:  # opened anew: a network file system then asks its server
        return os.fstat(file.fileno()).st_mtime_ns


def _host_of(holder: str) -> str:
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return json.loads(holder)["host"]
    return ""


def _named(holder: str) -> str:
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return "process {pid} on {host}".format(**json.loads(holder))
    return "another process"


def _refusal(path: Path, holder: str) -> UserError:
    return UserError(
        f"run {str(path.parent)!r} is in use by {_named(holder)}; wait for it, stop it, or choose "
        f"another output. If you are sure that it is gone, delete {str(path)!r}"
    )
