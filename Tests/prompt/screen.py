"""The prompt as a user sees it: `meta` in a pseudo-terminal, its output drawn on a model of an 80 × 24 screen."""

import pathlib
import re
import shutil
import tempfile
import termios
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

    def __init__(
        self,
        *arguments: str,
        home: pathlib.Path | None = None,
        deadline: float = 20.0,
        columns: int = COLUMNS,
        rows: int = ROWS,
        inside_bash: bool = False,
        **variables: str,
    ):
        """`variables` go into the environment. `inside_bash`: meta is started by a shell with job control."""
        self.deadline = deadline
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="meta-prompt-"))
        # A home that is passed in outlives the screen: history, say, is there for the next one.
        self.home = home or self.folder
        self.screen = pyte.HistoryScreen(columns, rows, history=5000)
        self.stream = pyte.ByteStream(self.screen)
        self.sent = b""
        command = [str(PROGRAM), *arguments]
        if inside_bash:
            command = ["bash", "--norc", "--noprofile", "--noediting", "-i"]
            variables |= {"PS1": "$ ", "HISTFILE": "/dev/null"}
        self.child = pexpect.spawn(
            command[0],
            command[1:],
            dimensions=(rows, columns),
            cwd=str(self.folder),
            env=environment(self.home) | {"TERM": "xterm"} | variables,
            echo=True,
        )
        # pexpect waits before each write by default, against terminals slower than this one.
        self.child.delaybeforesend = None
        if inside_bash:
            self.enter(str(PROGRAM))

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
        self.child.send(PASTE_START + text.replace("\n", "\r") + PASTE_END)

    def resize(self, columns: int, rows: int) -> None:
        """Makes the terminal another size; a program in it is told by SIGWINCH."""
        self.child.setwinsize(rows, columns)
        self.screen.resize(rows, columns)

    def lines(self) -> list[str]:
        """The screen's rows as last drawn, without trailing blanks, up to the last row that holds something."""
        rows = [row.rstrip() for row in self.screen.display]
        while len(rows) > 1 and not rows[-1]:
            rows.pop()
        return rows

    def row(self, index: int) -> str:
        """A row as last drawn, counted from 0."""
        return self.screen.display[index].rstrip()

    def everything(self) -> list[str]:
        """The rows that have scrolled away, then those on the screen."""
        above = ["".join(row[x].data for x in range(self.screen.columns)) for row in self.screen.history.top]
        return [row.rstrip() for row in above] + self.lines()

    def cursor(self) -> tuple[int, int]:
        """Row and column of the cursor, from 0."""
        return self.screen.cursor.y, self.screen.cursor.x

    def modes(self) -> int:
        """The terminal's local modes."""
        return termios.tcgetattr(self.child.child_fd)[3]

    def wait_for(self, text: str, deadline: float | None = None) -> None:
        """Until some row holds the text."""
        self.wait_until(lambda: any(text in row for row in self.lines()), repr(text), deadline)

    def wait_for_line(self, pattern: str, deadline: float | None = None) -> None:
        """Until a whole row matches a regular expression: an echo of what was typed, prompt before it, does not."""
        expression = re.compile(pattern)
        self.wait_until(lambda: any(map(expression.fullmatch, self.lines())), f"a line {pattern!r}", deadline)

    def wait_for_rows(self, *rows: str, deadline: float | None = None) -> None:
        """Until the screen ends with exactly these rows, trailing blanks aside."""
        wanted = [row.rstrip() for row in rows]
        self.wait_until(lambda: self.lines()[-len(wanted) :] == wanted, f"rows {wanted}", deadline)

    def wait_for_cursor(self, row: int, column: int) -> None:
        self.wait_until(lambda: self.cursor() == (row, column), f"cursor at {(row, column)}")

    def wait_for_prompt(self, prompt: str = "meta>", deadline: float | None = None) -> None:
        """Until the cursor stands right behind a prompt on an otherwise empty line."""
        self.wait_until(lambda: self.at_prompt(prompt), f"an empty prompt {prompt!r}", deadline)

    def at_prompt(self, prompt: str) -> bool:
        row, column = self.cursor()
        return self.screen.display[row].rstrip() == prompt and column == len(prompt) + 1

    @property
    def prompts(self) -> int:
        """How often meta has begun to read a text: it turns the marks of pastes on each time."""
        return self.sent.count(b"\x1b[?2004h")

    def run(self, text: str, prompt: str = "meta>", deadline: float | None = None) -> list[str]:
        """Enters a text at an empty prompt and waits for the next one; the rows between the two."""
        self.wait_until(self.at_any_prompt, "a prompt")
        before = self.prompts
        self.submit(text)
        self.wait_until(lambda: self.prompts > before and self.at_prompt(prompt), "the next prompt", deadline)
        rows = self.lines()
        end = self.cursor()[0]
        start = max((i for i in range(end) if self.is_prompt(rows[i])), default=-1)
        return rows[start + 1 : end]

    def run_open(self, text: str, prompt: str = "meta>") -> list[str]:
        """The same for the end of a text that is open: the rows below its last one."""
        before = self.prompts
        self.enter(text)
        self.wait_until(lambda: self.prompts > before and self.at_prompt(prompt), "the next prompt")
        rows = self.lines()
        end = self.cursor()[0]
        return rows[max(i for i in range(end) if re.match(r"\.+>", rows[i])) + 1 : end]

    def is_prompt(self, row: str) -> bool:
        return re.match(r"(meta|\(\w+\))> ", row) is not None

    def at_any_prompt(self) -> bool:
        return re.fullmatch(r"(meta|\(\w+\))>", self.row(self.cursor()[0])) is not None

    def submit(self, text: str) -> None:
        """Enters a text at an empty prompt and waits until meta has taken it."""
        self.wait_until(self.at_any_prompt, "a prompt")
        before = self.sent.count(b"\x1b[?2004l")
        self.enter(text)
        self.wait_until(lambda: self.sent.count(b"\x1b[?2004l") > before, f"the end of {text!r}")

    def wait_until(self, holds, what: str, deadline: float | None = None) -> None:
        """Draws what comes until a condition holds. AssertionError when the deadline passes or meta ends before."""
        end = time.monotonic() + (deadline or self.deadline)
        while not holds():
            try:
                self.feed(end)
            except pexpect.TIMEOUT:
                raise AssertionError(f"no {what} within the deadline; the screen:\n{self.picture()}") from None
            except pexpect.EOF:
                if holds():
                    return
                raise AssertionError(f"meta ended before {what}; the screen:\n{self.picture()}") from None

    def feed(self, end: float) -> None:
        """Draws what comes next. pexpect.TIMEOUT at `end` by the monotonic clock."""
        data = self.child.read_nonblocking(1 << 16, max(0.0, end - time.monotonic()))
        self.sent += data
        self.stream.feed(data)

    def wait_for_end(self, deadline: float | None = None) -> int:
        """Until meta ends; its exit status, or minus the signal that ended it."""
        end = time.monotonic() + (deadline or self.deadline)
        try:
            while True:
                self.feed(end)
        except pexpect.TIMEOUT:
            raise AssertionError(f"meta did not end within the deadline; the screen:\n{self.picture()}") from None
        except pexpect.EOF:
            self.child.wait()
        return -self.child.signalstatus if self.child.signalstatus else self.child.exitstatus

    def end(self) -> int:
        """Ctrl-D at an empty prompt; the exit status."""
        self.wait_for_prompt()
        self.keys(ctrl("d"))
        return self.wait_for_end()

    def picture(self) -> str:
        """The screen in a frame, the cursor's place below it."""
        width = self.screen.columns
        edge = "+" + "-" * width + "+"
        rows = [f"|{row:<{width}}|" for row in self.lines()]
        return "\n".join([edge, *rows, edge, "cursor at row %d, column %d" % self.cursor()])
