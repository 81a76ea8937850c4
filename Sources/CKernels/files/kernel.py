"""The Python kernel of meta: runs the user's Python and answers requests.

A request is one frame on descriptor 3: 16 hexadecimal digits (8: bytes of header, 8: bytes of body), a JSON
header, a JSON body. Each request that has an id gets exactly one `ret` or `err`. User code lives in `__main__` and
owns descriptors 1 and 2. Start is paid by every one-liner, so only what the hello needs is imported here.
"""

import _ast
import _json
import _signal
import builtins
import gc
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
        "operations": sorted(OPERATIONS),
        "limits": {"header": HEADER_LIMIT, "body": BODY_LIMIT, "depth": DEPTH_LIMIT},
        "buffers": "none",
        "plain": False,
        "executable": sys.executable,
    }


class Failure(Exception):
    """An error with a code of the protocol; `path` is where in a value it is."""

    def __init__(self, code, message, path=None, type=None):
        super().__init__(message)
        self.code, self.path, self.type = code, path, type


class Error(Exception):
    """An error of another language, with what that language said about it (`meta.Error`)."""

    def __init__(self, message="", code="runtime/raised", type="Error", **fields):
        super().__init__(message)
        self.message, self.code, self.type = message, code, type
        self.frames = fields.pop("frames", [])
        self.cause = fields.pop("cause", None)
        self.data = fields.pop("data", None)
        self.language = fields.pop("language", None)


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
    for member in (Error, Tagged, Undefined):
        member.__module__ = "meta"
        setattr(module, member.__name__, member)
    module.undefined = undefined
    sys.modules["meta"] = module


# --------------------------------------------------------------------------------------------------------- decode


