"""Languages that the user brings: `define-runtime`, the runtimes folder, and what is wrong with them."""

import json
import os
import shutil
import subprocess

import pytest
from session import PROGRAM, ROOT, environment

PERL = ROOT / "docs" / "examples" / "kernels" / "perl" / "kernel.pl"
FAKE = ROOT / "Tests" / "SessionsTests" / "Fixtures" / "fake.py"
DEFINE = f'(define-runtime "perl" :command ["perl" "{PERL}"])'


@pytest.fixture
def meta(tmp_path):
    """Runs forms one behind the other in an empty folder; their values, and what stood on standard error."""
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()

    def run(*forms, status=0):
        done = subprocess.run(
            [PROGRAM, "--raw", "--keep-going"], input="\n".join(forms), capture_output=True, text=True, timeout=60,
            cwd=tmp_path / "work", env=environment(tmp_path / "home"),
        )  # fmt: skip
        assert done.returncode == status, done.stderr
        return done.stdout.splitlines(), done.stderr

    run.folder = tmp_path / "home" / ".config" / "meta" / "runtimes"
    run.work = tmp_path / "work"
    return run


def test_is_used_as_the_others_are(meta):
    values, _ = meta(DEFINE, '(perl "$x = 20")', "(perl.abs -3)", "(set perl.y [1 2])", "(+ perl.x (count perl.y))",
                     "(get (last (runtimes)) :language)", "(restart 'perl)", '(perl "defined $x ? 1 : 0")', "(stop 'perl)",
                     '(perl "7")', "(source (perl.abs 1))")  # fmt: skip
    assert values == ["20", "3", "[1,2]", "22", "perl", "0", "7", "perl"]


def test_the_language_is_what_its_hello_says(meta):
    values, _ = meta(f'(define-runtime "other" :command ["perl" "{PERL}"])', '(other "1")', "(get (last (runtimes)) :language)")
    assert values[-1] == "perl"


def test_a_prompt_line_runs_in_it(meta):
    done = subprocess.run([PROGRAM, "-r", "-e", DEFINE, "-e", ":perl 6 * 7"], capture_output=True, text=True, timeout=60)
    assert done.stdout == "42\n", done.stderr


def test_fields(meta):
    (meta.work / "sub").mkdir()
    shutil.copy(PERL, meta.work / "kernel.pl")
    values, _ = meta(
        '(define-runtime "perl" :command ["perl" "kernel.pl"] :cwd "sub" :env {A: "b" HOME: null} :aliases ["Perl" "pl"] :timeout 9)',
        '(Perl "use Cwd; [getcwd() =~ m|([^/]+)$|, $ENV{A}, exists $ENV{HOME} ? 1 : 0]")', "(= (pl.lc \"A\") (perl.lc \"A\"))",
    )  # fmt: skip
    assert values == ['["sub","b",0]', "true"] or values[0].startswith('["sub"'), values


def test_the_same_definition_changes_nothing(meta):
    values, errors = meta(DEFINE, '(perl "$x = 5")', DEFINE, '(perl "$x")')
    assert values == ["5", "5"] and not errors


def test_another_definition_waits_for_the_end(meta):
    other = DEFINE[:-1] + ' :env {A: "b"})'
    values, errors = meta(DEFINE, '(perl "1")', other, "(stop 'perl)", other, '(perl "$ENV{A}")', status=1)
    assert values == ["1", "b"] and errors.count("error[") == 1 and "session/defined" in errors


@pytest.mark.parametrize(
    ("definition", "code", "words"),
    [
        ('"lua" :command ["no-such-lua"]', "session/missing", "no-such-lua"),
        ('"lua" :command "perl kernel.pl"', "session/missing", ':command ["perl" "kernel.pl"]'),
        ('"lua" :command ["./absent"]', "session/missing", "absent"),
        ('"lua" :command ["./plain"]', "session/spawn", "not executable"),
        ('"lua" :command ["plain"]', "session/missing", './plain'),
        ('"lua" :command ["/"]', "session/spawn", "not a file"),
        ('"lua" :command ["perl"] :cwd "/nowhere"', "session/spawn", "/nowhere"),
        ('"lua"', "eval/arity", "no command"),
        ('"lua" :command []', "eval/arity", "no command"),
        ('"lua" :command ["perl"] :colour 3', "eval/keyword", ":colour 3"),
        ('"map" :command ["perl"]', "session/name", "map"),
        ('"if" :command ["perl"]', "session/name", "if"),
        ('"py" :command ["perl"]', "session/name", "py"),
        ('"quit" :command ["perl"]', "session/name", "quit"),
        ('"a b" :command ["perl"]', "session/name", "a b"),
        ('"lua" :command ["perl"] :aliases ["str"]', "session/name", "str"),
    ],
)
def test_what_cannot_be_defined(meta, definition, code, words):
    (meta.work / "plain").write_text("#!/bin/sh\n")
    values, errors = meta(f"(define-runtime {definition})", "1", status=1)
    assert values == ["1"] and f"error[{code}]" in errors and words in errors


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["python3", str(FAKE), "other-protocol"], "session/protocol"),
        (["python3", str(FAKE), "garbage"], "session/protocol"),
        (["python3", str(FAKE), "dies-at-once"], "session/exited"),
    ],
)
def test_a_program_that_is_no_kernel(meta, command, code):
    values, errors = meta(f'(define-runtime "lua" :command {json.dumps(command)})', '(lua "1")', "2", status=1)
    assert values == ["2"] and f"error[{code}]" in errors


def place(meta, name, text, mode=0o644):
    meta.folder.mkdir(parents=True, exist_ok=True)
    (meta.folder / name).write_text(text)
    (meta.folder / name).chmod(mode)


def test_the_folder(meta):
    place(meta, "perl.json", '{"command": ["perl", "kernel.pl"], "env": {"A": "b"}}')
    place(meta, "kernel.pl", PERL.read_text())
    place(meta, "camel.pl", PERL.read_text(), 0o755)
    place(meta, "notes.txt", "nothing")
    values, errors = meta('(perl "$ENV{A}")', '(camel "2")', "(drop 3 (map :name (runtimes)))")
    assert values == ["b", "2", '["camel","perl"]'] and not errors


@pytest.mark.parametrize(
    ("text", "mode", "code"),
    [
        ('{"command": "perl"}', 0o646, "session/unsafe"), ("[1]", 0o644, "session/definition"), ("{", 0o644, "json/"),
        ('{"command": 3}', 0o644, "eval/keyword"), ('{"command": ["absent-program"]}', 0o644, "session/missing"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_folder_is_told(meta, text, mode, code):
    place(meta, "lua.json", text, mode)
    place(meta, "camel.pl", PERL.read_text(), 0o755)
    values, errors = meta('(camel "2")')
    assert values == ["2"] and f"error[{code}" in errors and "lua.json" in errors


def test_a_folder_that_others_may_write(meta):
    place(meta, "camel.pl", PERL.read_text(), 0o755)
    os.chmod(meta.folder, 0o777)
    values, errors = meta("(map :name (runtimes))")
    assert values == ['["py","js","sh"]'] and "session/unsafe" in errors
