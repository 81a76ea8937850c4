"""Tables of Python: named columns that lie in memory as Arrow's columnar format says; loaded by the kernel when the first is met.

Whatever a table is at home (a DataFrame of pandas or polars, a Table of pyarrow) is looked at as a Table of ours first: Columns over the
memory that is there. It crosses as these, all that is not in a segment already in one new segment. What arrives is a Table over the
segment, or what it was at home where that library is installed, over the same memory.

A library is handed offsets and indices only when all of them were checked: it reads wherever they say.
"""

import sys
from array import array
from itertools import accumulate

import _meta_kernel as kernel
from _meta_kernel import UNCOPYABLE, Failure, State, quote, unreadable

buffers = kernel.buffers()
ALIGNMENT = 64  # bytes, as Arrow recommends
LONG = 4096  # items from which on a list is worth the import of pyarrow
STORED = {
    "date32": "int32", "date64": "int64", "time32[s]": "int32", "time32[ms]": "int32", "time64[us]": "int64", "time64[ns]": "int64",
    **{"duration[%s]" % unit: "int64" for unit in ("s", "ms", "us", "ns")},
}
UNITS = {"s": 1, "ms": 1000, "us": 1000000, "ns": 1000000000}
LETTERS = {"int32": "i", "int64": "q"}
ZONE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/:")
NONE = type(None)


def uncopyable(why):
    return Failure(UNCOPYABLE, why)


def stored(format):
    """The format of the numbers that a column of a format is made of; None for one that is made of something else."""
    return format if format in buffers.FORMATS and format != "bool" else "int64" if zone_of(format) is not None else STORED.get(format)


def zone_of(format):
    """(unit, zone) of `timestamp[ns]` and `timestamp[ns, UTC]`, the zone "" for none; None for other formats."""
    if format[:10] != "timestamp[" or format[-1] != "]":
        return None
    unit, comma, zone = format[10:-1].partition(", ")
    return (unit, zone) if unit in UNITS and bool(comma) == bool(zone) and ZONE.issuperset(zone) else None


def loaded(name):
    return sys.modules.get(name)


def installed(name):
    """A library, imported when it is there; None otherwise."""
    if State.forked:
        return sys.modules.get(name)
    if name not in MISSING:
        try:
            return __import__(name)
        except Exception:
            MISSING.add(name)
    return None


MISSING = set()

# --------------------------------------------------------------------------------------------------------- Column


class Column:
    """A column of a table (`meta.Column`): a sequence whose items are made when they are asked for, None where there is none.

    `format` is Arrow's name of its type; `values` the numbers it is made of, `validity` the bits of what is not null, `offsets` and
    `data` of texts and bytes; `dictionary` the column that `values` are places in.
    """

    __slots__ = ("format", "values", "validity", "offsets", "data", "dictionary", "ordered", "_rows")

    def __init__(self, format, rows, values=None, validity=None, offsets=None, data=None, dictionary=None, ordered=False):
        self.format, self._rows, self.values, self.validity = format, rows, values, validity
        self.offsets, self.data, self.dictionary, self.ordered = offsets, data, dictionary, ordered

    @property
    def is_plain(self):
        """Whether an array says all of it."""
        return self.format in buffers.FORMATS and self.validity is None and not self.is_bits

    @property
    def is_bits(self):
        return self.format == "bool" and self.data is not None

    def __len__(self):
        return self._rows

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self._item(one) for one in range(*index.indices(self._rows))]
        number = index + self._rows if index < 0 else index
        if not 0 <= number < self._rows:
            raise IndexError("row %d of a column of %d" % (index, self._rows))
        return self._item(number)

    def __iter__(self):
        return iter(self.tolist())

    def _is_null(self, row):
        return self.format == "null" or self.validity is not None and not self.validity[row >> 3] >> (row & 7) & 1

    def _item(self, row):
        if self._is_null(row):
            return None
        if self.format in ("utf8", "binary"):
            return self._text(row)
        if self.is_bits:
            return bool(self.data[row >> 3] >> (row & 7) & 1)
        value = self.values.get(row) if type(self.values) is buffers.View else self.values[row]
        value = value.item() if hasattr(value, "item") else value
        if self.dictionary is not None:
            if not 0 <= value < len(self.dictionary):
                raise damaged("a place of the dictionary's %d is %d" % (len(self.dictionary), value))
            return self.dictionary[value]
        return value if self.format in buffers.FORMATS else moment(self.format, value)

    def _text(self, row):
        start, end = int(self.offsets[row]), int(self.offsets[row + 1])
        if not 0 <= start <= end <= len(self.data):
            raise damaged("row %d lies from byte %d to %d of %d" % (row, start, end, len(self.data)))
        part = bytes(self.data[start:end])
        if self.format == "binary":
            return part
        try:
            return part.decode("utf-8")
        except UnicodeDecodeError:
            raise damaged("row %d is not UTF-8" % row) from None

    def tolist(self):
        """All items."""
        if self.is_plain:
            return self.values.tolist()
        if self.format == "utf8" and self.validity is None and self._rows:
            self.check_offsets()
            text = bytes(self.data).decode("utf-8", "replace")
            if len(text) == len(self.data) and text.isascii():
                places = self.offsets.tolist()
                return [text[start:end] for start, end in zip(places, places[1:])]
        return [self._item(row) for row in range(self._rows)]

    def head(self, rows):
        """Its first rows, over the same memory."""
        bits, made = (rows + 7) // 8, Column(self.format, rows, dictionary=self.dictionary, ordered=self.ordered)
        made.validity = self.validity if self.validity is None else self.validity[:bits]
        if self.offsets is not None:
            made.offsets = self.offsets[: rows + 1]
            made.data = self.data[: max(0, int(made.offsets[-1]))] if len(made.offsets) else self.data
        elif self.data is not None:
            made.data = self.data[:bits]
        elif type(self.values) is buffers.View:
            made.values = array("d", self.values.tolist()[:rows])
        elif self.values is not None:
            made.values = self.values[:rows]
        return made

    def check_offsets(self):
        """Raises unless all offsets say where items lie."""
        places, size = self.offsets, len(self.data)
        if not len(places):
            return
        if hasattr(places, "dtype"):
            good = places[0] >= 0 and places[-1] <= size and not (places[1:] < places[:-1]).any()
        else:
            listed = places.tolist()
            good = listed[0] >= 0 and listed[-1] <= size and all(map(int.__le__, listed, listed[1:]))
        if not good:
            raise damaged("its offsets lie outside its %d bytes" % size)

    def __repr__(self):
        shown = ", ".join(map(repr, self[:5])) + (", …" if self._rows > 5 else "")
        return "meta.Column(%s, [%s])" % (self.format, shown)


