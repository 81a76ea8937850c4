"""Deaths and bad behaviour of the real interpreters: a clear error, every other session intact, no hang."""

import os
import pathlib
import signal
import stat
import subprocess

import pytest

KEEP = ['(py "kept = 41")', '(js "let kept = 42")', '(sh "kept=43")']
CHECK = {"py": '(py "kept")', "js": '(js "kept")', "sh": '(sh "echo $kept")'}
KEPT = {"py": "41", "js": "42", "sh": '"43"'}

DEATHS = [
    ("py", '(py "import os; os._exit(3)")', "session/exited", "exit status 3"),
    ("py", '(py "import ctypes; ctypes.string_at(0)")', "session/killed", "SIGSEGV"),
    ("py", '(py "import os; os.kill(os.getpid(), 9)")', "session/killed", "SIGKILL"),
    ("py", '(py "import os; os.abort()")', "session/killed", "SIGABRT"),
    ("js", '(js "process.exit(4)")', "session/exited", "exit status 4"),
    ("js", '(js "process.abort()")', "session/killed", "SIGABRT"),
    ("js", '(js "process.kill(process.pid, \'SIGKILL\')")', "session/killed", "SIGKILL"),
    ("sh", '(sh "builtin exit 5")', "session/exited", "exit status 5"),
    ("sh", '(sh "kill -9 $$")', "session/killed", "SIGKILL"),
]


def results(output: str) -> list[str]:
    return [line.split("  ;")[0] for line in output.splitlines()]


@pytest.mark.parametrize("name, form, code, words", DEATHS, ids=[d[0] + " " + d[3] for d in DEATHS])
def test_a_death_takes_one_session_and_says_why(meta, name, form, code, words):
    others = [other for other in CHECK if other != name]
    text = "\n".join([*KEEP, form, *(CHECK[other] for other in others), f'({name} "{afresh(name)}")'])
    run = meta("--pretty", "--keep-going", stdin=subprocess.PIPE)
    status, output, errors = run.finish(text.encode())
    assert status == 1
    assert f"error[{code}]: session {name} " in errors and words in errors
    assert errors.count("error[") == 1
    assert results(output)[-3:] == [*(KEPT[other] for other in others), "7" if name != "sh" else '"7"']
    run.wait_until_nothing_is_left()


def afresh(name: str) -> str:
    """Code whose value is 7 when nothing is left of what the session held."""
    return {"py": "1 if 'kept' in globals() else 7", "js": "typeof kept === 'undefined' ? 7 : 1", "sh": "echo ${kept:-7}"}[name]


def test_a_death_reports_the_last_lines_and_the_code(evaluate):
    status, _, errors = evaluate("(py \"import os, sys; print('last words', file=sys.stderr, flush=True); os._exit(3)\")")
    assert status == 1 and "last words" in errors and "os._exit(3)" in errors


def test_a_death_while_idle_is_told_and_the_session_starts_afresh(meta):
    run = meta("--pretty", "--keep-going", stdin=subprocess.PIPE)
    run.process.stdin.write(b"(py.os.getpid)\n")
    run.process.stdin.flush()
    pid = int(run.process.stdout.readline().split()[0])
    os.kill(pid, signal.SIGKILL)
    assert b"session py was killed by SIGKILL" in run.process.stderr.readline()
    status, output, errors = run.finish(b"(py \"'os' in globals()\")\n")
    assert (status, results(output)) == (0, ["false"]), errors


FLOODS = {
    "py": "(py \"import sys\\nfor _ in range(1600): sys.stdout.write('x' * 65535 + chr(10))\\nNone\")",
    "py without newlines": "(py \"import sys\\nfor _ in range(1600): sys.stdout.write('x' * 65536)\\nNone\")",
    "py stderr": "(py \"import sys\\nfor _ in range(1600): sys.stderr.write('x' * 65536)\\nNone\")",
    "js": "(js \"for (let i = 0; i < 1600; i++) console.log('x'.repeat(65536)); null\")",
    "sh stderr": '(do (sh "head -c 100000000 /dev/zero | tr \\\\\\\\0 x >&2") null)',
}


@pytest.mark.parametrize("form", FLOODS.values(), ids=FLOODS.keys())
def test_a_flood_passes_through(evaluate, form):
    status, output, errors = evaluate(KEEP[1], form, CHECK["js"])
    assert status == 0, errors[-300:]
    assert output.count("x") + errors.count("x") >= 100_000_000
    assert results(output[-40:])[-1].endswith("42")


DESCRIPTORS = {
    "py closes": ("(py \"import os; kept = 41; os.closerange(0, 10); kept\")", '(py "kept")', "41"),
    "py opens 3": ("(py \"import os; kept = 41; f = os.open('file', 65, 0o600); os.dup2(f, 3); os.write(3, b'x'); kept\")", '(py "kept")', "41"),
    "sh exec 3": ('(sh "kept=43; exec 3>file 4>file2; echo hello >&3")', '(sh "echo $kept")', '"43"'),
    "sh closes": ('(sh "kept=43; exec 0<&- 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-")', '(sh "echo $kept")', '"43"'),
}


@pytest.mark.parametrize("first, then, value", DESCRIPTORS.values(), ids=DESCRIPTORS.keys())
def test_descriptors_are_the_users(evaluate, first, then, value):
    status, output, errors = evaluate(first, then, CHECK_OTHER := '(js "1 + 1")', then)
    assert CHECK_OTHER and status == 0, errors
    assert results(output)[-1] == value


