"""What the prompt does with what is typed: modes, commands, hints, completion, other languages' lines."""

import os
import signal
import stat

import pytest
from screen import ENTER, TAB, UP, ctrl


@pytest.fixture
def p(start):
    return start(columns=100, rows=30, deadline=30)


def test_the_banner_is_one_line(p):
    assert p.lines()[0].startswith("meta ") and ":help" in p.lines()[0] and "Ctrl-D" in p.lines()[0]
    assert p.lines()[1] == "meta>"


def test_modes(p):
    p.submit(":py")
    p.wait_for_prompt("(py)>")
    assert p.run("x = 6", "(py)>") == []
    assert p.run("x * 7", "(py)>")[0].startswith("42  ; py int ")
    p.submit(":js")
    p.wait_for_prompt("(js)>")
    assert p.run("let y = 5", "(js)>") == []
    assert p.run("undefined", "(js)>") == []
    assert p.run("y + 1", "(js)>")[0].startswith("6  ; js number ")
    p.submit(":sh")
    p.wait_for_prompt("(sh)>")
    assert p.run("cd /; echo $((3 + 4)); pwd", "(sh)>") == ["7", "/"]
    p.submit(":meta")
    p.wait_for_prompt()
    p.submit(":py")
    p.wait_for_prompt("(py)>")
    p.keys(ctrl("d"))
    p.wait_for_prompt()
    assert p.run("(py.operator.add py.x 1)")[0].startswith("7 ")
    assert p.end() == 0


def test_a_line_of_another_language(p):
    assert p.run(":py 1+1")[0].startswith("2  ; py int ")
    assert p.run(":js [1,2].map(x => x * 2)")[0].startswith("[2 4]  ; js Array ")
    assert p.run(":sh echo a b") == ["a b"]
    assert p.run("(+ _ 1)")[-1] != ""


def test_the_last_result(p):
    p.run("(+ 20 1)")
    assert p.run("(* _ 2)") == ["42"]
    p.run(":py 'abc'.upper()")
    assert p.run("_")[0].startswith('"ABC"')
    assert p.run(":py None") == []


def test_definitions_print_nothing(p):
    assert p.run("(def square (x) (* x x))") == []
    assert p.run("(def y 5)") == []
    assert p.run("(square y)") == ["25"]


def test_an_error_has_a_code_and_a_caret(p):
    assert p.run('(+ 1 "a")')[0].startswith("error[")
    rows = p.run("(missing 1)")
    assert rows[0] == "error[eval/unbound]: missing is not defined"
    assert rows[2:4] == ["1 | (missing 1)", "  |  ^^^^^^^"]
    rows = p.run('(py "1/0")')
    assert "division by zero" in rows[0]
    assert p.run("(+ 1 2)") == ["3"]


@pytest.mark.parametrize(
    "typed, hint",
    [
        ("1+1", "(+ 1 1)"),
        ("1 + 1", "(+ 1 1)"),
        ("ls", '(sh "ls'),
        ("git status", '(sh "git status")'),
        ("import os", "(py"),
        ("from os import path", "(py"),
        ("x = 5", "(def x 5)"),
        ("let x = 5", "(def x 5)"),
        ("console.log(1)", "(print"),
        ("xs[0]", "(get xs 0)"),
        ("if(x > 1)", "(if (> x 1)"),
        ("def f(x):", "(def f (x)"),
        ("help()", ":help"),
    ],
)
def test_hints_at_other_languages(p, typed, hint):
    assert hint in "\n".join(p.run(typed))
    assert p.run("(+ 1 2)") == ["3"]


def test_commands(p):
    rows = p.run(":help")
    for command in [":py", ":js", ":sh", ":meta", ":doc", ":why", ":time", ":runtimes", ":restart", ":load", ":quit"]:
        assert any(command in row for row in rows), command
    assert p.run("help") == rows
    assert "map" in p.run(":doc map")[0]
    assert p.run(":doc no-such-name")[0].startswith("error[")
    (p.folder / "lib.meta").write_text("(def loaded 12)\n")
    assert p.run(":load lib.meta") == []
    assert p.run("loaded") == ["12"]
    assert p.run(":load nothing.meta")[0].startswith("error[file/missing]")
    rows = p.run(":time (+ 1 2)")
    assert rows[0].startswith("; ") and rows[1] == "3"
    p.run("(def v (py.operator.add 1 2))")
    assert any("py" in row for row in p.run(":why v"))
    p.run(':py kept = 1')
    assert [row.split()[:2] for row in p.run(":runtimes")] == [["py", "idle"], ["js", "unstarted"], ["sh", "unstarted"]]
    assert p.run(":restart py") == []
    assert p.run(":py 'kept' in globals()")[0].startswith("false")


