"""Every documented function: its text, its examples, run; no function twice; the page in docs is the one they make."""

import json
import os
import subprocess
import sys

import pytest
from session import PROGRAM, ROOT

# What an example cannot show here without ending the program, starting a runtime or printing: these have examples that
# are read by people only (no `=>`).
SHOWN_ONLY = {"exit", "include", "restart", "stop", "spawn", "define-runtime", "print", "doc", "why", "eval-in", "send-json"}


def evaluate(forms: list[str], *options: str) -> list:
    """The values of the forms, each on its own; none may fail."""
    run = subprocess.run(
        [PROGRAM, "--json", *options], input="\n".join(forms), capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
    return [json.loads(line)["data"] for line in run.stdout.splitlines()]


def documentation() -> dict[str, dict]:
    """What (doc-data name) says of each function, by name."""
    (rows,) = evaluate(["(map doc-data (functions))"])
    return {row["name"]: row for row in rows}


FUNCTIONS = documentation()
EXAMPLES = [(name, example) for name, row in FUNCTIONS.items() for example in row["examples"] if " => " in example]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_is_documented(name):
    row = FUNCTIONS[name]
    assert row["signature"].split(" ")[0].strip("()") == name
    assert len(row["text"]) > 5, "a docstring says what the function does"
    assert row["examples"], "a function has an example"
    if not any(" => " in example for example in row["examples"]):
        assert name.split(":")[0] in {"sh", "py", "js"} or name in SHOWN_ONLY, "an example shows the value"


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """All examples in one process: for each, whether both sides are of one value and kind, and how they print."""
    forms = []
    for _, example in EXAMPLES:
        form, expected = example.rsplit(" => ", 1)
        forms.append(f"(try (let (a {form} b {expected}) [(identical? a b) (str a) (str b)]) (catch e [false e.message]))")
    folder = tmp_path_factory.mktemp("examples")
    run = subprocess.run(
        [PROGRAM, "--json"], input="\n".join(forms), capture_output=True, text=True, timeout=120, cwd=folder
    )
    assert run.returncode == 0, run.stderr
    return [json.loads(line)["data"] for line in run.stdout.splitlines()]


@pytest.mark.parametrize("index", range(len(EXAMPLES)), ids=[example for _, example in EXAMPLES])
def test_example(index, outcomes):
    is_right, *texts = outcomes[index]
    assert is_right, " is not ".join(texts)


def test_no_function_has_two_names():
    """Names are compared as values: a function is `=` to itself alone."""
    names = list(FUNCTIONS)
    (counts,) = evaluate([f"(let (fs [{' '.join(names)}]) [(count fs) (count (unique fs))])"])
    assert counts[0] == counts[1] == len(names)


def test_there_are_about_200():
    """The functions over data and the system; those over arrays and those that reach runtimes are counted apart."""
    page = (ROOT / "docs" / "library.md").read_text(encoding="utf-8").split("\n## Buffers")[0]
    assert 140 <= page.count("\n**`(") <= 240


def test_the_page_is_current():
    page = subprocess.run(
        [sys.executable, ROOT / "scripts" / "library-page", "--print"],
        capture_output=True, text=True, check=True, timeout=60, env=os.environ | {"META_PROGRAM": str(PROGRAM)},
    ).stdout  # fmt: skip
    assert page == (ROOT / "docs" / "library.md").read_text(encoding="utf-8"), "run scripts/library-page"
