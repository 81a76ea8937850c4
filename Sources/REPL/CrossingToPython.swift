import BigInt
import Evaluator
import Language

/// How values arrive in Python.
enum CrossingToPython {
    static func arrival(_ value: Value) -> Crossing.Arrival {
        switch value {
        case .null: .exact("NoneType")
        case .bool: .exact("bool")
        case .int, .big: .exact("int")
        case .double: .exact("float")
        case .string: .exact("str")
        case .symbol, .keyword: .exact("str", "a name crosses as its text, which is = to it")
        case .list, .vector: .exact("list")
        case .object: .exact("dict")
        case .error(let error): .exact(error.session == "py" ? error.type : "meta.Error")
        case .tagged(let tagged): arrival(tagged)
        case .function(let function): array(function)
        case .meta, .cell: .exact("")
        }
    }

    private static func array(_ function: Function) -> Crossing.Arrival {
        guard function is BufferObject else { return .exact("") }
        return .exact("numpy.ndarray", "its items in shared memory; without NumPy a memoryview or a meta.View")
    }

    private static func arrival(_ tagged: Tagged) -> Crossing.Arrival {
        let text = if case .string(let text)? = tagged.fields["value"] { text.string } else { "" }
        switch tagged.tag {
        case .bytes?: return .exact("bytes")
        case .undefined?: return .exact("Undefined", "meta.undefined")
        case .complex?: return .exact("complex")
        case .tuple?: return .exact("tuple")
        case .decimal?: return text.isPythonDecimal ? .exact("Decimal") : .tagged("Python would write it otherwise")
        case .fraction?: return isReduced(text) ? .exact("Fraction") : .tagged("Python would write it otherwise")
        case .date?: return isYear(text) ? .exact("date") : .tagged("a year that Python does not have")
        case .time?: return isMicro(text) ? .exact("time") : .tagged("a time that Python does not have")
        case .dateTime?:
            return isYear(text) && isMicro(text) ? .exact("datetime") : .tagged("a time that Python does not have")
        case .duration?:
            return text.isPythonDuration ? .exact("timedelta") : .tagged("a duration that Python does not have")
        case .set?: return keyed("set", tagged.items ?? [], "items")
        case .map?: return keyed("dict", tagged.entries?.map(\.key) ?? [], "keys")
        case .symbol?: return .tagged("Python has no such type")
        case nil: return .tagged("a type that meta does not know")
        }
    }

    /// A set or dict, when Python can hold these as distinct items or keys.
    private static func keyed(_ type: String, _ keys: [Value], _ what: String) -> Crossing.Arrival {
        guard keys.allSatisfy(isHashable) else { return .tagged("\(what) that Python cannot hash") }
        var seen: Set<String> = []
        let areDistinct = keys.allSatisfy { key in identity(key).map { seen.insert($0).inserted } ?? true }
        return areDistinct ? .exact(type) : .tagged("\(what) that are equal in Python")
    }

    private static func isHashable(_ value: Value) -> Bool {
        switch (try? value.unwrapped()) ?? value {
        case .list, .vector, .object: return false
        case .tagged(let tagged):
            guard case .exact = arrival(tagged).outcome else { return true }
            switch tagged.tag {
            case .tuple?: return (tagged.items ?? []).allSatisfy(isHashable)
            case .set?, .map?: return false
            case .decimal?: return !(tagged.text ?? "").contains("sNaN")
            default: return true
            }
        default: return true
        }
    }

    /// One text for what Python finds equal; nil for what is equal to nothing else.
    private static func identity(_ value: Value) -> String? {
        let data = (try? value.unwrapped()) ?? value
        switch data {
        case .null: return "None"
        case .bool(let flag): return "number \(flag ? 1 : 0)"
        case .int, .big: return "number \(Printer.text(data))"
        case .double(let double):
            if double.isNaN { return "number nan" }
            return BigInt(exactly: double).map { "number \($0)" } ?? "number \(double)"
        case .string(let text): return "text \(text.string)"
        case .symbol(let name), .keyword(let name): return "text \(name.name)"
        case .tagged(let tagged):
            guard tagged.tag == .tuple, let items = tagged.items else { return "value \(Printer.text(data))" }
            let parts = items.map { identity($0) ?? "?" }
            return parts.contains("?") ? nil : "tuple \(parts)"
        case .function(let function): return "object \(ObjectIdentifier(function))"
        case .list, .vector, .object, .error, .meta, .cell: return nil
        }
    }

    private static func isReduced(_ text: String) -> Bool {
        let parts = text.split(separator: "/").compactMap { BigInt($0, radix: 10) }
        guard parts.count == 2, !parts[1].isZero else { return false }
        return parts[0].greatestCommonDivisor(with: parts[1]) == 1 && "\(parts[0])/\(parts[1])" == text
    }

    private static func isYear(_ text: String) -> Bool {
        text.first?.isNumber == true && !text.hasPrefix("0000")
    }

    /// At most six digits of a second's fraction, and no leap second.
    private static func isMicro(_ text: String) -> Bool {
        let parts = text.split(separator: ".").dropFirst()
        let isLong = parts.contains { part in part.prefix { $0.isNumber }.count > 6 }
        let time = text.split(separator: "T").last ?? ""
        return !isLong && time.dropFirst(6).prefix(2) != "60"
    }
}

extension String {
    /// Whether Python's Decimal writes itself so (General Decimal Arithmetic, "to-scientific-string").
    fileprivate var isPythonDecimal: Bool {
        let unsigned = hasPrefix("-") ? dropFirst() : self[...]
        if unsigned == "Infinity" { return true }
        for name in ["NaN", "sNaN"] where unsigned.hasPrefix(name) {
            return unsigned.dropFirst(name.count).first != "0"
        }
        guard !unsigned.contains("e") else { return false }
        let halves = unsigned.split(separator: "E", omittingEmptySubsequences: false)
        let point = halves[0].split(separator: ".", omittingEmptySubsequences: false)
        let exponent = halves.count == 2 ? Int(halves[1]) : 0
        guard let exponent, halves.count <= 2, point.count <= 2, exponent.magnitude < 1_000_000_000_000_000_000 else {
            return false
        }
        let fraction = point.count == 2 ? point[1] : ""
        let all = (point[0] + fraction).drop { $0 == "0" }
        return unsigned == Self.scientific(all.isEmpty ? "0" : String(all), exponent - fraction.count)
    }

    private static func scientific(_ digits: String, _ exponent: Int) -> String {
        let adjusted = exponent + digits.count - 1
        guard exponent > 0 || adjusted < -6 else {
            guard exponent < 0 else { return digits }
            let padded = String(repeating: "0", count: Swift.max(0, 1 - exponent - digits.count)) + digits
            return padded.dropLast(-exponent) + "." + padded.suffix(-exponent)
        }
        let fraction = digits.dropFirst()
        return digits.prefix(1) + (fraction.isEmpty ? "" : "." + fraction) + "E" + (adjusted < 0 ? "" : "+")
            + "\(adjusted)"
    }

    /// Whether a timedelta is written so: days, then seconds of less than a day, then microseconds.
    fileprivate var isPythonDuration: Bool {
        guard let normalized = DurationText(self)?.normalized, normalized == self else { return false }
        let parts = drop { $0 == "-" || $0 == "P" }.split(separator: "D")
        guard let days = parts.first.flatMap({ Int($0) }), days <= 999_999_999 else { return false }
        return (split(separator: ".").dropFirst().first?.dropLast().count ?? 6) == 6
    }
}
