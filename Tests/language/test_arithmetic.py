"""Arithmetic and comparison against Python's own: int and float are the oracle.

A failure prints its seed; META_SEED=… runs that seed again.
"""

import math
import operator
import os
import random
import subprocess

import pytest
from session import PROGRAM

SEED = int(os.environ.get("META_SEED") or random.randrange(10**9))
EDGES = [0, 1, -1, 2, 3, 7, 10, 2**31, 2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 10**30, -(10**30), 3**200]
FLOATS = [0.0, -0.0, 0.1, 0.5, 1.0, -1.5, 2.5, 7.0, 2.0**53, 2.0**63, 1e22, 1e300, -1e300, 5e-324, math.inf, -math.inf, math.nan]


def values(randomness):
    """Integers small and large, floats of every size."""
    big = [randomness.randrange(-(2**bits), 2**bits) for bits in (8, 40, 62, 64, 70, 128, 900) for _ in range(2)]
    floats = [randomness.uniform(-100, 100) for _ in range(3)] + [randomness.uniform(-1, 1) * 10.0 ** randomness.randrange(-300, 300) for _ in range(4)]
    return EDGES + FLOATS + big + floats


def form(value):
    if isinstance(value, int):
        return str(value)
    return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(repr(value), repr(value))


def show(value):
    """A kind and exact text, the same on both sides."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return form(value)


def divide(a, b):
    if b == 0:
        return "eval/divide"
    if isinstance(a, int) and isinstance(b, int):
        try:
            return a / b
        except OverflowError:
            return "eval/range"
    return float(a) / float(b)


def floor(a, b):
    return "eval/divide" if b == 0 else a // b


def modulo(a, b):
    return "eval/divide" if b == 0 else a % b


OPERATORS = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": divide, "//": floor, "mod": modulo,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq,
}  # fmt: skip


def expected(name, a, b):
    try:
        return OPERATORS[name](a, b)
    except OverflowError:
        return "eval/range"



@pytest.mark.parametrize("name", OPERATORS)
def test_operator(name):
    """The operator between every two values, called where it stands and as a value."""
    pairs = [(a, b) for a in values(random.Random(SEED)) for b in values(random.Random(SEED + 1))]
    wanted = [(a, b, want) for a, b in pairs for want in [expected(name, a, b)]]
    lines = ["(def apply-it (f a b) (try (str (f a b)) (catch e e.code)))"]
    lines += [f"(try (str ({name} {form(a)} {form(b)})) (catch e e.code))" for a, b, _ in wanted]
    lines += [f"(apply-it {name} {form(a)} {form(b)})" for a, b, _ in wanted]
    result = subprocess.run(
        [PROGRAM, "--raw"], input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=300, check=False
    )
    answers = result.stdout.splitlines()
    assert len(answers) == 2 * len(wanted), f"seed {SEED}: {result.stderr[:1000]}"
    wrong = []
    for (a, b, want), answer in zip(wanted + wanted, answers):
        text = want if isinstance(want, str) else show(want)
        if answer != text and not same_float(answer, want):
            wrong.append(f"({name} {form(a)} {form(b)}) is {text}, got {answer}")
    assert not wrong, f"seed {SEED}: {len(wanted)} pairs, {len(wrong)} wrong:\n" + "\n".join(wrong[:20])


def same_float(answer, want):
    """Two spellings of one float: the same bits, and no integer."""
    if isinstance(want, (str, int)) or answer.lstrip("-").isdigit():
        return False
    try:
        got = float(answer)
    except ValueError:
        return False
    if math.isnan(want):
        return math.isnan(got)
    return got == want and math.copysign(1, got) == math.copysign(1, want)


@pytest.mark.parametrize("name,oracle", [("floor", math.floor), ("ceil", math.ceil), ("trunc", math.trunc), ("round", round)])
def test_rounding(name, oracle):
    """Floats to integers; half to even."""
    numbers = [value for value in values(random.Random(SEED)) + [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 1e22, 2.0**52 + 0.5] if math.isfinite(value)]
    lines = [f"({name} {form(value)})" for value in numbers]
    result = subprocess.run(
        [PROGRAM, "--raw"], input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=60, check=False
    )
    got = dict(zip(lines, result.stdout.splitlines()))
    wrong = [(line, got.get(line), oracle(value)) for line, value in zip(lines, numbers) if got.get(line) != str(oracle(value))]
    assert not wrong, f"seed {SEED}: {wrong[:10]} {result.stderr[:300]}"
