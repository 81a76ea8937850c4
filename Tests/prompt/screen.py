"""The prompt as a user sees it: `meta` in a pseudo-terminal, its output drawn on a model of an 80 × 24 screen."""

import pathlib
import re
import shutil
import tempfile
import time

import pexpect
import pyte
from session import PROGRAM, environment

COLUMNS, ROWS = 80, 24

# What keys send. Letters with Ctrl are made by `ctrl`.
ENTER, TAB, ESCAPE, BACKSPACE = "\r", "\t", "\x1b", "\x7f"
UP, DOWN, RIGHT, LEFT = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D"
PASTE_START, PASTE_END = "\x1b[200~", "\x1b[201~"


def ctrl(letter: str) -> str:
    """The character of Ctrl and a letter: ctrl("c") is what Ctrl-C sends."""
    return chr(ord(letter.upper()) & 0x1F)


class Screen:
    """Use as a context manager. Every wait has a deadline in seconds and shows the screen when it passes."""

    def __init__(self, *arguments: str, home: pathlib.Path | None = None, deadline: float = 10.0):
        self.deadline = deadline
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="meta-prompt-"))
        # A home that is passed in outlives the screen: history, say, is there for the next one.
        self.home = home or self.folder
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self.stream = pyte.ByteStream(self.screen)
        self.child = pexpect.spawn(
            str(PROGRAM),
            list(arguments),
            dimensions=(ROWS, COLUMNS),
            cwd=str(self.folder),
            env=environment(self.home) | {"TERM": "xterm"},
            echo=True,
        )
        # pexpect waits before each write by default, against terminals slower than this one.
        self.child.delaybeforesend = None

    def __enter__(self) -> "Screen":
        return self

    def __exit__(self, *_: object) -> None:
        self.child.close(force=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def type(self, text: str) -> None:
        """Sends text as typed, without Enter."""
        self.child.send(text)

    def enter(self, text: str) -> None:
        """Types a line and Enter."""
        self.child.send(text + ENTER)

    def keys(self, *keys: str) -> None:
        """Sends keys: keys(UP, ENTER), keys(ctrl("c"))."""
        self.child.send("".join(keys))

    def paste(self, text: str) -> None:
        """Sends text as a terminal pastes it, in brackets."""
        self.child.send(PASTE_START + text + PASTE_END)

    def lines(self) -> list[str]:
        """The screen's rows as last drawn, without trailing blanks, up to the last row that holds something."""
        rows = [row.rstrip() for row in self.screen.display]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    def cursor(self) -> tuple[int, int]:
        """Row and column of the cursor, from 0."""
        return self.screen.cursor.y, self.screen.cursor.x

    def wait_for(self, text: str, deadline: float | None = None) -> None:
        """Until some row holds the text."""
        self.wait_until(lambda: any(text in row for row in self.lines()), repr(text), deadline)

    def wait_for_line(self, pattern: str, deadline: float | None = None) -> None:
        """Until a whole row matches a regular expression: an echo of what was typed, prompt before it, does not."""
        expression = re.compile(pattern)
        self.wait_until(lambda: any(map(expression.fullmatch, self.lines())), f"a line {pattern!r}", deadline)

    def wait_for_prompt(self, prompt: str = "meta>", deadline: float | None = None) -> None:
        """Until the cursor stands right behind a prompt on an otherwise empty line."""
        self.wait_until(lambda: self.at_prompt(prompt), f"an empty prompt {prompt!r}", deadline)

    def at_prompt(self, prompt: str) -> bool:
        row, column = self.cursor()
        return self.screen.display[row].rstrip() == prompt and column == len(prompt) + 1

    def wait_until(self, holds, what: str, deadline: float | None = None) -> None:
        """Draws what comes until a condition holds. AssertionError when the deadline passes or meta ends before."""
        end = time.monotonic() + (deadline or self.deadline)
        while not holds():
            try:
                self.stream.feed(self.child.read_nonblocking(1 << 16, max(0.0, end - time.monotonic())))
            except pexpect.TIMEOUT:
                raise AssertionError(f"no {what} within the deadline; the screen:\n{self.picture()}") from None
            except pexpect.EOF:
                if holds():
                    return
                raise AssertionError(f"meta ended before {what}; the screen:\n{self.picture()}") from None

    def wait_for_end(self, deadline: float | None = None) -> int:
        """Until meta ends; its exit status, or minus the signal that ended it."""
        end = time.monotonic() + (deadline or self.deadline)
        try:
            while True:
                self.stream.feed(self.child.read_nonblocking(1 << 16, max(0.0, end - time.monotonic())))
        except pexpect.TIMEOUT:
            raise AssertionError(f"meta did not end within the deadline; the screen:\n{self.picture()}") from None
        except pexpect.EOF:
            self.child.wait()
        return -self.child.signalstatus if self.child.signalstatus else self.child.exitstatus

    def picture(self) -> str:
        """The screen in a frame, the cursor's place below it."""
        edge = "+" + "-" * COLUMNS + "+"
        rows = [f"|{row:<{COLUMNS}}|" for row in self.lines()]
        return "\n".join([edge, *rows, edge, "cursor at row %d, column %d" % self.cursor()])
