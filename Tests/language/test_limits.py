"""Bad input at any size: a coded diagnostic and status 1, never a trap. Deep forms need the program's own stack."""

import os
import random
import subprocess

import pytest
from session import PROGRAM

SEED = int(os.environ.get("META_SEED") or random.randrange(10**9))


def run(text):
    data = text if isinstance(text, bytes) else text.encode()
    result = subprocess.run([PROGRAM, "--pretty"], input=data, capture_output=True, timeout=120, check=False)
    return result.returncode, result.stdout.decode(), result.stderr.decode()


@pytest.mark.parametrize("opening", ["(", "[", "{a ", "'", "f(", "`(", "#;", "{\"a\":["])
def test_a_million_levels(opening):
    status, _, errors = run(opening * 1_000_000)
    assert status == 1
    assert errors.startswith("error[reader/depth]")
    assert "^" in errors and len(errors) < 5000


def test_random_bytes():
    status, _, errors = run(random.Random(SEED).randbytes(10_000_000))
    assert status == 1, f"seed {SEED}"
    assert errors.startswith("error[reader/"), f"seed {SEED}: {errors[:200]}"


@pytest.mark.parametrize(
    "program,shown",
    [
        ("[" * 1000 + "1" + "]" * 1000, None),
        ("(+ 1 " * 990 + "1" + ")" * 990, "991"),
        ("(let (a 1) " * 900 + "a" + ")" * 900, "1"),
        ("(macro m (x) `(+ 1 ,x))" + "(m " * 900 + "1" + ")" * 900, "901"),
        ("(try " * 900 + "1" + ")" * 900, "1"),
        ("(json.parse \"" + "[" * 1000 + "]" * 1000 + "\")", None),
        ("(loop (i 0 f (fn (x) x)) (if (< i 1000000) (recur (+ i 1) (let (g f) (fn (x) (g x)))) :done))", ":done"),
    ],
)  # fmt: skip
def test_deep_programs_run(program, shown):
    status, output, errors = run(program)
    assert status == 0, errors[:500]
    assert shown is None or output.strip() == shown


@pytest.mark.parametrize(
    "program",
    [
        "(macro m () (eval '(m))) (m)",
        "(macro m (x) `(m ,x)) (m 1)",
        "(def f (n) (+ 1 (f n))) (f 1)",
        "(json.parse (str \"[[\" (json.stringify " + "[" * 999 + "]" * 999 + ") \"]]\"))",
    ],
)
def test_nesting_without_end_is_an_error(program):
    status, _, errors = run(program)
    assert status == 1
    assert "/depth]" in errors.splitlines()[0], errors[:300]
