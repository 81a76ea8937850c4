import CSystem
import Evaluator
import Glibc
import Language

/// `time.*`: seconds since 1970 as numbers, their texts and parts.
enum LibraryTime {
    static func register(in machine: Machine) {
        machine.add(
            "(time.now)", 0...0, "Seconds since the beginning of 1970, in UTC, as a float.",
            "(> (time.now) 1.7e9) => true"
        ) { _ in .double(clock(CLOCK_REALTIME)) }
        machine.add(
            "(time.monotonic)", 0...0, "Seconds on a clock that nobody sets; only differences mean something.",
            "(<= (time.monotonic) (time.monotonic)) => true"
        ) { _ in .double(clock(CLOCK_MONOTONIC)) }
        machine.add(
            "(time.format seconds pattern zone)", 1...3,
            "A time as text: ISO 8601, or by a pattern of strftime; in UTC, or in the zone \"local\".",
            "(time.format 0) => \"1970-01-01T00:00:00Z\"",
            "(time.format 1.5e9 \"%Y-%m-%d %H:%M\") => \"2017-07-14 02:40\""
        ) { arguments throws(Failure) in
            var parts = try calendar(&arguments, zone: arguments.count == 3 ? 2 : nil)
            let hasPattern = arguments.count > 1 ? !(try arguments.data(1)).isAbsent : false
            guard hasPattern else { return .text(iso(parts, isLocal: arguments.count == 3)) }
            return .text(try text(&parts, pattern: try arguments.path(1)))
        }
        machine.add(
            "(time.parse text pattern)", 1...2,
            "The seconds of a time: ISO 8601 with its zone, UTC when there is none, or by a pattern of strptime.",
            "(time.parse \"1970-01-02T00:00:00Z\") => 86400",
            "(time.parse \"2017-07-14T04:40:00.5+02:00\") => 1500000000.5",
            "(time.parse \"14.07.2017\" \"%d.%m.%Y\") => 1499990400"
        ) { arguments throws(Failure) in
            let text = try arguments.path(0)
            let value = arguments.count == 2 ? parse(text, try arguments.path(1)) : ISOTime.seconds(text)
            guard let value else {
                throw Failure("time/unreadable", "\(Describe.short(.text(text))) is not such a time")
            }
            return value
        }
        machine.add(
            "(time.parts seconds zone)", 1...2,
            "A time's year, month, day, hour, minute, second, weekday (Monday is 1) and day of the year; in UTC, or in the zone \"local\".",
            "(select-keys (time.parts 1500000000) [:year :month :day :weekday]) => {year: 2017 month: 7 day: 14 weekday: 5}"
        ) { arguments throws(Failure) in
            let parts = try calendar(&arguments, zone: arguments.count == 2 ? 1 : nil)
            return .object(
                Object([
                    "year": .int(Int(parts.tm_year) + 1900), "month": .int(Int(parts.tm_mon) + 1),
                    "day": .int(Int(parts.tm_mday)), "hour": .int(Int(parts.tm_hour)),
                    "minute": .int(Int(parts.tm_min)),
                    "second": .int(Int(parts.tm_sec)), "weekday": .int(parts.tm_wday == 0 ? 7 : Int(parts.tm_wday)),
                    "yearday": .int(Int(parts.tm_yday) + 1),
                ]))
        }
    }

