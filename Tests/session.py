"""One `meta` process fed form by form through a pipe, its two output streams read as one."""

import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = pathlib.Path(os.environ.get("META_PROGRAM", ROOT / ".build" / "release" / "meta"))

# Kept from the caller's environment: where programs are, how packages are reached, which interpreters are chosen.
KEPT = re.compile(r"PATH|PYENV_.*|META_.*|NVM_.*|.*_proxy|SSL_CERT_.*|TMPDIR", re.IGNORECASE)

XDG = {"CONFIG": ".config", "CACHE": ".cache", "DATA": ".local/share", "STATE": ".local/state"}


class Broken(Exception):
    """The process ended or stayed silent; the message says which, with what it printed since the last form."""


def environment(home: pathlib.Path) -> dict[str, str]:
    """An environment in which nothing of the caller's settings and history is seen or touched."""
    kept = {name: value for name, value in os.environ.items() if KEPT.fullmatch(name)}
    places = {f"XDG_{name}_HOME": str(home / place) for name, place in XDG.items()}
    return kept | places | {"HOME": str(home), "NO_COLOR": "1", "TERM": "dumb", "LANG": "C.UTF-8", "TZ": "UTC"}


class Session:
    """Use as a context manager. `files` is a folder whose contents the session finds in its working directory; `python`
    the interpreter that it takes, where that is not the caller's choice; `arguments` are more of the program's, `before` a command
    that starts it.
    """

    def __init__(self, files: pathlib.Path | None = None, deadline: float = 60.0, python: str | None = None, arguments=(), before=()):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="meta-test-"))
        self.end = time.monotonic() + deadline
        self.deadline = deadline
        self.count = 0
        home, work = self.folder / "home", self.folder / "work"
        home.mkdir()
        shutil.copytree(files, work) if files else work.mkdir()
        self.process = subprocess.Popen(
            [*before, PROGRAM, "--pretty", "--keep-going", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=work,
            env=environment(home) | ({"META_PYTHON": python} if python else {}),
            start_new_session=True,
        )

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()
        if not self.process.stdin.closed:
            self.process.stdin.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def evaluate(self, form: str) -> list[str]:
        """The lines printed for a form. A string that prints as itself, sent after the form, marks where they end.

        Raises Broken when the process ends first or is silent past the deadline.
        """
        self.count += 1
        mark = f'"⟦{self.count}⟧"'
        self.send(f"{form}\n{mark}\n")
        printed = self.read_until(f"{mark}\n".encode())
        if printed is None:
            raise Broken(f"meta ended before it had answered; {self.ending()}", self.lines(self.rest))
        return self.lines(printed)

    def finish(self, form: str) -> list[str]:
        """The lines printed for the last form and the end of input; the form may be one that does not read."""
        self.send(f"{form}\n")
        self.process.stdin.close()
        self.read_until(None)
        ending = self.ending()
        if self.process.returncode is None or self.process.returncode < 0:
            raise Broken(f"meta did not end by itself; {ending}", self.lines(self.rest))
        return self.lines(self.rest)

    def send(self, text: str) -> None:
        try:
            self.process.stdin.write(text.encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # The reader that follows finds the end, and says what was printed before it.

    def read_until(self, mark: bytes | None) -> bytes | None:
        """What came before the mark; None at the end of output, which leaves what came in `rest`."""
        descriptor = self.process.stdout.fileno()
        self.rest = b""
        while mark is None or mark not in self.rest:
            remaining = self.end - time.monotonic()
            if remaining <= 0 or not select.select([descriptor], [], [], remaining)[0]:
                raise Broken(f"no answer within {self.deadline:.0f} s", self.lines(self.rest))
            chunk = os.read(descriptor, 1 << 16)
            if not chunk:
                return None
            self.rest += chunk
        return self.rest.split(mark, 1)[0]

    def ending(self) -> str:
        """How the process ended, in words."""
        try:
            status = self.process.wait(5)
        except subprocess.TimeoutExpired:
            return "it closed its output and lives on"
        return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"

    @staticmethod
    def lines(printed: bytes) -> list[str]:
        text = printed.decode("utf-8", "backslashreplace")
        return text.removesuffix("\n").split("\n") if text else []