def decode(body):
    """The value of a JSON text (bytes). Raises Failure `wire/unreadable` naming the place."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Failure("wire/unreadable", "body is not UTF-8 at byte %d" % error.start) from None
    try:
        value, end = scan_value(text, 0)
    except StopIteration as stop:
        return decode_carefully(text, stop.value)
    except (ValueError, RecursionError, SystemError) as error:
        return decode_carefully(text, error)
    if end != len(text) and text[end:].strip(" \t\n\r"):
        raise Failure("wire/unreadable", "body has more text at character %d, allowed is one value" % end)
    if "\\ud" in text or "\\uD" in text:
        check_all_text(value)
    if is_too_deep(body, text):
        raise Failure("value/depth", "a value nests at most %d levels" % DEPTH_LIMIT)
    return value


NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def is_too_deep(body, text):
    """Whether brackets nest beyond the limit. Takes the innermost pairs away, a level each time, at C speed."""
    if len(body) < 2 * DEPTH_LIMIT:
        return False
    brackets = body.translate(None, NOT_BRACKETS)
    for level in range(64):
        if level + len(brackets) <= DEPTH_LIMIT:
            return False
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return nesting(text) > DEPTH_LIMIT


def decode_carefully(text, why):
    """Reads what the first try could not: leading space, integers of any length, deep nesting."""
    start = len(text) - len(text.lstrip(" \t\n\r"))
    if start == len(text):
        raise Failure("wire/unreadable", "body is empty, wanted one value")
    if nesting(text) > DEPTH_LIMIT:
        raise Failure("value/depth", "a value nests at most %d levels" % DEPTH_LIMIT)
    import json  # without it the scanner has no exception to raise

    try:
        with Unlimited():
            value, end = scan_value(text, start)
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


class Unlimited:
    """Lifts Python's limits on digits and recursion for the kernel's own conversions."""

    def __enter__(self):
        self.digits = getattr(sys, "get_int_max_str_digits", int)()
        self.recursion = sys.getrecursionlimit()
        if self.digits:
            sys.set_int_max_str_digits(0)
        sys.setrecursionlimit(max(self.recursion, 20 * DEPTH_LIMIT))

    def __exit__(self, *_):
        sys.setrecursionlimit(self.recursion)
        if self.digits:
            sys.set_int_max_str_digits(self.digits)


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


def read_object(pairs):
    """One JSON object, called by the scanner from the inside out: a dict, or what its `_type` stands for."""
    value = dict(pairs)
    if len(value) != len(pairs):
        seen = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise Failure("wire/unreadable", "the key %s is there twice" % quote(twice))
    if "_type" in value:
        return read_tagged(value)
    return value


def read_tagged(fields):
    tag = fields.pop("_type")
    reader = READERS.get(tag)
    try:
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
    return time.fromisoformat(value.replace("Z", "+00:00")).replace(fold=fold)


def read_datetime(fields):
    from datetime import datetime

    rest = dict(fields)
    fold, zone = rest.pop("fold", 0), rest.pop("zone", None)
    (value,) = only(rest, "value")
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
    return result


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


def c_encoder():
    """The C encoder of `json`; strict about NaN and cycles, blind to the types that `is_plain` looks at."""
    return _json.make_encoder({}, refuse, quote, None, ":", ",", False, False, False)


def encode(value):
    """The JSON text (bytes) of a value, exact. Raises Failure `value/…` naming the path."""
    kind = type(value)
    if kind is int and -(1 << 64) < value < 1 << 64:
        return b"%d" % value
    if kind in PLAIN:
        text = encode_plain(value)
        if text is not None:
            return text
    with Unlimited():
        parts = []
        write(value, "", parts.append, set(), 1)
        return "".join(parts).encode("utf-8")


def encode_plain(value):
    """The text when the value is plain JSON all through, otherwise None.

    The C encoder turns integer keys into strings, tuples into lists and subclasses into their base without a word,
    so its text counts only when `is_plain` has seen every type. Both run at C speed.
    """
    try:
        if type(value) is list and len(value) > PART:
            return encode_parts(value)
        text = "".join(c_encoder()(value, 0))
        if '"_type"' in text or "-0.0" in text and has_negative_zero(text):
            return None
        return text.encode("utf-8") if is_plain([value]) else None
    except (TypeError, ValueError, RecursionError, MemoryError):
        return None


PART = 512


def encode_parts(items):
    """`encode_plain` for a long list, part by part: what was just checked is still in the processor's cache."""
    texts = []
    for start in range(0, len(items), PART):
        text = encode_plain(items[start : start + PART])
        if text is None:
            return None
        texts.append(text[1:-1])
    return b"[" + b",".join(texts) + b"]"


def has_negative_zero(text):
    return text == "-0.0" or "-0.0," in text or "-0.0]" in text or "-0.0}" in text


def is_plain(level, depth=0):
    """Whether values without cycles hold only plain types, with str for every key; False when in doubt.

    Goes level by level, and through a wide level in parts. CPython's collector does not report the keys of a dict whose
    keys are all exactly str, so a level has as many referents as its containers have items only when no dict has
    another kind of key.
    """
    for depth in range(depth, DEPTH_LIMIT + 1):
        kinds = set(map(type, level))
        if not kinds <= PLAIN:
            return False
        if kinds <= SCALARS:
            return True
        if not kinds <= CONTAINERS:
            level = [item for item in level if type(item) in CONTAINERS]
        below = gc.get_referents(*level)
        if len(below) != sum(map(len, level)):
            return False
        if len(below) > 4 * PART:
            parts = range(0, len(below), 4 * PART)
            return all(is_plain(below[start : start + 4 * PART], depth + 1) for start in parts)
        level = below
    return False


CONTAINERS = frozenset([dict, list])


def key_path(key):
    """How a key looks in a path: `.name`, or in brackets."""
    if type(key) is str:
        return "." + key if key.isidentifier() else "[%s]" % ascii(key)
    return "[%s]" % (key if type(key) in (int, bool, float) else type(key).__name__)


