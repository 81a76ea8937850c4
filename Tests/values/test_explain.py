"""`(explain-crossing v 'py)` is true: what it says beforehand is what arrives, and what comes home."""

import os
import random
import re

import models
import pytest
from exchange import Exchange, Refused
from generate import Generator

SEED = int(os.environ.get("META_SEED") or random.randrange(2**32))
COUNT = int(os.environ.get("META_VALUES") or 4) * 20

# What arrived, a name for each part, containers before their items: as explain-crossing lists them. The items of a set in
# the order of their names, as no language keeps another.
PYTHON = """
import meta
def kinds(v):
    t = type(v)
    if t is meta.Tagged:
        return ["meta.Tagged"] + (inside(v.fields, v.tag) if v.tag in ("Tuple", "Set", "Map") else [])
    if isinstance(v, meta.Handle): return ["meta.Handle"]
    name = {"meta.Map": "dict", "meta.Error": "meta.Error"}.get(t.__module__ + "." + t.__name__, t.__name__)
    if t in (list, tuple): return [name] + [k for item in v for k in kinds(item)]
    if t is set: return [name] + sorted(map(str, map(kinds, v)))
    if isinstance(v, dict):
        if all(type(k) is str for k in v) and t is dict: return [name] + [k for item in v.values() for k in kinds(item)]
        return [name] + [k for pair in v.items() for part in pair for k in kinds(part)]
    return [name]
def inside(fields, tag):
    if tag == "Map": return [k for pair in fields["entries"] for part in pair for k in kinds(part)]
    if tag == "Set": return sorted(map(str, map(kinds, fields["items"])))
    return [k for item in fields["items"] for k in kinds(item)]
"""
JAVASCRIPT = """
globalThis.kinds = (v) => {
  if (v === null) return ['null'];
  if (typeof v === 'bigint') return ['BigInt'];
  if (v instanceof meta.Tagged) return ['meta.Tagged', ...(['Tuple', 'Set', 'Map'].includes(v.tag) ? inside(v.fields, v.tag) : [])];
  if (v instanceof meta.Handle) return ['meta.Handle'];
  if (typeof v !== 'object') return [typeof v];
  if (v instanceof meta.Error) return ['meta.Error'];
  if (Array.isArray(v)) return ['Array', ...v.flatMap(kinds)];
  if (v instanceof meta.ObjectMap) return ['Map', ...[...v.values()].flatMap(kinds)];
  if (v instanceof Map) return ['Map', ...[...v].flat(1).flatMap(kinds)];
  if (v instanceof Set) return ['Set', ...[...v].map((item) => text(kinds(item))).sort()];
  if (Object.getPrototypeOf(v) === Object.prototype) return ['Object', ...Object.values(v).flatMap(kinds)];
  return [v.constructor.name];
};
globalThis.text = (names) => '[' + names.map((name) => `'${name}'`).join(', ') + ']';
globalThis.inside = (fields, tag) => tag === 'Map' ? fields.entries.flat(1).flatMap(kinds)
  : tag === 'Set' ? fields.items.map((item) => text(kinds(item))).sort() : fields.items.flatMap(kinds);
0
"""
FIXED = {
    "a function": "(fn (x) x)", "a library's function": "map", "a handle of Python": '(py "lambda: 1")', "a name": "'a", "a keyword": ":a",
    "an error": "(try (throw {message: \"x\"}) (catch e e))", "an error of Python": '(py "ValueError(1)")', "an error of JavaScript": '(js "new TypeError(1)")',
    "a handle of JavaScript": '(js "() => 1")', "equal keys": "(map-of [1] 1 [2] 2)", "equal items": "(set-of 1 true)", "undefined": "undefined",
    "an unreduced decimal": '(decimal "1.5e3")', "a far year": '(date "+012345-01-01")', "a year zero": '(date "0000-01-01")', "nanoseconds": '(time "12:00:00.123456789")',
    "a leap second": '(datetime "2016-12-31T23:59:60Z")', "hours": '(duration "PT36H")', "months": '(duration "P2M")', "nested sets": "(set-of (set-of 1))",
    "a tuple with a list": "(set-of (tuple [1]))", "a tuple in a set": "(set-of (tuple 1 (tuple 2)))", "NaNs": "(set-of math.nan math.nan)",
}  # fmt: skip


