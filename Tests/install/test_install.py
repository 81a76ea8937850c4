"""`scripts/install`, as `make install` calls it, into a folder of its own: what lies where, and that it works there."""

import os
import re
import subprocess

import pytest
from session import PROGRAM, ROOT, environment

INSTALLED = {
    "bin/meta": 0o755,
    "share/man/man1/meta.1": 0o644,
    "share/bash-completion/completions/meta": 0o644,
    "share/zsh/site-functions/_meta": 0o644,
    "share/fish/vendor_completions.d/meta.fish": 0o644,
    "share/doc/meta/LICENSE": 0o644,
}
OPTIONS = ["--buffer-limit", "--exec", "--json", "--raw", "--pretty", "--keep-going", "--version", "--help"]


def run(*command, **options):
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, **options)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """An installation under DESTDIR, PREFIX as a packager gives it."""
    destination = tmp_path_factory.mktemp("staging")
    configuration = "debug" if "debug" in PROGRAM.parts else "release"
    names = {"META_PROGRAM": str(PROGRAM), "META_CONFIGURATION": configuration}
    told = run(ROOT / "scripts" / "install", destination, "/usr/local", env=os.environ | names, cwd="/")
    prefix = destination / "usr" / "local"
    assert told.splitlines() == [str(prefix / name) for name in INSTALLED]
    return prefix


def test_everything_is_there_and_nothing_else(prefix):
    files = [path for path in prefix.parent.parent.rglob("*") if path.is_file()]
    assert {str(path.relative_to(prefix)): path.stat().st_mode & 0o777 for path in files} == INSTALLED


def test_the_program_runs_from_there(prefix, tmp_path):
    variables = environment(tmp_path)
    assert run(prefix / "bin/meta", "-r", "-e", '(+ 1 (py "1"))', env=variables, cwd=tmp_path) == "2\n"


def test_the_manual_has_every_option_and_no_more(prefix):
    """Its source; that `man` renders it without a warning is for `make test-install`, which needs man."""
    source = (prefix / "share/man/man1/meta.1").read_text()
    assert re.findall(r"^\.Sh \"?([A-Z ]+)", source, re.MULTILINE) == [
        "NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES", "SEE ALSO",
    ]
    assert [option for option in OPTIONS if f"Fl {option.removeprefix('-')}" not in source] == []
    lines = source.splitlines()
    assert sum(line.startswith(".Bl ") for line in lines) == lines.count(".El")
    assert "subcommand" not in source


def test_bash_completes(prefix):
    """As bash would on Tab: the function gets the words and leaves the matches."""
    script = f"""
        source {prefix}/share/bash-completion/completions/meta
        COMP_WORDS=(meta --) COMP_CWORD=1 COMP_LINE="meta --" COMP_POINT=7
        _meta meta -- meta
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    assert sorted(run("bash", "-c", script).split()) == sorted(OPTIONS)


def test_the_other_shells_know_every_option(prefix):
    zsh = (prefix / "share/zsh/site-functions/_meta").read_text()
    fish = (prefix / "share/fish/vendor_completions.d/meta.fish").read_text()
    assert zsh.startswith("#compdef meta")
    for option in OPTIONS:
        assert option in zsh
        assert f"-l '{option.removeprefix('--')}'" in fish or f"-l {option.removeprefix('--')}" in fish


def test_a_relative_prefix_is_refused(tmp_path):
    result = subprocess.run([ROOT / "scripts" / "install", tmp_path, "usr"], capture_output=True, text=True, timeout=60)
    assert result.returncode == 2
    assert "an absolute path" in result.stderr
