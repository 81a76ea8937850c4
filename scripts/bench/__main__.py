"""Measures meta against its contenders. Usage: python3 scripts/bench [--long] [--quick] [WORD …]

Measured are the rows whose title holds one of the words, or all.
Prints the table; a run of all rows also writes it to docs/benchmarks.md. Nothing here passes or fails: a row that misses
its target says so. `--long` makes the rows of growth a million crossings, which takes some minutes more; `--quick`
takes one turn a row, to see that it runs.
"""

import dataclasses
import datetime
import os
import pathlib
import platform
import subprocess
import sys

import contest
import rows
from programs import META, NODE, PYTHON, ROOT

PREFACE = """# Benchmarks

Written by `make bench`. Contenders take turns in one run after a warm-up; figures are medians; what counts is the ratio.
*One core*: both processes are pinned to the same core. Rows *without the start* are a long run less a short one.
*Echo loop*: blocking reads, parsing and printing the same frame, driven by a C program over a socket.
*Growth*: of resident memory, the median slope between samples after a warm-up, garbage collected before each.
*Arrays and tables*: a crossing is of a new value, and ends when its first, middle and last items were read; 1 GB is 10^9 bytes.

"""


def main() -> None:
    if not os.access(META, os.X_OK):
        sys.exit(f"bench: {META} is missing: run `make build` first")
    options = {word for word in sys.argv[1:] if word in ("--long", "--quick")}
    words = [word for word in sys.argv[1:] if word not in options]
    chosen = [row for row in rows.all_rows("--long" in options) if not words or any(word in row.title for word in words)]
    if not chosen:
        sys.exit(f"bench: no row's title holds {' or '.join(words)}")
    if "--quick" in options:
        chosen = [dataclasses.replace(row, rounds=1) for row in chosen]
    results = contest.run_all(chosen)
    text = PREFACE + machine() + "\n\n" + contest.table(results) + "\n"
    print(text)
    if not sys.argv[1:] or options == {"--long"} and not words:
        target = pathlib.Path(ROOT, "docs", "benchmarks.md")
        target.parent.mkdir(exist_ok=True)
        target.write_text(text, encoding="utf-8")
    short = sum(result.falls_short for result in results)
    print(f"bench: {len(results)} rows, {short} short of their target or not measured", file=sys.stderr)


def machine() -> str:
    """One line: processor, system, versions, day."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = (line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
        model = next(names, platform.machine())
    versions = [version([PYTHON, "--version"]), "Node " + version([NODE, "--version"]), system()]
    return f"{model}, {os.cpu_count()} cores; {', '.join(versions)}; {datetime.date.today()}."


def version(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "none"


def system() -> str:
    name = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return f"{name}, Linux {platform.release()}"


if __name__ == "__main__":
    main()