def write(value, path, put, above, depth):
    """Puts the text of one value, tagged where JSON has no such type; `above` holds the ids of its containers."""
    kind = type(value)
    writer = WRITERS.get(kind)
    if writer is None:
        if isinstance(value, BaseException) and (BUILTIN_ERRORS.get(kind.__name__) is kind or kind is Error):
            writer = write_error
        elif kind.__module__ == "zoneinfo" or kind.__module__ in ("datetime", "decimal", "fractions"):
            writer = late_writer(kind)
    if writer is None:
        raise Failure("value/uncopyable", "%s cannot be copied" % type_name(kind), path, type_name(kind))
    if kind in SCALARS:
        return writer(value, path, put)
    if id(value) in above:
        raise Failure("value/cycle", "%s contains itself" % type_name(kind), path, type_name(kind))
    if depth > DEPTH_LIMIT:
        raise Failure("value/depth", "a value nests at most %d levels" % DEPTH_LIMIT, path[:200], type_name(kind))
    above.add(id(value))
    writer(value, path, put, above, depth)
    above.discard(id(value))


def write_none(value, path, put):
    put("null")


def write_bool(value, path, put):
    put("true" if value else "false")


def write_int(value, path, put):
    put(int.__repr__(value))


def write_float(value, path, put):
    if value != value:
        put('{"_type":"Float","value":"NaN"}')
    elif value in (INFINITY, -INFINITY):
        put('{"_type":"Float","value":"%s"}' % ("Infinity" if value > 0 else "-Infinity"))
    elif value == 0 and float.__repr__(value) == "-0.0":
        put('{"_type":"Float","value":"-0.0"}')
    else:
        put(float.__repr__(value))


def write_str(value, path, put):
    if not is_text(value):
        raise Failure("value/surrogate", "a string holds a lone surrogate", path, "str")
    put(quote(value))


def write_items(items, path, put, above, depth):
    put("[")
    for index, item in enumerate(items):
        if index:
            put(",")
        write(item, "%s[%d]" % (path, index), put, above, depth + 1)
    put("]")


def write_list(value, path, put, above, depth):
    if len(value) > 8 and set(map(type, value)) <= SCALARS:
        text = encode_plain(value)
        if text is not None:
            return put(text.decode())
    write_items(value, path, put, above, depth)


def write_dict(value, path, put, above, depth):
    """An object when every key is a str and none is `_type`, else a Map."""
    if "_type" in value or set(map(type, value)) - {str}:
        return write_map(value, path, put, above, depth)
    separator = "{"
    for key, item in value.items():
        where = path + key_path(key)
        put(separator)
        write_str(key, where, put)
        put(":")
        write(item, where, put, above, depth + 1)
        separator = ","
    put("{}" if separator == "{" else "}")


def write_map(value, path, put, above, depth):
    put('{"_type":"Map","entries":[')
    separator = "["
    for key, item in value.items():
        where = path + key_path(key)
        put(separator)
        write(key, where, put, above, depth + 3)
        put(",")
        write(item, where, put, above, depth + 3)
        put("]")
        separator = ",["
    put("]}")


def write_tuple(value, path, put, above, depth):
    put('{"_type":"Tuple","items":')
    write_items(value, path, put, above, depth + 1)
    put("}")


def write_set(value, path, put, above, depth):
    put('{"_type":"Set","items":')
    write_items(value, path, put, above, depth + 1)
    put("}")


def write_bytes(value, path, put, above, depth):
    import binascii

    put('{"_type":"Bytes","base64":"%s"}' % binascii.b2a_base64(value, newline=False).decode())


def write_complex(value, path, put, above, depth):
    put('{"_type":"Complex","re":')
    write_float(value.real, path, put)
    put(',"im":')
    write_float(value.imag, path, put)
    put("}")


def write_undefined(value, path, put, above, depth):
    put('{"_type":"Undefined"}')


def write_tagged(value, path, put, above, depth):
    put('{"_type":%s' % quote(value.tag))
    for name, item in value.fields.items():
        put(",%s:" % quote(name))
        write(item, path + key_path(name), put, above, depth + 1)
    put("}")


