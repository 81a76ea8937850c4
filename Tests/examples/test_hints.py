"""What a newcomer gets wrong on the command line, and what meta says then."""

import subprocess

import pytest
from session import PROGRAM


@pytest.mark.parametrize(
    ("words", "help"),
    [
        (["(+ 1 2)"], "a form to evaluate stands behind -e"),
        (["-e", "(sh.echo 'hi')"], "a string takes double quotes"),
        (["-e", "(sh.ls null)"], "null is what an absent key, index or argument gives"),
    ],
)
def test_hint(words, help):
    result = subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=60)
    assert result.returncode == 1
    assert help in result.stderr
