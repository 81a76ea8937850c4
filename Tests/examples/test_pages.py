"""The pages of docs/examples and of the folders in it: every command on them, run by bash as it is written, prints what the page says."""

import difflib
import shutil

import console
import pytest
import transcripts
from session import ROOT

FOLDER = ROOT / "docs" / "examples"
SESSIONS = [(page, session) for page in sorted(FOLDER.glob("**/*.md")) for session in console.read(page)]


@pytest.mark.parametrize(("page", "session"), SESSIONS, ids=[f"{page.relative_to(FOLDER)}:{each[0].line}" for page, each in SESSIONS])
def test_page(page, session, tmp_path, pytestconfig):
    folder, home = tmp_path / "examples", tmp_path / "home"
    shutil.copytree(FOLDER, folder)
    home.mkdir()
    absent = console.absent_files(session)
    assert not absent, f"this machine lacks what the page reads: {', '.join(absent)}"
    outputs = console.run(session, folder / page.parent.relative_to(FOLDER), home)
    wrong = [(step, output) for step, output in zip(session, outputs) if not transcripts.matches(step.expected, output)]
    if wrong:
        # `--accept` writes these into the page, as it does for transcripts.
        pytestconfig.accepted.setdefault(page, []).extend(wrong)
    assert not wrong, "\n\n".join(describe(page, step, output) for step, output in wrong)
    assert len(outputs) == len(session)


def describe(page, step, output):
    lines = difflib.unified_diff(step.expected, output, "expected", "actual", lineterm="", n=2)
    return "\n".join([f"{page.relative_to(ROOT)}:{step.line}: $ {step.command}", *lines])


def test_every_example_has_a_page():
    shown = "".join(step.command for _, session in SESSIONS for step in session)
    assert [path.name for path in FOLDER.glob("*.meta") if path.name not in shown] == []
