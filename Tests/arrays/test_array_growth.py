"""Arrays that are made, attached and given back many times leave nothing behind, in any process.

`META_CYCLES` is how many of them there are (20,000 unless told; `make test-kills` takes 100,000).
"""

import os
import pathlib

import pytest

CYCLES = int(os.environ.get("META_CYCLES") or 20_000)
BIG = 2_000 if CYCLES > 20_000 else 1_000  # of 1 MB each: several times the limit
# What a process may grow by: 1.2 MB of it are the arrays that its pools keep, the rest is what allocators and Node's collector keep.
SLACK = {"meta": 8_000_000, "py": 8_000_000, "js": 80_000_000}
# The limit of shared memory here: what is not given back in time would not fit.
LIMIT = 256 << 20
# What the pools keep: files of Python's that are mapped, files of Node's that are open; and stacks and heaps of threads come and go.
FREE = {"descriptors": 70, "mappings": 200}
FILES = 330


class Process:
    """What a process holds of what the system has."""

    def __init__(self, pid):
        self.folder = pathlib.Path(f"/proc/{pid}")

    def descriptors(self):
        return len(list((self.folder / "fd").iterdir()))

    def mappings(self):
        return len((self.folder / "maps").read_text().splitlines())

    def private(self):
        """Bytes of its own memory, without that which it shares."""
        status = (self.folder / "status").read_text()
        return int(status.split("RssAnon:")[1].split()[0]) * 1024


@pytest.fixture
def meta(start):
    return start("--buffer-limit", str(LIMIT))


@pytest.fixture
def held(meta):
    """held(): what each process holds when all that can be collected has been."""
    pids = {"meta": meta.process.pid, "py": int(meta('(py "import os, gc, meta, numpy as np; os.getpid()")')), "js": int(meta('(js "process.pid")'))}
    meta('(js "const v8 = require(\'v8\'); v8.setFlagsFromString(\'--expose-gc\'); globalThis.collect = require(\'vm\').runInNewContext(\'gc\'); 0")')
    meta("(js \"globalThis.first = (a) => { const x = a[0]; a.release(); return x; }; globalThis.look = (a) => a[0]; globalThis.same = (a) => a; 0\")")
    meta('(py "def first(a): return float(a[0])\\ndef same(a): return a")')
    processes = {name: Process(pid) for name, pid in pids.items()}

    def report():
        for _ in range(3):  # what one lets go, the other has to hear
            meta('(js "collect(); new Promise((done) => setImmediate(() => setImmediate(done)))")')
            meta('(py "gc.collect()")')
        found = {name: {"descriptors": one.descriptors(), "mappings": one.mappings(), "private": one.private()} for name, one in processes.items()}
        files = [path for path in pathlib.Path("/dev/shm").glob(f"meta-{os.getuid()}-{meta.process.pid}-*")]
        assert sum(path.stat().st_size for path in files) <= LIMIT and len(files) <= FILES
        return found, int(meta("(count (filter (fn (s) (> (count s.holders) 0)) (get (buffer.stats) :of)))"))

    return report


def check(before, after):
    (was, held_before), (now, held) = before, after
    assert held - held_before <= 10
    for name, one in now.items():
        for what, most in FREE.items():
            assert one[what] - was[name][what] <= most, (name, what, was, now)
        assert one["private"] - was[name]["private"] <= SLACK[name], (name, was, now)


LOOPS = {
    "meta py → js": '(each i (range {}) (js.first (py "np.zeros(1024)")))',
    "meta js → py": '(each i (range {}) (py.first (js "new Float64Array(1024)")))',
    "meta empty": '(each i (range {}) (js.first (py "meta.empty(1024)")))',
    "meta from": '(let (v (range 300)) (each i (range {}) (js.first (buffer.from v))))',
    "py calls js": '(py "for i in range({}): meta.call(\'js.first\', np.zeros(1024))")',
    "py calls js, gets back": '(py "for i in range({}): x = meta.call(\'js.same\', np.zeros(1024)); del x")',
    "js calls py": '(js "for (let i = 0; i < {}; i++) meta.call(\'py.first\', new Float64Array(1024)); 0")',
    "js calls py, gets back": '(js "for (let i = 0; i < {}; i++) meta.call(\'py.same\', new Float64Array(1024)).release?.(); 0")',
}  # fmt: skip
# What is not given back by release(): the collectors and finalizers have to notice.
LEFT = {
    "meta py → js": '(each i (range {}) (js.look (py "np.zeros(131072)")))',
    "meta js → py": '(each i (range {}) (py.first (js "new Float64Array(131072)")))',
    "meta empty": '(each i (range {}) (js.look (py "meta.empty(131072)")))',
    "py calls js": '(py "for i in range({}): meta.call(\'js.look\', np.zeros(131072))")',
    "js calls py": '(js "for (let i = 0; i < {}; i++) meta.call(\'py.first\', new Float64Array(131072)); 0")',
    "js gets of py": '(js "for (let i = 0; i < {}; i++) meta.eval(\'py\', \'np.zeros(131072)\')[0]; 0")',
    "js empty": '(js "for (let i = 0; i < {}; i++) meta.call(\'py.first\', meta.empty(131072)); 0")',
}  # fmt: skip


@pytest.mark.parametrize("loop", LOOPS)
def test_cycles_with_release_leave_nothing(meta, held, loop):
    form = LOOPS[loop]
    count = CYCLES // len(LOOPS)
    assert "error" not in meta(form.format(400))
    before = held()
    assert "error" not in meta(form.format(count))
    check(before, held())


@pytest.mark.parametrize("loop", LEFT)
def test_cycles_without_release_leave_nothing(meta, held, loop):
    form = LEFT[loop]
    assert "error" not in meta(form.format(400))
    before = held()
    assert "error" not in meta(form.format(BIG))
    check(before, held())
