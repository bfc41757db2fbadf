"""Several machines: TF_CONFIG, which hpc/multi_node.sbatch sets, says who they are."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterator

import tensorflow as tf

from dcgan_lib.errors import UserError

DEADLINE = 300.0  # seconds in which all workers must have come


def workers() -> list[str]:
    """Returns the addresses of all workers; none without TF_CONFIG."""
    return _cluster()[0]


def is_chief() -> bool:
    """Tells whether this process is the one that reads and writes the run's files."""
    return _cluster()[1] == 0


def _cluster() -> tuple[list[str], int]:
    text = os.environ.get("TF_CONFIG")
    if not text:
        return [], 0
    try:
        resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
        addresses, number = resolver.cluster_spec().job_tasks("worker"), resolver.task_id
        addresses[number]
    except (ValueError, KeyError, TypeError, IndexError):
        raise UserError(
            f"TF_CONFIG={text!r} is not usable; needed: cluster.worker, a list of host:port, "
            "and task.index, this process's place in it"
        ) from None
    return addresses, number


def wait_for_all() -> None:
    """Returns when all workers have come: TensorFlow would wait for ever.

    The chief listens at its address, which TensorFlow uses only afterwards; the others call.

    Raises:
        UserError: somebody has not come within `DEADLINE` seconds.
    """
    addresses, number = _cluster()
    host, port = addresses[0].rsplit(":", 1)
    end = time.monotonic() + DEADLINE
    missing = _call(host, int(port), number, end) if number else _listen(int(port), end)
    if missing:
        names = ", ".join(addresses[i] for i in sorted(missing))
        who = names if number == 0 else f"{names}, or another worker,"
        raise UserError(
            f"{who} did not come within {DEADLINE:g} s; look at its log, then give the same "
            "command again"
        )


def _listen(port: int, end: float) -> set[int]:
    missing = set(range(1, len(workers())))
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("", port)))
        calls = []
        while missing and (left := end - time.monotonic()) > 0:
            server.settimeout(left)
            with contextlib.suppress(OSError):
                calls.append(stack.enter_context(server.accept()[0]))
                calls[-1].settimeout(min(left, 5.0))  # a worker says its number at once
                missing -= set(calls[-1].recv(1))
        for call in calls if not missing else []:
            with contextlib.suppress(OSError):
                call.sendall(b"!")
                call.recv(1)  # the caller hangs up first, so that the port is free at once
    return missing


def _call(host: str, port: int, number: int, end: float) -> set[int]:
    while (left := end - time.monotonic()) > 0:
        with (
            contextlib.suppress(OSError),
            socket.create_connection((host, port), timeout=left) as call,
        ):
            call.sendall(bytes([number]))
            if call.recv(1):
                return set()
        time.sleep(0.2)
    return {0}


@contextlib.contextmanager
def lost_workers_named() -> Iterator[None]:
    """Turns the error that a lost worker causes into one line."""
    try:
        yield
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError):
        if not workers():
            raise
        raise UserError(
            "a worker was lost: its own output says why. Give the same command again: the run "
            "goes on from its last checkpoint"
        ) from None
