"""Console blocks of a page: what a user types at bash, and exactly what is printed.

A block is ```console; each `$ command` line is followed by its output, both streams as the terminal shows them. A block
```console continued goes on where the one before it ended, in the same folder. In expected output a duration matches any
duration and `…` alone on a line any lines. The folder is a copy of the page's own; `meta` is on the PATH.
"""

import dataclasses
import os
import pathlib
import re
import signal
import subprocess

import transcripts
from session import PROGRAM, environment

PROMPT = "$ "
OPENING = re.compile(r"^```console( continued)?\s*$")
# Files of the system's that a command names; each must be there, and what Debian package has it.
SYSTEM_FILE = re.compile(r"/usr/share/[\w./-]+")
PACKAGES = {"/usr/share/zoneinfo": "tzdata", "/usr/share/common-licenses": "base-files"}


@dataclasses.dataclass
class Step:
    """One command and its expected output, lines[first:last] of the page; `line` is the prompt's, from 1."""

    command: str
    expected: list[str]
    line: int
    first: int
    last: int


def read(page: pathlib.Path) -> list[list[Step]]:
    """The page's sessions: a block and those that continue it."""
    lines = page.read_text(encoding="utf-8").splitlines()
    sessions: list[list[Step]] = []
    for index, line in enumerate(lines):
        if opening := OPENING.match(line):
            end = lines.index("```", index)
            if not opening[1]:
                sessions.append([])
            sessions[-1] += steps(lines, index + 1, end)
    return sessions


def steps(lines: list[str], start: int, end: int) -> list[Step]:
    prompts = [index for index in range(start, end) if lines[index].startswith(PROMPT)]
    assert prompts and prompts[0] == start, f"line {start + 1}: a block begins with {PROMPT!r}"
    return [
        Step(lines[index].removeprefix(PROMPT), lines[index + 1 : stop], index + 1, index + 1, stop)
        for index, stop in zip(prompts, prompts[1:] + [end])
    ]


def absent_files(session: list[Step]) -> list[str]:
    """What the commands name and this machine lacks, each with the package that has it."""
    named = sorted({name for step in session for name in SYSTEM_FILE.findall(step.command)})
    packages = {name: next((PACKAGES[each] for each in PACKAGES if name.startswith(each)), "?") for name in named}
    return [f"{name} (Debian: {packages[name]})" for name in named if not os.path.exists(name)]


def run(session: list[Step], folder: pathlib.Path, home: pathlib.Path, deadline: float = 60) -> list[list[str]]:
    """What each command prints, all in one bash; the lines of the first streams' mixture.

    A mark behind each command tells where its output ends, and gives its status on to the next.
    """
    mark = "\x1e%d\x1e"
    script = "".join(f"{step.command}\nstatus=$?; printf '{mark}' {i}; (exit $status)\n" for i, step in enumerate(session))
    variables = environment(home) | {"GIT_CONFIG_NOSYSTEM": "1"}
    variables["PATH"] = f"{PROGRAM.parent}{os.pathsep}{variables['PATH']}"
    bash = subprocess.Popen(
        ["bash", "-c", script],
        cwd=folder, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        printed = bash.communicate(timeout=deadline)[0].decode()
    except subprocess.TimeoutExpired:
        os.killpg(bash.pid, signal.SIGKILL)
        raise AssertionError(f"not done within {deadline} s; printed: {bash.communicate()[0].decode()}") from None
    outputs = re.split("\x1e\\d+\x1e", printed)
    return [output.removesuffix("\n").split("\n") if output else [] for output in outputs[: len(session)]]
