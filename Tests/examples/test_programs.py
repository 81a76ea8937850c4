"""The examples' programs on input that nobody wrote for them, against a second reckoning by other means."""

import csv
import io
import json
import pathlib
import subprocess
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from session import PROGRAM, ROOT

EXAMPLES = ROOT / "docs" / "examples"


def run(*words, text="", cwd=EXAMPLES):
    result = subprocess.run([PROGRAM, *words], input=text.encode(), capture_output=True, timeout=60, cwd=cwd)
    assert result.returncode == 0, result.stderr.decode()
    return result.stdout.decode()


def git(*words):
    command = ["git", "-C", ROOT, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def test_report_of_this_repository(record_property):
    """Its numbers of commits and lines are git's own. Without history here there is nothing to count, which is said."""
    found = subprocess.run(["git", "-C", ROOT, "rev-parse", "--is-shallow-repository"], capture_output=True, text=True)
    if found.stdout.strip() != "false":
        why = "is shallow" if found.stdout.strip() == "true" else f"has no history: {found.stderr.strip()}"
        warnings.warn(f"{ROOT} {why}; the report was made of the small repository alone", stacklevel=1)
        return
    form = "(map #(select-keys # [:author :commits :added :removed]) rows)"
    rows = json.loads(run("-r", "-e", '(include "git-report.meta")', "-e", form, ROOT))
    assert {row["author"]: row["commits"] for row in rows} == commits_by_author()
    lines = [line.split("\t") for line in git("log", "--no-merges", "--no-renames", "--numstat", "--format=").splitlines()]
    for column, name in enumerate(("added", "removed")):
        assert sum(row[name] for row in rows) == sum(int(line[column]) for line in lines if len(line) > 2 and line[0] != "-")


def commits_by_author():
    counts = [line.strip().split("\t") for line in git("shortlog", "-sn", "--no-merges", "HEAD").splitlines()]
    return {author: int(count) for count, author in counts}


def test_every_number_of_the_report_knows_its_way(tmp_path):
    subprocess.run(["bash", EXAMPLES / "fruit.sh"], cwd=tmp_path, check=True, timeout=60)
    form = """(each row table (each column [:commits :added :share :removed :median :days :first :last]
                (print (why (get row column)))))"""
    printed = run("--pretty", "-e", f'(include "{EXAMPLES}/git-report.meta")', "-e", form, tmp_path / "fruit")
    ways = printed.split("\n", 4)[4]
    # Three authors, eight cells each: made in Node, of Python's reckoning, of what git said.
    assert ways.count("  js ") == 24
    assert ways.count("  sh ") >= 24
    assert ways.count("  py ") == 3 * ways.count("  sh ")


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=8)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=6))
def test_csv_keeps_every_cell(rows):
    """Quotes, separators and line ends of any kind come back as they went in."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["a", "b", "c"], *rows])
    printed = run("csv-filter.meta", "-", "(fn (row) true)", text=text.getvalue())
    assert list(csv.reader(io.StringIO(printed, newline=""))) == [["a", "b", "c"], *rows]
    objects = run("csv-filter.meta", "-", "(fn (row) true)", "json", text=text.getvalue())
    assert [list(json.loads(line).values()) for line in objects.split("\n")[:-1]] == rows


@pytest.mark.parametrize(
    ("file", "package", "form", "reckoning"),
    [
        (
            "/usr/share/zoneinfo/tzdata.zi", "tzdata",
            '(frequencies (map #(first #) (remove empty? (lines stdin))))',
            lambda text: dict(zip(*count([line[0] for line in text.splitlines() if line]))),
        ),
        (
            "/var/lib/dpkg/status", "dpkg",
            '(count (re.find-all "(?m)^Package: \\\\S+$" stdin))',
            lambda text: sum(line.startswith("Package: ") for line in text.split("\n")),
        ),
        (
            "/usr/share/common-licenses/GPL-3", "base-files",
            '(js "words.reduce((n, w) => n + w.length, 0)" :words (re.split "\\\\s+" stdin))',
            lambda text: sum(map(len, text.split())),
        ),
        (
            "/etc/passwd", "base-passwd",
            '(object-from (map #(take 2 #) (map #(split # ":") (remove empty? (lines stdin)))))',
            lambda text: dict(line.split(":")[:2] for line in text.splitlines()),
        ),
    ],
    ids=["time zones", "packages", "words", "users"],
)
def test_files_of_the_system(file, package, form, reckoning):
    path = pathlib.Path(file)
    assert path.exists(), f"this machine lacks {file} (Debian: {package})"
    text = path.read_text(encoding="utf-8")
    assert json.loads(run("-r", "-e", form, text=text)) == reckoning(text)


def count(items):
    """The distinct items in the order they came, and how often each came."""
    names = list(dict.fromkeys(items))
    return names, [items.count(name) for name in names]