def damaged(why):
    return kernel.Error("a column is damaged: %s" % why, "wire/unreadable", "Error")


def moment(format, value):
    """What a number of a format stands for: a date, time, datetime or timedelta; what they cannot say as it would cross."""
    from datetime import date, datetime, time, timedelta, timezone

    found = zone_of(format)
    try:
        if format in ("date32", "date64"):
            return date.fromordinal(719163 + (value if format == "date32" else value // 86400000))
        ticks = UNITS[found[0] if found else format.partition("[")[2][:-1]]
        seconds, rest = divmod(value, ticks)
        micros, nanos = divmod(rest * (1000000000 // ticks), 1000)
        if nanos:
            return with_nanoseconds(format, found, seconds, micros * 1000 + nanos)
        span = timedelta(seconds=seconds, microseconds=micros)
        if found:
            moved = datetime(1970, 1, 1, tzinfo=timezone.utc) + span
            return in_zone(moved, found[1]) if found[1] else moved.replace(tzinfo=None)
        return span if format[0] == "d" else (datetime(1970, 1, 1) + span).time() if 0 <= seconds < 86400 else time()
    except (OverflowError, ValueError):
        return value


def with_nanoseconds(format, found, seconds, nanos):
    from datetime import datetime, timedelta

    if not found and format[0] == "d":
        sign, total = ("-", -seconds * 1000000000 - nanos) if seconds < 0 else ("", seconds * 1000000000 + nanos)
        days, rest = divmod(total, 86400000000000)
        return kernel.Tagged("Duration", {"value": "%sP%dDT%d.%09dS" % (sign, days, rest // 1000000000, rest % 1000000000)})
    text = "%s.%09d" % ((datetime(1970, 1, 1) + timedelta(seconds=seconds)).isoformat(), nanos)
    if not found:
        return kernel.Tagged("Time", {"value": text.partition("T")[2]})
    return kernel.Tagged("DateTime", {"value": text + ("+00:00" if found[1] else "")})


def in_zone(moved, zone):
    from datetime import timedelta, timezone

    if zone == "UTC":
        return moved
    try:
        if zone[0] in "+-":
            sign = -1 if zone[0] == "-" else 1
            return moved.astimezone(timezone(sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))))
        from zoneinfo import ZoneInfo

        return moved.astimezone(ZoneInfo(zone))
    except Exception:
        return moved


# ---------------------------------------------------------------------------------------------------------- Table


class Table:
    """Named columns of one length (`meta.Table`): `rows`, `columns` (their names), `column(name)`; `t[0]` is a row as a dict.

    `kind` is what it was at home. `to_pandas()`, `to_arrow()` and `to_polars()` share its memory where they can.
    """

    __slots__ = ("rows", "kind", "_columns", "_more", "__weakref__")

    def __init__(self, rows, columns, kind="meta.Table", more=None):
        if type(columns) is not dict or not all([type(one) is Column for one in columns.values()]):
            raise TypeError("meta.table({'name': [1, 2], …}) makes a table")
        self.rows, self._columns, self.kind, self._more = rows, columns, kind, more or {}

    @property
    def columns(self):
        """The names of the columns."""
        return list(self._columns)

    @property
    def formats(self):
        """The format of each column, by its name."""
        return {name: column.format for name, column in self._columns.items()}

    def column(self, name):
        """A column by its name: an array of numbers where it is no more than that, otherwise a meta.Column."""
        column = self._columns[name]
        return column.values if column.is_plain else column

    def __len__(self):
        return self.rows

    def __getitem__(self, row):
        if isinstance(row, str):
            return self.column(row)
        if isinstance(row, slice):
            return [self[one] for one in range(*row.indices(self.rows))]
        if not -self.rows <= row < self.rows:
            raise IndexError("row %d of a table of %d" % (row, self.rows))
        return {name: column[row] for name, column in self._columns.items()}

    def __iter__(self):
        names, lists = tuple(self._columns), [column.tolist() for column in self._columns.values()]
        if not names:
            return iter([{} for _ in range(self.rows)])
        return (dict(zip(names, items)) for items in zip(*lists))

    def to_arrow(self):
        """The same as a Table of pyarrow, over the same memory."""
        import pyarrow

        if not self._columns:
            return pyarrow.table({})
        return pyarrow.table([arrow_array(column) for column in self._columns.values()], list(self._columns))

    def to_pandas(self):
        """The same as a DataFrame of pandas; its numbers lie in the same memory."""
        import pandas

        return frame_of(self, pandas)

    def to_polars(self):
        """The same as a DataFrame of polars; its numbers lie in the same memory."""
        import polars

        frame = polars.from_arrow(self.to_arrow())
        enums = [polars.col(name).cast(polars.Enum(self._columns[name].dictionary.tolist())) for name in self._more.get("enums", ())]
        return frame.with_columns(enums) if enums else frame

    def __arrow_c_stream__(self, requested_schema=None):
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def __repr__(self):
        lines = [list(map(str, self._columns))]
        lines += [[short(column[row]) for column in self._columns.values()] for row in range(min(self.rows, 10))]
        widths = [max(map(len, cells)) for cells in zip(*lines)]
        text = ["  ".join([cell.rjust(width) for cell, width in zip(line, widths)]) for line in lines if line]
        size = size_text(self.rows, len(self._columns))
        return "\n".join(["meta.Table", *text, *["…"][: self.rows > 10], size])


def size_text(rows, columns):
    return "%d row%s × %d column%s" % (rows, "s" * (rows != 1), columns, "s" * (columns != 1))


def short(value):
    text = value if type(value) is str else repr(value)
    return "".join([letter if letter.isprintable() else "�" for letter in text[:24]]) + ("…" if len(text) > 24 else "")


for one in (Table, Column):
    one.__module__ = "meta"

# ----------------------------------------------------------------------------------------------------------- make


def table(data):
    """A table of a dict of columns (lists, arrays, Series), of a list of dicts, or of any DataFrame."""
    if type(data) is Table:
        return data
    if is_frame(type(data)):
        return table_of(data)
    if isinstance(data, dict):
        return table_of_columns(data)
    if isinstance(data, (list, tuple)) and all([isinstance(one, dict) for one in data]):
        names = dict.fromkeys([name for record in data for name in record])
        made = table_of_columns({name: [record.get(name) for record in data] for name in names})
        made.rows = len(data)
        return made
    raise TypeError("a table is made of a dict of columns, a list of dicts, or a DataFrame, got %s" % kernel.type_name(type(data)))


def table_of_columns(data):
    columns = {}
    check_names(data)
    for name, values in data.items():
        columns[name] = named(name, column_of, values)
    rows = {len(column) for column in columns.values()}
    if len(rows) > 1:
        raise ValueError("the columns of a table are of one length, got %s" % ", ".join(
            ["%s: %d" % (name, len(column)) for name, column in columns.items()]))
    return Table(rows.pop() if rows else 0, columns)


def check_names(names):
    names = list(names)
    for name in names:
        if type(name) is not str or not kernel.is_text(name):
            raise uncopyable("the names of a table's columns are texts, one is %s" % kernel.short_repr(name))
    if len(set(names)) < len(names):
        raise uncopyable("two columns have the name %s" % quote(next(name for name in names if names.count(name) > 1)))


def named(name, work, *arguments):
    """What `work` gives; of a failure it says in which column it was."""
    try:
        return work(*arguments)
    except Failure as failure:
        raise Failure(failure.code, "the column %s: %s" % (kernel.shown(quote(name)), failure)) from None
    except Exception as error:
        raise uncopyable("the column %s: %s" % (kernel.shown(quote(name)), error)) from None


def column_of(values):
    kind = type(values)
    root = str(kernel.module_of(kind)).partition(".")[0]
    if kind is Column:
        return values
    if root == "pyarrow":
        return of_arrow(values)
    if root == "polars" and kind.__name__ == "Series":
        return of_polars(values)
    if root == "pandas":
        return of_pandas(values)[0]
    if root == "numpy" and kind.__name__ == "ndarray":
        return of_numpy(values)
    if kind in (list, tuple, range) or isinstance(values, list):
        return of_list(values if kind is list else list(values))
    look = buffers.look_at(values)
    if len(look.shape) != 1:
        raise uncopyable("a column has one axis, got the shape %s" % (look.shape,))
    return Column(look.format, look.shape[0], values)


def of_list(values):
    column = of_list_by_arrow(values) if len(values) >= LONG else None
    if column is not None:
        return column
    kinds = set(map(type, values))
    has_none = NONE in kinds
    kinds.discard(NONE)
    if not kinds:
        return Column("null", len(values))
    if kinds == {str} or kinds == {bytes}:
        return of_texts(values, kinds == {str})
    valid = bits([value is not None for value in values]) if has_none else None
    if kinds == {bool}:
        return Column("bool", len(values), data=bits(values), validity=valid) if has_none else Column(
            "bool", len(values), memoryview(bytes(values)).cast("?"))
    if kinds <= {int, float}:
        return numbers_of(values, kinds, valid)
    return moments_of(values, kinds, valid)


def of_list_by_arrow(values):
    """The column of a long list by pyarrow, which is quicker and as strict; None where it is not, or says that it cannot."""
    pyarrow = installed("pyarrow")
    if pyarrow is None:
        return None
    try:
        made = pyarrow.array(values)
    except Exception:
        return None
    quick = isinstance(made, pyarrow.Array) and str(made.type) in ("int64", "double", "string", "binary", "bool", "date32[day]")
    return of_arrow(made) if quick else None


def bits(flags):
    """Flags as bits, the least significant first."""
    count = len(flags)
    text = "".join(["1" if flag else "0" for flag in reversed(flags)])
    return memoryview(int(text or "0", 2).to_bytes((count + 7) // 8, "little"))


def of_texts(values, is_text=True):
    valid = bits([value is not None for value in values]) if None in values else None
    if valid is not None:
        empty = "" if is_text else b""
        values = [empty if value is None else value for value in values]
    joined = ("" if is_text else b"").join(values)
    try:
        if is_text and not joined.isascii():
            values = [value.encode("utf-8") for value in values]
            joined = b"".join(values)
        elif is_text:
            joined = joined.encode("ascii")
    except UnicodeEncodeError:
        raise Failure("value/surrogate", "a string holds a lone surrogate", "", "str") from None
    offsets = array("i" if len(joined) < 1 << 31 else "q", accumulate(map(len, values), initial=0))
    return Column("utf8" if is_text else "binary", len(values), None, valid, memoryview(offsets), memoryview(joined))


def numbers_of(values, kinds, valid):
    if valid is not None:
        values = [0 if value is None else value for value in values]
    if float in kinds:
        if int in kinds and any([type(value) is int and abs(value) > 1 << 53 for value in values]):
            raise uncopyable("a whole number beside floats is beyond 2^53")
        return Column("float64", len(values), memoryview(array("d", values)), valid)
    low, high = min(values), max(values)
    if low < -(1 << 63) or high >= 1 << (63 if low < 0 else 64):
        raise uncopyable("a whole number has more than 64 bits")
    wide = high >= 1 << 63
    return Column("uint64" if wide else "int64", len(values), memoryview(array("Q" if wide else "q", values)), valid)


def moments_of(values, kinds, valid):
    from datetime import date, datetime, timedelta, timezone

    if kinds == {date}:
        days = [0 if value is None else value.toordinal() - 719163 for value in values]
        return Column("date32", len(values), memoryview(array("i", days)), valid)
    if kinds == {timedelta}:
        spans = [0 if value is None else value // timedelta(microseconds=1) for value in values]
        return Column("duration[us]", len(values), memoryview(array("q", spans)), valid)
    if kinds == {datetime}:
        zones = {value.tzinfo for value in values if value is not None}
        if zones <= {None} or zones <= {timezone.utc}:
            zone = zones.pop()
            start = datetime(1970, 1, 1, tzinfo=zone)
            spans = [0 if value is None else (value - start) // timedelta(microseconds=1) for value in values]
            return Column("timestamp[us, UTC]" if zone else "timestamp[us]", len(values), memoryview(array("q", spans)), valid)
    found = ", ".join(sorted([kernel.type_name(kind) for kind in kinds])[:5])
    raise uncopyable("its items are of one type: texts, bytes, booleans, numbers, dates, datetimes (of no zone or UTC); got %s" % found)


def of_numpy(values):
    numpy = sys.modules["numpy"]
    if values.ndim != 1:
        raise uncopyable("a column has one axis, got the shape %s" % (values.shape,))
    if values.dtype.kind in "mM":
        unit = numpy.datetime_data(values.dtype)
        if unit[0] not in UNITS or unit[1] != 1:
            raise uncopyable("a unit is one of s, ms, us, ns, got %s" % values.dtype)
        absent = numpy.isnat(values)
        valid = packed(numpy, ~absent) if absent.any() else None
        name = "timestamp[%s]" if values.dtype.kind == "M" else "duration[%s]"
        return Column(name % unit[0], len(values), values.astype(values.dtype.newbyteorder("="), copy=False).view("i8"), valid)
    if values.dtype.kind in "OSU":
        return of_list(values.tolist())
    format = buffers.format_of(memoryview(values))[0]
    if format is None:
        raise uncopyable("its items are of the type %s" % values.dtype)
    return Column(format, len(values), values)


def packed(numpy, flags):
    return numpy.packbits(flags, bitorder="little")


# ---------------------------------------------------------------------------------------------- of other libraries

FRAMES = {("pandas", "DataFrame"), ("polars", "DataFrame"), ("pyarrow", "Table"), ("pyarrow", "RecordBatch")}


def is_frame(kind):
    """Whether a type is the very class of a library that is in use."""
    if kind is Table:
        return True
    module = kernel.module_of(kind)
    root, name = type(module) is str and module.partition(".")[0], kernel.TYPE_QUALNAME(kind)
    return (root, name) in FRAMES and vars(sys.modules.get(root, kernel)).get(name) is kind


def table_of(value):
    """A Table over the memory of a table of any kind. Raises Failure UNCOPYABLE for one that has no such form."""
    kind = type(value)
    if kind is Table:
        return value
    root = kind.__module__.partition(".")[0]
    if root == "pandas":
        return table_of_pandas(value)
    if root == "polars":
        return table_of_polars(value)
    check_names(value.schema.names)
    columns = {name: named(name, of_arrow, value.column(place)) for place, name in enumerate(value.schema.names)}
    return Table(value.num_rows, columns, "pyarrow." + kind.__name__)


def table_of_polars(frame):
    import polars

    names = frame.columns
    check_names(names)
    columns = {name: named(name, of_polars, frame.get_column(name)) for name in names}
    enums = [name for name in names if isinstance(frame.schema[name], polars.Enum)]
    return Table(frame.height, columns, "polars.DataFrame", {"enums": enums} if enums else None)


def of_polars(series):
    import polars

    if installed("pyarrow") is not None:
        return of_arrow(series.to_arrow(compat_level=polars.CompatLevel.oldest()))
    valid = None
    if series.null_count():
        valid = packed(sys.modules["numpy"], series.is_not_null().to_numpy()) if buffers.numpy() else bits(series.is_not_null().to_list())
    kind = series.dtype
    if kind.is_numeric() and not kind.is_decimal() and buffers.numpy():
        column = of_numpy(series.fill_null(0).to_numpy())
        column.validity = valid
        return column
    if kind.is_temporal() and buffers.numpy():
        column = of_numpy(series.to_physical().fill_null(0).to_numpy())
        unit = getattr(kind, "time_unit", None)
        zone = getattr(kind, "time_zone", None)
        name = {"Date": "date32", "Time": "time64[ns]", "Duration": "duration[%s]" % unit}.get(kind.base_type().__name__)
        column.format, column.validity = name or ("timestamp[%s, %s]" % (unit, zone) if zone else "timestamp[%s]" % unit), valid
        return column
    column = of_list(series.to_list())
    return texts(column) if kind == polars.String else column


def texts(column):
    """A column of texts that may be none but nulls."""
    return column if column.format == "utf8" else of_texts([None] * len(column))


def of_arrow(source):
    """A Column over the memory of an Array or ChunkedArray of pyarrow."""
    import pyarrow

    if isinstance(source, pyarrow.ChunkedArray):
        kind = source.type
        if source.num_chunks > 1 and source.nbytes >= 1 << 31 and kind in (pyarrow.string(), pyarrow.binary()):
            source = source.cast(pyarrow.large_string() if kind == pyarrow.string() else pyarrow.large_binary())
        source = source.chunk(0) if source.num_chunks == 1 else pyarrow.concat_arrays(source.chunks) if source.num_chunks else pyarrow.array([], kind)
    if "_view" in str(source.type):
        source = source.cast(pyarrow.large_string() if str(source.type) == "string_view" else pyarrow.large_binary())
    if source.offset:
        source = pyarrow.concat_arrays([source, source.slice(0, 0)])
    kind, rows, parts = source.type, len(source), source.buffers()
    valid = None
    if source.null_count and str(kind) != "null":
        valid = part_of(parts[0], "B", (rows + 7) // 8)
    if pyarrow.types.is_dictionary(kind):
        column = of_arrow(source.indices)
        return Column("dictionary", rows, column.values, valid, dictionary=of_arrow(source.dictionary), ordered=kind.ordered)
    format = format_of_arrow(kind)
    if format == "null":
        return Column(format, rows)
    if format in ("utf8", "binary"):
        letter = "q" if str(kind).startswith("large") else "i"
        offsets = part_of(parts[1], letter, rows + 1 if rows else 0)
        end = offsets[-1] if rows else 0
        return Column(format, rows, None, valid, offsets, part_of(parts[2], "B", end))
    if format == "bool":
        return Column(format, rows, validity=valid, data=part_of(parts[1], "B", (rows + 7) // 8))
    size, letters = buffers.FORMATS[stored(format)]
    if letters == "e":
        return Column(format, rows, source.to_numpy(zero_copy_only=False), valid)
    return Column(format, rows, part_of(parts[1], letters, rows), valid)


def part_of(buffer, letter, count):
    """The first items of a Buffer of pyarrow."""
    import struct

    if buffer is None or not count:
        return memoryview(b"").cast(letter)
    return memoryview(buffer).cast("B")[: count * struct.calcsize("<" + letter)].cast(letter)


ARROW = {
    "string": "utf8", "large_string": "utf8", "binary": "binary", "large_binary": "binary", "bool": "bool", "null": "null",
    "halffloat": "float16", "float": "float32", "double": "float64", "date32[day]": "date32", "date64[ms]": "date64",
}


def format_of_arrow(kind):
    name = str(kind).replace(", tz=", ", ")
    name = ARROW.get(name, name)
    if name not in ("utf8", "binary", "bool", "null") and stored(name) is None:
        raise uncopyable("Arrow's type %s has no form that all languages read" % kind)
    return name


def table_of_pandas(frame):
    import pandas

    columns, dtypes, more = {}, {}, {}
    names = list(frame.columns)
    index = frame.index
    levels = []
    plain = type(index) is pandas.RangeIndex and (index.start, index.step, index.name) == (0, 1, None)
    if not plain:
        for place in range(index.nlevels):
            name = index.names[place]
            levels.append("__index_level_%d__" % place if name is None else name)
    check_names(names + levels)
    for place, name in enumerate(levels):
        columns[name], dtype = named(name, of_pandas, index.get_level_values(place))
        if dtype:
            dtypes[name] = dtype
    for place, name in enumerate(names):
        columns[name], dtype = named(name, of_pandas, frame.iloc[:, place])
        if dtype:
            dtypes[name] = dtype
    if frame.columns.name is not None:
        if type(frame.columns.name) is not str:
            raise uncopyable("the name of the columns is no text")
        more["label"] = frame.columns.name
    if str(frame.columns.dtype) == "object" and names:
        more["names"] = "object"
    if levels:
        more["index"] = levels
        if getattr(index, "freq", None) is not None:
            more["freq"] = index.freqstr
    if dtypes:
        more["dtypes"] = list(map(list, dtypes.items()))
    return Table(len(frame), columns, "pandas.DataFrame", more)


def of_pandas(source):
    """A Column over a Series or Index of pandas, and what its dtype is called where the column does not say it."""
    import numpy
    import pandas

    dtype = source.dtype
    if isinstance(dtype, numpy.dtype):
        whole = numpy.asarray(source)
        if dtype.kind != "O":
            return of_numpy(whole), None
        return of_objects(numpy, pandas, whole), "object"
    values = source.array
    if isinstance(dtype, pandas.StringDtype):
        name = "%s:%s" % (dtype.name, dtype.storage)
        if dtype.storage == "pyarrow" and installed("pyarrow"):
            return of_arrow(values.__arrow_array__()), name
        return texts(of_objects(numpy, pandas, numpy.asarray(values, object))), name
    if isinstance(dtype, pandas.CategoricalDtype):
        codes, (words, kind) = values.codes, of_pandas(values.categories)
        absent = codes < 0
        valid = packed(numpy, ~absent) if absent.any() else None
        return Column("dictionary", len(codes), codes, valid, dictionary=words, ordered=bool(dtype.ordered)), kind and "category:" + kind
    if isinstance(dtype, pandas.DatetimeTZDtype):
        column = of_numpy(numpy.asarray(values, "M8[%s]" % dtype.unit))
        column.format = "timestamp[%s, %s]" % (dtype.unit, zone_name(dtype.tz))
        return column, None
    if isinstance(dtype, getattr(pandas, "ArrowDtype", ())):
        return of_arrow(values.__arrow_array__()), "arrow"
    if hasattr(values, "_mask") and hasattr(values, "_data"):
        mask, data = values._mask, values._data
        valid = packed(numpy, ~mask) if mask.any() else None
        if dtype.name == "boolean":
            return Column("bool", len(mask), validity=valid, data=packed(numpy, data)), None
        return Column(buffers.format_of(memoryview(data))[0], len(mask), data, valid), None if valid is not None else dtype.name
    raise uncopyable("its type %s has no form that all languages read" % dtype)


def zone_name(zone):
    """A zone as Arrow names it."""
    from datetime import timezone

    name = getattr(zone, "key", None) or getattr(zone, "zone", None) or str(zone)
    if type(zone) is timezone and name != "UTC":
        name = name[3:]
    if zone_of("timestamp[s, %s]" % name) is None:
        raise uncopyable("its zone has no name")
    return name


def of_objects(numpy, pandas, values):
    kind = pandas.api.types.infer_dtype(values, skipna=True)
    if kind not in ("string", "bytes", "empty", "boolean", "integer", "date"):
        raise uncopyable("its objects are of no one type: %s" % kind)
    pyarrow = installed("pyarrow") if kind == "string" and len(values) >= LONG else None
    if pyarrow is not None:
        try:
            made = pyarrow.array(values, pyarrow.string(), from_pandas=True)
            return of_arrow(made)
        except pyarrow.ArrowException:
            pass
    absent = pandas.isna(values)
    items = values.tolist()
    if absent.any():
        items = [None if gone else item for item, gone in zip(items, absent.tolist())]
    return of_list(items)


# ---------------------------------------------------------------------------------------------- to other libraries


def arrow_array(column):
    """An Array of pyarrow over a column's memory. Raises when it says what is not there."""
    import pyarrow

    rows = len(column)
    valid = None if column.validity is None else memory_of(column.validity)
    try:
        if column.format == "null":
            return pyarrow.nulls(rows)
        if column.dictionary is not None:
            indices = arrow_array(Column(buffers.look_at(column.values).format, rows, column.values, column.validity))
            made = pyarrow.DictionaryArray.from_arrays(indices, arrow_array(column.dictionary), ordered=column.ordered, safe=True)
        elif column.format in ("utf8", "binary"):
            wide = buffers.look_at(column.offsets).format == "int64"
            kinds = {"utf8": (pyarrow.string, pyarrow.large_string), "binary": (pyarrow.binary, pyarrow.large_binary)}
            offsets = memory_of(column.offsets) if len(column.offsets) else pyarrow.py_buffer(bytes(8))
            made = pyarrow.Array.from_buffers(kinds[column.format][wide](), rows, [valid, offsets, memory_of(column.data)])
        elif column.is_bits:
            made = pyarrow.Array.from_buffers(pyarrow.bool_(), rows, [valid, memory_of(column.data)])
        elif column.format == "bool":
            return pyarrow.array(column.values.tolist() if type(column.values) is memoryview else column.values)
        elif column.format in ("complex64", "complex128"):
            raise TypeError("Arrow has no complex numbers")
        else:
            made = pyarrow.Array.from_buffers(arrow_type(column.format), rows, [valid, memory_of(column.values)])
        if not is_sound_ascii(column):
            made.validate(full=True)
        return made
    except pyarrow.ArrowException as error:
        raise damaged(kernel.shown(str(error))) from None


def is_sound_ascii(column):
    """Whether a column holds texts of ASCII alone, with sound offsets: that is found out several times as fast as by pyarrow."""
    if column.format != "utf8" or not hasattr(column.offsets, "dtype") or not len(column.data) or column.data.max() > 127:
        return False
    column.check_offsets()
    return True


def arrow_type(format):
    import pyarrow

    found = zone_of(format)
    if found:
        return pyarrow.timestamp(found[0], found[1] or None)
    name, _, unit = format.partition("[")
    if unit:
        return getattr(pyarrow, name)(unit[:-1])
    return getattr(pyarrow, name)()


def memory_of(array):
    """A Buffer of pyarrow over an array in C order."""
    import pyarrow

    look = buffers.look_at(array)
    data, strides = buffers.raw(look)
    if data is None or strides is not None:
        data = buffers.in_order(look)
    return pyarrow.py_buffer(data)


def frame_of(table, pandas):
    more = table._more
    dtypes = dict(more.get("dtypes", ()))
    arrays = {name: pandas_array(column, dtypes.get(name), pandas) for name, column in table._columns.items()}
    levels = more.get("index", ())
    taken = [arrays.pop(name) for name in levels]
    names = [None if name == "__index_level_%d__" % place else name for place, name in enumerate(levels)]
    if len(levels) > 1:
        index = pandas.MultiIndex.from_arrays([index_of(one, pandas) for one in taken], names=names)
    elif levels:
        index = index_of(taken[0], pandas).rename(names[0])
        if "freq" in more:
            index = pandas.DatetimeIndex(index, freq=more["freq"]) if "time" in str(index.dtype) else index
    else:
        index = pandas.RangeIndex(table.rows)
    for name, one in arrays.items():
        if str(one.dtype) == "object":  # pandas would look what is in it
            arrays[name] = pandas.Series(one, index, dtype=object, copy=False)
    frame = pandas.DataFrame(arrays, index=index, copy=False)
    if "names" in more:
        frame.columns = pandas.Index(list(arrays), dtype="object")
    if "label" in more:
        frame.columns.name = more["label"]
    return frame


def index_of(values, pandas):
    return pandas.Index(values, dtype=object if str(values.dtype) == "object" else None, copy=False)


def pandas_array(column, dtype, pandas):
    """A column as pandas has it under the name of a dtype, or under none."""
    import numpy

    dtype, _, detail = (dtype or "").partition(":")
    if dtype == "arrow":
        return pandas.arrays.ArrowExtensionArray(arrow_array(column))
    if column.dictionary is not None:
        codes = numpy.asarray(column.values)
        if column.validity is not None:
            codes = numpy.where(valid_flags(numpy, column), codes, -1).astype(codes.dtype)
        if len(codes) and not -1 <= codes.min() <= codes.max() < len(column.dictionary):
            raise damaged("a place in its dictionary of %d is outside" % len(column.dictionary))
        words = pandas_array(column.dictionary, detail, pandas)
        return pandas.Categorical.from_codes(codes, index_of(words, pandas), ordered=column.ordered)
    if dtype == "object" or column.format in ("binary", "null", "date32", "date64"):
        return objects(numpy, column)
    if column.format == "utf8":
        return pandas_texts(column, dtype or "str", detail, pandas, numpy)
    if column.is_bits:
        flags = numpy.unpackbits(numpy.asarray(column.data), count=len(column), bitorder="little").view(bool)
        absent = numpy.zeros(len(column), bool) if column.validity is None else ~valid_flags(numpy, column)
        return pandas.arrays.BooleanArray(flags, absent)
    values = numpy.asarray(column.values)
    if column.format in buffers.FORMATS:
        if not dtype and column.validity is None:
            return values
        absent = numpy.zeros(len(column), bool) if column.validity is None else ~valid_flags(numpy, column)
        kind = pandas.arrays.FloatingArray if column.format[0] == "f" else pandas.arrays.IntegerArray
        return kind(values, absent)
    return pandas_moments(column, values, pandas, numpy)


def valid_flags(numpy, column):
    return numpy.unpackbits(numpy.asarray(column.validity), count=len(column), bitorder="little").view(bool)


def objects(numpy, column):
    made = numpy.empty(len(column), object)
    if column.format == "utf8" and installed("pyarrow"):
        return arrow_array(column).to_numpy(zero_copy_only=False)
    made[:] = column.tolist()
    return made


def pandas_texts(column, name, storage, pandas, numpy):
    pyarrow = installed("pyarrow")
    missing = numpy.nan if name == "str" else pandas.NA
    if pyarrow is not None and storage != "python":
        made = arrow_array(column)
        if made.type != pyarrow.large_string():
            made = made.cast(pyarrow.large_string())
        try:
            return pandas.arrays.ArrowStringArray(made, dtype=pandas.StringDtype("pyarrow", na_value=missing))
        except TypeError:  # of pandas 2
            return pandas.array(made.to_numpy(zero_copy_only=False), dtype="string[pyarrow]")
    try:
        return pandas.array(objects(numpy, column), dtype=pandas.StringDtype(storage or None, na_value=missing))
    except TypeError:
        return objects(numpy, column)


def pandas_moments(column, values, pandas, numpy):
    found = zone_of(column.format)
    unit = found[0] if found else column.format.partition("[")[2][:-1]
    if not found and column.format[0] == "t":  # a time of day
        return objects(numpy, column)
    if column.validity is not None:
        absent = ~valid_flags(numpy, column)
        if (values[absent] != NAT).any():
            values = values.copy()
            values[absent] = NAT
    if not found:
        return values.view("m8[%s]" % unit)
    stamps = values.view("M8[%s]" % unit)
    return pandas.DatetimeIndex(stamps, copy=False).tz_localize("UTC").tz_convert(found[1]).array if found[1] else stamps


NAT = -(1 << 63)

# ---------------------------------------------------------------------------------------------------------- write


def write_table(value, out, depth):
    """Puts the record of a table, as `share` of the frame says."""
    refs = out.refs
    if refs.share == "none" or State.segments is None or State.forked:
        raise uncopyable("tables do not cross here")
    out.put(kernel.quiet(record_of, value, refs))


def record_of(value, refs):
    made = table_of(value)
    if refs.share is None and not travels(made):
        return live_record(value, made, refs)
    return published(made, refs)


class Head:
    """The first rows of a table, which cross inside their record."""

    __slots__ = ("table",)

    def __init__(self, table):
        self.table = table


def head(value, count):
    """The first rows of a table. Raises Failure for what is none, and UNCOPYABLE as `table_of`."""
    if not is_frame(type(value)) or type(count) is not int or count < 0:
        raise Failure("buffer/format", "%s is no table" % kernel.type_name(type(value)))
    return Head(kernel.quiet(head_table, value, count))


def head_table(value, count):
    if type(value) is not Table:
        value = value.slice(0, count) if hasattr(value, "schema") and hasattr(value, "slice") else value.head(count)
    made = table_of(value)
    rows = min(made.rows, count)
    return Table(rows, {name: column.head(rows) for name, column in made._columns.items()}, made.kind, made._more)


def write_head(value, out, depth):
    parts = [look_over(part) for part in parts_of(value.table)]
    size = sum([look.size for look in parts])
    if size > MOST:
        raise Failure("value/too-large", "so few rows have %d bytes" % size)
    out.put(record_with(value.table, iter(list(map(buffers.inline_record, parts)))))


MOST = 1 << 22  # bytes of a head
kernel.WRITERS[Head] = write_head


def travels(table):
    """Whether all of it is in segments of others, as they made them."""
    looks = [look_over(part) for part in parts_of(table)]
    return bool(looks) and all(map(is_foreign, looks))


def is_foreign(look):
    return look.mapping is not None and not look.mapping.home and not buffers.is_written_there(look)


def look_over(part):
    look = buffers.look_at(part)
    if look.mapping is None and look.view is not None and buffers.MAPPINGS and look.view.nbytes and not look.swapped:
        buffers.find_place(look, look.view, True)
    return look


def head_of(table, columns):
    text = '{"_type":"Table","rows":%d,"kind":%s,"columns":[%s]' % (table.rows, quote(table.kind), ",".join(columns))
    return text + "".join([',"%s":%s' % (name, kernel.encode(detail).decode()) for name, detail in table._more.items()])


def live_record(value, table, refs):
    number = kernel.list_own(refs, value)
    refs.live = True
    columns = ["[%s,%s]" % (quote(name), quote(column.format)) for name, column in table._columns.items()]
    return '%s,"owner":%s,"generation":%d,"ref":%d,"type":%s,"repr":"%s","callable":false}' % (
        head_of(table, columns), quote(State.session), State.generation, number, quote(kernel.type_name(type(value))), size_text(table.rows, len(columns)))


def parts_of(table):
    """The arrays of all columns, in the order in which records name them."""
    for column in table._columns.values():
        yield from parts_of_column(column)


def parts_of_column(column):
    for name in PARTS:
        part = getattr(column, name)
        if part is not None:
            yield part
    if column.dictionary is not None:
        yield from parts_of_column(column.dictionary)


PARTS = ("validity", "offsets", "data", "values")


def published(table, refs):
    """The record of a table with its contents."""
    return record_with(table, iter(publish([look_over(part) for part in parts_of(table)], refs)))


def record_with(table, records):
    columns = ["[%s,%s]" % (quote(name), column_record(column, records)) for name, column in table._columns.items()]
    return head_of(table, columns) + "}"


def column_record(column, records):
    if column.is_plain:
        return next(records)
    text = '{"_type":"Column","format":"%s","rows":%d' % (column.format, len(column))
    for name in PARTS:
        if getattr(column, name) is not None:
            text += ',"%s":%s' % ("indices" if name == "values" and column.dictionary is not None else "data" if name == "values" else name, next(records))
    if column.dictionary is not None:
        text += ',"dictionary":%s%s' % (column_record(column.dictionary, records), ',"ordered":true' if column.ordered else "")
    return text + "}"


def publish(looks, refs):
    """The records of arrays: what is in no segment yet goes to one new one, with all the others."""
    texts, fresh = [None] * len(looks), []
    for place, look in enumerate(looks):
        if look.mapping is not None and look.mapping.home:
            texts[place] = buffers.published(look, refs)
        elif is_foreign(look):
            texts[place] = buffers.origin_record(look, refs)
        elif look.size:
            fresh.append(place)
        else:
            texts[place] = buffers.inline_record(look)
    if sum([looks[place].size for place in fresh]) < buffers.INLINE:
        for place in fresh:
            texts[place] = buffers.inline_record(looks[place])
        return texts
    offsets, size = [], 0
    for place in fresh:
        offsets.append(size)
        size += (looks[place].size + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
    contents = [contents_of(looks[place]) for place in fresh]

    def fill(file, descriptor, new):
        for offset, data in zip(offsets, contents):
            if file.memory is not None:
                file.memory[offset : offset + len(data)] = data
            else:
                buffers.write_all(descriptor, data, offset)
        if not new:
            for start, data, end in zip(offsets, contents, offsets[1:] + [file.size]):
                buffers.write_zeros(descriptor, start + len(data), end)

    segment = buffers.seal(buffers.make_segment(size, fill))
    key = buffers.enlist(segment, refs)
    for place, offset in zip(fresh, offsets):
        texts[place] = buffers.record(key, looks[place], segment.file.name, None, offset, "py", "", None, False)
    return texts


def contents_of(look):
    data, strides = buffers.raw(look)
    return buffers.in_order(look) if data is None or strides is not None else data


# ----------------------------------------------------------------------------------------------------------- read


def read(fields, receiving):
    """What a record of a table stands for. Raises Failure `wire/unreadable`."""
    if "owner" in fields:
        return kernel.read_ref(fields, receiving)
    try:
        made = table_in(fields)
        return arrived(made)
    except kernel.Error as error:
        raise Failure(error.code, error.message) from None
    except (TypeError, ValueError, LookupError, OverflowError) as error:
        raise unreadable("a Table is malformed: %s", error) from None


def table_in(fields):
    rows, kind = buffers.whole_number(fields, "rows", None), buffers.text_of(fields, "kind", "meta.Table")
    listed = fields.get("columns")
    if type(listed) is not list or not all([type(one) is list and len(one) == 2 and type(one[0]) is str for one in listed]):
        raise unreadable("the columns of a Table are pairs of a name and a column")
    columns = {name: column_in(name, value, rows, 0) for name, value in listed}
    if len(columns) < len(listed):
        raise unreadable("two columns of a Table have one name")
    return Table(rows, columns, kind, more_in(fields, columns))


def more_in(fields, columns):
    """What a record says besides its columns, for who knows its kind."""
    more = {}
    for name in ("index", "enums"):
        value = fields.get(name, ())
        if type(value) not in (list, tuple) or not all([type(one) is str and one in columns for one in value]) or len(set(value)) < len(value):
            raise unreadable("%s of a Table are names of its columns", name)
        if name in fields:
            more[name] = value
    for name in ("label", "names", "freq"):
        if name in fields:
            more[name] = buffers.text_of(fields, name, "")
    dtypes = fields.get("dtypes", [])
    if type(dtypes) is not list or not all([type(one) is list and list(map(type, one)) == [str, str] for one in dtypes]):
        raise unreadable("dtypes of a Table are pairs of texts")
    if dtypes:
        more["dtypes"] = dtypes
    return more


def column_in(name, value, rows, depth):
    if type(value) is not kernel.Tagged:
        check_part(name, value, rows)
        return Column(buffers.look_at(value).format, rows, value)
    fields = value.fields
    format = buffers.text_of(fields, "format", None)
    if value.tag != "Column" or format is None or depth > 1:
        raise unreadable("the column %s is neither a Buffer nor a Column", quote(name))
    rows_here = buffers.whole_number(fields, "rows", None)
    if rows is not None and rows_here != rows:
        raise unreadable("the column %s has %d rows, the table %d", quote(name), rows_here, rows)
    column = Column(format, rows_here)
    if fields.get("validity") is not None:
        column.validity = check_part(name, fields["validity"], (rows_here + 7) // 8, "uint8")
    if format in ("utf8", "binary"):
        column.offsets = check_part(name, fields.get("offsets"), rows_here + 1, "int32", "int64", least=not rows_here)
        column.data = check_part(name, fields.get("data"), None, "uint8")
    elif format == "bool":
        column.data = check_part(name, fields.get("data"), (rows_here + 7) // 8, "uint8")
    elif format == "dictionary":
        column.values = check_part(name, fields.get("indices"), rows_here, *[one for one in buffers.FORMATS if "int" in one])
        words = fields.get("dictionary")
        size = None if type(words) is kernel.Tagged else len(check_part(name, words, None))
        column.dictionary = column_in(name, words, size, depth + 1)
        column.ordered = fields.get("ordered") is True
    elif format != "null":
        if stored(format) is None:
            raise unreadable("the column %s has no known format: %.80s", quote(name), kernel.shown(format))
        column.values = check_part(name, fields.get("data"), rows_here, stored(format))
    return column


def check_part(name, part, count, *formats, least=False):
    """An array that came as a Buffer, with so many items of one of the formats, side by side."""
    try:
        look = buffers.look_at(part)
    except Failure:
        raise unreadable("the column %s lacks a Buffer", quote(name)) from None
    if len(look.shape) != 1 or formats and (look.format not in formats or tuple(look.strides) != buffers.plain_strides(look.format, look.shape)):
        raise unreadable("a Buffer of the column %s is %s %s", quote(name), look.format, list(look.shape))
    if count is not None and look.shape[0] != count and not (least and look.shape[0] == 0):
        raise unreadable("a Buffer of the column %s has %d items, its rows take %d", quote(name), look.shape[0], count)
    return part


def arrived(table):
    """What a table was at home where that is known here, otherwise itself."""
    root, _, name = table.kind.partition(".")
    if (root, name) not in FRAMES or installed(root) is None:
        return table
    try:
        if root == "pandas":
            return table.to_pandas()
        if root == "polars":
            return table.to_polars() if installed("pyarrow") else table
        made = table.to_arrow()
        return made if name == "Table" else made.to_batches()[0] if made.num_rows else made.schema.empty_table().to_batches()[0]
    except (Failure, kernel.Error):
        raise
    except Exception:  # of a version that cannot say it
        return table


kernel.OWN_FILES.add(__file__)
kernel.USERS.update([method.__code__ for kind in (Table, Column) for method in vars(kind).values() if hasattr(method, "__code__")])
