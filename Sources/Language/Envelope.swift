import BigInt

/// The values that cross: JSON whose objects with a `_type` are what plain JSON lacks.
public enum Envelope {
    /// - Throws: `value/uncopyable` for a function: without a book nothing crosses by reference.
    public static func encode(_ value: Value) throws(Failure) -> [UInt8] {
        try encode(value, book: nil).bytes
    }

    /// The value's text, and each object that it refers to once, in the order of first appearance.
    ///
    /// - Throws: `value/uncopyable` for what cannot cross, naming the path to it.
    public static func encode(
        _ value: Value, book: (any ReferenceBook)?
    ) throws(Failure) -> (bytes: [UInt8], references: [Reference]) {
        var printer = JSONPrinter(tags: true, book: book)
        try printer.print(value)
        return (printer.output, printer.references)
    }

    /// - Parameter references: what the frame of the body lists; the body may refer to nothing else.
    /// - Throws: `wire/unreadable` when the text is not one value of the envelope.
    public static func decode(
        _ body: [UInt8], references: [Reference] = [], book: (any ReferenceBook)? = nil
    ) throws(Failure) -> Value {
        let listed = book.map { ListedReferences(listed: Set(references), book: $0) }
        do throws(Failure) {
            return try JSON.parse(body, tags: true, references: listed)
        } catch {
            guard error.code.hasPrefix("json/") || error.code.hasPrefix("wire/") else { throw error }
            throw Failure("wire/unreadable", "what the session sent is not a value: \(error.message)")
        }
    }

    /// The value that a decoded object stands for.
    static func untag(_ object: Object, _ references: ListedReferences?) throws(Failure) -> Value {
        guard let tag = object.entries["_type"] else { return .object(object) }
        guard case .string(let type) = tag else {
            throw Failure("wire/unreadable", "_type must be a string")
        }
        var fields = object.entries
        fields.removeValue(forKey: "_type")
        switch type.string {
        case "Float": return .double(try float(fields))
        case "Int": return try integer(fields)
        case "Map": return try map(fields)
        case "Ref":
            guard let references else { fallthrough }
            return try references.value(object)
        default: return .tagged(Tagged(type: type.string, fields: Object(fields)))
        }
    }

    private static func float(_ fields: Object.Entries) throws(Failure) -> Double {
        switch try text("value", of: fields) {
        case "NaN": return .nan
        case "Infinity": return .infinity
        case "-Infinity": return -.infinity
        case "-0.0": return -0.0
        default: throw Failure("wire/unreadable", "a Float is NaN, Infinity, -Infinity or -0.0")
        }
    }

    private static func integer(_ fields: Object.Entries) throws(Failure) -> Value {
        let digits = try text("value", of: fields)
        guard let value = Numeral.bigInteger(digits, radix: 10) else {
            throw Failure("wire/unreadable", "an Int is decimal digits")
        }
        return value
    }

    /// A map with string keys, one of them `_type`, is the user's own object; any other stays tagged.
    private static func map(_ fields: Object.Entries) throws(Failure) -> Value {
        guard case .vector(let entries) = fields["entries"] else {
            throw Failure("wire/unreadable", "a Map has entries")
        }
        var result = Object.Entries()
        for entry in entries.elements {
            guard case .vector(let pair) = entry, pair.elements.count == 2 else {
                throw Failure("wire/unreadable", "a Map's entries are pairs")
            }
            guard case .string(let key) = pair.elements[0] else {
                return .tagged(Tagged(type: "Map", fields: Object(fields)))
            }
            result[Key(key.string)] = pair.elements[1]
        }
        guard result.count == entries.elements.count else { throw Failure("wire/unreadable", "a Map repeats a key") }
        if result["_type"] != nil { return .object(Object(result)) }
        return .tagged(Tagged(type: "Map", fields: Object(fields)))
    }

    private static func text(_ name: Key, of fields: Object.Entries) throws(Failure) -> String {
        guard case .string(let text) = fields[name] else {
            throw Failure("wire/unreadable", "a tagged value's \(name.string) must be a string")
        }
        return text.string
    }
}
