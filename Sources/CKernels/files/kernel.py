"""The Python kernel of meta: runs the user's Python and answers requests.

A request is one frame on descriptor 3: 16 hexadecimal digits (8: bytes of header, 8: bytes of body), a JSON
header, a JSON body. Each request that has an id gets exactly one `ret` or `err`. Descriptor 4 is for the kernel's own
requests, the upcalls. User code lives in `__main__` and owns descriptors 1 and 2. Start is paid by every one-liner, so only what the hello needs is imported here.
"""

import gc

gc.disable()  # nothing of what this file makes is garbage; enabled at its end

import _ast
import _json
import _signal
import _thread
import _weakref
import builtins
import os
import sys
import time

# ---------------------------------------------------------------------------------------------------------- hello

PROTOCOL = "1.0"
DEPTH_LIMIT = 1000
HEADER_LIMIT = 1 << 20
BODY_LIMIT = (1 << 31) - 1


def greeting():
    """The header of the first frame: who this is and what it can do."""
    return {
        "op": "hello",
        "protocol": PROTOCOL,
        "language": "py",
        "version": "%d.%d.%d" % sys.version_info[:3],
        "operations": sorted([*OPERATIONS, "copy", "each", "hold", "release"]),
        "limits": {"header": HEADER_LIMIT, "body": BODY_LIMIT, "depth": DEPTH_LIMIT},
        "buffers": "map" if sys.platform == "linux" and sys.byteorder == "little" else "none",
        "plain": False,
        "executable": sys.executable,
    }


class Failure(Exception):
    """An error with a code of the protocol; `path` is where in a value it is."""

    def __init__(self, code, message, path=None, type=None):
        super().__init__(message)
        self.code, self.path, self.type = code, path, type

    def inside(self, place):
        """The same, found by a container at that place in it."""
        self.path = place + self.path
        if self.code == "value/depth":
            self.path = self.path[:200]
        return self


class Error(Exception):
    """An error of another language, with what that language said about it (`meta.Error`).

    `frames` are dicts, outermost first; `cause` an Error or None; `handle` the original object, where it lives on.
    """

    def __init__(self, message="", code="runtime/raised", type="Error", **fields):
        super().__init__(message)
        self.message, self.code, self.type = message, code, type
        self.frames = fields.get("frames") or []
        self.cause = fields.get("cause")
        self.data = fields.get("data")
        self.language = fields.get("language")
        self.path = fields.get("path")
        self.handle = fields.get("handle")
        if isinstance(self.cause, BaseException):
            self.__cause__ = self.cause


class Tagged:
    """A value of a type that Python lacks, carried unchanged (`meta.Tagged`): `tag`, and its `fields` as a dict."""

    __slots__ = ("tag", "fields")

    def __init__(self, tag, fields=None):
        self.tag, self.fields = tag, dict(fields or {})

    def __eq__(self, other):
        return type(other) is Tagged and (self.tag, self.fields) == (other.tag, other.fields)

    def __hash__(self):
        return hash(self.tag)

    def __repr__(self):
        return "meta.Tagged(%r, %r)" % (self.tag, self.fields)


class Map(dict):
    """A map of another language whose keys are all text (`meta.Map`): a dict that goes home as a map, not as an object."""

    __slots__ = ()


class Undefined:
    """The type of `meta.undefined`, JavaScript's undefined."""

    __slots__ = ()

    def __bool__(self):
        return False

    def __repr__(self):
        return "meta.undefined"


undefined = Undefined()


def install_module():
    """Makes `import meta` work in user code."""
    module = type(sys)("meta", "What meta offers to the Python inside it.")
    for member in (Error, Tagged, Map, Undefined, Handle):
        member.__module__ = "meta"
        setattr(module, member.__name__, member)
    for name, function in (("call", call_up), ("eval", eval_up), ("fetch", fetch), ("ref", Held), ("release", release),
                           ("empty", empty), ("array", array), ("share", share), ("table", table), ("__getattr__", late_member)):
        setattr(module, name, function)
    module.undefined = undefined
    sys.modules["meta"] = module


# --------------------------------------------------------------------------------------------------------- decode


def decode(body, scan=None):
    """The value of a JSON text (bytes). Raises Failure `wire/unreadable` naming the place.

    `scan` is the scanner to use, where the body may hold Refs.
    """
    scan = scan or scan_value
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Failure("wire/unreadable", "body is not UTF-8 at byte %d" % error.start) from None
    try:
        value, end = scan(text, 0)
    except StopIteration as stop:
        return decode_carefully(text, scan, stop.value)
    except (ValueError, RecursionError, SystemError) as error:
        return decode_carefully(text, scan, error)
    if end != len(text) and text[end:].strip(" \t\n\r"):
        raise Failure("wire/unreadable", "body has more text at character %d, allowed is one value" % end)
    if "\\ud" in text or "\\uD" in text:
        check_all_text(value)
    if len(body) >= 2 * DEPTH_LIMIT and is_too_deep(body, text):
        raise Failure("value/depth", "a value nests at most %d levels" % DEPTH_LIMIT)
    return value


NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def is_too_deep(body, text):
    """Whether brackets nest beyond the limit. Takes the innermost pairs away, a level each time, at C speed."""
    brackets = body.translate(None, NOT_BRACKETS)
    for level in range(64):
        if level + len(brackets) <= DEPTH_LIMIT:
            return False
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return nesting(text) > DEPTH_LIMIT


def decode_carefully(text, scan, why):
    """Reads what the first try could not: leading space, integers of any length, deep nesting."""
    start = len(text) - len(text.lstrip(" \t\n\r"))
    if start == len(text):
        raise Failure("wire/unreadable", "body is empty, wanted one value")
    if nesting(text) > DEPTH_LIMIT:
        raise Failure("value/depth", "a value nests at most %d levels" % DEPTH_LIMIT)
    import json  # without it the scanner has no exception to raise

    try:
        with Unlimited():
            value, end = scan(text, start)
    except StopIteration as stop:
        raise Failure("wire/unreadable", "body is not JSON at character %s" % stop.value) from None
    except json.JSONDecodeError as error:
        raise Failure("wire/unreadable", "body is not JSON: %s at character %d" % (error.msg, error.pos)) from None
    except ValueError as error:
        raise Failure("wire/unreadable", "body is not JSON: %s" % error) from None
    except RecursionError:
        raise Failure("value/depth", "a value nests at most %d levels" % DEPTH_LIMIT) from None
    if text[end:].strip(" \t\n\r"):
        raise Failure("wire/unreadable", "body has more text at character %d, allowed is one value" % end)
    check_all_text(value)
    return value


def nesting(text):
    """The depth of the brackets in a JSON text, strings left out."""
    depth = deepest = 0
    inside = escaped = False
    for character in text:
        if inside:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                inside = False
        elif character == '"':
            inside = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def change_limits(lifted, room):
    """Sets Python's recursion limit to what user code set and the kernel adds: for conversions, one `lifted` each,
    and for `room` frames that upcalls may use."""
    with TABLE:
        now = sys.getrecursionlimit()
        if now != State.limit:
            State.user_limit = now
        State.lifted += lifted
        State.room += room
        State.limit = State.user_limit + State.room + (6 * DEPTH_LIMIT if State.lifted else 0)
        try:
            sys.setrecursionlimit(State.limit)
        except RecursionError:  # user code set less than is in use now
            State.limit = now


class Unlimited:
    """Lifts Python's limits on digits and recursion for the kernel's own conversions; no user code runs inside."""

    def __enter__(self):
        change_limits(1, 0)
        self.digits = getattr(sys, "get_int_max_str_digits", int)()
        if self.digits:
            sys.set_int_max_str_digits(0)

    def __exit__(self, *_):
        if self.digits:
            sys.set_int_max_str_digits(self.digits)
        change_limits(-1, 0)


def check_all_text(value):
    """Raises Failure `value/surrogate` when a string in `value` holds half a character."""
    with Unlimited():
        check_text(value, "")


def check_text(value, path):
    kind = type(value)
    if kind is str:
        if not is_text(value):
            raise Failure("value/surrogate", "a string holds a lone surrogate", path, "str")
    elif kind is list or kind is tuple or kind is set:
        for index, item in enumerate(value):
            check_text(item, "%s[%d]" % (path, index))
    elif kind is dict:
        for key, item in value.items():
            check_text(key, path + key_path(key))
            check_text(item, path + key_path(key))
    elif kind is Tagged:
        check_text(value.fields, path)


def is_text(text):
    try:
        text.encode("utf-8")
        return True
    except UnicodeEncodeError:
        return False


def read_object(pairs, receiving=None):
    """One JSON object, called by the scanner from the inside out: a dict, or what its `_type` stands for."""
    value = dict(pairs)
    if len(value) != len(pairs):
        seen = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise Failure("wire/unreadable", "the key %s is there twice" % quote(twice))
    if "_type" in value:
        return read_tagged(value, receiving)
    return value


def read_tagged(fields, receiving):
    tag = fields.pop("_type")
    if type(tag) is not str:
        raise Failure("wire/unreadable", "a _type is a text, got %s" % type_name(type(tag)))
    if tag == "Ref":
        return read_ref(fields, receiving)
    if tag == "Buffer" or tag == "Text" or tag == "Bytes" and "segment" in fields:
        return quiet(buffers().read, tag, fields, receiving)
    if tag == "Table":
        return quiet(tables().read, fields, receiving)
    try:
        reader = READERS.get(tag)
        if reader is not None:
            return reader(fields)
    except Failure:
        raise
    except (KeyError, ValueError, TypeError, ArithmeticError, ImportError):
        pass  # not a value that Python has (a Set of lists, the year 10000): it travels on as it came
    return Tagged(tag, fields)


def only(fields, *names):
    """The fields by name; KeyError when one lacks or there are others that would be lost."""
    if fields.keys() != set(names):
        raise KeyError(tuple(fields))
    return [fields[name] for name in names]


def read_int(fields):
    (value,) = only(fields, "value")
    with Unlimited():
        return int(value)


def read_float(fields):
    (value,) = only(fields, "value")
    return {"NaN": NAN, "Infinity": INFINITY, "-Infinity": -INFINITY, "-0.0": -0.0}[value]


def read_bytes(fields):
    (value,) = only(fields, "base64")
    import binascii

    data = binascii.a2b_base64(value)
    if binascii.b2a_base64(data, newline=False).decode() != value:
        raise Failure("wire/unreadable", "base64 of Bytes is not canonical")
    return data


def read_decimal(fields):
    (value,) = only(fields, "value")
    from decimal import Decimal

    result = Decimal(value)
    return result if str(result) == value else Tagged("Decimal", fields)


def read_fraction(fields):
    (value,) = only(fields, "value")
    from fractions import Fraction

    with Unlimited():
        result = Fraction(value)
        return result if "%d/%d" % (result.numerator, result.denominator) == value else Tagged("Fraction", fields)


def read_complex(fields):
    return complex(*only(fields, "re", "im"))


def read_date(fields):
    (value,) = only(fields, "value")
    from datetime import date

    return date.fromisoformat(value)


def read_time(fields):
    from datetime import time

    rest = dict(fields)
    fold = rest.pop("fold", 0)
    (value,) = only(rest, "value")
    refuse_nanoseconds(value)
    return time.fromisoformat(value.replace("Z", "+00:00")).replace(fold=fold)


def refuse_nanoseconds(text):
    """Python cuts a second's fraction at six digits without a word."""
    _, point, rest = text.partition(".")
    if point and len(rest) - len(rest.lstrip("0123456789")) > 6:
        raise ValueError(text)


def read_datetime(fields):
    from datetime import datetime

    rest = dict(fields)
    fold, zone = rest.pop("fold", 0), rest.pop("zone", None)
    (value,) = only(rest, "value")
    refuse_nanoseconds(value)
    result = datetime.fromisoformat(value.replace("Z", "+00:00")).replace(fold=fold)
    if zone is None:
        return result
    from zoneinfo import ZoneInfo

    moved = result.replace(tzinfo=ZoneInfo(zone))
    if moved.utcoffset() != result.utcoffset():
        raise ValueError(value)  # the two sides' zone tables differ
    return moved


