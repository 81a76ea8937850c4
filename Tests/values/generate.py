"""Random values of every kind that crosses, from a printed seed."""

import base64
import datetime
import decimal
import fractions
import random
import struct

from models import Object, Tag

KEYS = ["_type", "__proto__", "1", "0", "10", "toJSON", "constructor", "", "a b", "é", "e\u0301", "𝒳", "length", "-1", "01", "4294967295"]
TEXTS = ["", "a", "é", "e\u0301", "😀", "\u2028", "\ufeff", "\u202e", '"', "\\", "\\ud800", "\n", "a\n", "\x7f", "null", "1", "x" * 300]
NUMBERS = [0, 1, -1, 2**31, 2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, 2**63, 2**64, 10**40, -(10**40)]
FLOATS = [0.0, -0.0, 1.0, -1.0, 0.1, 1e20, 1e21, 1e-7, 1.5, 2.0**53, -(2.0**53), 2.0**53 - 1, 1e300, 5e-324, float("nan"), float("inf"), -float("inf")]
ZONES = [None, "Europe/Berlin", "Asia/Kathmandu", "UTC"]


class Generator:
    """`value()` gives a value; the same seed gives the same values."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)

    def value(self, depth: int = 3):
        if depth == 0 or self.random.random() < 0.5:
            return self.random.choice([self.plain, self.plain, self.tagged])()
        return self.random.choice([self.vector, self.object, self.tuple, self.set, self.map])(depth - 1)

    # Containers

    def vector(self, depth):
        return [self.value(depth) for _ in range(self.random.randrange(5))]

    def object(self, depth):
        keys = self.random.sample(KEYS + ["k", "n", "x"], self.random.randrange(5))
        return Object([(key, self.value(depth)) for key in keys])

    def tuple(self, depth):
        return Tag("Tuple", items=self.vector(depth))

    def set(self, depth):
        return Tag("Set", items=self.distinct(self.random.randrange(4)))

    def map(self, depth):
        return Tag("Map", entries=[[key, self.value(depth)] for key in self.distinct(self.random.randrange(4))])

    def distinct(self, count):
        """Values of which no two are equal to any language: a 1 with neither a 1.0 nor a true."""
        pool = [None, "a", "b", "1", 2, 3, 2**60, 10**30, 0.5, 2.0**70, self.bytes(), self.date(), self.decimal(),
                Tag("Tuple", items=[1, "a"]), Tag("Tuple", items=[]), [1], Object([("a", 1)]), Tag("Undefined"), Tag("Symbol", value="s")]  # fmt: skip
        if self.random.random() < 0.3:
            pool += [True, 1.0] if self.random.random() < 0.5 else [7.0, False]
        return self.random.sample(pool, count)

    # Scalars

    def plain(self):
        kind = self.random.randrange(7)
        if kind == 0:
            return self.random.choice([None, True, False])
        if kind == 1:
            return self.random.choice(NUMBERS)
        if kind == 2:
            return self.random.randrange(-(2 ** self.random.randrange(1, 200)), 2 ** self.random.randrange(1, 200))
        if kind == 3:
            return self.random.choice(FLOATS)
        if kind == 4:
            value = struct.unpack(">d", self.random.randbytes(8))[0]
            return value if value - value == 0 else 0.25
        if kind == 5:
            return self.random.choice(TEXTS)
        return "".join(chr(self.scalar()) for _ in range(self.random.randrange(6)))

    def scalar(self):
        code = self.random.choice([self.random.randrange(1, 128), self.random.randrange(128, 0xD800), self.random.randrange(0xE000, 0x110000)])
        return code

    def tagged(self):
        return self.random.choice([
            self.bytes, self.date, self.time, self.datetime, self.duration, self.decimal, self.fraction, self.complex,
            lambda: Tag("Undefined"), lambda: Tag("Symbol", value=self.random.choice(TEXTS)),
        ])()  # fmt: skip

    def bytes(self):
        data = self.random.randbytes(self.random.choice([0, 1, 2, 3, 7, 40]))
        return Tag("Bytes", base64=base64.b64encode(data).decode())

    def date(self):
        return Tag("Date", value=datetime.date.fromordinal(self.random.randrange(1, 3652059)).isoformat())

    def clock(self):
        return datetime.time(
            self.random.randrange(24), self.random.randrange(60), self.random.randrange(60), self.random.choice([0, 0, 123000, 1, 999999]))

    def time(self):
        fields = {"value": self.clock().isoformat()}
        if self.random.random() < 0.3:
            fields["value"] += self.random.choice(["+00:00", "+05:45", "-01:30"])
        if self.random.random() < 0.2:
            fields["fold"] = 1
        return Tag("Time", **fields)

    def datetime(self):
        day = datetime.date.fromordinal(self.random.randrange(600000, 3000000))
        moment = datetime.datetime.combine(day, self.clock())
        kind = self.random.randrange(4)
        if kind == 0:
            return Tag("DateTime", value=moment.isoformat())
        if kind == 1:
            return Tag("DateTime", value=moment.isoformat() + "+00:00")
        if kind == 2:
            return Tag("DateTime", value=moment.isoformat() + self.random.choice(["+05:45", "-03:00"]), **({"fold": 1} if self.random.random() < 0.3 else {}))
        return Tag("DateTime", value=moment.isoformat(timespec="milliseconds") + "Z")

    def duration(self):
        size = datetime.timedelta(self.random.randrange(0, 3), self.random.randrange(86400), self.random.choice([0, 0, 7, 500000]))
        fraction = ".%06d" % size.microseconds if size.microseconds else ""
        sign = "-" if self.random.random() < 0.3 and size else ""
        return Tag("Duration", value="%sP%dDT%d%sS" % (sign, size.days, size.seconds, fraction))

    def decimal(self):
        if self.random.random() < 0.1:
            return Tag("Decimal", value=self.random.choice(["NaN", "Infinity", "-Infinity", "sNaN", "-0", "0E-10", "1E+1000"]))
        value = decimal.Decimal(self.random.randrange(-(10**30), 10**30)).scaleb(self.random.randrange(-40, 10), decimal.Context(prec=60))
        return Tag("Decimal", value=str(value))

    def fraction(self):
        value = fractions.Fraction(self.random.randrange(-(10**12), 10**12), self.random.randrange(1, 10**6))
        return Tag("Fraction", value="%d/%d" % (value.numerator, value.denominator))

    def complex(self):
        return Tag("Complex", re=self.random.choice(FLOATS), im=self.random.choice(FLOATS))
