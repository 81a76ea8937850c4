"""Whoever is killed while arrays cross, at whatever moment, takes its own segments with it and nothing else.

Victims are the Python kernel, the Node kernel, what runs (Ctrl-C in a terminal), and whole metas (SIGKILL, SIGTERM), while a
second meta runs all along. `META_SEED` repeats a run; `META_KILLS` is how many there are (20 unless told; `make test-kills` takes 500).
"""

import os
import pathlib
import random
import select
import signal
import sys
import time

import pytest
from arraymeta import FOLDER, Meta, segments
from session import ROOT

sys.path.append(str(ROOT / "Tests" / "prompt"))
from screen import Screen, ctrl  # noqa: E402

SEED = int(os.environ.get("META_SEED") or random.randrange(2**32))
KILLS = int(os.environ.get("META_KILLS") or 20)

PYTHON = """
import gc, hashlib, os, meta, numpy as np
import _meta_kernel
kernel = _meta_kernel.State
def make(i, n): return np.full(n, i, np.float64)
def fresh(i, n):
    a = meta.empty(n)
    a[:] = i
    return a
def long(i, n): return bytes([i % 251]) * n
def check(a, i, n):
    if isinstance(a, bytes): assert len(a) == n and a[0] == a[-1] == i % 251
    else: assert len(a) == n and (np.asarray(a) == i).all()
    return 1
def size(a): return len(a)
def loop(n):
    for i in range(1_000_000): meta.call('js.check', make(i, n), i, n)
def back(n):
    for i in range(1_000_000): check(meta.call('js.make', i, n), i, n)
held = {}
def hold(name, a): held[name] = (a, hashlib.md5(np.ascontiguousarray(a)).hexdigest()); return held[name][1]
def intact(): return [hashlib.md5(np.ascontiguousarray(a)).hexdigest() == sum for a, sum in held.values()].count(True)
hold('own', np.random.default_rng(7).bytes(300_000) and np.frombuffer(np.random.default_rng(7).bytes(300_000), np.uint8))
own = held['own'][0]
"""
JAVASCRIPT = """
globalThis.make = (i, n) => new Float64Array(n).fill(i);
globalThis.fresh = (i, n) => { const a = meta.empty(n); a.fill(i); return a; };
globalThis.long = (i, n) => new Uint8Array(n).fill(i % 251);
globalThis.check = (a, i, n) => {
  if (a.length !== n || a[0] !== (a instanceof Uint8Array ? i % 251 : i) || a[n - 1] !== a[0]) throw new Error(`not ${i}: ${a.length} ${a[0]} ${a[n - 1]}`);
  if (i % 3 === 0 && a.release) a.release();
  return 1;
};
globalThis.loop = (n) => { for (let i = 0; i < 1000000; i++) meta.call('py.check', make(i, n), i, n); };
globalThis.back = (n) => { for (let i = 0; i < 1000000; i++) check(meta.call('py.fresh', i, n), i, n); };
globalThis.sum = (a) => require('crypto').createHash('md5').update(new Uint8Array(a.buffer, a.byteOffset, a.byteLength)).digest('hex');
globalThis.held = {};
globalThis.hold = (name, a) => { held[name] = [a, sum(a)]; return held[name][1]; };
globalThis.intact = () => Object.values(held).filter(([a, known]) => sum(a) === known).length;
globalThis.own = new Uint8Array(250000).map((_, i) => (i * 31) % 253);
hold('own', own);
globalThis.mark = meta.empty([MARK], 'int8', { mutable: true });
"""
LOAD = {"py": "(py \"exec(open('setup.py').read())\")", "js": "(js \"(0, eval)(require('fs').readFileSync('setup.js', 'utf8')); 0\")"}
HOLD = {"py": "(py \"hold('other', x)\" :x (js \"own\"))", "js": "(js \"hold('other', x)\" :x (py \"own\"))"}
INTACT = {"py": '(py "intact()")', "js": '(js "intact()")'}
WORK = [
    "(each i (range 1000000) (js.check (py.make i {n}) i {n}))",
    "(each i (range 1000000) (py.check (js.make i {n}) i {n}))",
    "(each i (range 1000000) (js.check (py.fresh i {n}) i {n}))",
    "(each i (range 1000000) (py.check (js.fresh i {n}) i {n}))",
    "(each i (range 1000000) (js.check (py.long i {m}) i {m}))",
    "(let (v (range 400)) (each i (range 1000000) (do (py.size (buffer.from v)) (js.sum (buffer.from v)))))",
    "(each i (range 1000000) (let (b (py.make i {n})) (do (buffer.sum b) (js.check b i {n}) (buffer.release b))))",
    '(py "loop({n})")',
    '(js "loop({n})")',
    '(py "back({n})")',
    '(js "back({n})")',
]


def work(chance):
    return chance.choice(WORK).replace("{n}", str(chance.choice([300, 3000, 40_000, 300_000]))).replace("{m}", str(chance.choice([70_000, 2_000_000])))


def session_numbers(names):
    """The numbers of the sessions that the names of segments tell of."""
    return {int(name.split("-")[4]) for name in names}


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.fixture
def bystander(monkeypatch):
    """A meta that is there all along, its arrays in both sessions; afterwards they are what they were."""
    monkeypatch.setenv("META_PYTHON", sys.executable)
    with Meta(deadline=3600) as meta:
        write_setup(meta.folder / "work", 4097)
        for form in *LOAD.values(), *HOLD.values():
            assert "error" not in meta(form)
        before = meta.segments
        yield meta
        check_bystander(meta)
        assert set(before) <= set(meta.segments)
        meta.finish("(exit)")


