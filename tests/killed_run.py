"""Runs `dcgan train` and sends itself a signal a little after a given step.

    python killed_run.py SIGNAL STEP DELAY OPTIONS_OF_TRAIN ...

The delay, in seconds, lets the signal fall anywhere: into a step, a frame, a checkpoint. If it
is `writing`, the signal comes when half of the next checkpoint is written. Needs --log-every 1.
"""

import os
import sys
import threading
from pathlib import Path

from dcgan_lib import cli, import_tensorflow

import_tensorflow()

from dcgan_lib.runs import log  # noqa: E402

number, last_step, delay = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
append_row, write_bytes = log.append_row, Path.write_bytes


def append_and_be_struck(path, row):
    append_row(path, row)
    if row[0] == last_step and delay == "writing":
        Path.write_bytes = write_half
    elif row[0] == last_step:
        threading.Timer(float(delay), os.kill, (os.getpid(), number)).start()


def write_half(path, content):
    write_bytes(path, content[: len(content) // 2])
    os.kill(os.getpid(), number)


log.append_row = append_and_be_struck
sys.exit(cli.main(["train", *sys.argv[4:]]))
