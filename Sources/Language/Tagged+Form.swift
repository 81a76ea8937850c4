/// How a tagged value prints: the call that makes it.
extension Tagged {
    /// `(decimal "0.10")`, `(tuple 1 2)`; nil for a tag, or fields, that no function makes.
    var form: Value? {
        guard let tag else { return nil }
        if tag == .undefined { return fields.entries.isEmpty ? .name("undefined") : nil }
        guard let arguments = arguments(tag) else { return nil }
        return .list(Items([.name(tag.constructor)] + arguments))
    }

    private func arguments(_ tag: Tag) -> [Value]? {
        switch tag {
        case .tuple, .set: return only("items") ? items : nil
        case .map: return only("entries") ? entries?.flatMap { [$0.key, $0.value] } : nil
        case .complex: return only("re", "im") ? [fields["re"] ?? .null, fields["im"] ?? .null] : nil
        case .bytes: return only("base64") ? bytes.map { [Self.readable($0)] } : nil
        case .fraction:
            guard only("value"), let parts = Tag.text(fields["value"]).flatMap(FractionText.init),
                let numerator = Numeral.bigInteger(String(parts.numerator), radix: 10),
                let denominator = Numeral.bigInteger(String(parts.denominator), radix: 10)
            else { return nil }
            return [numerator, denominator]
        case .time: return only("value", "fold") ? [fields["value"], fields["fold"]].compactMap { $0 } : nil
        case .dateTime: return only("value", "zone", "fold") ? dateTimeArguments : nil
        case .decimal, .date, .duration, .symbol: return only("value") ? [fields["value"] ?? .null] : nil
        case .undefined: return nil
        }
    }

    private var dateTimeArguments: [Value] {
        var arguments = [fields["value"] ?? .null]
        if fields["zone"] != nil || fields["fold"] != nil { arguments.append(fields["zone"] ?? .null) }
        if let fold = fields["fold"] { arguments.append(fold) }
        return arguments
    }

    /// Whether there are no fields but these, so that the form says all.
    private func only(_ names: Key...) -> Bool {
        fields.entries.keys.allSatisfy(names.contains)
    }

    /// Bytes as their text where one can be read, otherwise as their numbers.
    private static func readable(_ bytes: [UInt8]) -> Value {
        let isPlain = bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x0A || $0 == 0x09 || $0 == 0x0D }
        if isPlain, let text = String(validating: bytes, as: UTF8.self) { return .text(text) }
        return .vector(Items(bytes.map { .int(Int($0)) }))
    }
}
