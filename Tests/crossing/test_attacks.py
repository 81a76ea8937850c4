"""What kernels and user code can do to break the crossing: an error where it belongs, and everybody else goes on."""

import json
import pathlib
import sys

import pytest

FORGER = pathlib.Path(__file__).with_name("forger.py")
T = {"_type": "Ref", "owner": "forger", "generation": 1, "ref": 7, "type": "T", "repr": "r", "callable": True}


@pytest.fixture
def forge(meta):
    """The form that lets the forger answer with a header and a body."""
    meta(f'(define-runtime "forger" :command ["{sys.executable}" "{FORGER}"])')
    return lambda header, body="null": f"(forger {json.dumps(json.dumps([header, body]))})"


@pytest.mark.parametrize("elapsed", [1e308, -1e308, -5, 2**60, 0])
def test_a_time_that_no_clock_measured(meta, forge, elapsed):
    assert meta(forge({"elapsed": elapsed}, "1")) == "1"
    assert meta('(def x 1) (py "1")') == "1"


def test_an_equality_that_is_none(meta, forge):
    meta(f"(def h {forge({'refs': [['forger', 1, 7]], 'later': [[{}, '5']]}, json.dumps(T))})")
    assert "wire/unreadable" in meta("(= h 1)")


def test_a_request_that_ends_before_what_it_has_asked(meta, forge):
    """Its session is asked on: nobody waits any more."""
    ask = {"op": "eval", "id": 1, "language": "py", "code": "__import__('time').sleep(60)"}
    assert meta(f"(with-timeout 5 {forge({'asks': [ask]}, '2')})") == "2"
    assert meta(f"(with-timeout 5 {forge({}, '3')})") == "3"


def test_what_is_asked_for_by_who_dies_meanwhile(meta):
    """The answer names an object that nobody gets."""
    meta('(py "import meta, os\\ndef die(): os._exit(3)")')
    assert "session/exited" in meta('(py "meta.eval(\'js\', \'d()\', d=die)")')
    assert meta('(py "1")') == "1"
    assert meta("(handles)") == "[]"


FAILING = {
    "js": "(js \"(function* () { for (let i = 0; i < 5000; i++) { if (i === 2500) throw new RangeError(`no ${i}`); yield i } })()\")",
    "js later": "(js \"(async function* () { for (let i = 0; i < 5000; i++) { if (i === 2500) throw new RangeError(`no ${i}`); yield i } })()\")",
    "py": "(py \"(i if i != 2500 else [][0] for i in range(5000))\")",
}


@pytest.mark.parametrize("owner", FAILING)
def test_what_came_before_an_iteration_failed(meta, owner):
    """Every item in front of the error arrives, whoever goes through them."""
    asked = "py" if owner != "py" else "js"
    code = {
        "py": "(py \"n = 0\ntry:\n  for x in g: n += 1\nexcept Exception as e: n = [n, e.type]\nn\" :g g)",
        "js": '(js "var n = 0; try { for (const x of g) n++ } catch (e) { n = [n, e.type] }; n" :g g)',
    }[asked]
    meta(f"(def g {FAILING[owner]})")
    error = "IndexError" if owner == "py" else "RangeError"
    assert meta(code) == f'[2500 "{error}"]'
    meta(f"(def g {FAILING[owner]})")
    meta("(def seen [])")
    assert error in meta("(each x g (set seen x))")
    assert meta("seen") == "2499"


def test_many_promises_of_another_language(meta):
    meta('(def f (py "def f(x): return x + 1\\nf"))')
    count = '(await Promise.all([...Array(20000).keys()].map(i => f.async(i)))).every((x, i) => x === i + 1)'
    assert meta(f'(js "{count}" :f f)') == "true"
    assert meta(f'(js "{count}" :f inc)') == "true"
