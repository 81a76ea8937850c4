"""The programs that take part, and how long a run of one takes."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
META = os.environ.get("META_PROGRAM", str(ROOT / ".build" / "release" / "meta"))

# Without additions to site-packages, which every start would pay for: Debian's own, else the PATH's.
PYTHON = next(path for path in ("/usr/bin/python3", shutil.which("python3")) if path and os.access(path, os.X_OK))
NODE = shutil.which("node") or "node"
BASH = shutil.which("bash") or "bash"

# meta uses the interpreters it is compared with.
ENVIRONMENT = os.environ | {"META_PYTHON": PYTHON, "META_NODE": NODE, "META_BASH": BASH, "NO_COLOR": "1"}


def run(command: list[str], text: str | None = None) -> str:
    """Standard output of a run; an exception, with the end of its standard error, when it fails."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, env=ENVIRONMENT, timeout=300)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise RuntimeError(f"{os.path.basename(command[0])} ended with status {done.returncode}: {reason}")
    return done.stdout


def milliseconds(command: list[str]) -> float:
    """Wall time from start to end of a run, its output thrown away."""
    # posix_spawn: what subprocess adds to a run is as long as a short run, and would be in both figures.
    nothing = [(os.POSIX_SPAWN_OPEN, number, "/dev/null", os.O_RDWR, 0) for number in range(3)]
    path = shutil.which(command[0]) or command[0]
    start = time.perf_counter()
    _, status = os.waitpid(os.posix_spawn(path, command, ENVIRONMENT, file_actions=nothing), 0)
    elapsed = time.perf_counter() - start
    if status != 0:
        run(command)  # Again, for its message.
        raise RuntimeError(f"{os.path.basename(command[0])} failed once with wait status {status}")
    return elapsed * 1000


def timing(*command: str):
    """A sampler: one run of a command, in milliseconds."""
    return lambda: milliseconds(list(command))


def net_of_start(long: list[str], short: list[str]):
    """A sampler: how much longer one program takes than another, in milliseconds; what they share falls away."""
    return lambda: milliseconds(long) - milliseconds(short)


def compiled(source: str) -> str:
    """The program of a C file of this folder, compiled anew into a folder that goes when the bench ends."""
    program = os.path.join(FOLDER.name, source.removesuffix(".c"))
    if not os.path.exists(program):
        compiler = shutil.which("clang") or shutil.which("cc") or "cc"
        path = str(pathlib.Path(__file__).with_name(source))
        run([compiler, "-O2", "-o", program, path])
    return program


FOLDER = tempfile.TemporaryDirectory(prefix="meta-bench-")