def write_error(value, path, put, above, depth):
    if type(value) is Error:
        fields = {"code": value.code, "type": value.type, "message": value.message, "frames": value.frames}
        for name in ("cause", "data", "language"):
            if getattr(value, name) is not None:
                fields[name] = getattr(value, name)
    else:
        _, arguments, *state = value.__reduce__()
        if state and state[0]:
            raise Failure("value/uncopyable", "an exception with attributes cannot be copied", path, type_name(type(value)))
        fields = {"code": "runtime/raised", "type": type(value).__name__, "message": message_of(value)}
        fields.update(frames=frames_of(value), language="py", data=list(arguments))
        if value.__cause__ is not None:
            fields["cause"] = value.__cause__
    write_tagged(Tagged("Error", fields), path, put, above, depth)


def put_text(tag, text, put, **more):
    put('{"_type":"%s","value":"%s"' % (tag, text))
    for name, value in more.items():
        if value:
            put(',"%s":%s' % (name, quote(value) if type(value) is str else value))
    put("}")


def late_writer(kind):
    """The writer for a type whose module is imported only by those who use it."""
    if kind.__module__ == "datetime":
        import datetime

        found = {
            datetime.date: write_date,
            datetime.time: write_time,
            datetime.datetime: write_datetime,
            datetime.timedelta: write_duration,
        }.get(kind)
    else:
        found = {"Decimal": write_decimal, "Fraction": write_fraction}.get(kind.__qualname__)
        module = sys.modules.get(kind.__module__)
        if getattr(module, kind.__qualname__, None) is not kind:
            found = None
    if found is not None:
        WRITERS[kind] = found
    return found


def write_decimal(value, path, put, above, depth):
    put_text("Decimal", str(value), put)


def write_fraction(value, path, put, above, depth):
    put_text("Fraction", "%d/%d" % (value.numerator, value.denominator), put)


def write_date(value, path, put, above, depth):
    put_text("Date", value.isoformat(), put)


def write_time(value, path, put, above, depth):
    if zone_key(value.tzinfo, path):
        raise Failure("value/uncopyable", "a time in a named zone cannot be copied", path, "datetime.time")
    put_text("Time", value.isoformat(), put, fold=value.fold)


def write_datetime(value, path, put, above, depth):
    put_text("DateTime", value.isoformat(), put, zone=zone_key(value.tzinfo, path), fold=value.fold)


def zone_key(zone, path):
    """None for no zone and for a fixed offset, the key of a ZoneInfo; other zones cannot be copied."""
    from datetime import timezone

    if zone is None or type(zone) is timezone and zone.tzname(None) == timezone(zone.utcoffset(None)).tzname(None):
        return None
    if type(zone).__module__ == "zoneinfo" and getattr(zone, "key", None):
        return zone.key
    raise Failure("value/uncopyable", "a zone of type %s cannot be copied" % type_name(type(zone)), path,
                  type_name(type(zone)))


def duration_text(value):
    sign = "-" if value.days < 0 else ""
    size = abs(value)
    fraction = ".%06d" % size.microseconds if size.microseconds else ""
    return "%sP%dDT%d%sS" % (sign, size.days, size.seconds, fraction)


def write_duration(value, path, put, above, depth):
    put_text("Duration", duration_text(value), put)


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
    Undefined: write_undefined,
    Tagged: write_tagged,
}


def type_name(kind):
    """A type's name as a Python user writes it: `int`, `collections.OrderedDict`, `Point` of `__main__`."""
    module, name = kind.__module__, kind.__qualname__
    if module in ("builtins", "__main__") or type(module) is not str:
        return name
    return module + "." + name


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
SOURCES = {}  # name of a source -> its text
SOURCES_LIMIT = 4096
ALLOW_TOP_LEVEL_AWAIT = 0x2000
ONLY_TREE = 0x400
IS_COROUTINE = 0x80


