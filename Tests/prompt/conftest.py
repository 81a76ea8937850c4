"""Gives the prompt's tests a running prompt."""

import pytest
from screen import Screen


@pytest.fixture
def screen():
    """meta in a terminal, its first prompt drawn."""
    with Screen() as running:
        running.wait_for_prompt()
        yield running
