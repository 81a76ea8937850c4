"""Gives the prompt's tests a running prompt."""

import pytest
from screen import Screen


@pytest.fixture
def screen():
    """meta in a terminal, its first prompt drawn."""
    with Screen() as running:
        running.wait_for_prompt()
        yield running


@pytest.fixture
def start(tmp_path):
    """Starts prompts of 60 × 16 that share a home, `tmp_path`, and waits for the first prompt of each."""
    started = []

    def make(**options):
        running = Screen(**{"home": tmp_path, "columns": 60, "rows": 16} | options)
        started.append(running)
        running.wait_for_prompt()
        return running

    yield make
    for running in started:
        running.__exit__()
