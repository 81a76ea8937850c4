/// Reads ISO 8601 texts from the left, as they cross: dates, times with or without an offset, durations.
struct ISOScanner {
    private var rest: Substring.UTF8View

    /// A time of day. `fraction` is the digits after the point without zeros at their end.
    struct Time {
        let seconds: Int
        let fraction: String
    }

    /// How far a clock is ahead of UTC.
    struct Offset {
        let seconds: Int
        let fraction: String
    }

    init(_ text: String) {
        rest = text[...].utf8
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ letter: Unicode.Scalar) -> Bool {
        guard let first = rest.first, UInt32(first) == letter.value else { return false }
        rest = rest.dropFirst()
        return true
    }

    /// All digits that are here, at least one.
    mutating func digits() -> String? {
        let digits = rest.prefix { $0 &- 0x30 < 10 }
        guard !digits.isEmpty else { return nil }
        rest = rest[digits.endIndex...]
        return String(Substring(digits))
    }

    mutating func number(_ count: Int) -> Int? {
        let digits = rest.prefix(count)
        guard digits.count == count, digits.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
        rest = rest.dropFirst(count)
        return Int(String(Substring(digits)))
    }

    /// What follows a point, without zeros at the end; empty where there is no point.
    mutating func fraction() -> String? {
        guard take(".") else { return "" }
        guard let digits = digits() else { return nil }
        return String(digits[..<(digits.lastIndex { $0 != "0" }.map(digits.index(after:)) ?? digits.startIndex)])
    }

    /// Days since 1970-01-01. A year has four digits, or a sign and six.
    mutating func date() -> Int? {
        let sign = take("+") ? 1 : take("-") ? -1 : 0
        guard let year = number(sign == 0 ? 4 : 6), take("-"), let month = number(2), take("-"), let day = number(2)
        else { return nil }
        return Self.days(sign < 0 ? -year : year, month, day)
    }

    mutating func time() -> Time? {
        guard let hour = number(2), take(":"), let minute = number(2), hour < 24, minute < 60 else { return nil }
        guard take(":") else { return Time(seconds: hour * 3600 + minute * 60, fraction: "") }
        guard let second = number(2), second <= 60, let fraction = fraction() else { return nil }
        return Time(seconds: hour * 3600 + minute * 60 + second, fraction: fraction)
    }

    /// `Z`, or a sign, hours and minutes, at most with seconds and their fraction.
    mutating func offset() -> Offset? {
        if take("Z") { return Offset(seconds: 0, fraction: "") }
        let sign = take("+") ? 1 : take("-") ? -1 : 0
        guard sign != 0, let time = time() else { return nil }
        return Offset(seconds: sign * time.seconds, fraction: time.fraction)
    }

    /// Days since 1970-01-01 in the Gregorian calendar at all times; nil for a day that its month does not have
    /// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int? {
        let isLeap = year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1...12).contains(month), (1...lengths[month - 1]).contains(day) else { return nil }
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let ofEra = shifted - era * 400
        let ofYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
    }
}