def check_bystander(meta):
    assert [meta(form) for form in INTACT.values()] == ["2", "2"]


def write_setup(folder, mark):
    (folder / "setup.py").write_text(PYTHON)
    (folder / "setup.js").write_text(JAVASCRIPT.replace("MARK", str(mark)))


class Prompt(Screen):
    """A meta in a terminal whose sessions hold arrays of their own and of each other."""

    def begin(self):
        self.marks = 5000
        self.wait_for_prompt()
        write_setup(self.folder, self.marks)
        for form in *LOAD.values(), *HOLD.values():
            self.value(form)
        self.look()

    def value(self, form):
        rows = self.run(form)
        assert not any("error" in row for row in rows), (form, rows)
        return rows[-1].split("  ; ")[0].strip() if rows else ""


    def look(self):
        self.pids = {"py": int(self.value('(py "os.getpid()")')), "js": int(self.value('(js "process.pid")'))}

    def wait_until_idle_or(self, moment):
        """Until the prompt is there again or the moment has come."""
        import pexpect

        while time.monotonic() < moment and not self.at_prompt("meta>"):
            try:
                self.feed(moment)
            except pexpect.TIMEOUT:
                return

    def round(self, chance):
        kind, form = chance.choice(["py", "py", "js", "js", "ctrl-c"]), work(chance)
        self.submit(form)
        self.wait_until_idle_or(time.monotonic() + chance.choice([0, 0.01, 0.05, 0.2]) * chance.random())
        if kind == "ctrl-c":
            self.keys(ctrl("c"))
        else:
            os.kill(self.pids[kind], signal.SIGKILL)
        self.wait_until(lambda: self.at_prompt("meta>"), f"prompt after {kind} {form}", deadline=40)
        self.check(kind)

    def check(self, dead):
        other = {"py": "js", "js": "py"}.get(dead)
        if other:
            before = self.pids[other]
            self.run(f'(try ({dead} "1") (catch e 0))')  # where the death is not known yet this says so
            assert self.value(f'({dead} "6 * 7")') == "42"
            assert self.value(INTACT[other]) == "2", "the other session's arrays"
            self.marks += 1
            write_setup(self.folder, self.marks)
            self.value(LOAD[dead])
            self.value(HOLD["py"])
            self.value(HOLD["js"])
            self.look()
            assert self.pids[other] == before
        assert (self.value(INTACT["py"]), self.value(INTACT["js"])) == ("2", "2")
        self.check_segments()

    def check_segments(self):
        python = int(self.value('(py "kernel.segments")').strip('"').split("-")[4])
        names = segments(self.child.pid)
        numbers = session_numbers(names)
        script = {int(name.split("-")[4]) for name in names if is_mark(name)}
        assert len(script) == 1, names
        assert numbers <= {0, python} | script, (numbers, python, script)


def is_mark(name):
    try:
        return 5000 <= (FOLDER / name).stat().st_size < 8000
    except OSError:
        return False


def test_killed_kernels_and_interrupts(bystander, monkeypatch):
    print(f"META_SEED={SEED}")
    chance = random.Random(f"{SEED} kernels")
    rounds = KILLS * 3 // 4
    with Prompt(columns=500, rows=24, deadline=60) as prompt:
        prompt.begin()
        for number in range(rounds):
            print("round", number)
            prompt.round(chance)
            if number % 10 == 9:
                check_bystander(bystander)
        process = prompt.child.pid
        assert prompt.end() == 0
        assert family(process) == []


def family(process):
    """All files of a meta's, its lock among them."""
    return sorted(path.name for path in FOLDER.glob(f"meta-{os.getuid()}-{process}-*"))


def children(pid):
    try:
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def test_killed_metas(bystander):
    print(f"META_SEED={SEED}")
    chance = random.Random(f"{SEED} metas")
    for number in range(KILLS - KILLS * 3 // 4):
        print("round", number)
        kill_a_meta(chance)
        if number % 10 == 9:
            check_bystander(bystander)


def kill_a_meta(chance):
    with Meta(deadline=120) as victim:
        write_setup(victim.folder / "work", 4097)
        form = work(chance)
        if chance.random() < 0.2:  # while it starts
            victim.send("\n".join([*LOAD.values(), form, ""]))
        else:
            for load in LOAD.values():
                victim(load)
            victim.send(form + "\n")
        select.select([victim.process.stdout], [], [], chance.random() * chance.choice([0.01, 0.1, 0.5]))
        kernels = children(victim.process.pid)
        number = chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM])
        victim.process.send_signal(number)
        status = victim.process.wait(30)
        if number == signal.SIGTERM:
            assert status in (143, -signal.SIGTERM)  # the latter before it is ready for it
        if status >= 0:
            assert family(victim.process.pid) == []
        with Meta(deadline=60) as following:
            assert following('(buffer.sum (py "import meta, numpy as np; np.ones(1000)"))') == "1000.0"
            following.finish("(exit)")
        for kernel in kernels:
            wait_for_end(kernel)
        assert family(victim.process.pid) == [], form


def wait_for_end(pid):
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return
    try:
        assert select.select([descriptor], [], [], 20)[0], f"the kernel {pid} outlives its meta"
    finally:
        os.close(descriptor)
