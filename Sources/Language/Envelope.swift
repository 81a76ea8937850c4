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
        _ value: Value, book: (any OutgoingBook)?
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
        case "Error": return .error(try Diagnostic(carried: Object(fields)))
        case "Ref":
            guard let references else { return try tagged(type.string, fields) }
            return try references.value(object)
        case "Buffer":
            guard let references else { return try tagged(type.string, fields) }
            return try references.buffer(object)
        case "Table":
            guard let references else { return try tagged(type.string, fields) }
            return try references.table(object)
        case "Bytes" where fields["segment"] != nil:
            guard let references else { return try tagged(type.string, fields) }
            return .bytes(try references.bytes(object))
        case "Text" where fields["segment"] != nil:
            guard let references else { return try tagged(type.string, fields) }
            guard let text = String(validating: try references.bytes(object), as: UTF8.self) else {
                throw Failure("wire/unreadable", "a Text is not UTF-8")
            }
            return .text(text)
        default: return try tagged(type.string, fields)
        }
    }

    /// A value of a tag that meta knows, with fields that fit; one of any other tag as it is.
    private static func tagged(_ type: String, _ fields: Object.Entries) throws(Failure) -> Value {
        guard let tag = Tag(rawValue: type) else { return .tagged(Tagged(type: type, fields: Object(fields))) }
        if let problem = tag.problem(fields) { throw Failure("wire/unreadable", "a malformed \(type): \(problem)") }
        var fields = fields
        if tag == .complex {
            // A language with one kind of number writes 1.0 as 1.
            for name: Key in ["re", "im"] {
                if case .int(let int)? = fields[name] { fields[name] = .double(Double(int)) }
            }
        }
        return .tagged(Tagged(type: type, fields: Object(fields)))
    }

    private static func float(_ fields: Object.Entries) throws(Failure) -> Double {
        switch try onlyValue(of: fields) {
        case "NaN": return .nan
        case "Infinity": return .infinity
        case "-Infinity": return -.infinity
        case "-0.0": return -0.0
        default: throw Failure("wire/unreadable", "a Float is NaN, Infinity, -Infinity or -0.0")
        }
    }

    private static func integer(_ fields: Object.Entries) throws(Failure) -> Value {
        let digits = try onlyValue(of: fields)
        guard digits.utf8.first != UInt8(ascii: "+"), let value = Numeral.bigInteger(digits, radix: 10) else {
            throw Failure("wire/unreadable", "an Int is decimal digits")
        }
        return value
    }

    /// A map with string keys, one of them `_type`, is the user's own object; any other stays tagged.
    private static func map(_ fields: Object.Entries) throws(Failure) -> Value {
        guard case .tagged(let map) = try tagged("Map", fields), let entries = map.entries, fields.count == 1 else {
            return try tagged("Map", fields)
        }
        var result = Object.Entries()
        for entry in entries {
            guard case .string(let key) = entry.key else { return .tagged(map) }
            result[Key(key.string)] = entry.value
        }
        guard result.count == entries.count else { throw Failure("wire/unreadable", "a Map repeats a key") }
        return result["_type"] != nil ? .object(Object(result)) : .tagged(map)
    }

    private static func onlyValue(of fields: Object.Entries) throws(Failure) -> String {
        guard case .string(let text)? = fields["value"], fields.count == 1 else {
            throw Failure("wire/unreadable", "a tagged number has a value, a string, and nothing else")
        }
        return text.string
    }
}
