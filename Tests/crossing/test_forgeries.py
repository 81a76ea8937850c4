"""Kernels that lie about objects: an error that says so, and everybody else goes on."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
from session import PROGRAM, environment

FORGER = pathlib.Path(__file__).with_name("forger.py")


def ref(session, number, birth=1, **fields):
    return json.dumps({"_type": "Ref", "owner": session, "generation": birth, "ref": number, "type": "T", "repr": "r",
                       "callable": True} | fields)  # fmt: skip


@pytest.fixture
def forge(meta):
    """Lets the forger answer with a header and a body; what meta prints for that."""
    meta(f'(define-runtime "forger" :command ["{sys.executable}" "{FORGER}" "release"])')

    def forge(header, body="null", form="(forger {code})"):
        code = json.dumps(json.dumps([header, body]))
        return meta(form.replace("{code}", code))

    return forge


def test_an_honest_answer(forge, meta):
    printed = forge({"refs": [["forger", 1, 7]]}, ref("forger", 7), "(def h (forger {code}))")
    assert printed == ""
    assert meta("h") == "<forger T r>"
    assert meta('(py "h" :h h)') == "<forger T r>"


def test_objects_of_others(forge, meta):
    meta('(def p (py "Point(1)"))')
    meta('(py "f" :f inc)')
    for owner, number in [("py", 1), ("py", 99), ("meta", 1), ("js", 1), ("nobody", 1)]:
        printed = forge({"refs": [[owner, 1, number]]}, ref(owner, number))
        assert "wire/unreadable" in printed or "session/stale-handle" in printed, (owner, printed)
        assert f"object {number} of {owner}" in printed or "ended" in printed, printed
    assert meta("p.x") == "1"
    assert meta('(forger "[{}, \\"2\\"]")') == "2"


def test_what_it_was_sent_it_may_name_until_it_has_released_it(forge, meta):
    meta('(def p (py "Point(1)"))')
    meta('(forger "[{}, \\"0\\"]" :p p)')
    number = meta("(get (first (filter #(= #.owner \"py\") (handles))) :ref)")
    mine = {"refs": [["py", 1, int(number)]]}
    assert forge(mine, ref("py", int(number)), "(= p (forger {code}))") == "true"
    released = {"op": "release", "refs": [["py", 1, int(number), 5]]}
    assert "wire/unreadable" in forge(mine | {"before": [released]}, ref("py", int(number)))
    assert meta("p.x") == "1"


def test_what_the_frame_does_not_list(forge):
    assert "does not list" in forge({}, ref("forger", 7))
    assert "does not list" in forge({"refs": [["forger", 1, 8]]}, f"[{ref('forger', 7)}]")
    assert "does not list" in forge({}, "[" + ref("forger", 7) + ",0" * 400 + "]", "(count (forger {code}))")


@pytest.mark.parametrize(
    "number, generation", [(0, 1), (-1, 1), (1, 0), (1, 2), (1, -1)], ids=lambda value: str(value)
)
def test_numbers_that_are_none(forge, number, generation):
    assert "error[" in forge({"refs": [["forger", generation, number]]}, ref("forger", number, generation))


@pytest.mark.parametrize("field, value", [("owner", 1), ("generation", "1"), ("ref", "1"), ("ref", 1.5), ("ref", 2**70), ("ref", None)])
def test_records_that_are_none(forge, field, value):
    assert "wire/unreadable" in forge({"refs": [["forger", 1, 1]]}, ref("forger", 1, **{field: value}))


@pytest.mark.parametrize("field", ["type", "repr"])
def test_long_and_strange_descriptions(forge, meta, field):
    forge({"refs": [["forger", 1, 1]]}, ref("forger", 1, **{field: "\x1b[2J\n" * 1000}), "(def h (forger {code}))")
    printed = meta("h")
    assert "\x1b" not in printed and "\n" not in printed and len(printed) < 2000


@pytest.mark.parametrize("body", ["1],[2", '"a","b"', "{}}", "[1", '["a]', "", "1 2", "[1]]", '{"x":1}}{"y":2}', '"a\\"', "nul"])
def test_bodies_that_reach_out_of_their_place(forge, meta, body):
    # Long bodies are passed on unread; none may be more than one value there.
    long = body.replace("1", "1" + " " * 600, 1).replace("a", "a" * 600, 1) + " " * 600
    forge({}, long, "(def v (forger {code}))")
    printed = meta('(try (py "v" :v v) (catch e e.code))')
    assert printed in ('"wire/unreadable"', '"eval/unbound"', "") or "error[" in printed, printed
    assert meta('(py "1")') == "1"


def test_releases_of_what_it_does_not_hold(forge, meta):
    meta('(do (def p (py "Point(1)")) (py "f" :f inc))')
    releases = [["py", 1, 1, 1], ["meta", 1, 1, 1], ["forger", 1, 1, 1], ["x", 9, 9, 9]]
    assert forge({"before": [{"op": "release", "refs": releases}]}, "3") == "3"
    assert meta("p.x") == "1"
    assert meta('(py "f(1)" :f inc)') == "2"


def test_items_without_somebody_who_has_the_rest(forge, meta):
    vector = [{"more": True}, "[1]"]
    wrong = [{"more": True, "iterator": ["py", 1, 1], "refs": [["py", 1, 1]]}, "[1]"]
    unlisted = [{"more": True, "iterator": ["forger", 1, 9]}, "[1]"]
    for answer in [vector, wrong, unlisted, [{}, "5"], [{}, '{"a":1}']]:
        forge({"refs": [["forger", 1, 1]], "later": [answer]}, ref("forger", 1), "(def h (forger {code}))")
        assert "error[" in meta("(map inc h)"), answer
        meta("(restart 'forger)")


def test_a_kernel_that_takes_no_references(meta):
    meta(f'(define-runtime "plain" :command ["{sys.executable}" "{FORGER}"])')
    assert meta('(plain "[{}, \\"1\\"]")') == "1"
    for form, path in [
        ('(plain "[{}, \\"1\\"]" :x [1 inc])', ".x[1]"),
        ('(plain.f 1 {a: [inc]})', "[1].a[0]"),
        ('(plain.f 1 (py "Point(1)"))', "[1]"),
        ("(set plain.x {a: inc})", ".a"),
    ]:
        printed = meta(form)
        assert "value/uncopyable" in printed and f" at {path}\n" in printed, printed


def test_an_endless_loop_over_an_object_can_be_interrupted(tmp_path):
    script = tmp_path / "endless.meta"
    script.write_text("(each x (py \"__import__('itertools').count()\") (if (= x 5000) (print \"on its way\")))\n")
    process = subprocess.Popen(
        [PROGRAM, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(tmp_path), start_new_session=True
    )
    assert process.stdout.readline() == b"on its way\n"
    before = memory(process.pid)
    time.sleep(1)
    grown = memory(process.pid) - before
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert grown < 20_000_000, grown


def memory(pid):
    """Bytes of memory that the process has now."""
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
