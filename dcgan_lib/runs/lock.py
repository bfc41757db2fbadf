"""One process at a time in a run folder: two would overwrite each other's checkpoints."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import OwnerRecord, SoftFileLease, Timeout

from dcgan_lib.errors import UserError
from dcgan_lib.runs.files import writing

LOCK = ".locked"
LEASE = 30.0  # seconds without a heartbeat, after which a process elsewhere is taken for dead
HELD: set[Path] = set()  # by this process


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[SoftFileLease]:
    """Keeps other processes out of `folder` meanwhile.

    A dead process of this machine is noticed at once; one of another machine, whose number says
    nothing here, when its heartbeat has been silent for `LEASE` seconds.

    Returns:
        The lease, whose `compromise` tells whether another process has taken it since.

    Raises:
        UserError: another process is in it.
    """
    path = (folder / LOCK).resolve()
    lease = SoftFileLease(path, lease_duration=LEASE, thread_local=False)
    owner, patience = lease.owner, 1.0
    if owner is not None and owner.hostname != this_machine():
        print(f"{_named(owner)} may still be in {folder}: watching it", file=sys.stderr)
        patience = 1.2 * LEASE
    elif lease.is_lock_held_by_us and path not in HELD:
        lease.force_break()  # left by this process when the disk could not be written
    with writing(path):
        try:
            lease.acquire(timeout=patience)
        except Timeout:
            raise UserError(
                f"run {str(folder)!r} is in use by {_named(lease.owner)}; wait for it, stop it, or "
                f"choose another output. If you are sure that it is gone, delete {str(path)!r}"
            ) from None
    HELD.add(path)
    try:
        yield lease
    finally:
        HELD.discard(path)
        with contextlib.suppress(OSError):
            lease.release()


def this_machine() -> str:
    """Returns how filelock names this machine; two containers of one host are two."""
    with tempfile.TemporaryDirectory() as place, SoftFileLease(Path(place, LOCK)) as lease:
        return lease.owner.hostname


def _named(owner: OwnerRecord | None) -> str:
    return f"process {owner.pid} on {owner.hostname}" if owner else "another process"
