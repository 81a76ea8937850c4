"""Editing at the prompt, against a model of the screen."""

import os
import random
import signal
import stat
import termios

import pexpect
import pytest
from screen import DOWN, LEFT, RIGHT, UP

PROMPT = "meta> "


def paste(text):
    """What a terminal sends for a paste."""
    return "\x1b[200~" + text.replace("\n", "\r") + "\x1b[201~"


def test_a_line_is_edited_and_submitted(start):
    p = start()
    p.type("[1 2 4]" + LEFT * 2 + "3 \r")
    p.wait_for_rows("meta> [1 2 3 4]", "[1 2 3 4]", "meta>")


def test_line_keys(start):
    p = start()
    p.type("2 3\x01[1 \x05]\r")  # Ctrl-A, Ctrl-E
    p.wait_for_rows("[1 2 3]", "meta>")
    p.type("[1 2 3\x17\x17]\r")  # Ctrl-W twice
    p.wait_until(lambda: "meta> [1 ]" in p.lines(), "the row")
    p.wait_for_prompt()
    p.type("junk\x15[1\x02\x0b7\x19]\r")  # Ctrl-U, Ctrl-B, Ctrl-K cuts 1, Ctrl-Y brings it back
    p.wait_until(lambda: "meta> [71]" in p.lines(), "the row")
    p.wait_for_prompt()
    p.type("[12 34 56]\x1bb\x1bb\x1b[3~\x1b[3~\x1b[3~\r")  # Alt-B, Delete
    p.wait_until(lambda: "meta> [12 56]" in p.lines(), "the row")
    p.wait_for_prompt()
    p.type("2]\x1b[H[1 \x1b[F\x7f\x7f3]\r")  # Home, End, Backspace
    p.wait_until(lambda: "meta> [1 3]" in p.lines(), "the row")
    assert p.end() == 0


def test_an_open_form_continues_on_the_next_line(start):
    p = start()
    p.type("[1\r")
    p.wait_until(lambda: p.cursor()[0] == 2, "second line")
    p.type("2\r3]")
    p.wait_until(lambda: p.row(3).endswith("3]"), "third line")
    p.type(UP + UP + "\x050\x05\r")  # to the first line, change it, submit from there
    p.wait_for_rows("[10 2 3]", "meta>")
    p.type(UP)  # the whole text comes back
    p.wait_until(lambda: p.lines()[-1].endswith("3]"), "the entry")
    p.type("\r")
    p.wait_until(lambda: p.lines().count("[10 2 3]") == 2, "second result")


def test_history_walks_and_searches(start):
    p = start()
    for text in ["[11]", "[22]", "[33]"]:
        p.type(text + "\r")
        p.wait_for_rows(text, "meta>")
    p.type(UP * 3)
    p.wait_until(lambda: "meta> [11]" in p.lines(), "the row")
    p.wait_until(lambda: p.lines()[-1] == "meta> [11]", "the oldest")
    p.type(DOWN)
    p.wait_until(lambda: p.lines()[-1] == "meta> [22]", "the middle")
    p.type(DOWN * 2)
    p.wait_for_prompt()
    p.type("\x1222")  # Ctrl-R
    p.wait_until(lambda: "meta> [22]" in p.lines()[-2:], "the match")
    p.type("\r")
    p.wait_until(lambda: p.lines().count("[22]") == 2, "its result")


def test_history_outlives_the_process_and_two_append(start, tmp_path):
    first, second = start(), start()
    first.type("[1\r2]\r")
    first.wait_for_rows("[1 2]", "meta>")
    second.type("[3]\r")
    second.wait_for_rows("[3]", "meta>")
    first.type("[4]\r")
    first.wait_for_rows("[4]", "meta>")
    second.type(" [5]\r")  # a leading space keeps a line out
    second.wait_for_rows("[5]", "meta>")
    assert first.end() == 0
    assert second.end() == 0
    third = start()
    third.type(UP)
    third.wait_until(lambda: "meta> [4]" in third.lines(), "the row")
    third.type(UP)
    third.wait_until(lambda: "meta> [3]" in third.lines(), "the row")
    third.type(UP)
    third.wait_until(lambda: third.lines()[-1].endswith("2]") and "meta> [1" in third.lines(), "both lines of the entry")
    files = [f for f in tmp_path.rglob("*") if f.is_file() and "[3]" in f.read_text(errors="replace")]
    assert [stat.S_IMODE(f.stat().st_mode) for f in files] == [0o600]


