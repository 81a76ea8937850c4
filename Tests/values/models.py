"""Values as this folder's tests hold them: JSON's own as Python's own, objects as Object, all else as Tag.

`form` writes a value as meta source, `read` reads a line of `--json`, `same` compares; `through` says what comes home from a
runtime, with the merges that docs/values.md states and no other.
"""

import datetime
import json
import math
import re
import struct


class Object:
    """Keys in order. `pairs` is a list of (key, value)."""

    def __init__(self, pairs):
        self.pairs = list(pairs)

    def __getitem__(self, key):
        return dict(self.pairs)[key]

    def __repr__(self):
        return "{%s}" % ", ".join(f"{key!r}: {value!r}" for key, value in self.pairs)


class Tag:
    """A value of the envelope: its `_type`, its other fields in order."""

    def __init__(self, type, **fields):
        self.type, self.fields = type, fields

    def __repr__(self):
        return f"{self.type}({', '.join(f'{name}={value!r}' for name, value in self.fields.items())})"


# --------------------------------------------------------------------------------------------------------- reading


def read(line):
    """The model of a JSON text of the envelope."""
    return json.loads(line, object_pairs_hook=untag, parse_constant=refuse)


def refuse(name):
    raise ValueError(f"{name} is not JSON")


def untag(pairs):
    fields = dict(pairs)
    assert len(fields) == len(pairs), f"a key twice: {pairs}"
    if "_type" not in fields:
        return Object(pairs)
    kind = fields.pop("_type")
    if kind == "MetaObject":
        return fields
    if kind == "Float":
        return float(fields["value"])
    if kind == "Complex":
        # Both parts are floats, however they are written.
        return Tag(kind, re=float(fields["re"]), im=float(fields["im"]))
    if kind == "Map" and set(fields) == {"entries"}:
        entries = fields["entries"]
        if all(type(key) is str for key, _ in entries) and "_type" in dict(entries):
            return Object([(key, value) for key, value in entries])
    return Tag(kind, **fields)


# --------------------------------------------------------------------------------------------------------- writing

CONSTRUCTORS = {"Decimal": "decimal", "Date": "date", "Duration": "duration", "Symbol": "js-symbol"}


def form(value):
    """The value as a form of meta."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return float_form(value)
    if isinstance(value, (int, str)):
        return json.dumps(value)
    if isinstance(value, list):
        return "[%s]" % " ".join(map(form, value))
    if isinstance(value, Object):
        return "(object %s)" % " ".join(f"{json.dumps(key)} {form(item)}" for key, item in value.pairs)
    return tag_form(value.type, value.fields)


def float_form(value):
    if math.isnan(value):
        return "math.nan"
    if math.isinf(value):
        return "math.inf" if value > 0 else "(- math.inf)"
    return repr(value)


def tag_form(kind, fields):
    if kind in ("Tuple", "Set"):
        return "(%s)" % " ".join(["tuple" if kind == "Tuple" else "set-of", *map(form, fields["items"])])
    if kind == "Map":
        return "(map-of %s)" % " ".join(f"{form(key)} {form(item)}" for key, item in fields["entries"])
    if kind == "Bytes":
        return f'(base64.decode "{fields["base64"]}")'
    if kind == "Undefined":
        return "undefined"
    if kind == "Complex":
        return f"(complex {form(fields['re'])} {form(fields['im'])})"
    if kind == "Fraction":
        return "(fraction %s)" % " ".join(fields["value"].split("/"))
    if kind == "Time":
        return "(time %s %d)" % (json.dumps(fields["value"]), fields.get("fold", 0))
    if kind == "DateTime":
        return "(datetime %s %s %d)" % (json.dumps(fields["value"]), form(fields.get("zone")), fields.get("fold", 0))
    return f"({CONSTRUCTORS[kind]} {json.dumps(fields['value'])})"


# -------------------------------------------------------------------------------------------------------- comparing


def same(one, two):
    """Equal, of one type, in one order, to any depth; the items of sets in any order."""
    return key(one) == key(two)


def key(value):
    """One text for what is the same: every difference that a language can see is in it."""
    if isinstance(value, float):
        return "float " + ("nan" if math.isnan(value) else struct.pack(">d", value).hex())
    if isinstance(value, list):
        return "[%s]" % ",".join(map(key, value))
    if isinstance(value, Object):
        return "{%s}" % ",".join(f"{json.dumps(name)}:{key(item)}" for name, item in value.pairs)
    if isinstance(value, Tag):
        if value.type == "Set":
            return "Set(%s)" % ",".join(sorted(map(key, value.fields["items"])))
        return "%s(%s)" % (value.type, ",".join(f"{name}={key(item)}" for name, item in sorted(value.fields.items())))
    return f"{type(value).__name__} {json.dumps(value)}"


# ------------------------------------------------------------------------------------------------------ expectation

SAFE = 2**53 - 1
INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{3})?(000)?(Z|\+00:00)")


class Fails(Exception):
    """The value does not cross; the code is the only argument."""


def through(language, value):
    """What comes home when a value was sent to a language and back. Raises Fails where it cannot go."""
    if language == "sh":
        return through_shell(value)
    return value if language == "meta" else rebuilt(language, value)


def rebuilt(language, value):
    if isinstance(value, list):
        return [rebuilt(language, item) for item in value]
    if isinstance(value, Object):
        return Object([(key, rebuilt(language, item)) for key, item in value.pairs])
    if isinstance(value, float) and language == "js":
        # The merge that docs/values.md names.
        is_safe = value.is_integer() and abs(value) <= SAFE and not (value == 0 and math.copysign(1, value) < 0)
        return int(value) if is_safe else value
    if not isinstance(value, Tag):
        return value
    if value.type == "DateTime":
        return Tag("DateTime", **instant(language, value.fields))
    if value.type in ("Tuple", "Set"):
        return Tag(value.type, items=rebuilt(language, value.fields["items"]))
    if value.type == "Map":
        return Tag("Map", entries=rebuilt(language, value.fields["entries"]))
    return value


def instant(language, fields):
    """A Date of JavaScript is an instant in UTC with milliseconds, which Python writes in its own way."""
    if language == "js" and set(fields) == {"value"} and (found := INSTANT.fullmatch(fields["value"])):
        return {"value": f"{found[1]}{found[2] or '.000'}Z"}
    if language == "py" and fields["value"].endswith("Z"):
        moment = datetime.datetime.fromisoformat(fields["value"].replace("Z", "+00:00"))
        return fields | {"value": moment.isoformat()}
    return fields


def through_shell(value):
    """The shell has text: what `printf %s "$x"` prints, less one last newline."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(repr(value), repr(value))
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        if "\0" in value:
            raise Fails("value/nul")
        return value.removesuffix("\n")
    if isinstance(value, Tag) and value.type in ("Decimal", "Fraction", "Date", "Time", "DateTime", "Duration"):
        return value.fields["value"]
    if isinstance(value, Tag) and value.type == "Complex":
        re, im = (float_text(value.fields[name]) for name in ("re", "im"))
        return f"{re}{'' if im.startswith('-') else '+'}{im}j"
    raise Fails("value/uncopyable")


def float_text(value):
    return through_shell(value)
