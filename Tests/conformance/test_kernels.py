"""The kernels that meta brings, and the example, graded: nothing fails, and what could not be tried is exactly this."""

import json
import subprocess

import pytest
from session import PROGRAM, ROOT

PERL = f"perl {ROOT / 'docs' / 'examples' / 'kernels' / 'perl' / 'kernel.pl'}"

# For each kernel the cases for which its language has nothing to try, with the reason that the report gives.
UNTRIED = {
    "py": {},
    "js": {
        "sockets-moved": "the language has no way to move a descriptor",
        "exec-log": "exec log",
        "foreign-release": "drop",
    },
    "sh": {"import-missing": "import", "raise-code": "raise", "raise-message": "raise"},
    "perl": {"raise-cause": "cause"},
}


@pytest.mark.parametrize("kernel", UNTRIED)
def test_is_graded_green(kernel):
    choice = ["--command", PERL] if kernel == "perl" else ["--runtime", kernel]
    run = subprocess.run([PROGRAM, "conformance", "--json", *choice], capture_output=True, text=True, timeout=300)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    cases = [line for line in lines if "case" in line]
    print("seed", lines[0]["seed"])
    assert [line for line in cases if line["verdict"] == "FAILED"] == []
    assert {line["case"]: line["why"] for line in cases if line["verdict"] != "ok"} == UNTRIED[kernel]
    assert run.returncode == 0 and len(cases) > 30