def test_unreadable_history_bytes_are_tolerated(start, tmp_path):
    p = start()
    p.type("[1]\r")
    p.wait_for_rows("[1]", "meta>")
    p.end()
    file = next(f for f in tmp_path.rglob("*") if f.is_file() and "[1]" in f.read_text(errors="replace"))
    file.write_bytes(b"\xff\xfe\x00 broken\n" + file.read_bytes())
    p = start()
    p.type(UP)
    p.wait_until(lambda: "meta> [1]" in p.lines(), "the row")


def test_a_paste_waits_for_enter(start):
    p = start(rows=20)
    text = "[\n" + "\n".join(f"{i}" for i in range(200)) + "\n\t7]"
    p.type(paste(text))
    p.wait_until(lambda: p.lines()[-1].strip().endswith("7]"), "the paste's last line")
    assert not any(row.startswith("[0 ") for row in p.lines())
    p.type("\r")
    p.wait_until(lambda: any("199 7]" in row for row in p.lines()), "the result")
    p.wait_for_prompt()


def test_a_paste_cannot_press_keys(start):
    p = start()
    p.type(paste('"a\x1b[31m\x07b"\n') + "\x7f")
    p.wait_until(lambda: p.lines()[-1] == 'meta> "a[31mb"', "the text without controls")


def test_what_has_no_width_survives_a_redraw(start):
    p = start()
    p.type('"xe\u0301y"\x01Z')
    p.wait_until(lambda: "".join(p.lines()[-1].split()) == 'meta>Z"xe\u0301y"' or p.lines()[-1] == 'meta> Z"xéy"', "the accent")


def test_wide_characters(start):
    p = start()
    p.type('"漢字xe\u0301y😀z"')
    p.wait_until(lambda: p.cursor() == (1, 6 + 1 + 4 + 1 + 1 + 1 + 2 + 1 + 1), "the cursor after wide characters")
    p.type("\x02\x02\x7f")  # the emoji goes
    p.wait_until(lambda: "yz" in p.row(1), "the text without the emoji")
    p.type("\x02\x7f")  # the letter goes with its accent
    p.wait_until(lambda: 'xyz"' in p.row(1), "the text without the accented letter")
    p.type(LEFT * 2 + "\x7f")
    p.wait_until(lambda: p.row(1) == 'meta> "字xyz"' and p.cursor() == (1, 7), "the cursor after the quote")
    p.type("\x05\r")
    p.wait_until(lambda: sum('xyz"' in row for row in p.lines()) == 2, "the result")


def test_a_long_line_wraps(start):
    p = start(columns=50)
    text = "[" + " ".join(["12345"] * 20) + "]"
    p.type(text)
    whole = PROMPT + text
    cut = [whole[i : i + 50].rstrip() for i in range(0, len(whole), 50)]
    p.wait_for_rows(*cut)
    p.type("\x01\x0b[8]")
    p.wait_until(lambda: p.lines()[-1] == "meta> [8]", "one row")
    assert p.cursor() == (1, 9)


def test_the_edge_of_the_screen(start):
    p = start(columns=50)
    text = '"' + "x" * 42 + '"'
    p.type(text)  # exactly fills the row
    p.wait_for_cursor(2, 0)
    p.type("\x7f")
    p.wait_for_cursor(1, 49)
    p.type('"\r')
    p.wait_for_rows(PROMPT + text, text, "meta>")


def test_resize(start):
    p = start(columns=60)
    text = "[" + " ".join(["12345"] * 12) + "]"
    p.type(text)
    p.wait_until(lambda: p.lines()[-1].endswith("]"), "the text")
    p.resize(100, 16)
    p.wait_until(lambda: p.lines()[-1] == PROMPT + text, "one row")
    p.resize(30, 16)
    whole = PROMPT + text
    p.wait_for_rows(*[whole[i : i + 30].rstrip() for i in range(0, len(whole), 30)])
    p.type("\r")
    p.wait_for_prompt()


