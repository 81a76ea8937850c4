import BigInt
import Buffers
import Language

/// What Arrow's types are called, and what their numbers stand for.
enum ColumnFormat {
    private static let fixed: [String: ElementFormat] = [
        "date32": .int32, "date64": .int64, "time32[s]": .int32, "time32[ms]": .int32, "time64[us]": .int64,
        "time64[ns]": .int64, "duration[s]": .int64, "duration[ms]": .int64, "duration[us]": .int64,
        "duration[ns]": .int64,
    ]
    private static let ticks: [Substring: Int] = ["s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000]

    /// The numbers that a column of a format is made of; nil for one that is made of something else.
    static func stored(_ format: String) -> ElementFormat? {
        if let number = ElementFormat(rawValue: format), number != .bool { return number }
        return fixed[format] ?? (timestamp(format) == nil ? nil : .int64)
    }

    /// Whether items look like numbers, which stand one under the other.
    static func isNumber(_ format: String) -> Bool { format != "bool" && ElementFormat(rawValue: format) != nil }

    /// Of `timestamp[ns, UTC]` how many ticks a second has, and whether it is an instant.
    private static func timestamp(_ format: String) -> (ticks: Int, hasZone: Bool)? {
        guard format.hasPrefix("timestamp["), format.hasSuffix("]") else { return nil }
        let parts = format.dropFirst(10).dropLast().split(separator: ", ", omittingEmptySubsequences: false)
        guard let unit = parts.first, let ticks = ticks[unit], parts.count <= 2, parts.last != "" else { return nil }
        return (ticks, parts.count == 2)
    }

    /// What a number stands for.
    static func value(_ number: Int, _ format: String) -> Value {
        if let (ticks, hasZone) = timestamp(format) {
            let (seconds, rest) = divide(number, ticks)
            let (day, second) = divide(seconds, 86_400)
            let text = "\(date(day))T\(clock(second))\(fraction(rest, ticks))"
            return tagged(.dateTime, text + (hasZone ? "+00:00" : ""), number)
        }
        if format == "date32" { return tagged(.date, date(number), number) }
        if format == "date64" { return tagged(.date, date(divide(number, 86_400_000).0), number) }
        let unit = format.drop { $0 != "[" }.dropFirst().dropLast()
        let ticks = ticks[unit] ?? 1
        if format.hasPrefix("time") {
            let (second, rest) = divide(number, ticks)
            return tagged(.time, clock(second) + fraction(rest, ticks), number)
        }
        let size = number.magnitude
        let (seconds, rest) = (size / UInt(ticks), Int(size % UInt(ticks)))
        let text = "\(number < 0 ? "-" : "")P\(seconds / 86_400)DT\(seconds % 86_400)\(fraction(rest, ticks))S"
        return tagged(.duration, text, number)
    }

    /// A value of a tag; the number itself where it is none, such as a time of more than a day.
    private static func tagged(_ tag: Tag, _ text: String, _ number: Int) -> Value {
        let fields: Object.Entries = ["value": .text(text)]
        return tag.problem(fields) == nil ? .tagged(tag, fields) : .int(number)
    }

    private static func divide(_ number: Int, _ by: Int) -> (Int, Int) {
        let rest = number % by
        return rest < 0 ? (number / by - 1, rest + by) : (number / by, rest)
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static func clock(_ second: Int) -> String {
        "\(two(second / 3_600)):\(two(second / 60 % 60)):\(two(second % 60))"
    }

    /// In thousandths, millionths or billionths, whichever are enough.
    private static func fraction(_ rest: Int, _ ticks: Int) -> String {
        guard rest != 0 else { return "" }
        var digits = String(rest * (1_000_000_000 / ticks))
        digits = String(repeating: "0", count: 9 - digits.count) + digits
        while digits.hasSuffix("000") { digits.removeLast(3) }
        return "." + digits
    }

    /// The day so many days after 1970-01-01.
    private static func date(_ days: Int) -> String {
        let moved = days + 719_468
        let (era, inEra) = divide(moved, 146_097)
        let year = (inEra - inEra / 1_460 + inEra / 36_524 - inEra / 146_096) / 365
        let inYear = inEra - (365 * year + year / 4 - year / 100)
        let month = (5 * inYear + 2) / 153
        let shown = year + era * 400 + (month < 10 ? 0 : 1)
        let digits = String(shown)
        let padded = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        return "\(padded)-\(two(month < 10 ? month + 3 : month - 9))-\(two(inYear - (153 * month + 2) / 5 + 1))"
    }

    /// The number of a date's days since 1970-01-01; nil for a text that is none.
    static func days(_ text: String) -> Int? {
        let parts = text.split(separator: "-").compactMap { Int($0) }
        guard parts.count == 3 else { return nil }
        let (month, day) = (parts[1], parts[2])
        let year = month <= 2 ? parts[0] - 1 : parts[0]
        let (era, inEra) = divide(year, 400)
        let inYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + inEra * 365 + inEra / 4 - inEra / 100 + inYear - 719_468
    }

    /// The nanoseconds of a datetime since 1970, and whether it is an instant rather than the time of some place; nil for a
    /// text that is none.
    static func nanoseconds(_ text: String) -> (nanoseconds: BigInt, isInstant: Bool)? {
        guard let middle = text.firstIndex(of: "T"), let day = days(String(text[..<middle])) else { return nil }
        var clock = text[middle...].dropFirst()
        var shift = 0
        var isInstant = clock.hasSuffix("Z")
        if isInstant { clock = clock.dropLast() }
        if let sign = clock.lastIndex(where: { $0 == "+" || $0 == "-" }) {
            let parts = clock[sign...].dropFirst().split(separator: ":").compactMap { Int($0) }
            guard (1...3).contains(parts.count) else { return nil }
            shift = parts.reduce(0) { $0 * 60 + $1 } * [3_600, 60, 1][parts.count - 1]
            if clock[sign] == "-" { shift = -shift }
            clock = clock[..<sign]
            isInstant = true
        }
        let parts = clock.split(separator: ".")
        guard let first = parts.first, parts.count <= 2 else { return nil }
        let times = first.split(separator: ":").compactMap { Int($0) }
        guard times.count == 3 || times.count == 2 else { return nil }
        let digits = parts.count == 2 ? String(parts[1]) : ""
        guard digits.count <= 9, let rest = Int(digits + String(repeating: "0", count: 9 - digits.count)) else {
            return nil
        }
        let second = times[0] * 3_600 + times[1] * 60 + (times.count == 3 ? times[2] : 0) - shift
        return ((BigInt(day) * 86_400 + BigInt(second)) * 1_000_000_000 + BigInt(rest), isInstant)
    }
}
