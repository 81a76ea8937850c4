"""Ctrl-C, Ctrl-Z and what reads the terminal, with the real interpreters."""

import pytest
from screen import Screen, ctrl

# What runs until it is interrupted. Each first says that it runs, on standard error where output is the result.
BUSY = {
    "a Python loop": '(py "print(\'go\')\\nwhile True: pass")',
    "a Python sleep": '(py "import time; print(\'go\'); time.sleep(60)")',
    "a pending await": '(py "import asyncio; print(\'go\'); await asyncio.sleep(60)")',
    "a loop in Node": "(js \"console.log('go'); while (1) {}\")",
    "a pending promise": "(js \"console.log('go'); await new Promise(() => {})\")",
    "a timer in Node": "(js \"console.log('go'); await new Promise((r) => setTimeout(r, 60000))\")",
    "a sleep in the shell": '(sh "echo go >&2; sleep 60")',
    "a pipeline": '(sh "echo go >&2; yes | cat >/dev/null")',
    "a loop in the shell": '(sh "echo go >&2; while :; do :; done")',
    "a loop of meta's": '(do (print "go") (loop () (recur)))',
    "calls in a loop": '(do (print "go") (map (fn (x) (py "import time; time.sleep(20)")) [1 2 3 4 5 6 7 8 9]))',
}


@pytest.fixture
def full(start):
    """A prompt whose three sessions hold a variable each."""
    p = start(columns=100, rows=30, deadline=30)
    for name, code in [("py", "kept = 41"), ("js", "let kept = 42"), ("sh", "kept=43")]:
        p.run(f'({name} "{code}")')
    return p


def check_states(p: Screen) -> None:
    """Every session still holds what it held."""
    assert p.run('(str (py "kept") "/" (js "kept") "/" (sh "echo $kept"))') == ['"41/42/43"']


@pytest.mark.parametrize("form", BUSY.values(), ids=BUSY.keys())
def test_ctrl_c_ends_what_runs_and_keeps_every_session(full, form):
    p = full
    p.enter(form)
    p.wait_for_line("go")
    p.keys(ctrl("c"))
    p.wait_for("interrupted")
    check_states(p)
    assert p.end() == 0


def test_ctrl_c_in_a_macro_that_loops(full):
    p = full
    p.run("(macro forever () (loop () (recur)))")
    p.submit('(do (print "never") (forever))')
    p.keys(ctrl("c"))
    p.wait_for("interrupted")
    check_states(p)


def test_a_session_that_ignores_interrupts_is_restarted_at_the_third(full):
    p = full
    p.run("(py \"import os, signal; signal.signal(15, signal.SIG_IGN); hear = lambda *_: os.write(1, b'heard\\\\n')\")")
    p.submit("(py \"signal.signal(2, hear); print('go')\\nwhile True: pass\")")
    p.wait_for_line("go")
    p.keys(ctrl("c"))
    p.wait_for_line(r"(\^C)?heard")
    p.keys(ctrl("c"))
    p.wait_for("py does not answer; Ctrl-C again restarts it")
    p.keys(ctrl("c"))
    p.wait_for("session/stopped")
    p.wait_for_prompt()
    assert p.run("(py \"'kept' in globals()\")")[0].startswith("false")
    assert p.run('(js "kept")')[0].startswith("42")
    assert p.end() == 0


def test_a_program_asks_on_the_terminal(full):
    p = full
    p.enter('(py "input(\'name? \')")')
    p.wait_for_line(r"name\?")
    p.type("Ada\r")
    p.wait_for_line('"Ada".*')
    p.wait_for_prompt()
    p.submit('(sh "read -r line; echo got $line")')
    p.type("a word\r")
    p.wait_for_line('"got a word".*')
    check_states(p)


def test_ctrl_c_at_a_question(full):
    p = full
    p.enter('(py "input(\'name? \')")')
    p.wait_for_line(r"name\?")
    p.type("Ad")
    p.wait_for_line(r"name\? Ad")
    p.keys(ctrl("c"))
    p.wait_for("KeyboardInterrupt")
    check_states(p)
    assert p.end() == 0


def test_ctrl_z_stops_meta_at_a_question(start):
    p = start(inside_bash=True, columns=100)
    p.enter('(py "input(\'name? \')")')
    p.wait_for_line(r"name\?")
    p.type("A")
    p.wait_for_line(r"name\? A")
    p.keys(ctrl("z"))
    p.wait_for("Stopped")
    p.enter("fg")
    p.wait_for_line(r"/.*meta.*")
    p.type("Bo\r")
    p.wait_for('Bo"')
    p.wait_for_prompt()
    p.enter("(+ 1 2)")
    p.wait_for_line("3")


# Loops of short calls of each other: a press comes most often when the session that it is for has just answered.
LOOPS = {
    "Python calls Node": "(py \"print('go')\\nfor i in range(10_000_000): meta.call('js.num', i)\")",
    "Node calls Python": "(js \"console.log('go'); for (let i = 0; i < 10000000; i++) meta.call('py.abs', i); 0\")",
}


@pytest.mark.parametrize("form", LOOPS.values(), ids=LOOPS.keys())
def test_ctrl_c_in_a_loop_of_calls_between_sessions(full, form):
    p = full
    p.run('(py "import meta")')
    p.run('(js "globalThis.num = (i) => i; 0")')
    for _ in range(30):
        p.keys(ctrl("l"))
        p.submit(form)
        p.wait_for_line("go")
        p.keys(ctrl("c"))
        p.wait_for_prompt()
        p.keys(ctrl("l"))
        p.wait_for_rows("meta>")
    check_states(p)
    assert p.end() == 0