@pytest.fixture
def speaker(start, tmp_path):
    """A prompt, and a function that makes a Python thread behind it write a text and flush."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    p = start(home=tmp_path)
    p.run("(py:set 'where \"" + str(pipe) + '")')
    p.run('(py "import sys, threading")')
    p.run('(py "def copy():\\n for line in open(where): sys.stdout.write(eval(line)); sys.stdout.flush()")')
    p.run('(py "threading.Thread(target=copy, daemon=True).start()")')
    with open(pipe, "w") as writer:
        yield p, lambda text: print(repr(text), file=writer, flush=True)


@pytest.mark.parametrize(
    "typed, rows",
    [
        ("[12", ["tick 1", "meta> [12"]),
        ("[1\r2", ["tick 1", "meta> [1", "....> 2"]),
        ("[" + "7" * 80, ["tick 1", "meta> [" + "7" * 53, "7" * 27]),
        ("[1 2" + LEFT * 2, ["tick 1", "meta> [1 2"]),
    ],
    ids=["line", "lines", "wrapped", "cursor inside"],
)
def test_output_arrives_while_one_types(speaker, typed, rows):
    p, say = speaker
    p.type(typed)
    p.wait_until(lambda: p.lines()[-len(rows[1:]) :] == rows[1:], "what is typed")
    say("tick 1\n")
    p.wait_for_rows(*rows)
    assert p.lines()[-len(rows) - 1] == ')")', "the form above is intact"
    assert sum(row.startswith("meta> [") for row in p.lines()) == 1
    p.type("\x05 9]\r")
    p.wait_until(lambda: p.lines()[-1] == "meta>" and sum(row.endswith(" 9]") for row in p.lines()) == 2, "the result")


def test_output_without_a_newline_is_continued(speaker):
    p, say = speaker
    p.type("[12")
    say("part0 ")
    p.wait_for_rows("part0", "meta> [12")
    say("part1 ")
    p.wait_for_rows("part0 part1", "meta> [12")
    say("part2\n")
    p.wait_for_rows("part0 part1 part2", "meta> [12")


def test_ctrl_c_clears_and_never_quits(start):
    p = start()
    for typed in ["[1 2", "", "[1\r2"]:
        p.type(typed)
        p.wait_until(lambda: p.lines()[-1].endswith(typed[-1:] or ">"), "what is typed")
        p.type("\x03")
        p.wait_until(lambda: p.lines()[-2].endswith("^C") and p.lines()[-1] == "meta>", "a fresh prompt")
    p.type("\x12ab\x03")  # in a search too
    p.wait_until(lambda: sum(row.endswith("^C") for row in p.lines()) == 4 and p.at_any_prompt(), "a fresh prompt")
    p.type("[8]\r")
    p.wait_for_rows("[8]", "meta>")
    assert p.end() == 0


def test_ctrl_d_deletes_in_a_text_and_ends_an_empty_one(start):
    p = start()
    p.type("[12]\x01\x04[\x04\r")
    p.wait_for_rows("[2]", "meta>")
    assert p.end() == 0


def test_tab_completes_then_lists(start):
    p = start()
    for name in ["zebra-one", "zebra-two", "yak"]:
        p.type(f"(def {name} 1)\r")
        p.wait_until(lambda: f"meta> (def {name} 1)" in p.lines() and p.lines()[-1] == "meta>", "the definition")
    p.type("[ya\t")
    p.wait_for_rows("meta> [yak")
    p.type(" zeb\t")
    p.wait_for_rows("meta> [yak zebra-")
    p.type("\t")
    p.wait_for_rows("zebra-one  zebra-two", "meta> [yak zebra-")
    p.type("t\t")
    p.wait_for_rows("meta> [yak zebra-two")


def test_two_empty_enters_say_what_is_open(start):
    p = start()
    p.type("[1\r\r\r")
    p.wait_until(lambda: any("unclosed" in row for row in p.lines()), "the message")
    p.wait_until(lambda: "meta> [1" in p.lines()[-3:], "the text below it")
    p.type("2]\r")
    p.wait_for_rows("[1 2]", "meta>")


def test_a_text_taller_than_the_screen(start):
    p = start(rows=8)
    p.type(paste("[0\n" + "\n".join(str(i) for i in range(1, 30)) + "]"))
    p.wait_until(lambda: p.lines()[-1].endswith("29]"), "the end")
    p.type(UP * 29)
    p.wait_until(lambda: p.row(0) == "meta> [0" and p.cursor()[0] == 0, "the beginning")
    p.type("8" + DOWN * 29)
    p.wait_until(lambda: p.lines()[-1].endswith("29]"), "the end again")
    p.type("\r")
    p.wait_until(lambda: any("29]" in row and "..." not in row for row in p.lines()), "the result")
    p.wait_for_prompt()


def test_the_terminal_is_cooked_while_a_form_runs(start):
    p = start()
    before = p.sent.count(b"\x1b[?2004l")
    assert not p.modes() & termios.ICANON
    p.type('(sh "sleep 0.5; echo done")\r')
    p.wait_until(lambda: p.modes() & termios.ICANON and p.modes() & termios.ECHO, "cooked modes")
    p.wait_until(lambda: p.sent.count(b"\x1b[?2004l") > before, "the end of paste marks")
    p.wait_until(lambda: p.lines()[-1] == "meta>" and not p.modes() & termios.ICANON, "the prompt in raw modes")


def test_a_dumb_terminal(start):
    p = start(TERM="dumb")
    p.type("[1\n")
    p.wait_until(lambda: len(p.lines()) > 1 and p.cursor()[1] > 0 and p.lines()[-2] == "meta> [1", "the second line")
    p.type("2]\n")
    p.wait_for_rows("[1 2]", "meta>")
    assert b"\x1b[?" not in p.sent and b"\x1b[K" not in p.sent
    p.type("[3")
    p.wait_until(lambda: p.lines()[-1] == "meta> [3", "the echo")
    p.type("\x03")
    p.wait_for_prompt()
    assert p.end() == 0


def test_vi_mode_from_editrc(start, tmp_path):
    (tmp_path / ".editrc").write_text("bind -v\n")
    p = start()
    p.type("[1 3]")
    p.wait_for_rows("meta> [1 3]")
    p.type("\x1b")
    p.wait_for_cursor(1, 10)
    p.type("hi2 " + LEFT + RIGHT + "\r")
    p.wait_for_rows("meta> [1 2 3]", "[1 2 3]", "meta>")
    p.type(paste("[4\n5]"))
    p.wait_until(lambda: p.lines()[-1].endswith("5]"), "the paste")
    p.type("\x1b")
    p.type("k0i \r")
    p.wait_for_rows("[4 5]", "meta>")


def test_a_stop_and_continue_keep_the_text(start):
    p = start(inside_bash=True)
    p.type("[1 2")
    p.wait_until(lambda: "meta> [1 2" in p.lines(), "the row")
    p.type("\x1a")
    p.wait_until(lambda: p.lines()[-1] == "$", "the shell's prompt")
    p.type("fg\r")
    p.wait_until(lambda: p.lines().count("meta> [1 2") == 2, "the text again")
    p.type(LEFT + "5" + "\x05]\r")
    p.wait_for_rows("[1 52]", "meta>")


def test_a_fatal_signal_restores_the_terminal(start):
    p = start()
    p.type("[1")
    p.wait_for_rows("meta> [1")
    p.child.kill(signal.SIGTERM)
    p.child.expect(pexpect.EOF)
    assert b"\x1b[?2004l" in p.child.before


def test_an_editrc_may_bind_our_commands(start, tmp_path):
    (tmp_path / ".editrc").write_text('meta:bind "^T" meta-yank\n')
    p = start()
    p.type("[1]\x15\x14\x14\r")
    p.wait_until(lambda: "meta> [1][1]" in p.lines(), "the row")


def test_random_keys_do_no_harm(start):
    seed = int(os.environ.get("SEED", random.randrange(1 << 30)))
    print(f"SEED={seed}")
    generator = random.Random(seed)
    keys = [*"[]() ab1\"漢é😀", "e\u0301", UP, DOWN, LEFT, RIGHT, "\x7f", "\x1b[3~", "\r", "\t"]
    keys += ["\x1bb", "\x1bf", "\x1bd"]
    keys += [chr(c) for c in (1, 2, 5, 6, 11, 12, 14, 16, 18, 20, 21, 22, 23, 25, 7)]
    keys += [paste("x\ny"), "\x1b\r", "\x1b[200~", "\x1b[201~", "\x1bu", "\x1bc"]
    p = start(columns=24, rows=6)
    for _ in range(40):
        p.type("".join(generator.choices(keys, k=50)))
        p.child.setwinsize(generator.randrange(2, 12), generator.randrange(4, 40))
        p.wait_until(lambda: True, "nothing")
    p.resize(80, 24)
    p.type("\x1b[201~\x07Q7Q")
    # Ctrl-C makes the terminal drop what is not read yet, so all of it must be.
    p.wait_until(lambda: "Q7Q" in "\n".join(p.lines()), "the last keys")
    p.type("\x03")
    p.wait_until(lambda: "^C" in "\n".join(p.lines()) and p.row(p.cursor()[0]) == "meta>", "a prompt")
    p.type('"sound"\r')
    p.wait_until(lambda: '"sound"' in p.lines(), "the result")
