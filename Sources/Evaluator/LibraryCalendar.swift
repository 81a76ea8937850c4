import BigInt
import Language

/// Dates, times and durations as values that cross; `time.*` has those that are counted in seconds.
extension Library {
    static func registerCalendar(in machine: Machine) {
        machine.add(
            "(date text)", 1...1, "A date, in ISO 8601.", "(str (date \"2026-01-31\")) => \"2026-01-31\"",
            "(= (date \"2026-01-31\") (date \"2026-02-01\")) => false"
        ) { arguments throws(Failure) in try tagged(.date, &arguments) }
        machine.add(
            "(time text fold)", 1...2,
            "A time of day, in ISO 8601; fold 1 is the second of two equal times when clocks are set back.",
            "(str (time \"14:30:00\")) => \"14:30:00\""
        ) { arguments throws(Failure) in try folded(try tagged(.time, &arguments), &arguments, 1) }
        machine.add(
            "(datetime text zone fold)", 1...3,
            "A date with a time, in ISO 8601, with an offset or without; the zone is a name such as \"Europe/Berlin\".",
            "(= (datetime \"2026-01-31T12:00:00Z\") (datetime \"2026-01-31T13:00:00+01:00\")) => true"
        ) { arguments throws(Failure) in
            let value = try folded(try tagged(.dateTime, &arguments), &arguments, 2)
            guard let zone = try arguments.optional(1), !zone.isNull, case .tagged(let tagged) = value else {
                return value
            }
            var fields = tagged.fields.entries
            fields["zone"] = .text(try arguments.onlyString(1))
            return .tagged(.dateTime, fields)
        }
        machine.add(
            "(duration value)", 1...1, "A length of time: in ISO 8601, or as seconds.",
            "(= (duration \"PT1H30M\") (duration 5400)) => true", "(str (duration 90)) => \"P0DT90S\""
        ) { arguments throws(Failure) in
            let value = try arguments.data(0)
            guard let seconds = seconds(value) else {
                let made = try tagged(.duration, &arguments)
                guard case .string(let text) = value, let same = DurationText(text.string)?.normalized else {
                    return made
                }
                return .tagged(.duration, ["value": .text(same)])
            }
            return .tagged(.duration, ["value": .text(DurationText(seconds)?.normalized ?? seconds)])
        }
    }

    /// A number of seconds as a duration's text.
    private static func seconds(_ value: Value) -> String? {
        switch value {
        case .int, .big: break
        case .double(let double) where double.isFinite && abs(double) < 1e15 && abs(double) >= 1e-4 || double == 0:
            break
        default: return nil
        }
        let text = Printer.text(value)
        let isNegative = text.hasPrefix("-")
        return (isNegative ? "-" : "") + "PT" + (isNegative ? String(text.dropFirst()) : text) + "S"
    }

    private static func folded(
        _ value: Value, _ arguments: inout Arguments, _ index: Int
    ) throws(Failure) -> Value {
        guard index < arguments.count, case .tagged(let tagged) = value, let tag = tagged.tag else { return value }
        var fields = tagged.fields.entries
        switch try arguments.integer(index) {
        case 0: fields.removeValue(forKey: "fold")
        case 1: fields["fold"] = .int(1)
        default: throw arguments.wrong(index, "0 or 1")
        }
        return .tagged(tag, fields)
    }
}