class State:
    """What signal handlers and requests share."""

    running = False  # user code may be interrupted
    asked = False  # SIGINT came during this request
    raised = False  # …and became a KeyboardInterrupt in user code
    forked = False  # this process is a copy that user code made
    loop = None  # the event loop of asyncio, once something was awaited


def on_interrupt(signal, frame):
    """SIGINT: raises only in user code; the kernel's own frames finish what they do. `apply` counts as the user's."""
    State.asked = True
    code = frame.f_code if frame else None
    if State.running and code and (code.co_filename != KERNEL_FILE or code in USERS):
        State.raised = True
        raise KeyboardInterrupt


def apply(function, arguments, keywords):
    return function(*arguments, **keywords)


USERS = {apply.__code__}  # frames of the kernel that stand for the user's


def run(function, arguments, keywords=None):
    """Calls user code, interruptibly; awaits what it returns when that can be awaited."""
    if State.asked:
        State.raised = True
        raise KeyboardInterrupt
    try:
        State.running = True
        result = apply(function, arguments, keywords or {})
        if type(result) not in WRITERS and hasattr(type(result), "__await__"):
            result = wait_for(result)
        return result
    finally:
        State.running = False


def wait_for(awaitable):
    """Runs the session's event loop until the awaitable is done. The loop and its other tasks live on."""
    import asyncio

    if State.loop is None or State.loop.is_closed():
        State.loop = asyncio.new_event_loop()
    asyncio.set_event_loop(State.loop)

    async def task():
        return await awaitable

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


def op_eval(request, body):
    """Runs source. The value is that of the last statement when it is an expression, otherwise None."""
    code, name = request["code"], request.get("name", "<py>")
    names = decode(body) if body else {}
    remember_source(name, code)
    setup, last = compile_source(code, name)
    space = namespace()
    kept = [(key, space.get(key, undefined)) for key in names]
    space.update(names)
    try:
        return run(run_parts, (setup, last, space))
    finally:
        for key, value in kept:
            if value is undefined:
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


def op_call(request, body):
    arguments, keywords = decode(body) if body else ([], {})
    return run(resolve(request["path"]), arguments, keywords)


def op_get(request, body):
    return resolve(request["path"])


def op_set(request, body):
    *parents, name = request["path"]
    value = decode(body)
    if parents:
        run(setattr, (resolve(parents), name, value))
    else:
        namespace()[name] = value


def op_import(request, body):
    path = request["path"]
    run(__import__, (".".join(path),))
    alias = request.get("as")
    if alias:
        namespace()[alias] = sys.modules[".".join(path)]
    else:
        namespace()[path[0].split(".")[0]] = sys.modules[path[0].split(".")[0]]


def resolve(path):
    """The object at a path: the user's globals, then builtins, then modules. A root that is found has no fallback."""
    if not path:
        raise Failure("runtime/missing", "a path needs at least one name")
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
        return run(__import__, (name,))
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
        return run(getattr, (value, name))
    except AttributeError:
        if type(value) is type(sys) and hasattr(value, "__path__"):
            dotted = value.__name__ + "." + name
            try:
                run(__import__, (dotted,))
                return sys.modules[dotted]
            except ModuleNotFoundError as error:
                if error.name != dotted:
                    raise
        raise Failure("runtime/missing", "%s has no %s%s" % (".".join(path), name, near(name, dir(value)))) from None


def near(name, known):
    """`, near: a, b` for names that a typing error away."""
    from difflib import get_close_matches

    found = get_close_matches(name, [text for text in known if type(text) is str], 3, 0.7)
    return ", near: " + ", ".join(found) if found else ""


