"""Transcripts: what a user types, and exactly what meta answers.

A transcript is `meta> form` lines (a form goes on in lines that start with `....> `), each followed by its output. A file
in Tests/transcripts holds one, with prose before the first prompt. In Markdown every ```meta block with a prompt is one, a
session of its own, unless its opening line says ```meta continued: then it goes on with the session of the block before.
In expected output a duration matches any duration and `…` alone on a line any lines. Nothing else is loose.
"""

import dataclasses
import pathlib
import re

PROMPT = "meta> "
CONTINUATION = "....> "
ANY_LINES = "…"
DURATION = re.compile(r"(?<![\w.])\d+(?:\.\d+)? (?:ns|µs|ms|s|min)\b")
BLOCK = re.compile(r"^```meta( continued)?\s*$")
FENCE = re.compile(r"^`{3,}")


@dataclasses.dataclass
class Exchange:
    """One form and its expected output. `line` is the prompt's, from 1; the output is lines[first:last] of the file."""

    form: str
    expected: list[str]
    line: int
    first: int
    last: int


@dataclasses.dataclass
class Transcript:
    """The exchanges of one session, in order; `line` is where the session begins in the file, from 1."""

    path: pathlib.Path
    line: int
    exchanges: list[Exchange]


class Malformed(Exception):
    """A transcript that cannot be read; the message says where and why."""


def read(path: pathlib.Path) -> list[Transcript]:
    """The sessions in a file, empty when it has none."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if path.suffix != ".md":
        exchanges = exchanges_in(path, lines, 0, len(lines), prose=True)
        if not exchanges:
            raise Malformed(f"{path}: a transcript without a line that starts with {PROMPT!r}")
        return [Transcript(path, 1, exchanges)]
    sessions: list[Transcript] = []
    for start, end, continued in blocks_in(path, lines):
        exchanges = exchanges_in(path, lines, start, end, prose=False)
        if continued and sessions:
            sessions[-1].exchanges.extend(exchanges)
        elif exchanges:
            sessions.append(Transcript(path, start, exchanges))
    return sessions


def blocks_in(path: pathlib.Path, lines: list[str]):
    """Yields (first line, line of the closing fence, continued) of each ```meta block, as indices from 0."""
    index = 0
    while index < len(lines):
        fence = FENCE.match(lines[index])
        if fence:
            opening = index
            index += 1
            while index < len(lines) and lines[index].rstrip() != fence[0]:
                index += 1
            if index == len(lines):
                raise Malformed(f"{path}:{opening + 1}: this block is not closed")
            if block := BLOCK.match(lines[opening]):
                yield opening + 1, index, block[1] is not None
        index += 1


def exchanges_in(path: pathlib.Path, lines: list[str], start: int, end: int, prose: bool) -> list[Exchange]:
    """The exchanges of lines[start:end]. Text before the first prompt is prose in a file, a mistake in a block."""
    prompts = [index for index in range(start, end) if lines[index].startswith(PROMPT)]
    if prompts and prompts[0] > start and not prose:
        raise Malformed(f"{path}:{start + 1}: text before the first {PROMPT!r}")
    exchanges = []
    for index, stop in zip(prompts, prompts[1:] + [end]):
        form = [lines[index].removeprefix(PROMPT)]
        first = index + 1
        while first < stop and lines[first].startswith(CONTINUATION.rstrip()):
            form.append(lines[first].removeprefix(CONTINUATION.rstrip()).removeprefix(" "))
            first += 1
        exchanges.append(Exchange("\n".join(form), lines[first:stop], index + 1, first, stop))
    return exchanges


def matches(expected: list[str], actual: list[str]) -> bool:
    """Whether the output is the expected one; `…` takes as many lines as it must, as `*` does in a file name pattern."""
    at, here = 0, 0
    resume = None
    while here < len(actual):
        if at < len(expected) and expected[at] == ANY_LINES:
            resume = (at + 1, here)
            at += 1
        elif at < len(expected) and line_matches(expected[at], actual[here]):
            at, here = at + 1, here + 1
        elif resume:
            at, here = resume[0], resume[1] + 1
            resume = (at, here)
        else:
            return False
    return all(line == ANY_LINES for line in expected[at:])


def line_matches(expected: str, actual: str) -> bool:
    """Equal, but for the durations."""
    return DURATION.sub("0 s", expected) == DURATION.sub("0 s", actual)


def rewrite(path: pathlib.Path, outputs: list[tuple[Exchange, list[str]]]) -> None:
    """Puts these outputs in place of the expected ones."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for exchange, actual in sorted(outputs, key=lambda output: -output[0].first):
        lines[exchange.first : exchange.last] = actual
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
