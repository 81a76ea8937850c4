"""Runs the built program on one-liners and scripts, and knows which processes it leaves."""

import os
import pathlib
import signal
import subprocess
import time
import uuid

import pytest
from session import PROGRAM, environment

DEADLINE = 60


class Run:
    """One `meta` in a process group of its own; what it starts is known by a mark in the environment."""

    def __init__(self, folder: pathlib.Path, *arguments: str, variables: dict[str, str | None] = {}, **options):
        self.mark = uuid.uuid4().hex
        merged = environment(folder) | {"META_TEST_MARK": self.mark} | variables
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        self.process = subprocess.Popen(
            [PROGRAM, *arguments],
            cwd=folder,
            env={name: value for name, value in merged.items() if value is not None},
            start_new_session=True,
            **options,
        )

    def wait_for(self, path: pathlib.Path) -> str:
        """Until what runs has opened the fifo for writing and written; what it wrote."""
        with open(path) as pipe:
            return pipe.read()

    def finish(self, given: bytes | None = None, deadline: float = DEADLINE) -> tuple[int, str, str]:
        """Its status (negative: the signal), output and errors."""
        output, errors = self.process.communicate(given, deadline)
        return self.process.returncode, output.decode("utf-8", "replace"), (errors or b"").decode("utf-8", "replace")

    def processes(self) -> list[int]:
        """Those that carry the mark: meta, kernels, and what they have started."""
        found = []
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if self.mark.encode() in (folder / "environ").read_bytes() and "Z" not in status(folder):
                    found.append(int(folder.name))
            except OSError:
                continue
        return found

    def wait_until_nothing_is_left(self, deadline: float = 10) -> None:
        """AssertionError with their command lines when processes outlive the deadline."""
        end = time.monotonic() + deadline
        while left := self.processes():
            for pid in left:
                wait_for_end(pid, end - time.monotonic())
            assert time.monotonic() < end, [pathlib.Path(f"/proc/{pid}/cmdline").read_text() for pid in left]

    def close(self) -> None:
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                stream.close()


def status(folder: pathlib.Path) -> str:
    return (folder / "stat").read_text().rpartition(")")[2].split()[0]


def wait_for_end(pid: int, limit: float) -> None:
    """Until a process that need not be a child has ended, at most so many seconds."""
    import select

    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return
    try:
        select.select([descriptor], [], [], max(0.0, limit))
    finally:
        os.close(descriptor)


@pytest.fixture
def meta(tmp_path):
    """meta(*arguments): starts the program; whatever is left of it afterwards is killed."""
    runs = []

    def start(*arguments, **options):
        runs.append(Run(tmp_path, *arguments, **options))
        return runs[-1]

    yield start
    for run in runs:
        run.close()


@pytest.fixture
def evaluate(meta):
    """evaluate(*forms): one-liners, their results readable; status, output, errors."""

    def run(*forms, **options):
        arguments = [part for form in forms for part in ("-e", form)]
        return meta("--pretty", "--keep-going", *arguments, **options).finish()

    return run


@pytest.fixture
def fifo(tmp_path):
    """A pipe with a name, by which what runs says that it does."""
    path = tmp_path / "said"
    os.mkfifo(path)
    return path