def op_complete(request, body):
    """Names that continue the word before the cursor."""
    text = request["code"][: request.get("cursor", len(request["code"]))]
    start = len(text)
    while start and (text[start - 1].isalnum() or text[start - 1] in "_."):
        start -= 1
    *parents, word = text[start:].split(".")
    if parents:
        names = run(dir, (resolve(parents),)) if parents[0] in namespace() or hasattr(builtins, parents[0]) else []
    else:
        import keyword

        names = [*(word + " " for word in keyword.kwlist), *namespace(), *dir(builtins)]
    matches = sorted({name for name in names if name.startswith(word) and (word or name[0] != "_")})
    return {"start": len(text) - len(word), "matches": matches}


def op_status(request, body):
    return {"busy": False, "pid": os.getpid(), "names": sum(1 for name in namespace() if name[:1] != "_")}


OPERATIONS = {
    "eval": op_eval,
    "call": op_call,
    "get": op_get,
    "set": op_set,
    "import": op_import,
    "complete": op_complete,
    "status": op_status,
}


def message_of(error):
    """What the exception says; its `__str__` is user code and may fail."""
    try:
        text = str(error)
        return text if is_text(text) else ascii(text)[1:-1]
    except Exception as second:
        return "<its message is unavailable: __str__ raised %s>" % type_name(type(second))


def describe(error, seen=()):
    """The header fields of an `err` for an exception, its causes included, each once."""
    fields = {"code": "runtime/raised", "type": type_name(type(error)), "message": message_of(error)}
    if isinstance(error, Failure):
        fields.update(code=error.code, type=error.type or "", path=error.path, frames=[])
        return {name: value for name, value in fields.items() if value is not None}
    if isinstance(error, KeyboardInterrupt) and State.raised:
        fields.update(code="runtime/interrupted", message="interrupted")
    elif type(error) is Error:
        fields.update(code=error.code, type=error.type, message=error.message)
    if isinstance(error, SyntaxError):
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


FRAMES_LIMIT = 64


