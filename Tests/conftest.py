"""Collects transcripts, from Tests/transcripts and from the documents, and lets no test be skipped without a word."""

import difflib
import pathlib
import sys

import pytest
import transcripts
from session import PROGRAM, ROOT, Broken, Session

DOCUMENTS = ["README.md", "docs/**/*.md"]


def pytest_addoption(parser):
    parser.addoption("--accept", action="store_true", help="rewrite the expected output of transcripts that differ")


def pytest_configure(config):
    config.accepted = {}
    # Registered by itself, because what a conftest.py says holds for its own folder only, and documents lie outside.
    config.pluginmanager.register(Collector())


def pytest_sessionstart(session):
    if not PROGRAM.exists():
        pytest.exit(f"{PROGRAM} is missing: run `make build` first", returncode=1)


class Collector:
    """Takes in transcripts and the documents that hold some."""

    def pytest_collect_file(self, file_path, parent):
        if file_path.suffix in (".transcript", ".md"):
            return TranscriptFile.from_parent(parent, path=file_path)
        return None


class TranscriptFile(pytest.File):
    """A file of transcripts, one test for each session."""

    def collect(self):
        for transcript in transcripts.read(self.path):
            yield TranscriptTest.from_parent(self, name=f"line {transcript.line}", transcript=transcript)


class TranscriptTest(pytest.Item):
    """One session, from its first prompt to the end."""

    def __init__(self, *, transcript, **rest):
        super().__init__(**rest)
        self.transcript = transcript

    def runtest(self):
        files = self.path.with_suffix(".files")
        wrong = []
        # Transcripts of arrays are for a Python that has NumPy and Pillow: the one that runs this.
        python = sys.executable if self.path.parent.name == "arrays" else None
        with Session(files if files.is_dir() else None, python=python) as session:
            exchanges = self.transcript.exchanges
            for exchange in exchanges:
                answer = session.finish if exchange is exchanges[-1] else session.evaluate
                try:
                    actual = answer(exchange.form)
                except Broken as broken:
                    raise Mismatch([*wrong, self.describe(exchange, broken.args[1], broken.args[0])]) from None
                if not transcripts.matches(exchange.expected, actual):
                    wrong.append(self.describe(exchange, actual))
                    self.config.accepted.setdefault(self.path, []).append((exchange, actual))
        if wrong:
            raise Mismatch(wrong)

    def describe(self, exchange, actual, reason=None):
        """A unified difference under the place of the prompt."""
        heading = f"{self.path.relative_to(ROOT)}:{exchange.line}: {transcripts.PROMPT}{exchange.form.splitlines()[0]}"
        lines = difflib.unified_diff(exchange.expected, actual, "expected", "actual", lineterm="", n=2)
        return "\n".join([heading] + ([reason] if reason else []) + list(lines))

    def repr_failure(self, excinfo):
        if isinstance(excinfo.value, (Mismatch, transcripts.Malformed)):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self):
        return self.path, self.transcript.line - 1, f"{self.path.relative_to(ROOT)}:{self.transcript.line}"


class Mismatch(Exception):
    """What differs, exchange by exchange."""

    def __str__(self):
        return "\n\n".join(self.args[0])


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session):
    """Documents lie outside Tests: a run of all tests takes them in."""
    whole = {str(ROOT / "Tests"), str(ROOT / "Tests" / "transcripts"), str(ROOT)}
    if any(str(pathlib.Path(arg).resolve()) in whole for arg in session.config.args):
        documents = [path for pattern in DOCUMENTS for path in sorted(ROOT.glob(pattern))]
        session.config.args.extend(str(path) for path in documents if transcripts.read(path))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    for path, outputs in session.config.accepted.items():
        if session.config.getoption("--accept"):
            transcripts.rewrite(path, outputs)
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and reporter.stats.get("skipped") and session.exitstatus == 0:
        reporter.write_line("a skipped test counts as a failure: say what it needs in scripts/setup instead", red=True)
        session.exitstatus = 1
