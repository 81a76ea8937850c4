"""Many objects that come and go leave nothing behind, in any process."""

import pathlib

import pytest

ROUNDS = 20_000
MAKE = {"py": '(py "object()")', "js": '(js "({f() {}})")', "function": '(py "f" :f #(* # 2))', "third": '(js "h" :h (py "object()"))'}
# What a process may grow by: entries of meta's ledger, which has a fixed number of them, become longer texts, and what
# Node's collector has not come to yet is still held by all.
SLACK = {"py": 1_500_000, "meta": 5_000_000, "js": 100_000_000}
UNCOLLECTED = 15_000_000


def resident(pid: int) -> int:
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


@pytest.mark.parametrize("kind", MAKE)
def test_objects_that_come_and_go(meta, kind):
    meta.end += 600
    pids = {"meta": meta.process.pid, "py": int(meta('(py "__import__(\'os\').getpid()")')), "js": int(meta('(js "process.pid")'))}

    def sizes() -> dict[str, int]:
        meta('(py "__import__(\'gc\').collect()")')
        return {name: resident(pid) for name, pid in pids.items()}

    # The ledger goes round once.
    meta('(let (n (py "1")) (each i (range 70000) (+ n 1)))')
    meta(f"(each i (range 5000) {MAKE[kind]})")
    before = sizes()
    meta(f"(each i (range {ROUNDS}) {MAKE[kind]})")
    grown = {name: size - before[name] for name, size in sizes().items()}
    late = UNCOLLECTED if kind == "third" else 0
    assert all(grown[name] < SLACK[name] + late for name in grown), grown
    held = int(meta("(count (handles))"))
    assert held < (ROUNDS if kind in ("js", "third") else 20), held
