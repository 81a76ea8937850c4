import Language

/// Collections seen as sequences, and members by key.
enum Collections {
    /// Nil for what is not a collection. Null is empty.
    static func items(_ value: Value) -> [Value]? {
        switch value {
        case .null: []
        case .list(let items), .vector(let items): items.elements
        case .string(let text): text.string.unicodeScalars.map { .text(String(Character($0))) }
        case .object(let object): object.entries.elements.map { pair($0.key, $0.value) }
        case .tagged(let tagged): items(tagged)
        default: nil
        }
    }

    /// The items of a tuple or set, the `[key value]` pairs of a map.
    private static func items(_ tagged: Tagged) -> [Value]? {
        guard ["Tuple", "Set", "Map"].contains(tagged.type),
            case .vector(let items)? = tagged.fields["items"] ?? tagged.fields["entries"]
        else { return nil }
        return items.elements
    }

    static func pair(_ key: Key, _ value: Value) -> Value {
        .vector(Items([.text(key.string), value]))
    }

    /// The member of `value` by `key`: null where there is none.
    ///
    /// Indices count from 0, negative ones from the end. A string's members are its Unicode scalars.
    ///
    /// - Throws: `eval/type` for a value without members or a key of the wrong kind.
    static func member(_ value: Value, _ key: Value) throws(Failure) -> Value {
        switch value {
        case .null: return .null
        case .object(let object):
            guard let name = keyText(key) else { throw wrongKey(key, "an object", "a name") }
            return object[name] ?? .null
        case .vector(let items), .list(let items):
            guard case .int(let index) = key else { return try named(value, key, count: items.elements.count) }
            let place = index < 0 ? items.elements.count + index : index
            return items.elements.indices.contains(place) ? items.elements[place] : .null
        case .string(let text): return try member(text, key)
        case .error(let error):
            guard let name = keyText(key), let field = error.field(name) else {
                throw Failure(
                    "eval/no-member", "an error has no field \(Describe.short(key))",
                    help: "it has \(Diagnostic.fieldNames.joined(separator: ", "))")
            }
            return field
        case .tagged(let tagged):
            if case .int = key, let items = items(tagged) { return try member(.vector(Items(items)), key) }
            guard let name = keyText(key) else { throw wrongKey(key, "a tagged value", "a name") }
            return name == "_type" ? .text(tagged.type) : tagged.fields[name] ?? .null
        case .meta(let meta): return try member(try meta.data(), key)
        case .bool, .int, .double, .big, .symbol, .keyword, .function, .cell:
            throw Failure(
                "eval/type",
                "\(Describe.kind(value)) \(Describe.short(value)) has no members, asked for \(Describe.short(key))")
        }
    }

    private static func member(_ text: Text, _ key: Value) throws(Failure) -> Value {
        let scalars = text.string.unicodeScalars
        guard case .int(let index) = key else { return try named(.string(text), key, count: scalars.count) }
        let place = index < 0 ? scalars.count + index : index
        guard place >= 0, place < scalars.count else { return .null }
        return .text(String(Character(scalars[scalars.index(scalars.startIndex, offsetBy: place)])))
    }

    private static func named(_ value: Value, _ key: Value, count: Int) throws(Failure) -> Value {
        if let name = keyText(key), name == "length" || name == "count" { return .int(count) }
        let kind = Describe.kind(value)
        if let name = keyText(key) {
            throw Failure("eval/no-member", "a \(kind) has no member \(name); it has items by number, and length")
        }
        throw wrongKey(key, "a \(kind)", "an integer")
    }

    static func keyText(_ key: Value) -> String? {
        if case .meta(let meta) = key { return (try? meta.data()).flatMap(keyText) }
        return key.nameText
    }

    static func wrongKey(_ key: Value, _ owner: String, _ wanted: String) -> Failure {
        Failure("eval/type", "the key of \(owner) is \(wanted), got \(Describe.short(key))")
    }
}
