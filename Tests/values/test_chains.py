"""The differential property: a value that goes through a chain of runtimes comes home as it was, or fails loudly.

Every chain of up to four of py, js, sh and meta, each with values of its own. `META_SEED` repeats a run; `META_VALUES` is how
many values go through each chain (4 unless told; `make test-values` takes 200).
"""

import itertools
import os
import random

import models
import pytest
from exchange import Exchange, Refused
from generate import Generator

SEED = int(os.environ.get("META_SEED") or random.randrange(2**32))
COUNT = int(os.environ.get("META_VALUES") or 4)
RUNTIMES = ["py", "js", "meta", "sh"]
STEPS = {
    "py": '(py "x" :x {})', "js": '(js "x" :x {})', "meta": "(unwrap {})", "sh": '(sh "printf %s \\"$x\\"" :x {})',
}  # fmt: skip
CHAINS = [chain for length in range(1, 5) for chain in itertools.product(RUNTIMES, repeat=length)]


@pytest.fixture(scope="module")
def exchange():
    with Exchange() as exchange:
        yield exchange


@pytest.mark.parametrize("start", RUNTIMES)
def test_values_come_home(exchange, start):
    print(f"META_SEED={SEED}")
    for chain in CHAINS:
        if chain[0] == start:
            for index in range(COUNT):
                seed = f"{SEED} {'→'.join(chain)} {index}"
                # A path is all that the shell has of bytes, another one each time.
                value = Generator(seed).value()
                if not ("sh" in chain and isinstance(value, models.Tag) and value.type == "Bytes"):
                    check(exchange, chain, value, seed)


def check(exchange, chain, value, seed):
    expected, code = expectation(chain, value)
    form = models.form(value)
    for step in chain:
        form = STEPS[step].format(form)
    try:
        home = exchange.value(form)
    except Refused as refusal:
        assert refusal.args[0] == code, f"{seed}: {value} failed with {refusal}, wanted {code or expected}"
        return
    assert code is None, f"{seed}: {value} came home as {home}, but should have failed with {code}"
    assert models.same(home, expected), f"{seed}: {value}\n came home as {home}\n wanted       {expected}\n{form}"


def expectation(chain, value):
    """What comes home, or the code of the error on the way."""
    try:
        for step in chain:
            value = models.through(step, value)
        return value, None
    except models.Fails as failure:
        return None, failure.args[0]
