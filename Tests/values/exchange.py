"""One `meta --json` process that is asked form by form; its answers as models of values (see models.py)."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import models
from session import PROGRAM, environment


class Refused(Exception):
    """The form failed with an error; its code is the only argument."""


class Exchange:
    """Use as a context manager. What the program says on standard error is in `messages` after an unexpected end."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="meta-values-"))
        self.errors = open(self.folder / "errors", "w+", encoding="utf-8", errors="replace")
        self.process = subprocess.Popen(
            [PROGRAM, "--json", "--keep-going"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
            cwd=self.folder, env=environment(self.folder), start_new_session=True,
        )

    def __enter__(self) -> "Exchange":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.errors.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def value(self, form: str):
        """The value of a form. Raises Refused with the code when it ends with an error."""
        answer = self.ask(f"[true (do {form})]", f"[false e.code]")
        if answer[0] is False:
            raise Refused(answer[1])
        return answer[1]

    def ask(self, form: str, otherwise: str):
        self.process.stdin.write(f"(try {form} (catch e {otherwise}))\n".encode())
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            raise AssertionError(f"meta ended at {form[:2000]}: {self.errors.read()[-2000:]}")
        return models.read(line)["data"]