@pytest.fixture(scope="module")
def exchange():
    with Exchange() as exchange:
        exchange.value(f'(py """{PYTHON}""")')
        exchange.value(f'(js """{JAVASCRIPT}""")')
        yield exchange


def arrivals(form, value, rows):
    """The names that the rows give, those of a set's items gathered as the walkers do it."""
    names = iter([row["arrives"] for row in rows])
    result = gathered(value, names)
    assert next(names, None) is None
    return result


def gathered(value, names):
    own = [next(names)]
    if isinstance(value, list):
        items, is_set = value, False
    elif isinstance(value, models.Object):
        items, is_set = [item for _, item in value.pairs], False
    elif isinstance(value, models.Tag) and value.type in ("Tuple", "Set"):
        items, is_set = value.fields["items"], value.type == "Set"
    elif isinstance(value, models.Tag) and value.type == "Map":
        items, is_set = [part for pair in value.fields["entries"] for part in pair], False
    else:
        return own
    parts = [gathered(item, names) for item in items]
    return own + (sorted(map(str, parts)) if is_set else [name for part in parts for name in part])


@pytest.mark.parametrize("language", ["py", "js"])
def test_what_is_said_is_what_happens(exchange, language):
    print(f"META_SEED={SEED}")
    for index in range(COUNT):
        value = Generator(f"{SEED} {language} {index}").value()
        check(exchange, language, models.form(value), value, f"{SEED} {language} {index}")


@pytest.mark.parametrize("language", ["py", "js"])
@pytest.mark.parametrize("name", FIXED)
def test_fixed_values(exchange, language, name):
    form = FIXED[name]
    rows = exchange.value(f"(explain-crossing {form} {language})")
    arrived = exchange.value(f'({language} "kinds(x)" :x {form})')
    home = exchange.value(f'(let (x {form}) (= ({language} "x" :x x) x))')
    said = [row["arrives"] for row in rows]
    assert sorted(said) == sorted(re.findall(r"[\w.]+", " ".join(arrived)))
    assert home is True or name == "NaNs"
    assert {row["outcome"] for row in rows} <= {"exact", "tagged", "handle"}


def check(exchange, language, form, value, seed):
    rows = exchange.value(f"(explain-crossing {form} {language})")
    arrived = exchange.value(f'({language} "kinds(x)" :x {form})')
    assert arrivals(form, value, rows) == arrived, f"{seed}: {form}"
    outcomes = {row["outcome"] for row in rows}
    assert outcomes <= {"exact", "tagged", "merged"}
    home = exchange.value(f'({language} "x" :x {form})')
    as_instants = models.rebuilt("py", value)  # a Date's other spelling is no difference
    assert ("merged" in outcomes) == (not models.same(models.rebuilt("py", home), models.rebuilt("py", rewritten(language, as_instants)))), f"{seed}: {form}"


def rewritten(language, value):
    """The value with the instants spelled as the language does it, and nothing else done."""
    if isinstance(value, list):
        return [rewritten(language, item) for item in value]
    if isinstance(value, models.Object):
        return models.Object([(key, rewritten(language, item)) for key, item in value.pairs])
    if not isinstance(value, models.Tag):
        return value
    if value.type == "DateTime":
        return models.Tag("DateTime", **models.instant(language, value.fields))
    return models.Tag(value.type, **{name: rewritten(language, item) for name, item in value.fields.items()})


@pytest.mark.parametrize("language", ["py", "js"])
def test_too_deep(exchange, language):
    form = "(reduce (fn (v _) [v]) [] (range 998))"
    assert [row["arrives"] for row in exchange.value(f"(explain-crossing {form} {language})")] == ["value/depth"]
    with pytest.raises(Refused, match="value/depth"):
        exchange.value(f'({language} "x" :x [{form}])')


def test_the_shell(exchange):
    print(f"META_SEED={SEED}")
    for index in range(COUNT):
        value = Generator(f"{SEED} sh {index}").value()
        form = models.form(value)
        (row,) = exchange.value(f"(explain-crossing {form} sh)")
        try:
            exchange.value(f'(sh.printf "%s" {form})')
            assert row["outcome"] == "exact" and row["arrives"] in ("text", "file")
        except Refused as refusal:
            assert row["outcome"] == "error" and row["arrives"] == refusal.args[0]


def test_who_is_not_known(exchange):
    with pytest.raises(Refused, match="session/unknown"):
        exchange.value("(explain-crossing 1 'nobody)")
