"""Every function, called with arguments it never asked for, answers with a value or a coded error: it neither crashes
nor hangs nor runs out of memory.

Left out by name, because what they do is not an answer: exit ends the program; the functions that start, steer or talk to
runtimes are the sessions' tests' business; include, eval and print act on whatever text they are given.
"""

import itertools
import json
import random
import subprocess

import pytest
from session import PROGRAM

LEFT_OUT = {
    "exit", "include", "print", "why", "doc", "eval", "spawn", "restart", "stop", "runtimes", "eval-in", "send-json",
    "receive-json", "py", "js", "sh",
}

VALUES = [
    "null", "true", "-1", "0", "3", "1e308", "1000000000000", "9223372036854775807", "-9223372036854775808",
    "(math.pow 10 30)", "(- (math.pow 10 30))", "math.nan", "(- math.inf)", "0.5", '""', '"héllo"', '"(a+)+$"', "'sym",
    ":key", "[]", "[1 2 3]", '[[1 2] ["a" null]]', "[math.nan null :k]", "{}", "{a: 1 b: [2]}", "inc", "+",
    "(fn () (throw 1))", "(fn (x) x)", '(MetaObject "py" [3 1 2])', '(MetaObject "py" -9223372036854775808)', "deep",
    "(try (throw 1) (catch e e))", '"/nonexistent/x"', '"a\\u0000b"',
]  # fmt: skip

PRELUDE = "(def deep (loop (i 0 v []) (if (< i 990) (recur (inc i) [v]) v)))\n"


def functions() -> list[str]:
    run = subprocess.run([PROGRAM, "--json", "-e", "(functions)"], capture_output=True, text=True, check=True)
    return [name for name in json.loads(run.stdout)["data"] if name not in LEFT_OUT and ":" not in name]


def calls(name: str, seed: int) -> list[str]:
    """No argument, one, every pair; of three and four a sample."""
    chance = random.Random(seed)
    chosen = [[]] + [[value] for value in VALUES] + [list(pair) for pair in itertools.product(VALUES, VALUES)]
    chosen += [[chance.choice(VALUES) for _ in range(count)] for count in (3, 4) for _ in range(150)]
    return [f"({' '.join([name, *arguments])})" for arguments in chosen]


@pytest.mark.parametrize("name", functions())
def test_answers(name, tmp_path):
    seed = random.randrange(2**32)
    print("seed", seed)
    forms = calls(name, seed)
    # `try` gives the error's code; the type of the value is enough to see that there is one.
    text = PRELUDE + "\n".join(f'(try (type {form}) (catch e (str "!" e.code)))' for form in forms)
    try:
        run = subprocess.run(
            [PROGRAM, "--raw"], input=text, capture_output=True, text=True, timeout=60, cwd=tmp_path,
            preexec_fn=limit_memory,
        )  # fmt: skip
    except subprocess.TimeoutExpired as late:
        lines = (late.stdout or b"").decode().splitlines()
        pytest.fail(f"no answer in time: {forms[min(len(lines), len(forms) - 1)]}")
    lines = run.stdout.splitlines()
    assert run.returncode == 0, f"{forms[min(len(lines), len(forms) - 1)]} ended it: {run.stderr[:2000]}"
    assert len(lines) == len(forms)
    for form, line in zip(forms, lines):
        assert not line.startswith("!") or "/" in line, f"{form}: {line}"
        assert line != "!eval/unknown", form


def limit_memory():
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