    private static func clock(_ id: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(id, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// The calendar's view of argument 0, in the zone that an argument names.
    private static func calendar(_ arguments: inout Arguments, zone: Int?) throws(Failure) -> tm {
        let seconds = try arguments.double(0).rounded(.down)
        // Years of at most four digits, as texts have them.
        guard seconds >= -62_135_596_800, seconds < 253_402_300_800, var time = time_t(exactly: seconds) else {
            throw arguments.wrong(0, "seconds of the years 1 to 9999")
        }
        var parts = tm()
        guard let zone, case let name = try arguments.string(zone), name != "utc" else {
            gmtime_r(&time, &parts)
            return parts
        }
        guard name == "local" else { throw arguments.wrong(zone, "\"utc\" or \"local\"") }
        localtime_r(&time, &parts)
        return parts
    }

    private static func iso(_ parts: tm, isLocal: Bool) -> String {
        let date = [(Int(parts.tm_year) + 1900, 4), (Int(parts.tm_mon) + 1, 2), (Int(parts.tm_mday), 2)]
        let time = [(Int(parts.tm_hour), 2), (Int(parts.tm_min), 2), (Int(parts.tm_sec), 2)]
        let offset = parts.tm_gmtoff / 60
        let sign = offset < 0 ? "-" : "+"
        let zone = isLocal ? sign + digits([(abs(offset) / 60, 2), (abs(offset) % 60, 2)], ":") : "Z"
        return digits(date, "-") + "T" + digits(time, ":") + zone
    }

    private static func digits(_ numbers: [(Int, Int)], _ separator: String) -> String {
        numbers.map { String(repeating: "0", count: max(0, $1 - String($0).count)) + String($0) }
            .joined(separator: separator)
    }

    private static func text(_ parts: inout tm, pattern: String) throws(Failure) -> String {
        // strftime says 0 for an empty result as for one that is too long: one more letter tells them apart.
        guard pattern.utf8.count <= 10_000 else { throw Failure("eval/size", "the pattern is longer than 10000 bytes") }
        var buffer = [CChar](repeating: 0, count: 64 * (pattern.utf8.count + 2))
        let count = strftime(&buffer, buffer.count, pattern + ".", &parts)
        guard count > 0 else {
            throw Failure("time/pattern", "the pattern \(Describe.short(.text(pattern))) makes no text")
        }
        return String(decoding: buffer[..<(count - 1)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func parse(_ text: String, _ pattern: String) -> Value? {
        var seconds: Int64 = 0
        return meta_parse_time(text, pattern, &seconds) == 0 ? .int(Int(seconds)) : nil
    }
}

extension Value {
    fileprivate var isAbsent: Bool {
        if case .null = self { true } else { false }
    }
}

/// ISO 8601: a date, or a date and a time, with a zone or without.
enum ISOTime {
    static func seconds(_ text: String) -> Value? {
        var rest = text.utf8[...]
        guard let year = number(&rest, 4), skip(&rest, "-"), let month = number(&rest, 2), skip(&rest, "-"),
            let day = number(&rest, 2), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (Int32(year - 1900), Int32(month - 1), Int32(day))
        var fraction: Double?
        if skip(&rest, "T") || skip(&rest, " ") {
            guard let hour = number(&rest, 2), skip(&rest, ":"), let minute = number(&rest, 2), hour < 24, minute < 60
            else { return nil }
            (parts.tm_hour, parts.tm_min) = (Int32(hour), Int32(minute))
            if skip(&rest, ":") {
                guard let second = number(&rest, 2), second <= 60 else { return nil }
                parts.tm_sec = Int32(second)
                if skip(&rest, ".") {
                    let digits = rest.prefix { (0x30...0x39).contains($0) }.prefix(18)
                    guard !digits.isEmpty, let value = Double("0." + String(Substring(digits))) else { return nil }
                    rest = rest[digits.endIndex...]
                    fraction = value
                }
            }
        }
        guard let offset = zone(&rest), rest.isEmpty else { return nil }
        let expected = parts.tm_mday
        let whole = timegm(&parts) - offset
        // 31 April: the calendar moved it on.
        guard parts.tm_mday == expected || parts.tm_sec == 60 else { return nil }
        return fraction.map { .double(Double(whole) + $0) } ?? .int(whole)
    }

    private static func zone(_ rest: inout Substring.UTF8View) -> Int? {
        if rest.isEmpty || skip(&rest, "Z") { return 0 }
        let sign = skip(&rest, "+") ? 1 : skip(&rest, "-") ? -1 : 0
        guard sign != 0, let hours = number(&rest, 2), skip(&rest, ":") || true, let minutes = number(&rest, 2) else {
            return nil
        }
        return sign * (hours * 3600 + minutes * 60)
    }

    private static func number(_ rest: inout Substring.UTF8View, _ count: Int) -> Int? {
        let digits = rest.prefix(count)
        guard digits.count == count, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        rest = rest.dropFirst(count)
        return Int(String(Substring(digits)))
    }

    private static func skip(_ rest: inout Substring.UTF8View, _ letter: Unicode.Scalar) -> Bool {
        guard let first = rest.first, UInt32(first) == letter.value else { return false }
        rest = rest.dropFirst()
        return true
    }
}