def test_a_command_stands_first_and_is_known(p):
    assert p.run(":keyword") == [":keyword"]
    assert p.run("[:py 1]") == ["[:py 1]"]
    assert p.run("(get {:help 3} :help)") == ["3"]


@pytest.mark.parametrize("word", ["exit", "quit", ":quit", "(exit)", "exit()"])
def test_ways_out(p, word):
    p.enter(word)
    assert p.wait_for_end(5) == 0


def test_ctrl_d_quits_within_a_second_of_live_sessions(p):
    p.run(':py import threading, time; threading.Thread(target=time.sleep, args=(60,)).start()')
    p.run(":sh sleep 60 &")
    p.run(":js setInterval(() => {}, 1000); 1")
    p.keys(ctrl("d"))
    assert p.wait_for_end(2) == 0


def test_a_fence_pasted_at_the_prompt(p):
    p.paste("```py\ndef f(x):\n    return x * 2\n\nf(21)\n```")
    p.wait_for_line(r"\S* ?```")
    p.enter("")
    p.wait_for_line("42  ; py int .*")


def test_python_goes_on_as_in_python(p):
    p.submit(":py")
    p.wait_for_prompt("(py)>")
    for row in ["def f(x):", "    if x:", "        return 'yes'", "    return 'no'"]:
        p.enter(row)
    p.wait_for_line(r"\.+>")
    assert p.run_open("", "(py)>") == []
    assert p.run("[f(1), f(0)]", "(py)>")[0].startswith('["yes" "no"]')
    for text in ["@staticmethod", "'''a\n\nb", "[1,", "x = (1 +", "for i in range(2):", "a = \\", "if 1:"]:
        p.type(text.replace("\n", ENTER) + ENTER)
        p.wait_until(lambda: p.row(p.cursor()[0]) == "....>" and text.split("\n")[-1] in p.lines()[-2], "the next line")
        p.keys(ctrl("c"))
        p.wait_for_prompt("(py)>")
    p.type("'''a" + ENTER + ENTER + "b'''" + ENTER)
    p.wait_for(r'"a\n\nb"')
    p.wait_for_prompt("(py)>")
    assert "SyntaxError" in "\n".join(p.run("1 +* 2", "(py)>"))
    p.type("for i in range(2):" + ENTER + "print(i)" + ENTER + ENTER)
    p.wait_for("IndentationError")


def test_javascript_and_the_shell_go_on(p):
    p.submit(":js")
    p.wait_for_prompt("(js)>")
    assert p.run_open("function twice(x) {\r\r  return 2 * x  // it's\r}", "(js)>") == []
    assert p.run("twice(4)", "(js)>")[0].startswith("8  ;")
    assert p.run("`a${1 + 1}`", "(js)>")[0].startswith('"a2"')
    p.submit(":sh")
    p.wait_for_prompt("(sh)>")
    p.type("for i in 1 2; do" + ENTER + "echo n$i" + ENTER + "done" + ENTER)
    p.wait_for_rows("n1", "n2", "(sh)>")
    p.type("cat <<END" + ENTER + "a 'b" + ENTER + "END" + ENTER)
    p.wait_for_rows("a 'b", "(sh)>")
    p.type("echo a \\" + ENTER + "b" + ENTER)
    p.wait_for_rows("a b", "(sh)>")
    assert p.run("echo if case do", "(sh)>") == ["if case do"]
    p.type("echo 'x" + ENTER + "y'" + ENTER)
    p.wait_for_rows("x", "y", "(sh)>")


def test_completion_of_names_and_paths(p):
    (p.folder / "folder").mkdir()
    (p.folder / "folder" / "file-one.txt").write_text("")
    p.type("(macr" + TAB)
    p.wait_for("meta> (macro")
    p.keys(ctrl("u"))
    p.type('(include "fol' + TAB + "fi" + TAB)
    p.wait_for('(include "folder/file-one.txt')
    p.keys(ctrl("u"))
    p.type(":runt" + TAB)
    p.wait_for(":runtimes")


def test_completion_of_an_object_of_a_runtime(p):
    p.run("(def l (py:ref \"['x']\"))")
    p.type("(l.app" + TAB)
    p.wait_for("meta> (l.append")
    p.keys(ctrl("u"))
    p.type("(l.append.__self__.ext" + TAB)
    p.wait_for("meta> (l.append.__self__.extend")
    p.keys(ctrl("u"))
    p.type("(l.zzz" + TAB + ")" + ENTER)
    p.wait_for("list has no zzz")


