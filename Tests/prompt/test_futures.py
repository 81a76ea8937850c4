"""Futures at the prompt, in a real terminal with the real interpreters."""

import pytest
from screen import Screen, ctrl


@pytest.fixture
def full(start):
    """A prompt whose three sessions hold a variable each."""
    p = start(columns=100, rows=40, deadline=30)
    for name, code in [("py", "import time; kept = 41"), ("js", "let kept = 42"), ("sh", "kept=43")]:
        p.run(f'({name} "{code}")')
    return p


def check_states(p: Screen) -> None:
    """Every session still holds what it held."""
    assert p.run('(str (py "kept") "/" (js "kept") "/" (sh "echo $kept"))') == ['"41/42/43"']


# What the foreground does when Ctrl-C comes; each says `go` first.
BUSY = {
    "all at once": '(parallel (py "print(\'go\'); time.sleep(60)") (js "await new Promise(() => {})") (sh "sleep 60") (loop () (recur)))',
    "a future of this line": '(await (async (py "print(\'go\'); time.sleep(60)")))',
    "calls in calls": '(py "import meta; print(\'go\'); meta.eval(\'js\', \'meta.eval(\\"sh\\", \\"sleep 60\\")\')")',
    "a promise under Python": '(py "import meta; print(\'go\'); meta.eval(\'js\', \'await new Promise(() => {})\')")',
    "many calls": '(do (print "go") (map-in py.time.sleep [0.01 0.01 60 60 60]))',
    "a limit": '(with-timeout 60 (py "print(\'go\'); time.sleep(60)"))',
    "what waits its turn": '(parallel (py "print(\'go\'); time.sleep(60)") (py "time.sleep(60)"))',
}


@pytest.mark.parametrize("form", BUSY.values(), ids=BUSY.keys())
def test_ctrl_c_ends_all_that_the_line_waits_for(full, form):
    p = full
    p.enter(form)
    p.wait_for_line("go")
    p.keys(ctrl("c"))
    p.wait_for("nterrupt")
    p.wait_for_prompt()
    check_states(p)
    assert p.end() == 0


def test_ctrl_c_ends_a_wait_and_the_future_goes_on(full):
    p = full
    p.run('(def f (async (py "while not globals().get(\'over\'): time.sleep(0.01)\\n7")))')
    p.submit("(await f)")
    p.keys(ctrl("c"))
    p.wait_for("interrupted")
    p.wait_for_prompt()
    assert p.run("f") == ["#<future pending>"]
    p.run("(cancel f)")
    check_states(p)


def test_a_future_goes_on_while_one_types(full):
    p = full
    p.run("(def f (async (do (py \"time.sleep(0.5); print('from py')\") (js \"console.log('from js')\") (print \"from meta\"))))")
    p.type("(+ 1")
    p.wait_for_line("from py")
    p.wait_for_line("from js")
    p.wait_for_line("from meta")
    p.wait_for_line(r"meta> \(\+ 1")
    p.type(" 2)\r")
    p.wait_for_line("3")
    assert p.run("(done? f)") == ["true"]


def test_ctrl_c_at_the_idle_prompt_leaves_futures(full):
    p = full
    p.run("(def f (async (do (py \"time.sleep(0.5); print('still here')\") 8)))")
    p.type("half a li")
    p.keys(ctrl("c"))
    p.wait_for_line("still here")
    assert p.run("(await f)") == ["8"]


def test_a_failed_future_is_told_before_the_next_prompt_and_once(full):
    p = full
    p.run('(def f (async (js "throw new Error(\'lost\')")))')
    p.run("(py \"time.sleep(0.3)\")")
    p.wait_for("nobody awaited it")
    p.wait_for("Error: lost")
    assert p.run("(+ 1 2)") == ["3"]
    assert sum("nobody awaited" in line for line in p.lines()) == 1


def test_the_ladder_ends_at_the_session_that_does_not_listen(full):
    p = full
    code = "import os, signal; signal.signal(2, lambda *_: os.write(1, b'heard\\\\n')); print('go')\\nwhile True: pass"
    p.run('(def other (async (js "await new Promise(() => {})")))')
    p.enter(f'(parallel (py "{code}") (loop () (recur)))')
    p.wait_for_line("go")
    p.keys(ctrl("c"))
    p.wait_for_line(r"(\^C)?heard")
    p.keys(ctrl("c"))
    p.wait_for("py does not answer; Ctrl-C again restarts it")
    p.keys(ctrl("c"))
    p.wait_for_prompt()
    assert p.run("(py \"'kept' in globals()\")")[0].startswith("false")
    assert p.run('(js "kept")')[0].startswith("42")
    assert p.run("(done? other)") == ["false"]


def test_leaving_says_what_had_not_ended(start):
    p = start(columns=100, rows=20, deadline=30)
    p.run('(def f (async (py "import time; time.sleep(60)")))')
    p.keys(ctrl("d"))
    assert p.wait_for_end() == 0
    assert p.lines()[-1] == "a future had not ended and was stopped"


def test_a_future_that_reads_the_terminal_waits_until_no_line_is_typed(full):
    p = full
    p.run('(def f (async (py "input(\'name? \')")))')
    p.wait_for("name?")
    p.run("null")
    assert p.run("(+ 1 2)") == ["3"]
    p.submit("(await f)")
    p.type("Ada\r")
    p.wait_for_line('"Ada".*')
    check_states(p)
