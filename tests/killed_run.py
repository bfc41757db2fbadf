"""Runs `dcgan train` and sends itself a signal a little after a given step.

    python killed_run.py SIGNAL STEP DELAY OPTIONS_OF_TRAIN ...

The delay, in seconds, lets the signal fall anywhere: into a step, a frame, a checkpoint.
Needs --log-every 1.
"""

import os
import sys
import threading

from dcgan_lib import cli, import_tensorflow

import_tensorflow()

from dcgan_lib import callbacks  # noqa: E402

number, last_step, delay = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
write = callbacks.RunLog.write


def write_and_be_struck(log, row):
    write(log, row)
    if row[0] == last_step:
        threading.Timer(delay, os.kill, (os.getpid(), number)).start()


callbacks.RunLog.write = write_and_be_struck
sys.exit(cli.main(["train", *sys.argv[4:]]))