def read_duration(fields):
    (value,) = only(fields, "value")
    from datetime import timedelta

    sign, _, rest = value.partition("P")
    days, _, seconds = rest.partition("DT")
    whole, _, fraction = seconds.rstrip("S").partition(".")
    result = timedelta(int(days), int(whole), int((fraction + "000000")[:6]))
    result = -result if sign == "-" else result
    if duration_text(result) != value:
        raise ValueError(value)
    return result


def read_tuple(fields):
    (items,) = only(fields, "items")
    return tuple(items)


def read_set(fields):
    (items,) = only(fields, "items")
    result = set(items)
    if len(result) != len(items):
        raise ValueError("items that are equal in Python")
    return result


def read_map(fields):
    (entries,) = only(fields, "entries")
    result = {key: value for key, value in entries}
    if len(result) != len(entries):
        raise ValueError("keys that are equal in Python")
    # With `_type` among them it was an object, with another kind of key a dict is written as a Map anyway.
    return Map(result) if "_type" not in result and set(map(type, result)) <= {str} else result


def read_undefined(fields):
    only(fields)
    return undefined


def read_error(fields):
    if fields.get("language") == "py" and fields.get("type") in BUILTIN_ERRORS:
        error = BUILTIN_ERRORS[fields["type"]](*fields["data"])
        if isinstance(fields.get("cause"), BaseException):
            error.__cause__ = fields["cause"]
        return error
    return Error(**fields)


NAN, INFINITY = float("nan"), float("inf")
BUILTIN_ERRORS = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, BaseException) and kind.__name__ == name
}
READERS = {
    "Int": read_int,
    "Float": read_float,
    "Bytes": read_bytes,
    "Decimal": read_decimal,
    "Fraction": read_fraction,
    "Complex": read_complex,
    "Date": read_date,
    "Time": read_time,
    "DateTime": read_datetime,
    "Duration": read_duration,
    "Tuple": read_tuple,
    "Set": read_set,
    "Map": read_map,
    "Undefined": read_undefined,
    "Error": read_error,
}


def read_number(text):
    """A float that is what its digits say; the scanner has checked the form."""
    value = float(text)
    if value - value != 0:
        raise ValueError("%s is beyond a float" % text[:40])
    return value


def refuse_constant(name):
    raise ValueError("%s is not JSON" % name)


class ScannerSettings:
    strict = True
    object_hook = None
    object_pairs_hook = staticmethod(read_object)
    parse_float = staticmethod(read_number)
    parse_int = int
    parse_constant = staticmethod(refuse_constant)
    memo = {}


class HeaderSettings(ScannerSettings):
    object_pairs_hook = None


scan_value = _json.make_scanner(ScannerSettings)
scan_header = _json.make_scanner(HeaderSettings)

# --------------------------------------------------------------------------------------------------------- encode

quote = _json.encode_basestring
# What JSON itself has. bool is among them because type(True) is bool, never int.
PLAIN = frozenset([type(None), bool, int, float, str, dict, list])
SCALARS = frozenset([type(None), bool, int, float, str])


def refuse(value):
    raise TypeError("not plain")


def make_encoder(marks, allow_nan):
    """The C encoder of `json`, blind to the types that `count_none` looks at; finds cycles with `marks`."""
    return _json.make_encoder(marks, refuse, quote, None, ":", ",", False, False, allow_nan)


encode_header = make_encoder(None, True)
encode_json = make_encoder(None, False)  # ends a cycle at Python's recursion limit, and is quicker for that
SAFE_RECURSION = 8 * DEPTH_LIMIT


def json_text(value):
    """What `json.dumps` says, as short as can be; ValueError or RecursionError for NaN and cycles."""
    if sys.getrecursionlimit() <= SAFE_RECURSION:
        return "".join(encode_json(value, 0))
    return "".join(make_encoder({}, False)(value, 0))


def encode(value, refs=None):
    """The JSON text (bytes) of a value, exact. Raises Failure `value/…` naming the path.

    What cannot be copied crosses as a Ref, which `list_own` adds to `refs`, a Sending.
    """
    kind = type(value)
    if kind is int and -(1 << 64) < value < 1 << 64:
        return b"%d" % value
    if refs is None:
        refs = Sending()
    if kind in PLAIN and not starts_with_handle(value, kind) and not (State.segments and holds_long_text(value, kind)):
        text = encode_plain(value)
        if text is not None:
            return text
    listed = len(refs)
    try:
        out = Output(refs)
        write(value, out, 1)
    except (RecursionError, ValueError):  # deeper, or with more digits, than Python's limits allow
        unlist(refs, listed)
        out = Output(refs)
        with Unlimited():
            write(value, out, 1)
    for place, member, number, *how in out.late:
        out.parts[place] = ref_text(member, number, *how)
    return "".join(out.parts).encode("utf-8")


LONG = 65536  # bytes from which on bytes and texts cross in shared memory


def is_long_text(text):
    return len(text) >= LONG // 4 and (len(text) >= LONG or len(text.encode("utf-8", "replace")) >= LONG)


def holds_long_text(value, kind):
    """Whether a value is a long text, or has one among its first few members: only there, and among values that are not
    plain JSON, are texts looked at one by one."""
    if kind is str:
        return is_long_text(value)
    if kind is list and len(value) == 2 and type(value[0]) is list and type(value[1]) is dict:  # the arguments of a call
        return has_long_text(value[0], list) or has_long_text(value[1], dict)
    return has_long_text(value, kind)


def has_long_text(value, kind):
    if kind not in CONTAINERS or not value or len(value) > FEW:
        return False
    for item in value.values() if kind is dict else value:
        if type(item) is str and is_long_text(item):
            return True
    return False


FEW = 32


def starts_with_handle(value, kind):
    """Whether the arguments of a call begin with what crosses as a Ref, so that to try the quick way is in vain."""
    if kind is not list or len(value) != 2 or type(value[0]) is not list or not value[0]:
        return False
    first = type(value[0][0])
    return first is FUNCTION or first in HANDLES


class Output:
    """The text of one body while it is written: its `parts`; `put` adds one; `above` holds the ids of the containers
    around; `late` are places for Refs, whose reprs are user code and run when the walk is over."""

    __slots__ = ("parts", "put", "above", "refs", "late")

    def __init__(self, refs):
        self.parts, self.above, self.refs, self.late = [], set(), refs, []
        self.put = self.parts.append


def encode_plain(value, before=0):
    """The text when the value is plain JSON all through, otherwise None. `before` is the size of the text before it.

    Encoders turn integer keys into strings, tuples into lists, subclasses into their base and NaN into null without a
    word, so their text counts only when `count_none` has seen every type. Both run at C speed.
    """
    try:
        if has_large(value):
            return encode_members(value, before)
        if type(value) is list and len(value) > PART:
            return encode_parts(value, before)
        return encode_at_once(value, before)
    except (TypeError, ValueError, RecursionError, MemoryError):
        return None


PART = 512  # items of a long list that are encoded, and then checked while they are in the processor's cache


def has_large(value):
    """Whether a member of a short container is a long one."""
    kind = type(value)
    if kind is not dict and (kind is not list or len(value) > PART):
        return False
    items = value.values() if kind is dict else value
    return any([len(item) > PART for item in items if type(item) in CONTAINERS])


def encode_members(value, before):
    """`encode_plain` for a container with long members, one by one."""
    texts = []
    for item in value.items() if type(value) is dict else value:
        start = b""
        if type(value) is dict:
            key, item = item
            if type(key) is not str or key == "_type":
                return None
            start = quote(key).encode("utf-8") + b":"
        text = encode_plain(item, before)
        if text is None:
            return None
        texts.append(start + text)
        before += len(text)
    return (b"{%b}" if type(value) is dict else b"[%b]") % b",".join(texts)


def encode_parts(items, before):
    """`encode_plain` for a long list, part by part."""
    texts = []
    for start in range(0, len(items), PART):
        text = encode_at_once(items[start : start + PART], before)
        if text is None:
            return None
        texts.append(text[1:-1])
        before += len(text)
    return b"[%b]" % b",".join(texts)


QUICK = 1 << 20  # bytes of text from which on a faster encoder is worth its import


def encode_at_once(value, before):
    dumps = before >= QUICK and quick_encoder()
    if dumps:
        try:
            text = dumps(value)
        except TypeError:  # what it cannot say: other keys, integers beyond 64 bits, half characters, deep nesting
            dumps = None
        else:  # it writes NaN as null; other keys than str it refuses
            if is_untagged(text) and text.count(b"null") == count_none([value], False):
                return text
    text = json_text(value).encode("utf-8")
    return text if is_untagged(text) and count_none([value], True) >= 0 else None


def is_untagged(text):
    """Whether a text holds nothing that crosses in another form: no key `_type`, no -0.0."""
    return b'"_type"' not in text and not (b"-0.0" in text and has_negative_zero(text))


def has_negative_zero(text):
    return text == b"-0.0" or b"-0.0," in text or b"-0.0]" in text or b"-0.0}" in text


def quick_encoder():
    """`orjson.dumps` where that package is installed, else False. The user's program does not see it imported."""
    if State.quick is None:
        State.quick = False
        known = set(sys.modules)
        try:
            from importlib.machinery import PathFinder

            if "-packages" in PathFinder.find_spec("orjson").origin:
                import orjson

                State.quick = orjson.dumps
        except Exception:
            pass
        for name in set(sys.modules) - known:
            if name.partition(".")[0] == "orjson":
                del sys.modules[name]
    return State.quick


def count_none(level, looks_at_keys, depth=0):
    """How many None are in values without cycles (0 when it looks at keys, too); -1 when one has another than a plain
    type, or when in doubt.

    Goes level by level, and through a wide level in parts. CPython's collector does not report the keys of a dict whose
    keys are all exactly str, so a level has as many referents as its containers have items only when no dict has
    another kind of key.
    """
    found = 0
    for depth in range(depth, DEPTH_LIMIT + 1):
        types = map(type, level) if looks_at_keys else list(map(type, level))
        kinds = set(types)
        if not kinds <= PLAIN:
            return -1
        if NONE in kinds and not looks_at_keys:
            found += types.count(NONE)
        if kinds <= SCALARS:
            return found
        if looks_at_keys and not kinds <= CONTAINERS:
            level = [item for item in level if type(item) in CONTAINERS]
        below = gc.get_referents(*level)
        if looks_at_keys and len(below) != sum(map(len, level)):
            return -1
        if len(below) > 4 * PART:
            for start in range(0, len(below), 4 * PART):
                part = count_none(below[start : start + 4 * PART], looks_at_keys, depth + 1)
                if part < 0:
                    return -1
                found += part
            return found
        level = below
    return -1


NONE = type(None)
CONTAINERS = frozenset([dict, list])


def key_path(key):
    """How a key looks in a path: `.name`, or in brackets."""
    if type(key) is str:
        return "." + key if key.isidentifier() else "[%s]" % ascii(key)
    return "[%s]" % (key if type(key) in (int, bool, float) else type(key).__name__)


UNCOPYABLE = "value/uncopyable"  # raised by a writer before it puts anything: the value crosses as a Ref


def write(value, out, depth):
    """Puts the text of one value, tagged where JSON has no such type. A Failure's path grows on its way out."""
    kind = type(value)
    writer = WRITERS.get(kind) or late_writer(kind) or State.segments and array_writer(value, kind)
    if not writer:
        return write_ref(value, out, depth)
    if kind in SCALARS:
        return writer(value, out, depth)
    if id(value) in out.above:
        raise Failure("value/cycle", "%s contains itself" % type_name(kind), "", type_name(kind))
    if depth > DEPTH_LIMIT:
        raise Failure("value/depth", "a value nests at most %d levels" % DEPTH_LIMIT, "", type_name(kind))
    out.above.add(id(value))
    try:
        writer(value, out, depth)
    except Failure as failure:
        if failure.code != UNCOPYABLE or out.refs.strict:
            raise
        write_ref(value, out, depth)
    out.above.discard(id(value))


