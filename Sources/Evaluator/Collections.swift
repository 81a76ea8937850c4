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
        case .tagged(let tagged): tagged.items
        default: nil
        }
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
            return try member(tagged, key)
        case .meta(let meta): return try member(try meta.data(), key)
        case .bool, .int, .double, .big, .symbol, .keyword, .function, .cell:
            throw Failure(
                "eval/type",
                "\(Describe.kind(value)) \(Describe.short(value)) has no members, asked for \(Describe.short(key))")
        }
    }

    /// A tuple's item or a byte by its place, a map's value by its key, a field of any other tag by its name.
    private static func member(_ tagged: Tagged, _ key: Value) throws(Failure) -> Value {
        switch tagged.tag {
        case .map?: return tagged.value(forKey: key) ?? .null
        case .tuple?:
            guard case .int = key else { return try named(.tagged(tagged), key, count: tagged.count ?? 0) }
            return try member(.vector(Items(tagged.items ?? [])), key)
        case .bytes?:
            guard case .int(let index) = key, let bytes = tagged.bytes else {
                return try named(.tagged(tagged), key, count: tagged.count ?? 0)
            }
            let place = index < 0 ? bytes.count + index : index
            return bytes.indices.contains(place) ? .int(Int(bytes[place])) : .null
        case .set?:
            if keyText(key) != nil { return try named(.tagged(tagged), key, count: tagged.count ?? 0) }
            throw Failure(
                "eval/type", "a set has no places, asked for \(Describe.short(key))",
                help: "(contains? s x) asks for membership, (vec s) gives its items as a vector")
        default:
            guard let name = keyText(key) else { throw wrongKey(key, "a \(Describe.kind(.tagged(tagged)))", "a name") }
            return name == "_type" ? .text(tagged.type) : tagged.fields[name] ?? .null
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