def test_a_shell_without_output_says_so(meta):
    forms = ['(js "let kept = 42")', '(sh "exec 1>&- 2>&-")', '(sh "echo x")', '(js "kept")']
    run = meta("--pretty", "--keep-going", stdin=subprocess.PIPE)
    status, output, errors = run.finish("\n".join(forms).encode())
    assert status == 1 and "error[runtime/status]" in errors
    assert results(output)[-1] == "42", errors


FORKS = {
    "a fork that goes on": "(py \"import os\\nif os.fork() == 0:\\n    import time; time.sleep(0.2)\\nelse: pass\\nNone\")",
    "multiprocessing": "(py \"import multiprocessing as m\\nwith m.get_context('fork').Pool(2) as pool: r = pool.map(abs, [-1, -2])\\nr\")",
    "a fork that exits": "(py \"import os\\nif os.fork() == 0: os._exit(3)\\nos.wait()[1] >> 8\")",
    "a fork that raises": "(py \"import os\\nif os.fork() == 0: raise SystemExit\\nos.wait(); None\")",
}


@pytest.mark.parametrize("form", FORKS.values(), ids=FORKS.keys())
def test_a_fork_does_not_answer_for_its_parent(meta, form):
    run = meta("--pretty", "--keep-going", "-e", '(py "kept = 41")', "-e", form, "-e", CHECK["py"])
    status, output, errors = run.finish()
    assert (status, results(output)[-1]) == (0, "41"), errors
    run.wait_until_nothing_is_left()


def test_output_after_the_reply_is_shown(meta):
    run = meta("--pretty", stdin=subprocess.PIPE)
    text = """(py "import threading; t = threading.Timer(0.05, lambda: print('late', flush=True)); t.start()")
(js "setTimeout(() => console.log('later'), 50); null")
(py "t.join()")
(js "await new Promise((r) => setTimeout(r, 100)); null")
"""
    status, output, _ = run.finish(text.encode())
    assert status == 0 and {"late", "later"} <= set(output.splitlines())


def test_output_that_is_no_text_passes_through(meta):
    run = meta("--pretty", "-e", r"""(py "import sys; sys.stdout.buffer.write(bytes([255, 0, 10])); None")""")
    output = run.process.communicate(timeout=60)[0]
    assert (run.process.returncode, output) == (0, b"\xff\x00\n")


def test_nul_in_a_shell_word(evaluate):
    status, output, errors = evaluate('(sh.echo (py "chr(0)"))', "(+ 1 2)")
    assert status == 1 and "value/nul" in errors


def test_large_values_cross(evaluate):
    status, output, errors = evaluate(
        "(def text (py \"'x' * 50_000_000\"))", '(js "t.length" :t text)', "(count (py \"list(range(100_000))\"))"
    )
    assert status == 0, errors
    status, output, errors = evaluate("(js \"xs.length\" :xs (py \"[{'a': i} for i in range(100_000)]\"))")
    assert (status, results(output)) == (0, ["100000"]), errors


# Interpreters that are missing, too old, or something else


def program(path: pathlib.Path, text: str) -> str:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_a_missing_interpreter(evaluate):
    for name, variable in [("py", "META_PYTHON"), ("js", "META_NODE"), ("sh", "META_BASH")]:
        status, output, errors = evaluate(f'({name} "1")', "(+ 1 2)", variables={variable: "/nonexistent/program"})
        assert status == 1
        assert "error[session/missing]" in errors and "/nonexistent/program" in errors
        assert "install it: " in errors and f"{variable}=/path/to/" in errors
        status, output, _ = evaluate("(map (fn (r) r.state) (runtimes))", variables={variable: "/nonexistent/program"})
        assert "missing" in output


def test_interpreters_that_are_not_in_the_path(evaluate, tmp_path):
    status, _, errors = evaluate('(py "1")', variables={"PATH": str(tmp_path)})
    assert status == 1 and "python3" in errors and str(tmp_path) in errors
    status, _, errors = evaluate('(sh "1")', variables={"PATH": str(tmp_path)})
    assert status == 1 and "bash" in errors and str(tmp_path) in errors


def test_an_interpreter_that_is_too_old(evaluate, tmp_path):
    shim = program(tmp_path / "old", "#!/bin/sh\nprintf '%s\\n3.8.1\\n' /bin/sh\n")
    status, _, errors = evaluate('(py "1")', variables={"META_PYTHON": shim})
    assert status == 1
    assert "session/too-old" in errors and "3.8.1" in errors and "3.10" in errors and "META_PYTHON=" in errors


@pytest.mark.parametrize("text", ["#!/bin/sh\nexit 3\n", "#!/bin/sh\necho hello\n", "#!/nonexistent\n", ""])
def test_an_interpreter_that_is_something_else(evaluate, tmp_path, text):
    status, output, errors = evaluate('(py "1")', "(+ 1 2)", variables={"META_PYTHON": program(tmp_path / "odd", text)})
    assert status == 1 and "error[session/" in errors


# Surroundings


def test_without_a_home(evaluate):
    names = ["HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"]
    status, output, errors = evaluate('(py "1+1")', '(js "2")', '(sh "echo 3")', variables=dict.fromkeys(names))
    assert (status, results(output)) == (0, ['"3"']), errors


def test_a_cache_that_cannot_be_written(evaluate, tmp_path):
    (tmp_path / "file").write_text("")
    status, output, errors = evaluate('(py "1+1")', variables={"XDG_CACHE_HOME": str(tmp_path / "file")})
    assert (status, results(output)) == (0, ["2"]), errors