def write_none(value, out, depth):
    out.put("null")


def write_bool(value, out, depth):
    out.put("true" if value else "false")


def write_int(value, out, depth):
    out.put(int.__repr__(value))


def write_float(value, out, depth):
    if value != value:
        out.put('{"_type":"Float","value":"NaN"}')
    elif value in (INFINITY, -INFINITY):
        out.put('{"_type":"Float","value":"%s"}' % ("Infinity" if value > 0 else "-Infinity"))
    elif value == 0 and float.__repr__(value) == "-0.0":
        out.put('{"_type":"Float","value":"-0.0"}')
    else:
        out.put(float.__repr__(value))


def write_str(value, out, depth):
    if State.segments and is_long_text(value) and write_long_text(value, out):
        return
    write_key(value, out)


def write_key(value, out):
    if not is_text(value):
        raise Failure("value/surrogate", "a string holds a lone surrogate", "", "str")
    out.put(quote(value))


def write_long_text(value, out):
    """Puts a text as a segment; false where it has to cross as JSON, or cannot cross at all."""
    try:
        return buffers().write_long("Text", value.encode("utf-8"), out)
    except UnicodeEncodeError:
        return False


def write_items(items, out, depth):
    separator = "["
    for index, item in enumerate(items):
        out.put(separator)
        try:
            write(item, out, depth + 1)
        except Failure as failure:
            raise failure.inside("[%d]" % index)
        separator = ","
    out.put("[]" if separator == "[" else "]")


def write_list(value, out, depth):
    if len(value) > 8 and set(map(type, value)) <= SCALARS and not (State.segments and has_long_text(value, list)):
        text = encode_plain(value)
        if text is not None:
            return out.put(text.decode())
    write_items(value, out, depth)


def write_dict(value, out, depth):
    """An object when every key is a str and none is `_type`, else a Map."""
    if "_type" in value or set(map(type, value)) - {str}:
        return write_map(value, out, depth)
    separator = "{"
    for key, item in value.items():
        out.put(separator)
        try:
            write_key(key, out)
            out.put(":")
            write(item, out, depth + 1)
        except Failure as failure:
            raise failure.inside(key_path(key))
        separator = ","
    out.put("{}" if separator == "{" else "}")


def write_map(value, out, depth):
    out.put('{"_type":"Map","entries":[')
    separator = "["
    for key, item in value.items():
        out.put(separator)
        try:
            write(key, out, depth + 3)
            out.put(",")
            write(item, out, depth + 3)
        except Failure as failure:
            raise failure.inside(key_path(key))
        out.put("]")
        separator = ",["
    out.put("]}")


def write_tuple(value, out, depth):
    out.put('{"_type":"Tuple","items":')
    write_items(value, out, depth + 1)
    out.put("}")


def write_set(value, out, depth):
    out.put('{"_type":"Set","items":')
    write_items(value, out, depth + 1)
    out.put("}")


def write_bytes(value, out, depth):
    if State.segments and len(value) >= LONG and buffers().write_long("Bytes", value, out):
        return
    import binascii

    out.put('{"_type":"Bytes","base64":"%s"}' % binascii.b2a_base64(value, newline=False).decode())


def write_complex(value, out, depth):
    out.put('{"_type":"Complex","re":')
    write_float(value.real, out, depth)
    out.put(',"im":')
    write_float(value.imag, out, depth)
    out.put("}")


def write_undefined(value, out, depth):
    out.put('{"_type":"Undefined"}')


def write_tagged(value, out, depth):
    if value.tag in ("Ref", "Buffer", "Text", "Table", "Column") or value.tag == "Bytes" and "segment" in value.fields or type(value.tag) is not str or "_type" in value.fields:
        raise Failure(UNCOPYABLE, "it would forge what it is not")
    out.put('{"_type":%s' % quote(value.tag))
    for name, item in value.fields.items():
        out.put(",%s:" % quote(name))
        try:
            write(item, out, depth + 1)
        except Failure as failure:
            raise failure.inside(key_path(name))
    out.put("}")


def write_array(value, out, depth):
    buffers().write_array(value, out, depth)


def write_table(value, out, depth):
    tables().write_table(value, out, depth)


def write_error(value, out, depth):
    if type(value) is Error:
        fields = {"code": value.code, "type": value.type, "message": value.message, "frames": value.frames}
        for name in ("cause", "data", "language"):
            if getattr(value, name) is not None:
                fields[name] = getattr(value, name)
    else:
        if EXCEPTION_FIELDS(value).keys() - {TRAVELLED}:
            raise Failure(UNCOPYABLE, "it has attributes")
        arguments = value.__reduce__()[1]
        fields = {"code": "runtime/raised", "type": type(value).__name__, "message": message_of(value)}
        fields.update(frames=frames_of(value), language="py", data=list(arguments))
        if value.__cause__ is not None:
            fields["cause"] = value.__cause__
    write_tagged(Tagged("Error", fields), out, depth)


def put_text(out, tag, text, **more):
    out.put('{"_type":"%s","value":"%s"' % (tag, text))
    for name, value in more.items():
        if value:
            out.put(',"%s":%s' % (name, quote(value) if type(value) is str else value))
    out.put("}")


def late_writer(kind):
    """The writer for a type whose module is imported only by those who use it; None when it crosses as a Ref."""
    module, name = module_of(kind), TYPE_QUALNAME(kind)
    if module == "builtins":
        found = write_error if BUILTIN_ERRORS.get(name) is kind else None
    elif kind is Error:
        found = write_error
    elif module in ("datetime", "decimal", "fractions"):
        genuine = vars(sys.modules.get(module, builtins)).get(name) is kind
        found = LATE_WRITERS.get(name) if genuine else None
    else:
        return None
    if found is not None:
        WRITERS[kind] = found
    return found


def write_decimal(value, out, depth):
    put_text(out, "Decimal", str(value))


def write_fraction(value, out, depth):
    put_text(out, "Fraction", "%d/%d" % (value.numerator, value.denominator))


def write_date(value, out, depth):
    put_text(out, "Date", value.isoformat())


def write_time(value, out, depth):
    if zone_key(value.tzinfo):
        raise Failure(UNCOPYABLE, "a time in a named zone has no offset")
    put_text(out, "Time", value.isoformat(), fold=value.fold)


def write_datetime(value, out, depth):
    put_text(out, "DateTime", value.isoformat(), zone=zone_key(value.tzinfo), fold=value.fold)


def zone_key(zone):
    """None for no zone and for a fixed offset, the key of a ZoneInfo; other zones cannot be copied."""
    from datetime import timezone

    if zone is None or type(zone) is timezone and zone.tzname(None) == timezone(zone.utcoffset(None)).tzname(None):
        return None
    if module_of(type(zone)) == "zoneinfo" and getattr(zone, "key", None):
        return zone.key
    raise Failure(UNCOPYABLE, "only Python knows this zone")


def duration_text(value):
    sign = "-" if value.days < 0 else ""
    size = abs(value)
    fraction = ".%06d" % size.microseconds if size.microseconds else ""
    return "%sP%dDT%d%sS" % (sign, size.days, size.seconds, fraction)


def write_duration(value, out, depth):
    put_text(out, "Duration", duration_text(value))


WRITERS = {
    type(None): write_none,
    bool: write_bool,
    int: write_int,
    float: write_float,
    str: write_str,
    list: write_list,
    dict: write_dict,
    tuple: write_tuple,
    set: write_set,
    bytes: write_bytes,
    complex: write_complex,
    Map: write_map,
    Undefined: write_undefined,
    Tagged: write_tagged,
}
LATE_WRITERS = {
    "date": write_date,
    "time": write_time,
    "datetime": write_datetime,
    "timedelta": write_duration,
    "Decimal": write_decimal,
    "Fraction": write_fraction,
}

ARRAYS = {bytearray: write_array, memoryview: write_array}  # what lends its memory; not part of WRITERS, as a bulk copy looks into it
NO_ARRAYS = set()  # types of other objects


def array_writer(value, kind):
    """The writer for what lends memory with numbers in it: arrays, images, tensors. None for other objects, and for those that
    are something else first: numbers, texts, maps of files, subclasses of arrays with a meaning of their own."""
    if kind in NO_ARRAYS or kind in HANDLES or kind is Held:
        return None
    if kind in ARRAYS:
        return ARRAYS[kind]
    if TYPE_QUALNAME(kind) in FRAMES and tables().is_frame(kind):
        ARRAYS[kind] = write_table
        return write_table
    lends = lends_memory(value, kind)
    if not TYPE_FLAGS(kind) & HEAP_TYPE:  # another would be kept alive, and may be one of many
        if lends:
            ARRAYS[kind] = write_array
        else:
            NO_ARRAYS.add(kind)
    return write_array if lends else None


HEAP_TYPE = 1 << 9
FRAMES = frozenset(["DataFrame", "Table", "RecordBatch"])  # what classes of tables are called
SOMETHING_ELSE = frozenset(["bytes", "bytearray", "str", "int", "float", "type", "mmap", "generic", "_SimpleCData", "Structure", "Union"])


def lends_memory(value, kind):
    module, bases = module_of(kind), TYPE_MRO(kind)
    if (module, TYPE_QUALNAME(kind)) in (("numpy", "ndarray"), ("array", "array"), ("meta", "View")):
        return True
    names = {TYPE_QUALNAME(base) for base in bases}
    if names & SOMETHING_ELSE or "ndarray" in names or "array" in names and "array" in sys.modules:
        return False
    if "Image" in names and buffers().is_image(kind) or any(["__dlpack__" in TYPE_DICT(base) for base in bases]):
        return True
    try:
        memoryview(value).release()
        return True
    except Exception:
        return False


# A metaclass may say anything about its classes; these read what is there.
TYPE_MRO = type.__dict__["__mro__"].__get__
TYPE_DICT = type.__dict__["__dict__"].__get__
TYPE_FLAGS = type.__dict__["__flags__"].__get__
TYPE_QUALNAME = type.__dict__["__qualname__"].__get__
TYPE_MODULE = type.__dict__["__module__"].__get__


def module_of(kind):
    try:
        return TYPE_MODULE(kind)
    except AttributeError:
        return None


def type_name(kind):
    """A type's name as a Python user writes it: `int`, `collections.OrderedDict`, `Point` of `__main__`."""
    module, name = module_of(kind), TYPE_QUALNAME(kind)
    if module in ("builtins", "__main__") or type(module) is not str:
        return name
    return module + "." + name


# -------------------------------------------------------------------------------------------------------- handles

# What is here and known elsewhere. An object has one number, by identity, never reused; the count beside it is how
# many frames listed it, less what `release` has given back.
TABLE = _thread.RLock()
HELD = {}  # number -> [object, count] and, once sent, a function's name at that time and the text of its Ref
NUMBERS = {}  # id of the object -> number


class Sending(dict):
    """The refs that a frame lists, in their order. `share` says for whom its arrays are, as in a request; `live` and
    `shared` what its body then holds."""

    share = None
    strict = False  # what has no form is an error, rather than a Ref
    live = shared = False


def list_own(refs, value):
    """The number of an object of ours, which the frame lists from now on in `refs` (a dict, for its order): the
    (owner, generation, number) of each ref once, counted as sent."""
    with TABLE:
        number = NUMBERS.get(id(value))
        if number is None:
            number = State.numbers = State.numbers + 1
            NUMBERS[id(value)] = number
            HELD[number] = [value, 0]
        key = (State.session, State.generation, number)
        if key not in refs:
            refs[key] = True
            HELD[number][1] += 1
    return number


def unlist(refs, kept=0):
    """Takes the sendings back when the frame is not sent after all, but for the first few."""
    for key in list(refs)[kept:]:
        del refs[key]
        if key[:2] == (State.session, State.generation):
            drop(key[2], 1)
    refs.live = refs.shared = False