def frames_of(error):
    """The user's own frames, outermost first; of a deep recursion the outermost and innermost half."""
    found = []
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        if is_users(code.co_filename):
            found.append((getattr(code, "co_qualname", code.co_name), code.co_filename, step.tb_lineno))
        step = step.tb_next
    if len(found) > FRAMES_LIMIT:
        found = found[: FRAMES_LIMIT // 2] + found[-FRAMES_LIMIT // 2 :]
    frames = [
        {"function": function, "source": source, "line": line or 0, "text": line_of(source, line)}
        for function, source, line in found
    ]
    if isinstance(error, SyntaxError) and type(error.lineno) is int and error.filename:
        frames.append({"function": "<module>", "source": str(error.filename), "line": error.lineno,
                       "text": line_of(error.filename, error.lineno), "column": error.offset or 0})
    return frames


LIBRARY = os.path.dirname(os.__file__) + os.sep


def is_users(filename):
    if filename in SOURCES:
        return True
    if filename == KERNEL_FILE or filename.startswith(LIBRARY) or filename[:1] == "<":
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


# ----------------------------------------------------------------------------------------------------------- loop


class Channel:
    """The request socket: whole frames in and out. Descriptor ≥ 10, closed on exec and in forked copies."""

    def __init__(self, descriptor):
        self.descriptor = move_up(descriptor)
        self.rest = b""

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
        if len(data) < whole:
            data = self.fill(data, whole)
            if data is None:
                return None
        self.rest = data[whole:]
        return data[16 : 16 + head], data[16 + head : whole]

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

    def send(self, header, body=b""):
        if type(header) is not bytes:
            header = "".join(c_encoder()(header, 0)).encode("utf-8", "replace")
        head = b"%08x%08x%b" % (len(header), len(body), header)
        if len(body) < 65536:
            parts = [head + body]
        else:
            parts = [head, body]
        while parts:
            count = os.writev(self.descriptor, parts)
            while parts and count >= len(parts[0]):
                count -= len(parts.pop(0))
            if parts and count:
                parts[0] = memoryview(parts[0])[count:]


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


def answer(channel, header, body):
    """Answers one request with exactly one `ret` or `err`."""
    State.asked = State.raised = False
    try:
        request, _ = scan_header(header.decode("utf-8"), 0)
        operation, identity = request["op"], request.get("id")
        if type(operation) is not str:
            raise TypeError
    except (ValueError, StopIteration, TypeError, KeyError, AttributeError, RecursionError, SystemError) as error:
        return channel.send({"op": "err", "re": None, "code": "wire/unreadable",
                             "message": "header is not a request: %s" % type(error).__name__})
    if identity is None:
        return start_session(request) if operation == "init" else channel.send(
            {"op": "err", "re": None, "code": "wire/unreadable", "message": "a request needs an id"})
    started = time.perf_counter()
    try:
        value = perform(operation, request, body)
        elapsed = (time.perf_counter() - started) * 1e6
        text = encode(value)
        if len(text) > BODY_LIMIT:
            raise Failure("value/too-large", "a body has at most %d bytes, got %d" % (BODY_LIMIT, len(text)))
        kind = quote(type_name(type(value)))
        reply = ('{"op":"ret","re":%d,"type":%s,"elapsed":%.1f}' % (identity, kind, elapsed)).encode()
        value = None  # a large value goes before the wait for the next request
    except BaseException as error:
        reply, text = error_reply(identity, error), b""
    if State.forked:
        leave_fork(reply)
    flush_streams()
    channel.send(reply, text)


def perform(operation, request, body):
    work = OPERATIONS.get(operation)
    if work is None:
        raise Failure("runtime/unsupported", "this kernel has no operation %s" % operation)
    return work(request, body)


def error_reply(identity, error):
    """The header of an `err`; describing runs user code (`__str__`), which may fail or need an interrupt itself."""
    fields = None
    try:
        State.running, State.asked = True, False
        fields = apply(describe, (error,), {})
    except BaseException as second:
        State.running = False
        fields = {"code": "runtime/interrupted" if State.raised else "runtime/raised",
                  "type": type(error).__name__, "message": "%s, and describing it failed" % type(second).__name__}
    finally:
        State.running = False
    header = "".join(c_encoder()({"op": "err", "re": identity, **fields}, 0)).encode("utf-8", "replace")
    if len(header) > HEADER_LIMIT:
        fields = {"code": fields["code"], "type": fields["type"][:200], "message": fields["message"][:2000] + "…"}
        header = "".join(c_encoder()({"op": "err", "re": identity, **fields}, 0)).encode("utf-8", "replace")
    return header


def start_session(request):
    directory = request.get("directory")
    try:
        if directory and directory != os.getcwd():
            os.chdir(directory)
    except OSError:
        pass  # meta's own directory may be gone; its requests still make sense


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
    """What user code leaves behind that the end of the interpreter could matter to: names, and modules."""
    return set(namespace()), set(vars(builtins)), set(sys.modules)


def leave(untouched):
    """Ends the process. Taking an interpreter apart costs a fifth of a one-liner, so it is left as it is when no
    object of the user's can be in it: an open file, something with `__del__`, a thread."""
    if traces() != untouched:
        return
    if "atexit" in sys.modules:
        sys.modules["atexit"]._run_exitfuncs()
    flush_streams()
    os._exit(0)


def main():
    channel, upward = Channel(3), move_up(4)

    def after_fork():
        State.forked = True
        os.close(channel.descriptor)
        os.close(upward)

    os.register_at_fork(after_in_child=after_fork)
    _signal.signal(_signal.SIGINT, on_interrupt)
    channel.send(greeting())
    sys.argv = [""]
    clear_main()
    install_module()
    start_streams()
    sys.meta_path.insert(0, LinecacheFinder)
    untouched = traces()
    while True:
        if _signal.getsignal(_signal.SIGINT) is not on_interrupt:
            _signal.signal(_signal.SIGINT, on_interrupt)
        frame = channel.read()
        if frame is None:
            return leave(untouched)
        answer(channel, *frame)
