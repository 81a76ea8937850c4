import BigInt
import Language

/// Bodies compared as values: what two languages may spell in two ways is brought to one spelling, and nothing else.
struct Bodies {
    let samples: Samples

    /// Whether `came` is the value that was sent.
    ///
    /// - Throws: a complaint for what is not JSON at all.
    func isSame(_ sent: [UInt8], _ came: [UInt8]) throws(Complaint) -> Bool {
        do throws(Failure) {
            return try Value.identical(expected(try JSON.parse(sent)), canonical(try JSON.parse(came)))
        } catch {
            throw .broken("not a value: \(error.message)")
        }
    }

    /// What comes home: the stated merge is applied here, never in the comparison.
    private func expected(_ value: Value) -> Value {
        canonical(value, merging: samples.mergesIntegralFloats)
    }

    private func canonical(_ value: Value, merging: Bool = false) -> Value {
        switch value {
        case .vector(let items): return .vector(Items(items.elements.map { canonical($0, merging: merging) }))
        case .object(let object): return canonical(object, merging)
        case .double(let number) where merging && number.rounded() == number && abs(number) < 0x1p53:
            return number == 0 && number.sign == .minus ? value : .int(Int(number))
        default: return value
        }
    }

    private func canonical(_ object: Object, _ merging: Bool) -> Value {
        var fields = Object.Entries()
        for (key, value) in object.entries { fields[key] = canonical(value, merging: merging) }
        guard case .string(let type)? = fields["_type"] else { return .object(Object(fields)) }
        switch type.string {
        case "Int":
            if case .string(let digits)? = fields["value"], let number = BigInt(digits.string) {
                return .integer(number)
            }
        case "Set":
            if case .vector(let items)? = fields["items"] {
                fields["items"] = .vector(Items(items.elements.sorted { Self.text($0) < Self.text($1) }))
            }
        case "Date", "Time", "DateTime":
            for name: Key in ["zone", "fold"] where Self.isNothing(fields[name]) { fields.removeValue(forKey: name) }
            if case .string(let text)? = fields["value"] { fields["value"] = .text(Self.instant(text.string)) }
        case "Ref":
            for name: Key in ["type", "repr", "callable"] { fields.removeValue(forKey: name) }
        default: break
        }
        // The order of a tagged value's fields says nothing.
        let sorted = fields.elements.sorted { $0.key.string < $1.key.string }
        return .object(Object(Object.Entries(uniqueKeysWithValues: sorted.map { ($0.key, $0.value) })))
    }

    private static func text(_ value: Value) -> String { (try? JSON.text(value)) ?? "" }

    private static func isNothing(_ value: Value?) -> Bool {
        switch value {
        case .null, .int(0): true
        default: false
        }
    }

    /// `…T10:00:00.500Z` and `…T10:00:00.5+00:00` are one instant.
    private static func instant(_ text: String) -> String {
        var text = text.hasSuffix("Z") ? text.dropLast() + "+00:00" : text
        guard let dot = text.firstIndex(of: ".") else { return text }
        let digits = text[text.index(after: dot)...].prefix { $0.isNumber }
        var kept = digits
        while kept.last == "0" { kept.removeLast() }
        text.replaceSubrange(dot..<digits.endIndex, with: kept.isEmpty ? "" : "." + kept)
        return text
    }
}
