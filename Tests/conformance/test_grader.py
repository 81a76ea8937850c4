"""The grader itself: a kernel that breaks one rule fails the cases of that rule and no other, and ends nothing else."""

import json
import pathlib
import subprocess
import sys

import pytest
from session import PROGRAM

TAMPER = pathlib.Path(__file__).parent / "tamper.py"

# Each fault with the cases that must fail.
FAULTS = {
    "none": [],
    "odd-version": ["hello-protocol"],
    "invents-operations": ["hello-operations"],
    "nameless": ["hello-fields"],
    "hides-an-operation": ["undeclared-operations"],
    "chokes-on-fields": ["unknown-fields"],
    "numbers-what-it-cannot-read": ["unreadable-header"],
    "takes-any-body": ["unreadable-body"],
    "replies-before-it-prints": ["output-first"],
    "untyped": ["eval-type"],
    "answers-twice": ["status"],
    "misnames-what-is-missing": ["get-missing"],
    "rounds-integers": ["value-large-integers"],
    "empties-infinity": ["value-special-floats"],
    "lists-what-is-unlisted": ["ref-unlisted"],
    "never-drops": ["ref-released"],
    "keeps-foreign-objects": ["foreign-release"],
    "miscounts-items": ["items"],
    "forgets-frames": ["raise-frames"],
    "forgets-frames-of-others": ["upcall-error"],
    "forgets-causes": ["raise-cause"],
    "forgets-paths": ["cycle"],
    "misnames-depth": ["depth-out"],
    "deaf": ["output-live", "interrupt-running", "interrupt-waiting", "interrupt-keeps-state"],
    "leaves-its-sockets": ["sockets-moved"],
    "outlives-its-socket": ["ends-with-its-socket", "ends-without-hello"],
    "hangs": ["ref-inspect"],
    "dies": ["ref-inspect"],
    "floods": ["ref-inspect"],
    "answers-garbage": ["ref-inspect"],
}


def grade(*options):
    """The exit status, and the lines of the report as objects."""
    run = subprocess.run(
        [PROGRAM, "conformance", "--json", *options], capture_output=True, text=True, timeout=180
    )
    assert not run.stderr or run.returncode != 2, run.stderr
    return run.returncode, [json.loads(line) for line in run.stdout.splitlines()]


def groups(cases):
    """The options for the groups that these cases are in, and for those of plain requests and errors."""
    run = subprocess.run([PROGRAM, "conformance", "--list"], capture_output=True, text=True, check=True)
    titles = {name: title for title, name in (line.split() for line in run.stdout.splitlines())}
    chosen = {"requests", "errors", *(titles[case] for case in cases)}
    return [word for title in sorted(chosen) for word in ("--only", title)]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_rule_is_named(fault):
    limit = "5" if fault in ("hangs", "floods", "deaf") else "30"
    status, lines = grade(
        "--command", f"{sys.executable} {TAMPER} {fault}", "--seed", "5", "--limit", limit, *groups(FAULTS[fault])
    )
    failed = [line for line in lines if line.get("verdict") == "FAILED"]
    assert [line["case"] for line in failed] == FAULTS[fault], failed
    assert status == (1 if failed else 0)
    assert lines[-1]["failed"] == FAULTS[fault]
    for line in failed:
        assert line["why"] and line["rule"].startswith("must ")


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("no-such-program", "session/missing"), ("true", "the kernel ended: exit status 0"), ("cat /etc/hostname", "the kernel ended"),
        ("sleep 100", "no answer in time"),
    ],
)  # fmt: skip
def test_what_is_no_kernel_fails_every_case(command, why):
    status, lines = grade("--command", command, "--only", "hello-first", "--only", "status", "--limit", "1")
    failed = [line for line in lines if line.get("verdict") == "FAILED"]
    assert status == 1 and [line["case"] for line in failed] == ["hello-first", "status"]
    assert all(why in line["why"] for line in failed), failed


@pytest.mark.parametrize(
    "options", [[], ["--only", "nothing", "--runtime", "py"], ["--runtime", "py", "--command", "x"], ["--runtime", "py", "--limit", "0"],
                ["--runtime", "py", "--samples", "/nonexistent"]],
)  # fmt: skip
def test_usage(options):
    run = subprocess.run([PROGRAM, "conformance", *options], capture_output=True, text=True, timeout=30)
    assert run.returncode == 2 and run.stderr


def test_the_same_seed_makes_the_same_values():
    reports = [grade("--runtime", "py", "--only", "value-generated", "--seed", "7")[1] for _ in range(2)]
    assert reports[0] == reports[1] and reports[0][0]["seed"] == 7