def refs_field(refs):
    """The header fields as text, a comma before each."""
    text = ',"refs":[%s]' % ",".join(["[%s,%d,%d]" % (quote(owner), *rest) for owner, *rest in refs])
    return text + (',"live":true' if refs.live else "") + (',"shared":true' if refs.shared else "")


def drop(number, times):
    """Takes sendings back; the object goes when all are done with. Its `__del__` is user code."""
    with TABLE:
        held = HELD.get(number)
        if held is None:
            return
        held[1] -= times
        if held[1] > 0:
            return
        del HELD[number], NUMBERS[id(held[0])]
    held.clear()


def held_object(number):
    """The object of ours with that number. Raises Failure `session/stale-handle`."""
    if type(number) is not int:
        raise Failure("wire/unreadable", "a ref is a whole number, got %s" % type_name(type(number)))
    held = HELD.get(number)
    if held is None:
        raise Failure("session/stale-handle", "%s holds no object %d (any more)" % (State.session, number))
    return held[0]


class Held:
    """`meta.ref(x)`: crosses as a handle of `x`, even where `x` could be copied."""

    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value

    def __repr__(self):
        return "meta.ref(%r)" % (self.value,)


def write_ref(value, out, depth):
    if type(value) is Held:
        value = value.value
    if type(value) in HANDLES:
        key = living(value)
        out.refs[key] = True
        number = key
    else:
        number = list_own(out.refs, value)
        held = HELD[number]
        if len(held) > 2 and held[2] is value.__qualname__:
            return out.put(held[3])
    out.late.append((len(out.parts), value, number))
    out.put("")


REF = '{"_type":"Ref"'


def ref_text(value, number, start=REF, name=None):
    """A Ref as JSON text; `number` is a whole key where the object lives elsewhere. `start` is what stands before its owner, `name`
    what its type is called, where that is not as Python calls it.

    That of a function is kept: its repr is no user code, and changes only with its name.
    """
    kind = type(value)
    if kind in HANDLES:
        owner, generation, number = number
        name, text, call = value._meta_type, value._meta_repr, kind is Function
    else:
        owner, generation = State.session, State.generation
        name, text, call = name or type_name(kind), (shown(repr(value)) if kind is FUNCTION else short_repr(value)), callable(value)
    text = '%s,"owner":%s,"generation":%d,"ref":%d,"type":%s,"repr":%s,"callable":%s}' % (
        start, quote(owner), generation, number, quote(shown(name)), quote(text), "true" if call else "false")
    if kind is FUNCTION:
        HELD[number][2:] = value.__qualname__, text
    return text


FUNCTION = type(greeting)
REPR_LIMIT = 200


def short_repr(value):
    """At most 200 characters of printable text, whatever the object's own `__repr__` does."""
    try:
        text = apply(full_repr, (value,), {})
        if type(text) is not str:
            text = str.__str__(text)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        text = "<%s, whose repr raised %s>" % (type_name(type(value)), type_name(type(error)))
    return shown(text)


def shown(text):
    """Cut to the limit, with what cannot be printed escaped."""
    cut = text[: REPR_LIMIT + 1]
    if not cut.isprintable():
        cut = "".join([one if one.isprintable() else ascii(one)[1:-1] for one in cut])
    return cut if len(cut) <= REPR_LIMIT else cut[: REPR_LIMIT - 1] + "…"


def full_repr(value):
    """The repr; of a builtin container with many items, and of what derives from one, its first few."""
    for base in type.__dict__["__mro__"].__get__(type(value)):
        if base in SIZED or base.__name__ in ("deque", "array", "dict_keys", "dict_values", "dict_items"):
            size = base.__len__(value)
            if size <= REPR_LIMIT:
                break
            if base in (str, bytes, bytearray):
                return repr(base.__getitem__(value, slice(0, REPR_LIMIT)))
            from itertools import islice
            from reprlib import repr as short

            first = base.items(value) if base is dict else base.__iter__(value)
            return "%s(%s, %d items)" % (type_name(type(value)), short(list(islice(first, 7))), size)
        if base.__name__ == "ndarray" and module_of(base) == "numpy":
            with sys.modules["numpy"].printoptions(threshold=FEW):
                return repr(value)
    return repr(value)


SIZED = frozenset([list, dict, tuple, set, frozenset, str, bytes, bytearray])

# What lives elsewhere and is known here: one living proxy for each ref. Its death queues a release.
PROXIES = {}  # (owner, generation, number) -> Watch
RELEASES = []  # (owner, generation, number, times)
RELEASES_LIMIT = 64
RELEASES_DELAY = 0.02  # seconds for which they wait for a reply that takes them along


class Watch(_weakref.ref):
    """Notices the death of a proxy; `received` is how many frames with its ref came."""

    __slots__ = ("key", "received")


def forget(watch):
    """Called when a proxy dies, at any moment and in any thread."""
    if State.forked:
        return
    retire(watch)
    if PROXIES.get(watch.key) is watch:
        del PROXIES[watch.key]
    if len(RELEASES) >= RELEASES_LIMIT:
        State.down.send_releases(wait=False)


def retire(watch):
    times, watch.received = watch.received, 0
    if times:
        RELEASES.append((*watch.key, times))


class Receiving(ScannerSettings):
    """The refs that one arrived frame lists, and how its body is read.

    Raises Failure `wire/unreadable` when the list is none.
    """

    heavy = False  # what is given back is worth telling meta at once

    def __init__(self, refs):
        self.listed = {}  # key -> whether it was met in the body; None for our own
        if refs is not None and type(refs) is not list:
            raise unreadable("refs is a list, got %.80r", refs)
        for ref in refs or ():
            key = ref_key(ref)
            if key is None:
                raise Failure("wire/unreadable", "refs holds %.80r, allowed is [owner, generation, number]" % (ref,))
            self.listed[key] = None if key[0] == State.session else False

    def object_pairs_hook(self, pairs):
        return read_object(pairs, self)

    def find(self, key, name, text, call):
        """The object of a ref: our own, or the proxy."""
        if key not in self.listed:
            raise Failure("wire/unreadable", "the Ref %s %d %d is not listed in refs" % key)
        met = self.listed[key]
        if met is None:
            if key[1] != State.generation:
                raise Failure("session/stale-handle", "%s %d is of generation %d, now is %d" % (
                    key[0], key[2], key[1], State.generation))
            return held_object(key[2])
        with TABLE:
            watch = PROXIES.get(key)
            handle = watch and watch()
            if handle is None:
                if watch is not None:
                    retire(watch)  # it died, and is about to be told
                handle, watch = new_handle(key, name, text, call)
            elif type(handle) not in HANDLES:
                raise unreadable("the Ref %s %d %d is a segment", *key)
            if not met:
                self.listed[key] = True
                watch.received += 1
        return handle

    def finish(self):
        """Gives back what was listed and not met, as in a frame that was refused."""
        for key, met in self.listed.items():
            if met is False:
                RELEASES.append((*key, 1))
        if self.heavy:
            State.down.send_releases(wait=False)


def ref_key(ref):
    """[owner, generation, number] as a tuple; None when it is none."""
    good = type(ref) is list and len(ref) == 3 and type(ref[0]) is str and type(ref[1]) is int and type(ref[2]) is int
    return tuple(ref) if good else None


def decode_listed(body, refs):
    """The value of a body whose header lists refs; NOTHING when it is empty."""
    receiving = Receiving(refs)
    try:
        return decode(body, _json.make_scanner(receiving)) if body else NOTHING
    finally:
        receiving.finish()


def read_ref(fields, receiving):
    key = ref_key([fields.get("owner"), fields.get("generation"), fields.get("ref")])
    name, text, call = fields.get("type"), fields.get("repr"), fields.get("callable")
    if key is None or type(name) is not str or type(text) is not str or type(call) is not bool:
        raise Failure("wire/unreadable", "a Ref has owner, generation, ref, type, repr and callable, got %.200r" % (fields,))
    if receiving is None:
        raise Failure("wire/unreadable", "the Ref %s %d %d is not listed in refs" % key)
    return receiving.find(key, name, text, call)


def is_special(name):
    return name[:2] == "__" and name[-2:] == "__" or name[:6] == "_meta_"


class Handle:
    """An object that lives in another runtime (`meta.Handle`): attributes, items, iteration, len, ==, in.

    Names with two underscores on both sides are this class's own. It is always true, whatever its length. Iteration
    fetches up to 1,000 items at a time. Errors of the other side are meta.Error.
    """

    __slots__ = ("_meta_key", "_meta_type", "_meta_repr", "__weakref__")

    def __getattr__(self, name):
        if is_special(name):
            raise AttributeError("a handle has no %s of its own" % name)
        try:
            return ask({"op": "get", "path": [name]}, self)
        except Error as error:
            if error.code != "runtime/missing":
                raise
            message = error.message
        raise AttributeError(message)

    def __setattr__(self, name, value):
        if is_special(name):
            raise AttributeError("a handle's %s cannot be set" % name)
        ask({"op": "set", "path": [name]}, self, value)

    def __delattr__(self, name):
        if is_special(name):
            raise AttributeError("a handle's %s cannot be deleted" % name)
        call_method(self, "__delattr__", name)

    def __getitem__(self, key):
        return ask({"op": "get", "item": True}, self, key)

    def __setitem__(self, key, value):
        ask({"op": "set", "item": True}, self, [key, value])

    def __delitem__(self, key):
        call_method(self, "__delitem__", key)

    def __len__(self):
        length = ask({"op": "inspect"}, self)["length"]
        if length is None:
            raise TypeError("%s has no length" % self._meta_type)
        return length

    def __iter__(self):
        source = self
        while source is not None:
            items, source = ask({"op": "items", "count": 1000}, source)
            yield from items

    def __contains__(self, value):
        try:
            return call_method(self, "__contains__", value)
        except Error as error:
            if error.code != "runtime/missing":
                raise
        return any(item is value or item == value for item in self)

    def __eq__(self, other):
        if self is other:
            return True
        return False if other is None else ask({"op": "equal"}, self, other)

    def __hash__(self):
        return hash(self._meta_key)

    def __bool__(self):
        return True

    def __repr__(self):
        return self._meta_repr

    def __dir__(self):
        return [*object.__dir__(self), *ask({"op": "inspect"}, self)["members"]]

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __reduce_ex__(self, protocol):
        raise TypeError("a handle cannot be pickled: what it stands for lives in another process")


class Function(Handle):
    """A handle of something that can be called."""

    __slots__ = ()

    def __call__(self, /, *arguments, **keywords):
        return ask({"op": "call"}, self, [list(arguments), keywords])


HANDLES = frozenset([Handle, Function])


def new_handle(key, name, text, call):
    handle = object.__new__(Function if call else Handle)
    Handle._meta_key.__set__(handle, key)
    Handle._meta_type.__set__(handle, name)
    Handle._meta_repr.__set__(handle, text)
    watch = PROXIES[key] = Watch(handle, forget)
    watch.key, watch.received = key, 0
    return handle, watch


def is_living(handle):
    watch = PROXIES.get(handle._meta_key)
    return watch is not None and watch() is handle


def living(handle):
    """The key of a handle that was not released."""
    if not is_living(handle):
        raise Failure("session/stale-handle", "the handle %.80s was released" % handle._meta_repr)
    return handle._meta_key


def call_method(handle, name, *arguments):
    return ask({"op": "call", "path": [name]}, handle, [list(arguments), {}])


def release(handle):
    """Gives a handle back now, not at its end; it cannot be used again."""
    if type(handle) not in HANDLES:
        raise TypeError("release takes a meta.Handle, got %s" % type_name(type(handle)))
    if is_living(handle):
        retire(PROXIES.pop(handle._meta_key))
        State.down.send_releases()


def fetch(handle):
    """A copy of all that a handle stands for; anything else is returned as it is."""
    return ask({"op": "get", "copy": True}, handle) if type(handle) in HANDLES else handle

# -------------------------------------------------------------------------------------------------------- streams


