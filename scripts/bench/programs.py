"""The programs that take part, and how long a run of one takes."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
META = os.environ.get("META_PROGRAM", str(ROOT / ".build" / "release" / "meta"))

# Without additions to site-packages, which every start would pay for: Debian's own, else the PATH's.
PYTHON = next(path for path in ("/usr/bin/python3", shutil.which("python3")) if path and os.access(path, os.X_OK))
NODE = shutil.which("node") or "node"
BASH = shutil.which("bash") or "bash"

# What `scripts/setup bench` makes: a Python with other bridges, and one with orjson.
PEERS_PYTHON = str(ROOT / ".build" / "peers" / "bin" / "python")
ORJSON_PYTHON = str(ROOT / ".build" / "orjson" / "bin" / "python")

# meta uses the interpreters it is compared with.
ENVIRONMENT = os.environ | {"META_PYTHON": PYTHON, "META_NODE": NODE, "META_BASH": BASH, "NO_COLOR": "1"}


# A run that takes longer is a failure.
DEADLINE = 300.0
LONG_DEADLINE = 3600.0


class Unavailable(Exception):
    """A contender that is not on this machine."""


def run(command: list[str], deadline: float = DEADLINE, **changes: str) -> str:
    """Standard output of a run; an exception, with what its standard error says, when it fails.

    `changes` are to the environment. Whatever the run leaves behind is ended with it.
    """
    streams = {"stdin": subprocess.DEVNULL, "start_new_session": True, "text": True}
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        # Files, not pipes: a child of the run that lives on would hold a pipe open for ever.
        process = subprocess.Popen(command, stdout=output, stderr=errors, env=ENVIRONMENT | changes, **streams)
        try:
            status = process.wait(deadline)
        finally:
            end_group(process)
        output.seek(0), errors.seek(0)
        if status != 0:
            name = os.path.basename(command[0])
            raise RuntimeError(f"{name} ended with status {status}: {message(errors.read())}")
        return output.read()


def end_group(process: subprocess.Popen) -> None:
    """Kills what is left of a run that had a session of its own."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def message(errors: str) -> str:
    """What went wrong: meta's first line, an interpreter's last one."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()] or ["no message"]
    return next((line for line in lines if line.startswith("error[")), lines[-1])


def available(program: str, what: str) -> str:
    """The program itself, or `Unavailable`."""
    if not os.access(program, os.X_OK):
        raise Unavailable(f"{what} is not installed (scripts/setup bench)")
    return program


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
