"""Contenders take turns, A B A B, in one run after a warm-up; what counts is the ratio of their medians."""

import dataclasses
import os
import statistics
import sys
from collections.abc import Callable, Iterable

from programs import Unavailable

Sampler = Callable[[], float]


@dataclasses.dataclass
class Row:
    """One comparison. A sampler runs its contender once and returns its figure, in `unit` (ms, µs, MiB, B or %).

    `target` is the largest ratio meta may have to the contender; None where there is none.
    """

    title: str
    ours: Sampler
    against: str
    theirs: Sampler
    target: float | None
    unit: str = "ms"
    rounds: int = 15
    pinned: bool = False


@dataclasses.dataclass
class Result:
    """Medians of a row, or why it could not be measured."""

    row: Row
    ours: float = 0.0
    theirs: float = 0.0
    failure: str | None = None

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs

    @property
    def falls_short(self) -> bool:
        return self.failure is not None or (self.row.target is not None and self.ratio > self.row.target)


def run(row: Row) -> Result:
    """Measures a row. A contender that fails is a result that says so: the other rows are still worth having."""
    before = os.sched_getaffinity(0)
    if row.pinned:
        # Children inherit it: both ends of every conversation share this core.
        os.sched_setaffinity(0, {min(before)})
    try:
        row.ours(), row.theirs()
        turns = [(row.ours(), row.theirs()) for _ in range(row.rounds)]
    except Unavailable as error:
        return Result(row, failure=f"not available: {error}")
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        return Result(row, failure=f"failed: {reason[:160]}")
    finally:
        os.sched_setaffinity(0, before)
    ours, theirs = (statistics.median(figures) for figures in zip(*turns))
    return Result(row, ours, theirs)


def run_all(rows: Iterable[Row]) -> list[Result]:
    """Measures every row, telling each on standard error as it is done."""
    results = []
    for row in rows:
        results.append(run(row))
        print(plain(results[-1]), file=sys.stderr, flush=True)
    return results


def plain(result: Result) -> str:
    """One line for a reader who waits."""
    if result.failure:
        return f"no figure    {result.row.title}: {result.failure}"
    verdict = "falls short" if result.falls_short else "ok"
    row = result.row
    return f"{verdict:<12} {row.title}: {result.ratio:.2f}× {row.against}{limit(row, ' (target ', ')')}"


def limit(row: Row, before: str = "", after: str = "") -> str:
    return "" if row.target is None else f"{before}≤ {row.target:.3g}×{after}"


def table(results: list[Result]) -> str:
    """A Markdown table, a line for each row."""
    lines = ["| Row | meta | Contender | its figure | Ratio | Target | |", "|---|--:|---|--:|--:|--:|---|"]
    for result in results:
        row = result.row
        title = row.title.replace("|", "\\|")
        against = row.against.replace("|", "\\|")
        if result.failure:
            reason = result.failure.replace("|", "\\|")
            lines.append(f"| {title} | – | {against} | – | – | {limit(row)} | **{reason}** |")
            continue
        verdict = "**falls short**" if result.falls_short else ""
        figures = f"{figure(result.ours, row.unit)} | {against} | {figure(result.theirs, row.unit)}"
        lines.append(f"| {title} | {figures} | {result.ratio:.2f} | {limit(row)} | {verdict} |")
    return "\n".join(lines)


def figure(value: float, unit: str) -> str:
    return f"{value:.3g} {unit}" if value < 100 else f"{value:.0f} {unit}"