def start_streams():
    """Makes output live: a pipe would otherwise be held back until 8 KiB."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(line_buffering=True)


def flush_streams():
    """Empties what user code printed, before its reply. The streams are the user's to replace, close or break."""
    for stream in (sys.stdout, sys.stderr) if sys.stdout is ORIGINAL_STDOUT else (sys.stdout, sys.stderr, ORIGINAL_STDOUT):
        try:
            stream.flush()
        except Exception:
            pass


ORIGINAL_STDOUT = sys.stdout

# ------------------------------------------------------------------------------------------------------- evaluate

KERNEL_FILE = __file__
OWN_FILES = {KERNEL_FILE}  # and that of the buffers
SOURCES = {}  # name of a source -> its text
SOURCES_LIMIT = 4096
ALLOW_TOP_LEVEL_AWAIT = 0x2000
ONLY_TREE = 0x400
IS_COROUTINE = 0x80


class Shared:
    """What signal handlers, requests and upcalls share."""

    def __init__(self):
        self.session, self.generation = "py", 1  # as `init` says
        self.numbers = 0  # the last number of an object
        self.limit = self.user_limit = self.room = self.lifted = 0  # of recursion: what is set, what the user set, what the kernel adds
        self.segments, self.segments_limit = None, 1 << 62  # how names of shared memory begin, as `init` says; bytes of it
        self.buffers = self.tables = None  # the modules that know arrays and tables, once one was met
        self.images = None  # the part for pictures, once it is wanted
        self.quick = None  # the faster encoder, False when there is none
        self.running = False  # user code of the main thread may be interrupted
        self.waiting = False  # the main thread waits for an upcall: meta interrupts who works for it
        self.asked = False  # SIGINT came while the kernel's own code ran
        self.raised = False  # SIGINT became a KeyboardInterrupt
        self.forked = False  # this process is a copy that user code made, or it ends
        self.loop = None  # the event loop of asyncio, once something was awaited
        self.down = self.up = None  # the channels


State = Shared()  # an instance: to set an attribute of a class is slow
MAIN = _thread.get_ident()


def on_interrupt(signal, frame):
    """SIGINT: raises only in user code; the kernel's own frames finish what they do. `apply` counts as the user's."""
    if State.waiting:
        return
    code = frame.f_code if frame else None
    if State.running and code and (code.co_filename not in OWN_FILES or code in USERS):
        State.raised = True
        raise KeyboardInterrupt
    State.asked = True


def apply(function, arguments, keywords):
    return function(*arguments, **keywords)


USERS = {apply.__code__}  # frames of the kernel that stand for the user's


def heed_interrupt():
    """Raises what came while the kernel's own code ran."""
    if State.asked and _thread.get_ident() == MAIN:
        State.asked, State.raised = False, True
        raise KeyboardInterrupt


def quiet(function, *arguments):
    """Calls code of the kernel's own that an interrupt must not end anywhere, though it may lead into others' code."""
    if _thread.get_ident() != MAIN:
        return function(*arguments)
    running, State.running = State.running, False
    try:
        return function(*arguments)
    finally:
        State.running = running


def run(function, *arguments):
    """Calls user code, interruptibly."""
    if State.asked:
        heed_interrupt()
    return apply(function, arguments, {})


def settle(result):
    """The result of user code, awaited when that can be done."""
    kind = type(result)
    return wait_for(result) if kind not in WRITERS and attempt(hasattr, kind, "__await__") else result


def wait_for(awaitable):
    """Runs the session's event loop until the awaitable is done. The loop and its other tasks live on."""
    import asyncio

    async def task():
        return await awaitable

    around = asyncio._get_running_loop()
    if around is not None or _thread.get_ident() != MAIN:
        return wait_aside(task, around)
    if State.loop is None or State.loop.is_closed():
        State.loop = asyncio.new_event_loop()
    asyncio.set_event_loop(State.loop)
    work = State.loop.create_task(task())
    try:
        return apply(State.loop.run_until_complete, (work,), {})
    except KeyboardInterrupt:
        if not work.done():
            work.cancel()
            try:
                apply(State.loop.run_until_complete, (work,), {})
            except BaseException:
                pass
        raise


def wait_aside(task, around):
    """Awaits on a loop made for it: in another thread, or while the thread's own loop waits for an upcall."""
    import asyncio

    asyncio._set_running_loop(None)
    loop = asyncio.new_event_loop()
    try:
        return apply(loop.run_until_complete, (task(),), {})
    finally:
        loop.close()
        asyncio._set_running_loop(around)


def remember_source(name, code):
    """Keeps the text for tracebacks and `inspect.getsource`."""
    SOURCES[name] = code
    if len(SOURCES) > SOURCES_LIMIT:
        SOURCES.pop(next(iter(SOURCES)))
    linecache = sys.modules.get("linecache")
    if linecache is not None:
        linecache.cache[name] = cache_entry(name)


def cache_entry(name):
    code = SOURCES[name]
    return len(code), None, [line + "\n" for line in code.split("\n")], name


class LinecacheFinder:
    """Fills `linecache` when something first imports it, so that nobody pays for it before."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "linecache":
            return None
        sys.meta_path.remove(LinecacheFinder)
        from importlib.machinery import PathFinder

        spec = PathFinder.find_spec(name, path, target)
        if spec is not None:
            spec.loader = LinecacheLoader(spec.loader)
        return spec


class LinecacheLoader:
    def __init__(self, loader):
        self.loader = loader

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.__loader__ = module.__spec__.loader = self.loader
        self.loader.exec_module(module)
        for name in SOURCES:
            module.cache[name] = cache_entry(name)


# Each operation takes the request's header and the value of its body, NOTHING when that is empty.
NOTHING = object()


def unreadable(message, *given):
    return Failure("wire/unreadable", message % given)


def op_eval(request, names):
    """Runs source. The value is that of the last statement when it is an expression, otherwise None."""
    code, name = request["code"], request.get("name", "<py>")
    if type(code) is not str or type(name) is not str:
        raise unreadable("code and name of an eval are texts")
    if names is not NOTHING and type(names) is not dict:
        raise unreadable("the body of an eval is an object of names, got %s", type_name(type(names)))
    remember_source(name, code)
    setup, last = compile_source(code, name)
    space = namespace()
    if names is NOTHING or not names:
        return settle(run(run_parts, setup, last, space))
    kept = [(key, space.get(key, NOTHING)) for key in names]
    space.update(names)
    try:
        return settle(run(run_parts, setup, last, space))
    finally:
        for key, value in kept:
            if value is NOTHING:
                space.pop(key, None)
            else:
                space[key] = value


def compile_source(code, name):
    """The statements and the final expression as two code objects; each None when there is none."""
    flags = ALLOW_TOP_LEVEL_AWAIT
    tree = compile(code, name, "exec", flags | ONLY_TREE, True)
    last = None
    if tree.body and isinstance(tree.body[-1], _ast.Expr):
        last = compile(_ast.Expression(tree.body.pop().value), name, "eval", flags, True)
    setup = compile(tree, name, "exec", flags, True) if tree.body else None
    return setup, last


def run_parts(setup, last, space):
    """Runs statements and final expression; as a coroutine for `run` to await when either has a top-level await."""
    if any(code is not None and code.co_flags & IS_COROUTINE for code in (setup, last)):
        return run_awaiting(setup, last, space)
    if setup is not None:
        eval(setup, space)
    return eval(last, space) if last is not None else None


async def run_awaiting(setup, last, space):
    value = None
    for code in (setup, last):
        if code is not None:
            value = eval(code, space)
            if code.co_flags & IS_COROUTINE:
                value = await value
    return value if last is not None else None


def namespace():
    return sys.modules["__main__"].__dict__


def op_call(request, value):
    if value is NOTHING:
        value = [], {}
    elif type(value) is not list or len(value) != 2 or type(value[0]) is not list or type(value[1]) is not dict:
        raise unreadable("the body of a call is [arguments, keywords]")
    if State.asked:
        heed_interrupt()
    if request.get("each"):
        return call_each(request, target(request), *value)
    return settle(apply(target(request), *value))


def call_each(request, function, items, keywords):
    """The results of calling a function with each item; where one fails, `index` in the request says which."""
    results = []
    try:
        for item in items:
            results.append(settle(apply(function, (item,), keywords)))
    except BaseException:
        request["index"] = len(results)
        raise
    return results


def op_get(request, key):
    value = target(request)
    if request.get("item"):
        return run(get_item, value, wanted(key))
    return value


def get_item(value, key):
    return value[key]


def op_set(request, value):
    wanted(value)
    if request.get("item"):
        if type(value) is not list or len(value) != 2:
            raise unreadable("the body of a set with item is [key, value]")
        return run(set_item, target(request), *value)
    path = path_of(request)
    if not path:
        raise unreadable("a set needs a path or item")
    *parents, name = path
    if parents or "ref" in request:
        run(setattr, target({**request, "path": parents}), name, value)
    else:
        namespace()[name] = value


def set_item(value, key, item):
    value[key] = item


def wanted(value):
    if value is NOTHING:
        raise unreadable("body is empty, wanted one value")
    return value


def op_import(request, value):
    path = path_of(request)
    run(__import__, ".".join(path))
    alias = request.get("as")
    if alias:
        namespace()[alias] = sys.modules[".".join(path)]
    else:
        namespace()[path[0].split(".")[0]] = sys.modules[path[0].split(".")[0]]


class Chunk:
    """Some items of an iteration; `iterator` gives the next ones, None when there are no more."""

    __slots__ = ("items", "iterator")

    def __init__(self, items, iterator):
        self.items, self.iterator = items, iterator


def op_items(request, value):
    """The next items. Fewer than asked for when they come slowly, so that a live stream is seen live."""
    count = request.get("count", 1000)
    if type(count) is not int or count < 1:
        raise unreadable("count is a whole number of at least 1, got %.80r", count)
    source = target(request)
    if attempt(hasattr, type(source), "__aiter__") and not hasattr(type(source), "__iter__"):
        iterator = run(type(source).__aiter__, source)
        gather = gather_awaiting
    else:
        iterator = run(iter, source)
        gather = gather_items
    items = []
    try:
        more = settle(run(gather, iterator, count, items))
    except Exception as error:
        if not items:
            raise
        more, iterator = True, broken(error)  # what came before the error is not lost
    return Chunk(items, iterator if more else None)


SLOW = 0.02  # seconds


def gather_items(iterator, count, items):
    end = time.perf_counter() + SLOW
    for item in iterator:
        items.append(item)
        if len(items) >= count or time.perf_counter() > end:
            return True
    return False


async def gather_awaiting(iterator, count, items):
    end = time.perf_counter() + SLOW
    async for item in iterator:
        items.append(item)
        if len(items) >= count or time.perf_counter() > end:
            return True
    return False


def broken(error):
    """What is left of an iteration that failed: its error."""
    raise error
    yield


def op_inspect(request, value):
    return run(inspection, target(request))


DOC_LIMIT = 10_000


def inspection(value):
    """What there is to know about an object without copying it; user code may fail at each of it."""
    kind = type(value)
    length = attempt(len, value)
    members = [name for name in attempt(dir, value) or () if type(name) is str and name[:1] != "_" and is_text(name)]
    doc = attempt(documentation, value)
    return {
        "type": type_name(kind),
        "repr": short_repr(value),
        "callable": callable(value),
        "length": length,
        "members": members,
        "doc": doc[:DOC_LIMIT] if type(doc) is str and is_text(doc) else None,
    }


def documentation(value):
    """How it is called, and its docstring without the indent of its source; None where there is neither."""
    import inspect

    doc = value.__doc__
    parts = [inspect.cleandoc(doc)] if type(doc) is str else []
    signature = attempt(inspect.signature, value) if callable(value) else None
    if signature is not None:
        parts.insert(0, "%s%s" % (getattr(value, "__name__", "(…)"), signature))
    return "\n\n".join(parts) or None


def attempt(function, *arguments):
    """The result, None when user code in it fails."""
    try:
        return apply(function, arguments, {})
    except Exception:
        return None


def op_publish(request, value):
    value = target(request)
    if not (State.segments and array_writer(value, type(value))):
        raise Failure("buffer/format", "%s is no array and no table" % type_name(type(value)))
    return tables().head(value, request["count"]) if "count" in request else value


def op_equal(request, other):
    one = target(request)
    return one is wanted(other) or bool(run(equals, one, other))


def equals(one, other):
    return one == other


def release_own(request):
    """Takes back sendings of ours that meta is done with; those of an earlier generation are none."""
    for entry in request["refs"]:
        owner, generation, number, times = entry
        if type(number) is not int or type(times) is not int or times < 1:
            raise ValueError(entry)
        if (owner, generation) == (State.session, State.generation):
            drop(number, times)  # not by `run`: an interrupt that came just before would lose it


def give_back(request):
    """`release_own` in the middle of something else, which no interrupt ends; false, and nothing done, when it is malformed."""
    try:
        entries = [(owner, generation, number, times) for owner, generation, number, times in request["refs"]]
    except (LookupError, TypeError, ValueError):
        return False
    if not all([type(number) is int and type(times) is int and times > 0 for _, _, number, times in entries]):
        return False
    for owner, generation, number, times in entries:
        if (owner, generation) == (State.session, State.generation):
            drop(number, times)
    return True


def target(request):
    """What a request is about: the object of its ref, or the one at its path from the user's names."""
    if "ref" not in request:
        return resolve(path_of(request))
    value = held_object(request["ref"])
    path = path_of(request) if "path" in request else ()
    for index, name in enumerate(path):
        value = member(value, name, [type_name(type(value)) if not index else path[index - 1]])
    return value