def test_completion_inside_sessions(p):
    p.run(":py zebra_one = 1")
    p.run(":py import math")
    p.run(":js let zebraTwo = 2; globalThis.zebraThree = 3")
    p.type("(py.math.sqr" + TAB)
    p.wait_for("meta> (py.math.sqrt")
    p.keys(ctrl("u"))
    p.type("(py.zebr" + TAB)
    p.wait_for("meta> (py.zebra_one")
    p.keys(ctrl("u"))
    p.submit(":py")
    p.wait_for_prompt("(py)>")
    p.type("zebr" + TAB)
    p.wait_for("(py)> zebra_one")
    p.keys(ctrl("u"), ":js" + ENTER)
    p.wait_for_prompt("(js)>")
    p.type("zebraTh" + TAB)
    p.wait_for("(js)> zebraThree")
    p.keys(ctrl("u"), ":sh" + ENTER)
    p.wait_for_prompt("(sh)>")
    p.run("zebra_four=4", "(sh)>")
    p.type("echo $zebr" + TAB)
    p.wait_for("(sh)> echo $zebra_four")


def test_history_is_private(p):
    p.run("(+ 1 2)")
    p.run(":py 5")
    assert p.end() == 0
    (file,) = [f for f in p.home.rglob("*") if f.is_file() and "(+ 1 2)" in f.read_text(errors="replace")]
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert ".local/state/meta" in str(file)


def test_what_a_program_prints_is_kept_apart(p):
    assert p.run("(py \"print('a', end='')\")") == ["a"]
    rows = p.run("(py \"print('a', end='') or 5\")")
    assert rows[0] == "a" and rows[1].startswith("5  ;")
    rows = p.run(r"""(py "import sys; sys.stdout.buffer.write(b'\\xff\\x1b]0;t\\x07z\\n'); None")""")
    assert rows[-1].endswith("z")


def test_a_death_while_one_types(p):
    pid = int(p.run("(py.os.getpid)")[0].split()[0])
    p.type("(+ 1")
    p.wait_for("meta> (+ 1")
    os.kill(pid, signal.SIGKILL)
    p.wait_for("session py was killed by SIGKILL")
    p.wait_for_line(r"meta> \(\+ 1")
    p.enter(" 2)")
    p.wait_for_line("3")
    assert p.run(":py 5")[0].startswith("5 ")


def test_a_death_from_outside_while_busy(p):
    pid = int(p.run("(py.os.getpid)")[0].split()[0])
    p.run(":js let kept = 42")
    p.submit("(py \"import time; print('go'); time.sleep(60)\")")
    p.wait_for_line("go")
    os.kill(pid, signal.SIGKILL)
    p.wait_for("session py was killed by SIGKILL")
    p.wait_for_prompt()
    assert p.run("(js.eval \"kept\")")[0].startswith("42 ")


def test_a_timer_in_node_prints_while_the_prompt_waits(p):
    p.run(":js let n = 0; const timer = setInterval(() => { console.log(`té${n++}`); if (n > 2) clearInterval(timer) }, 20); 1")
    p.type("(+ 1")
    p.wait_for_rows("té0", "té1", "té2", "meta> (+ 1")


def test_no_color(start):
    p = start(NO_COLOR="1")
    p.run("(py.operator.add 1 2)")
    p.run("(nope)")
    assert b"\x1b[3" not in p.sent and b"\x1b[1m" not in p.sent


def test_the_width_of_the_terminal(start):
    p = start(columns=40)
    rows = p.run("(def xs [10000001 10000002 10000003 10000004 10000005 10000006])")
    assert rows == [] or all(len(row) <= 40 for row in rows)
    rows = p.run("xs")
    assert len(rows) > 1 and all(len(row) <= 40 for row in rows)


def test_without_a_home(start, tmp_path):
    p = start(home=tmp_path, HOME="", XDG_STATE_HOME="", XDG_CACHE_HOME="")
    assert p.run(":py 1+1")[0].startswith("2 ")
    assert p.end() == 0


def test_a_read_only_home(start, tmp_path):
    locked = tmp_path / "locked"
    locked.write_text("a file, where a folder is looked for")
    p = start(home=locked)
    assert p.run(":py 1+1")[0].startswith("2 ")
    p.keys(UP)
    p.wait_for_line("meta> :py 1.1")
    p.keys(ctrl("u"))
    assert p.end() == 0
