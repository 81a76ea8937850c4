import BigInt

/// The tags of values that meta carries, by their names on the wire.
public enum Tag: String, CaseIterable, Sendable {
    case decimal = "Decimal"
    case complex = "Complex"
    case fraction = "Fraction"
    case bytes = "Bytes"
    case date = "Date"
    case time = "Time"
    case dateTime = "DateTime"
    case duration = "Duration"
    case tuple = "Tuple"
    case set = "Set"
    case map = "Map"
    case undefined = "Undefined"
    case symbol = "Symbol"

    /// The kind's name in meta: `(type x)`, and with a question mark the predicate.
    public var kind: String {
        self == .symbol ? "js-symbol" : rawValue.lowercased()
    }

    /// The function that makes such a value, which is also how it prints.
    var constructor: String {
        switch self {
        case .set: "set-of"
        case .map: "map-of"
        default: kind
        }
    }

    /// What is wrong with the fields, in words; nil when they are a value of this tag.
    public func problem(_ fields: Object.Entries) -> String? {
        switch self {
        case .undefined: nil
        case .complex: Self.isFloat(fields["re"]) && Self.isFloat(fields["im"]) ? nil : "re and im must be numbers"
        case .tuple, .set: Self.items(fields["items"]) == nil ? "items must be a vector" : nil
        case .map: Self.problem(ofEntries: fields["entries"])
        case .bytes:
            Self.text(fields["base64"]).map { Base64.decode($0) == nil ? "base64 is not canonical" : nil }
                ?? "base64 must be a string"
        case .decimal, .fraction, .date, .time, .dateTime, .duration, .symbol:
            Self.text(fields["value"]).map { isText($0) ? nil : "\(Printer.quoted(String($0.prefix(40)))) is none" }
                ?? "value must be a string"
        }
    }

    /// Whether a text is what such a value is written as.
    private func isText(_ text: String) -> Bool {
        switch self {
        case .decimal: return DecimalText(text) != nil
        case .fraction: return FractionText(text) != nil
        case .date: return whole(text) { $0.date() != nil }
        case .time: return whole(text) { $0.time() != nil && ($0.isAtEnd || $0.offset() != nil) }
        case .dateTime:
            return whole(text) { $0.date() != nil && $0.take("T") && $0.time() != nil }
                || whole(text) { $0.date() != nil && $0.take("T") && $0.time() != nil && $0.offset() != nil }
        case .duration: return DurationText(text) != nil
        default: return true
        }
    }

    private func whole(_ text: String, _ read: (inout ISOScanner) -> Bool) -> Bool {
        var scanner = ISOScanner(text)
        return read(&scanner) && scanner.isAtEnd
    }

    private static func problem(ofEntries field: Value?) -> String? {
        guard let entries = items(field) else { return "entries must be a vector" }
        let isPairs = entries.allSatisfy { entry in
            if case .vector(let pair) = entry { pair.elements.count == 2 } else { false }
        }
        return isPairs ? nil : "entries must be pairs"
    }

    static func text(_ field: Value?) -> String? {
        if case .string(let text)? = field { text.string } else { nil }
    }

    static func items(_ field: Value?) -> [Value]? {
        if case .vector(let items)? = field { items.elements } else { nil }
    }

    private static func isFloat(_ field: Value?) -> Bool {
        switch field {
        case .double?, .int?: true
        default: false
        }
    }
}