def path_of(request):
    path = request.get("path", [])
    if type(path) is not list or not set(map(type, path)) <= {str}:
        raise unreadable("a path is a list of texts, got %.80r", path)
    return path


def resolve(path):
    """The object at a path: the user's globals, then builtins, then modules. A root that is found has no fallback."""
    if not path:
        raise unreadable("a path needs at least one name")
    root, *rest = path
    space = namespace()
    if root in space:
        value = space[root]
    elif root in BUILTINS:
        value = BUILTINS[root]
    elif type(sys.modules.get(root)) is MODULE:
        value = sys.modules[root]
    else:
        value = import_root(root)
    for index, name in enumerate(rest, 1):
        value = member(value, name, path[:index])
    return value


MODULE = type(sys)
BUILTINS = vars(builtins)


def import_root(name):
    try:
        return run(__import__, name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
    modules = sorted(sys.stdlib_module_names)
    known = [*namespace(), *dir(builtins), *(module for module in modules if module[0] != "_")]
    raise Failure("runtime/missing", "no name, builtin or module %s%s" % (name, near(name, known)))


def member(value, name, path):
    """An attribute, or the submodule of that name, imported now."""
    if type(value) is MODULE and name in value.__dict__:
        return value.__dict__[name]  # no code of the user's runs
    try:
        return run(getattr, value, name)
    except AttributeError:
        if type(value) is MODULE and hasattr(value, "__path__"):
            dotted = value.__name__ + "." + name
            try:
                run(__import__, dotted)
                return sys.modules[dotted]
            except ModuleNotFoundError as error:
                if error.name != dotted:
                    raise
        raise Failure("runtime/missing", "%s has no %s%s" % (".".join(path), name, near(name, attempt(dir, value) or ()))) from None


def near(name, known):
    """`, near: a, b` for names that a typing error away."""
    from difflib import get_close_matches

    found = get_close_matches(name, [text for text in known if type(text) is str], 3, 0.7)
    return ", near: " + ", ".join(found) if found else ""


def op_complete(request, value):
    """Names that continue the word before the cursor."""
    text = request["code"][: request.get("cursor", len(request["code"]))]
    start = len(text)
    while start and (text[start - 1].isalnum() or text[start - 1] in "_."):
        start -= 1
    *parents, word = text[start:].split(".")
    if parents:
        names = run(dir, resolve(parents)) if parents[0] in namespace() or hasattr(builtins, parents[0]) else []
    else:
        import keyword

        names = [*(word + " " for word in keyword.kwlist), *namespace(), *dir(builtins)]
    matches = sorted({name for name in names if name.startswith(word) and (word or name[0] != "_")})
    return {"start": len(text) - len(word), "matches": matches}


def op_status(request, value):
    segments, size = State.buffers.totals() if State.buffers else (0, 0)
    return {"busy": False, "pid": os.getpid(), "held": len(HELD), "segments": segments, "bytes": size, "names": sum(1 for name in namespace() if name[:1] != "_")}


OPERATIONS = {
    "eval": op_eval,
    "call": op_call,
    "get": op_get,
    "set": op_set,
    "import": op_import,
    "complete": op_complete,
    "status": op_status,
    "items": op_items,
    "inspect": op_inspect,
    "equal": op_equal,
    "publish": op_publish,
}

# -------------------------------------------------------------------------------------------------------- buffers


def buffers():
    """The module that knows arrays and shared memory, loaded when one is first met; its compiled form is kept, as the kernel's is."""
    if State.buffers is None:
        quiet(load_buffers)
    return State.buffers


def load_buffers():
    with TABLE:
        if State.buffers is None:
            State.buffers = load_part("_meta_buffers")


def load_part(name):
    """Runs a file that lies beside this one as a module that is in no list; its compiled form is kept, as the kernel's is."""
    from importlib.machinery import SourceFileLoader

    path = os.path.join(os.path.dirname(os.path.abspath(KERNEL_FILE)), name + ".py")
    kept, sys.dont_write_bytecode = sys.dont_write_bytecode, False
    try:
        module = MODULE(name)
        module.__file__ = path
        OWN_FILES.add(path)
        exec(SourceFileLoader(name, path).get_code(name), module.__dict__)
        return module
    finally:
        sys.dont_write_bytecode = kept


def tables():
    """The module that knows tables, loaded as `buffers` is."""
    if State.tables is None:
        buffers()
        quiet(load_tables)
    return State.tables


def load_tables():
    with TABLE:
        if State.tables is None:
            State.tables = load_part("_meta_tables")


def empty(shape, format="float64", mutable=False, name=None):
    """An array of zeros that crosses to other runtimes without a copy. Of a `mutable` one all see each other's writes."""
    return make_shared("empty", shape, format, mutable, name)


def array(data, format=None, mutable=False, name=None):
    """A copy of an array, or of numbers in lists, that crosses to other runtimes without a further copy."""
    return make_shared("array", data, format, mutable, name)


def share(array, mutable=False, name=None):
    """The array itself where it crosses without a copy, else a copy that does."""
    return make_shared("share", array, mutable, name)


def table(data):
    """A table of a dict of columns, of a list of dicts, or of a DataFrame: named columns that cross without a copy."""
    return made_by(tables, "table", data)


def make_shared(name, *arguments):
    return made_by(buffers, name, *arguments)


def made_by(module, name, *arguments):
    try:
        return quiet(getattr(module(), name), *arguments)
    except Failure as failure:
        error = Error(str(failure), failure.code, failure.type or "")
    finally:
        heed_interrupt()
    raise error


def late_member(name):
    if name == "View":
        return buffers().View
    if name in ("load_image", "save_image", "grayscale"):
        State.images = State.images or load_part("_meta_images")
        return getattr(State.images, name)
    if name in ("Table", "Column"):
        return getattr(tables(), name)
    raise AttributeError("module 'meta' has no attribute %r" % name)


# ----------------------------------------------------------------------------------------------------------- copy


def copied(value):
    """What a bulk copy of a value holds: the content of what can be iterated, the fields of an instance."""
    if type(value) in HANDLES:
        return fetch(value)
    change_limits(0, 4 * DEPTH_LIMIT)
    try:
        result = bulk(value, "", set(), 1)
    finally:
        change_limits(0, -4 * DEPTH_LIMIT)
    if result is value and type(value) not in WRITERS and late_writer(type(value)) is None:
        raise Failure("value/uncopyable", "%s cannot be copied" % type_name(type(value)), type=type_name(type(value)))
    return result


def bulk(value, path, above, depth):
    kind = type(value)
    if kind in SCALARS:
        return value
    if id(value) in above:
        raise Failure("value/cycle", "%s contains itself" % type_name(kind), path, type_name(kind))
    if depth > DEPTH_LIMIT:
        raise Failure("value/depth", "a value nests at most %d levels" % DEPTH_LIMIT, path[:200], type_name(kind))
    above.add(id(value))
    result = bulk_content(value, kind, path, above, depth + 1)
    above.discard(id(value))
    return result


def bulk_content(value, kind, path, above, depth):
    """The value itself when there is no content to copy."""
    def each(items):
        return [bulk(item, "%s[%d]" % (path, index), above, depth) for index, item in enumerate(items)]

    def fields(items):
        return {bulk_key(key): bulk(item, path + key_path(key), above, depth) for key, item in items}

    if issubclass(kind, dict):
        return fields(dict.items(value))
    if issubclass(kind, (tuple, list)):
        return (tuple if issubclass(kind, tuple) else list)(each(value))
    if issubclass(kind, (set, frozenset)):
        return {bulk_key(item) for item in value}
    if kind in WRITERS or kind in HANDLES or kind is Held or late_writer(kind) is not None:
        return value
    for base, plain in BASES:
        if issubclass(kind, base):
            return plain(value)
    if issubclass(kind, (bytes, bytearray, memoryview)):
        return bytes(memoryview(value))
    if isinstance(value, (type, MODULE)) or hasattr(value, "__code__") or kind.__name__ in OPAQUE:
        return value
    if hasattr(kind, "tolist"):  # arrays and scalars of numpy
        plain = value.tolist()
        return value if type(plain) is kind else bulk(plain, path, above, depth)
    if hasattr(kind, "keys") and hasattr(kind, "__getitem__"):
        return fields([(key, value[key]) for key in value.keys()])
    if hasattr(kind, "__dataclass_fields__"):
        return fields([(name, getattr(value, name)) for name in kind.__dataclass_fields__ if hasattr(value, name)])
    if hasattr(kind, "_member_map_"):  # of an enumeration
        return bulk(value.value, path, above, depth)
    if hasattr(kind, "__iter__"):
        return each(value)
    slots = [name for one in kind.__mro__ for name in slot_names(one) if hasattr(value, name)]
    if slots or hasattr(value, "__dict__"):
        return fields([*((name, getattr(value, name)) for name in slots), *getattr(value, "__dict__", {}).items()])
    return value


BASES = ((int, int.__int__), (float, float.__float__), (complex, complex.__pos__), (str, str.__str__))
OPAQUE = frozenset(["builtin_function_or_method", "method", "method_descriptor", "wrapper_descriptor", "method-wrapper",
                    "coroutine", "partial", "property", "classmethod", "staticmethod"])


def slot_names(kind):
    slots = vars(kind).get("__slots__", ())
    return [slots] if type(slots) is str else [name for name in slots if name[:2] != "__"]


def bulk_key(key):
    """A key or an item of a set, which must stay hashable."""
    for base, plain in BASES:
        if issubclass(type(key), base) and type(key) not in SCALARS:
            return plain(key)
    return tuple(map(bulk_key, key)) if issubclass(type(key), tuple) else key


# --------------------------------------------------------------------------------------------------------- errors



def message_of(error):
    """What the exception says; its `__str__` is user code and may fail."""
    try:
        text = str(error)
        return text if is_text(text) else ascii(text)[1:-1]
    except Exception as second:
        return "<its message is unavailable: __str__ raised %s>" % type_name(type(second))


def describe(error, seen=()):
    """The header fields of an `err` for an exception, its causes included, each once."""
    if isinstance(error, Failure):
        return given(code=error.code, type=error.type or "", message=str(error), path=error.path, frames=[])
    fields = {"code": "runtime/raised", "type": type_name(type(error)), "message": message_of(error), "language": "py"}
    if type(error) is Error:
        fields = given(code=error.code, type=error.type, message=error.message, language=error.language, path=error.path)
    elif isinstance(error, KeyboardInterrupt) and (State.raised or _thread.get_ident() != MAIN):
        fields.update(code="runtime/interrupted", message="interrupted")
    elif isinstance(error, SyntaxError):
        fields["message"] = str(error.msg)
    fields["frames"] = frames_of(error)
    cause = error.__cause__
    if cause is None and not error.__suppress_context__:
        cause = error.__context__
    seen = (*seen, error)
    if cause is not None and len(seen) < 16 and not any(cause is other for other in seen):
        fields["cause"] = describe(cause, seen)
    members = getattr(error, "exceptions", None) if hasattr(builtins, "BaseExceptionGroup") else None
    if isinstance(members, tuple) and isinstance(error, builtins.BaseExceptionGroup) and len(seen) < 16:
        fields["exceptions"] = [describe(one, seen) for one in members[:16]]
    return fields


def given(**fields):
    return {name: value for name, value in fields.items() if value is not None}


FRAMES_LIMIT = 100
EXCEPTION_FIELDS = BaseException.__dict__["__dict__"].__get__
TRAVELLED = "__meta_frames__"  # on an exception that came home: (its traceback at that time, all frames until then)


def frames_of(error):
    """The frames, outermost first: the user's own here, then those of the languages that the error came through."""
    end, beyond = EXCEPTION_FIELDS(error).get(TRAVELLED, (None, []))
    if type(error) is Error:
        beyond = error.frames
    found = []
    step = error.__traceback__
    while step is not None and step is not end:
        code = step.tb_frame.f_code
        if is_users(code.co_filename):
            found.append((getattr(code, "co_qualname", code.co_name), code.co_filename, step.tb_lineno))
        step = step.tb_next
    frames = [
        {"function": function, "source": source, "line": line or 0, "text": line_of(source, line)}
        for function, source, line in without_middle(found)
    ]
    if isinstance(error, SyntaxError) and type(error.lineno) is int and error.filename:
        frames.append({"function": "<module>", "source": str(error.filename), "line": error.lineno,
                       "text": line_of(error.filename, error.lineno), "column": error.offset or 0})
    return without_middle([*frames, *beyond])


def without_middle(frames):
    return frames if len(frames) <= FRAMES_LIMIT else frames[: FRAMES_LIMIT // 2] + frames[-FRAMES_LIMIT // 2 :]


def data_of(error):
    """What an exception holds beside its message; NOTHING when there is nothing."""
    if type(error) is Error:
        return NOTHING if error.data is None else error.data
    arguments = error.args
    if not arguments or len(arguments) == 1 and type(arguments[0]) is str and arguments[0] == message_of(error):
        return NOTHING
    return list(arguments)


def users_part(traceback):
    """A traceback without the kernel's frames at its start, which would keep a request's data alive."""
    while traceback is not None and traceback.tb_frame.f_code.co_filename in OWN_FILES:
        traceback = traceback.tb_next
    return traceback


def received_error(header, body):
    """The exception that an `err` stands for: the very object when it is ours, else a meta.Error."""
    receiving = Receiving(header.get("refs"))
    try:
        try:
            data = decode(body, _json.make_scanner(receiving)) if body else None
        except Failure:
            data = None  # the error itself matters more
        handle, key = None, ref_key(header.get("ref"))
        if key is not None:
            try:
                handle = receiving.find(key, str(header.get("type")), str(header.get("message"))[:REPR_LIMIT], False)
            except Failure:
                pass
    finally:
        receiving.finish()
    if header.get("code") == "runtime/interrupted":
        if _thread.get_ident() == MAIN:
            State.raised = True
        return KeyboardInterrupt()
    error = error_from(header, data)
    if type(handle) in HANDLES:
        error.handle = handle
    elif isinstance(handle, BaseException):
        EXCEPTION_FIELDS(handle)[TRAVELLED] = handle.__traceback__, error.frames
        return handle
    return error


def error_from(fields, data=None):
    frames = fields.get("frames")
    cause = fields.get("cause")
    return Error(
        str(fields.get("message", "")), str(fields.get("code", "runtime/raised")), str(fields.get("type", "Error")),
        frames=[frame for frame in frames if type(frame) is dict] if type(frames) is list else [],
        cause=error_from(cause) if type(cause) is dict else None,
        data=data, language=fields.get("language"), path=fields.get("path"))


LIBRARY = os.path.dirname(os.__file__) + os.sep


def is_users(filename):
    if filename in SOURCES:
        return True
    if filename in OWN_FILES or filename.startswith(LIBRARY) or filename[:1] == "<":
        return False
    return os.sep + "site-packages" + os.sep not in filename and os.sep + "dist-packages" + os.sep not in filename


def line_of(source, number):
    if not number:
        return ""
    if source in SOURCES:
        lines = SOURCES[source].split("\n")
        text = lines[number - 1].strip() if number <= len(lines) else ""
    else:
        import linecache

        text = linecache.getline(source, number).strip()
    return text if is_text(text) else ascii(text)


# -------------------------------------------------------------------------------------------------------- upcalls


# Those under way: id -> (frames that came for it, bell of the thread that waits). One of the threads that wait, which
# holds READER, reads descriptor 4 and hands frames over by id.
UPCALLS = {}
READER = _thread.allocate_lock()
next_upcall = iter(range(1, 1 << 62)).__next__  # in one step, whatever other threads do
SERVING = {}  # thread -> id of the request that it works on
EXCHANGING = set()  # threads that are inside the kernel's own code here


ROOM = 60  # frames of Python for one upcall and what it asks back


def ask(fields, about=None, value=NOTHING):
    """Sends a request to meta and waits for its value; serves what is asked meanwhile on this upcall's behalf.

    `fields` are the header's; `about` is the handle it is for. Of `items` the value is (items, handle of the rest).
    Raises meta.Error, KeyboardInterrupt, or the very exception that came home.
    """
    me = _thread.get_ident()
    heed_interrupt()
    if State.forked:
        raise Error("a copy of the kernel made by fork cannot reach meta", "session/forked")
    if me in EXCHANGING:
        raise Error("a finalizer cannot reach meta while its thread waits for meta", "session/busy")
    change_limits(0, ROOM)
    refs = Sending()
    refs.share = "publish"
    try:
        if about is not None:
            fields["ref"] = living(about)
        body = b"" if value is NOTHING else encode(value, refs)
        header, body = exchange(me, fields, refs, body)
        if header["op"] == "ret":
            return answer_of(fields["op"], header, body)
        error = received_error(header, body)
    except Failure as failure:
        unlist(refs)
        error = Error(str(failure), failure.code, failure.type or "", path=failure.path)
    except BaseException:
        unlist(refs)
        raise
    finally:
        change_limits(0, -ROOM)
    raise error


def answer_of(operation, header, body):
    """The value of a `ret`."""
    refs = header.get("refs")
    if operation != "items":
        return wanted(decode_listed(body, refs)) if refs else decode(body)
    receiving = Receiving(refs)
    try:
        items, rest = decode(body, _json.make_scanner(receiving)), None
        if header.get("more"):
            key = ref_key(header.get("iterator"))
            if key is None:
                raise unreadable("an answer to items that has more names its iterator")
            rest = receiving.find(key, "iterator", "<iterator>", False)
        return items, rest
    finally:
        receiving.finish()


def exchange(me, fields, refs, body):
    """Sends an upcall; returns the (header, body) of its answer."""
    frames, bell = upcall = [], _thread.allocate_lock()
    bell.acquire()
    number = next_upcall()
    header = upcall_header(number, SERVING.get(me), fields, refs)
    UPCALLS[number] = upcall
    main = me == MAIN
    if main:
        State.waiting = True
    EXCHANGING.add(me)
    try:
        State.up.send(header, body)
        while True:
            request, body = take(frames, bell)
            if "in" not in request:
                return request, body
            EXCHANGING.discard(me)
            serve(me, request, body)
            EXCHANGING.add(me)
    except (OSError, EOFError):
        raise Error("meta closed its side", "session/closed") from None
    finally:
        EXCHANGING.discard(me)
        del UPCALLS[number]
        if main:
            State.waiting = False


def upcall_header(number, serving, fields, refs):
    fields["id"] = number
    if serving is not None:
        fields["for"] = serving
    return limited(header_text(fields, refs))


def header_text(fields, refs):
    if refs:
        fields["refs"] = list(refs)
        if type(refs) is Sending:
            fields.update(given(live=refs.live or None, shared=refs.shared or None))
    return "".join(encode_header(fields, 0)).encode("utf-8", "replace")


def take(frames, bell):
    """The next frame for an upcall as (header, body), read by this thread or by another."""
    while not frames:
        if not READER.acquire(False):
            bell.acquire()
            continue
        try:
            while not frames:
                frame = State.up.read()
                if frame is None:
                    raise EOFError
                hand_over(*frame)
        finally:
            READER.release()
            if len(UPCALLS) > 1:  # one of the others is to read now
                for _, other in list(UPCALLS.values()):
                    ring(other)
    return frames.pop(0)


def hand_over(header, body):
    """Gives a frame to the upcall that it is for. A late answer is dropped; a request that nobody serves is refused."""
    request = parse_header(header)
    if request is None:
        return State.up.send({"op": "err", "re": None, "code": "wire/unreadable", "message": "header is not a request"})
    wanted = request.get("in", request.get("re"))
    upcall = UPCALLS.get(wanted) if type(wanted) is int else None
    if upcall is not None:
        upcall[0].append((request, body))
        ring(upcall[1])
    elif request.get("id") is not None:
        State.up.send({"op": "err", "re": request["id"], "code": "wire/unreadable",
                       "message": "no upcall %.40r waits here" % (wanted,)})


def ring(bell):
    if bell.locked():
        try:
            bell.release()
        except RuntimeError:
            pass  # another thread rang at the same moment


def serve(me, request, body):
    """Answers a request that came for the upcall which this thread waits for."""
    outer = SERVING.get(me)
    if me != MAIN:
        respond(State.up, request, body)
    else:
        kept = State.asked, State.raised
        State.asked = State.raised = State.waiting = False
        respond(State.up, request, body)
        State.asked, State.raised = kept
        State.running = State.waiting = True
    if outer is None:
        SERVING.pop(me, None)
    else:
        SERVING[me] = outer


def call_up(name, /, *arguments, **keywords):
    """Calls a function of another runtime (`"js.Math.max"`) or of meta (`"name"`), and waits for its value."""
    path = name.split(".") if type(name) is str else list(name)
    return ask({"op": "call", "path": path}, None, [list(arguments), keywords])


def eval_up(language, code, /, **names):
    """Evaluates source in another runtime, or in meta itself ("meta"), with values bound to names."""
    return ask({"op": "eval", "language": language, "code": code}, None, names)


call_up.__name__, eval_up.__name__ = "call", "eval"

# ----------------------------------------------------------------------------------------------------------- loop


class Channel:
    """A socket: whole frames in and out. Descriptor ≥ 10, closed on exec and in forked copies.

    One thread writes at a time. The lock may be taken again by its own thread, as a finalizer may run anywhere, but
    not in the middle of a frame.
    """

    def __init__(self, descriptor):
        self.descriptor = move_up(descriptor)
        self.rest = b""
        self.lock = _thread.RLock()
        self.half = False  # part of a frame is written
        self.reader = _thread.allocate_lock()  # held by who reads
        self.waiting = []  # frames that were read and are not served yet; None is the end

    def next(self):
        """The next frame to serve, as `read`."""
        with self.reader:
            return self.waiting.pop(0) if self.waiting else self.read()

    def take_releases(self):
        """Serves the releases that came while user code runs, so that what it publishes in a loop does not pile up. A request
        before them stops that: it may be about what they give back."""
        if State.forked or not self.reader.acquire(False):
            return
        try:
            while not self.waiting and not self.is_silent(0):
                frame = self.read()
                request = frame and parse_header(frame[0])
                if not request or request["op"] != "release" or not give_back(request):
                    self.waiting.append(frame)
        finally:
            self.reader.release()

    def read(self):
        """The next frame as (header, body); None at the end of the stream."""
        data = self.rest or os.read(self.descriptor, 65536)
        while len(data) < 16:
            more = os.read(self.descriptor, 65536)
            if not more:
                return None
            data += more
        try:
            sizes = bytes.fromhex(data[:16].decode("ascii"))
            size, head = int.from_bytes(sizes, "big") & 0xFFFFFFFF, int.from_bytes(sizes[:4], "big")
            if len(sizes) != 8:
                raise ValueError
        except ValueError:
            self.send({"op": "err", "re": None, "code": "wire/unreadable",
                       "message": "a frame starts with 16 hexadecimal digits, got %r" % data[:16]})
            return None
        whole = 16 + head + size
        if head > HEADER_LIMIT:
            return self.read() if self.skip(data, whole, head) else None
        if len(data) < whole:
            data = self.fill(data, whole)
            if data is None:
                return None
        self.rest = data[whole:]
        return data[16 : 16 + head], data[16 + head : whole]

    def skip(self, data, whole, head):
        """Reads past a frame whose header is too large, and says so; false at the end of the stream."""
        self.rest = data[whole:]
        left = whole - len(data)
        while left > 0:
            count = len(os.read(self.descriptor, min(left, 65536)))
            if not count:
                return False
            left -= count
        self.send({"op": "err", "re": None, "code": "wire/unreadable",
                   "message": "a header has at most %d bytes, got %d" % (HEADER_LIMIT, head)})
        return True

    def fill(self, data, whole):
        """Reads on until `whole` bytes are there, straight into place."""
        buffer = bytearray(whole)
        buffer[: len(data)] = data
        view, filled = memoryview(buffer), len(data)
        while filled < whole:
            count = os.readv(self.descriptor, [view[filled:]])
            if not count:
                return None
            filled += count
        return buffer

    def send(self, header, body=b"", rest=b""):
        """Writes a frame and, so that the other side wakes but once, the `rest`: whole frames that follow it."""
        if type(header) is not bytes:
            header = "".join(encode_header(header, 0)).encode("utf-8", "replace")
        head = b"%08x%08x%b" % (len(header), len(body), header)
        parts = [head + body + rest] if len(body) < 65536 else [head, body, rest]
        with self.lock:
            if self.half:
                raise Error("a finalizer cannot reach meta in the middle of a frame", "session/busy")
            self.half = True
            try:
                while parts:
                    count = os.writev(self.descriptor, parts)
                    while parts and count >= len(parts[0]):
                        count -= len(parts.pop(0))
                    if parts and count:
                        parts[0] = memoryview(parts[0])[count:]
            finally:
                self.half = False

    def send_releases(self, wait=True):
        """Tells meta which refs are done with, all that have gathered; not now when another thread writes."""
        if State.forked or not self.lock.acquire(wait):
            return
        try:
            while RELEASES and not self.half:
                self.send(release_header())
        except OSError:
            pass  # meta is gone
        finally:
            self.lock.release()

    def is_silent(self, seconds):
        """Whether no byte comes within so many seconds."""
        import select

        return not self.rest and not self.waiting and not select.select([self.descriptor], [], [], seconds)[0]


def release_header():
    """The header of a message about some of RELEASES, which are taken out."""
    batch = RELEASES[:4096]
    del RELEASES[: len(batch)]  # others may be adding at the end meanwhile
    return header_text({"op": "release"}, batch)


def move_up(descriptor):
    """Moves a descriptor to a free number ≥ 10, closed on exec: `exec 3>log` is everyday shell."""
    number = 10
    while True:
        try:
            os.fstat(number)
            number += 1
        except OSError:
            os.dup2(descriptor, number, False)
            os.close(descriptor)
            return number


def parse_header(header):
    """The header as a dict; None when it is none."""
    try:
        request, _ = scan_header(header.decode("utf-8"), 0)
        return request if type(request) is dict and type(request["op"]) is str else None
    except (ValueError, StopIteration, KeyError, RecursionError, SystemError):
        return None


def answer(header, body):
    """Answers one request that came on the request socket, if it is one that has an answer."""
    State.asked = State.raised = False
    request = parse_header(header)
    if request is None:
        return refuse_frame("header is not a request")
    if request.get("id") is not None:
        return respond(State.down, request, body)
    try:
        if request["op"] == "init":
            start_session(request)
        elif request["op"] == "release":
            State.running = True
            release_own(request)
        else:
            refuse_frame("a request needs an id")
    except (LookupError, TypeError, ValueError) as error:
        refuse_frame("%s is malformed: %s" % (request["op"], type(error).__name__))
    except KeyboardInterrupt:
        pass
    finally:
        State.running = False


def refuse_frame(message):
    State.down.send({"op": "err", "re": None, "code": "wire/unreadable", "message": message})


def respond(channel, request, body):
    """Answers one request with exactly one `ret` or `err`, on the descriptor it came from."""
    me, identity = _thread.get_ident(), request["id"]
    SERVING[me] = identity
    refs, value = Sending(), None
    if request.get("share") is not None or request["op"] == "publish":
        refs.share = request.get("share", "publish")
        refs.strict = request["op"] == "publish"
    started = time.perf_counter()
    if me == MAIN:
        State.running = True
    try:
        value = perform(request, body)
        elapsed = (time.perf_counter() - started) * 1e6
        reply, text = success(request, value, elapsed, refs)
    except BaseException as error:
        unlist(refs)
        if me == MAIN:
            State.running = False
        reply, text = error_reply(identity, error, request.get("index"), refs.share)
    if me == MAIN:
        State.running = False
    if State.forked:
        leave_fork(reply)
    flush_streams()
    rest = b""
    if RELEASES and channel is State.down:
        header = release_header()  # before `value` goes, whose refs the reply is the first to name
        rest = b"%08x%08x%b" % (len(header), 0, header)
    channel.send(reply, text, rest)


def perform(request, body):
    if "refs" in request:
        value = decode_listed(body, request["refs"])
    else:
        value = decode(body) if body else NOTHING
    work = OPERATIONS.get(request["op"])
    if work is None:
        raise Failure("runtime/unsupported", "this kernel has no operation %s" % request["op"])
    value = work(request, value)
    if "copy" in request and request["copy"] and type(value) is not Chunk:
        return copied(value)
    return Held(value) if "hold" in request and request["hold"] and type(value) is not Chunk else value


def success(request, value, elapsed, refs):
    """The header and body of a `ret`."""
    kind, more = type(value), ""
    if kind is Chunk:
        more = ',"more":%s' % ("false" if value.iterator is None else "true")
        if value.iterator is not None:
            number = list_own(refs, value.iterator)
            more += ',"iterator":[%s,%d,%d]' % (quote(State.session), State.generation, number)
        value = value.items
        kind = list
    elif kind is Held:
        kind = type(value.value)
    text = encode(value, refs)
    if len(text) > BODY_LIMIT:
        raise Failure("value/too-large", "a body has at most %d bytes, got %d" % (BODY_LIMIT, len(text)))
    name = kind.__name__ if kind in PLAIN else quote(type_name(kind))[1:-1]
    if refs:
        more += refs_field(refs)
    header = '{"op":"ret","re":%d,"type":"%s","elapsed":%.1f%s}' % (request["id"], name, elapsed, more)
    return limited(header.encode("utf-8", "replace")), text


def limited(header):
    """A header that the other side takes. Raises Failure `value/too-large`."""
    if len(header) > HEADER_LIMIT:
        raise Failure("value/too-large", "a frame lists at most %d bytes of handles, got %d" % (HEADER_LIMIT, len(header)))
    return header


def error_reply(identity, error, index=None, share=None):
    """The header and body of an `err`; describing runs user code (`__str__`), which may fail or need an interrupt."""
    main = _thread.get_ident() == MAIN
    refs, body = Sending(), b""
    refs.share = share
    try:
        if main:
            State.running, State.asked = True, False
        fields = apply(describe, (error,), {})
        body = error_data(error, refs)
        add_original(error, fields, refs)
    except BaseException as second:
        unlist(refs)
        body = b""
        fields = {"code": "runtime/interrupted" if State.raised and main else "runtime/raised",
                  "type": type_name(type(error)), "message": "%s, and describing it failed" % type_name(type(second))}
    finally:
        if main:
            State.running = False
    place = {} if index is None else {"index": index}
    header = err_header(identity, {**fields, **place}, refs)
    if len(header) > HEADER_LIMIT:
        short = {**place, "code": fields["code"], "type": fields["type"][:200], "message": fields["message"][:2000] + "…"}
        unlist(refs)
        header, body = err_header(identity, short, refs), b""
    return header, body


def error_data(error, refs):
    """The body of an `err`; empty when what the exception holds cannot cross."""
    data = NOTHING if isinstance(error, Failure) else data_of(error)
    if data is NOTHING:
        return b""
    try:
        return encode(data, refs)
    except Failure:
        unlist(refs)
        return b""


def add_original(error, fields, refs):
    """Lists the exception object itself, which its owner holds from now on."""
    if isinstance(error, Failure) or fields["code"] == "runtime/interrupted":
        return
    handle = error.handle if type(error) is Error else None
    if type(handle) in HANDLES:
        if is_living(handle):
            fields["ref"] = handle._meta_key
            refs[handle._meta_key] = True
    else:
        error.__traceback__ = users_part(error.__traceback__)
        fields["ref"] = [State.session, State.generation, list_own(refs, error)]


def err_header(identity, fields, refs):
    return header_text({"op": "err", "re": identity, **fields}, refs)


def start_session(request):
    State.session = str(request.get("session", State.session))
    if type(request.get("generation")) is int:
        State.generation = request["generation"]
    directory = request.get("directory")
    try:
        if directory and directory != os.getcwd():
            os.chdir(directory)
    except OSError:
        pass  # meta's own directory may be gone; its requests still make sense
    segments, limit = request.get("segments"), request.get("limit")
    if type(segments) is str:
        State.segments = segments
    if type(limit) is int:
        State.segments_limit = limit


def leave_fork(reply):
    """Ends a copy of this process that user code forked and let return: only the original may answer."""
    flush_streams()
    os._exit(1 if b'"op":"err"' in reply else 0)


def clear_main():
    """Takes the launch line's own names out of the user's namespace."""
    space = namespace()
    for name in [name for name in space if not name.startswith("__")]:
        del space[name]


def traces():
    """What user code leaves behind that the end of the interpreter could matter to: names, modules, held objects."""
    return set(namespace()), set(vars(builtins)), set(sys.modules), set(HELD)


def leave(untouched):
    """Ends the process. Taking an interpreter apart costs a fifth of a one-liner, so it is left as it is when no
    object of the user's can be in it: an open file, something with `__del__`, a thread."""
    State.forked = True  # no release and no upcall can reach meta now
    if State.buffers is not None:
        State.buffers.leave()
    if traces() != untouched:
        return HELD.clear()
    if "atexit" in sys.modules:
        sys.modules["atexit"]._run_exitfuncs()
    flush_streams()
    os._exit(0)


def main():
    State.down = channel = Channel(3)
    _signal.signal(_signal.SIGINT, on_interrupt)
    try:
        channel.send(greeting())
    except BrokenPipeError:
        os._exit(0)  # meta has gone while this interpreter started
    State.up = Channel(4)

    def after_fork():
        global TABLE
        State.forked = True
        TABLE = _thread.RLock()  # another thread may have held it
        os.close(State.down.descriptor)
        os.close(State.up.descriptor)

    os.register_at_fork(after_in_child=after_fork)
    sys.argv = [""]
    clear_main()
    install_module()
    start_streams()
    sys.meta_path.insert(0, LinecacheFinder)
    untouched = traces()
    while True:
        if _signal.getsignal(_signal.SIGINT) is not on_interrupt:
            _signal.signal(_signal.SIGINT, on_interrupt)
        if RELEASES and channel.is_silent(RELEASES_DELAY):
            channel.send_releases()
        frame = channel.next()
        if frame is None:
            return leave(untouched)
        answer(*frame)


gc.enable()
