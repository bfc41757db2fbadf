"""A private SLURM cluster of two nodes on this machine, for the length of a test."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd")
NODES = ("127.0.0.1", "127.0.0.2")

SLURM_CONF = """
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=10
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=10
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
NodeName={nodes[0]} NodeAddr={nodes[0]} Port={ports[1]} CPUs=2 RealMemory=8000
NodeName={nodes[1]} NodeAddr={nodes[1]} Port={ports[2]} CPUs=2 RealMemory=8000
PartitionName=all Nodes=ALL Default=YES
"""


class CannotRun(Exception):
    """Why there can be no cluster here."""


def install() -> None:
    """Installs Debian's packages unless they are there.

    Raises:
        CannotRun: not root, or the packages cannot be had.
    """
    if os.geteuid() != 0:
        raise CannotRun("SLURM's daemons need root")
    if all(map(shutil.which, DAEMONS)):
        return
    if not shutil.which("apt-get"):
        raise CannotRun("SLURM is not installed, and there is no apt-get to install it")
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    packages = ("install", "--yes", "--no-install-recommends", "slurm-wlm", "munge")
    with services_kept_down():
        for arguments in (("update",), packages):
            done = subprocess.run(
                ["apt-get", *arguments], env=quiet, capture_output=True, text=True
            )
    if done.returncode:
        raise CannotRun(f"SLURM cannot be installed: {done.stderr.strip().splitlines()[-1]}")


@contextlib.contextmanager
def services_kept_down() -> Iterator[None]:
    """Meanwhile apt starts none of the services that it installs: the cluster has its own."""
    policy = Path("/usr/sbin/policy-rc.d")
    if policy.exists():
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink()


@contextlib.contextmanager
def cluster() -> Iterator[None]:
    """Meanwhile `sbatch` and the others talk to a cluster of `NODES`; nothing stays behind."""
    with tempfile.TemporaryDirectory(prefix="slurm-") as name:
        folder = Path(name)
        configuration = write_configuration(folder)
        os.environ["SLURM_CONF"] = str(configuration)
        daemons: list[subprocess.Popen[bytes]] = []
        try:
            for command in daemon_commands(folder):
                log = open(folder / f"{command[0]}.txt", "ab")  # noqa: SIM115
                daemons.append(subprocess.Popen(command, stdout=log, stderr=log))
                if command[0] == "munged":
                    wait_until(lambda: (folder / "munge.socket").exists(), 20, folder)
            wait_until(lambda: ask("sinfo", "-h", "-o", "%t %D") == "idle 2", 60, folder)
            yield
        finally:
            if len(daemons) > 1:
                stop_jobs()
            for daemon in reversed(daemons):
                daemon.terminate()
            for daemon in daemons:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    daemon.wait(timeout=20)
                daemon.kill()
            del os.environ["SLURM_CONF"]


def write_configuration(folder: Path) -> Path:
    """Writes slurm.conf and munge's key."""
    (folder / "state").mkdir()
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    path = folder / "slurm.conf"
    host = socket.gethostname().split(".")[0]
    path.write_text(SLURM_CONF.format(host=host, folder=folder, nodes=NODES, ports=free_ports(3)))
    return path


def daemon_commands(folder: Path) -> list[list[str]]:
    """Returns how each daemon is started, in this order."""
    munge = {"key-file": "key", "socket": "socket", "pid-file": "pid", "seed-file": "seed"}
    options = [f"--{option}={folder}/munge.{name}" for option, name in munge.items()]
    return [
        ["munged", "--foreground", "--force", *options, f"--log-file={folder}/munge.log"],
        ["slurmctld", "-D", "-c"],
        *(["slurmd", "-D", "-N", node] for node in NODES),
    ]


def free_ports(count: int) -> list[int]:
    """Returns ports of this machine that nobody listens at."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("", 0))
        return [each.getsockname()[1] for each in sockets]


def ask(*command: str) -> str:
    """Returns what a SLURM command prints; nothing if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.stdout.strip() if done.returncode == 0 else ""


def stop_jobs() -> None:
    """Ends all jobs: their processes are no children of the daemons."""
    for job in ask("squeue", "-h", "-o", "%A").split():
        ask("scancel", job)
    deadline = time.monotonic() + 60
    while ask("squeue", "-h", "-o", "%A") and time.monotonic() < deadline:
        time.sleep(0.5)


def wait_until(condition, seconds: float, folder: Path) -> None:
    """Waits; when it takes too long, raises with what the daemons logged."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            logs = (*folder.glob("*.log"), *folder.glob("*.txt"))
            said = "\n".join(f"--- {log.name}\n{log.read_text()[-2000:]}" for log in logs)
            raise TimeoutError(f"the cluster did not come up in {seconds} s\n{said}")
        time.sleep(0.2)
