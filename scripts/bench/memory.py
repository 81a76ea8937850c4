"""Resident memory of an idle prompt, and of the sessions below it."""

import os
import pty
import select
import signal
import subprocess
import time
from contextlib import contextmanager

from contest import Row
from programs import ENVIRONMENT, META, NODE, PYTHON

PROMPT_LIMIT = 15.0
DEADLINE = 15.0


def rows() -> list[Row]:
    idle_python = [PYTHON, "-c", "print('idle', flush=True); import sys; sys.stdin.read()"]
    idle_node = [NODE, "-e", "console.log('idle'); process.stdin.resume()"]
    return [
        Row("idle prompt", prompt, f"{PROMPT_LIMIT:g} MiB", lambda: PROMPT_LIMIT, 1, "MiB", rounds=3),
        session_row("Python session", '(py "1+1")', "idle `python3`", idle_python),
        session_row("Node session", '(js "1+1")', "idle `node`", idle_node),
    ]


def session_row(title: str, form: str, against: str, bare: list[str]) -> Row:
    return Row(title, lambda: session(form), against, lambda: idle(bare), 1.3, "MiB", rounds=3)


def resident(process: int) -> float:
    """MiB of memory that a process holds."""
    with open(f"/proc/{process}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:")) / 1024


def prompt() -> float:
    with terminal([META]) as (process, _, wait):
        wait(b"meta> ")
        return resident(process)


def session(form: str) -> float:
    """The runtime started by a form, once it has answered: the largest process below meta."""
    with terminal([META]) as (process, write, wait):
        wait(b"meta> ")
        write(form.encode() + b"\r")
        wait(b"\n2")
        wait(b"meta> ")
        below = descendants(process)
        if not below:
            raise RuntimeError("meta has no child process after the form")
        return max(map(resident, below))


def idle(command: list[str]) -> float:
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT) as process:
        process.stdout.readline()
        held = resident(process.pid)
        process.stdin.close()
    return held


def descendants(process: int) -> list[int]:
    with open(f"/proc/{process}/task/{process}/children", encoding="ascii") as file:
        children = [int(each) for each in file.read().split()]
    return [each for child in children for each in [child, *descendants(child)]]


@contextmanager
def terminal(command: list[str]):
    """Runs a command in a pseudo-terminal; yields its process, a writer, and a waiter for bytes not yet seen."""
    process, descriptor = pty.fork()
    if process == 0:
        os.execvpe(command[0], command, ENVIRONMENT | {"TERM": "dumb"})
    unseen = b""

    def wait(wanted: bytes) -> None:
        nonlocal unseen
        end = time.monotonic() + DEADLINE
        while wanted not in unseen:
            if not select.select([descriptor], [], [], max(0.0, end - time.monotonic()))[0]:
                raise TimeoutError(f"no {wanted!r} in the terminal, only {unseen[-80:]!r}")
            unseen += os.read(descriptor, 1 << 16)
        unseen = unseen.split(wanted, 1)[1]

    try:
        yield process, lambda data: os.write(descriptor, data), wait
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(descriptor)
