extension JSON {
    /// The value as compact JSON text that `parse` reads back as an equal value.
    ///
    /// - Throws: `json/unprintable` for what JSON has no form for: functions, NaN, infinities, bytes, tagged values.
    public static func text(_ value: Value) throws(Failure) -> String {
        String(decoding: try bytes(value), as: UTF8.self)
    }

    public static func bytes(_ value: Value) throws(Failure) -> [UInt8] {
        var printer = JSONPrinter(tags: false)
        try printer.print(value)
        return printer.output
    }
}

struct JSONPrinter {
    private(set) var output: [UInt8] = []
    /// Whether what plain JSON lacks is written as the envelope's tagged objects.
    private let tags: Bool
    private let book: (any OutgoingBook)?
    /// Each object that the text refers to, once.
    private(set) var references: [Reference] = []
    private var listed: Set<Reference> = []
    private var path: [Step] = []

    private enum Step {
        case key(String)
        case index(Int)
    }

    init(tags: Bool, book: (any OutgoingBook)? = nil) {
        self.tags = tags
        self.book = book
    }

    mutating func print(_ value: Value) throws(Failure) {
        switch value {
        case .null: put("null")
        case .bool(let flag): put(flag ? "true" : "false")
        case .int(let int): put(int.description)
        case .big(let big): put(Numeral.text(big.value))
        case .double(let double): try print(double)
        case .string(let text): print(string: text.string)
        case .symbol(let name), .keyword(let name): print(string: name.name)
        case .list(let items), .vector(let items): try print(items)
        case .object(let object): try print(object)
        case .meta(let meta): try print(meta)
        case .tagged(let tagged):
            guard tags else { throw unprintable(tagged.type) }
            try print(tagged)
        case .error(let error): try print(error)
        case .function(let function): try print(function)
        case .cell(let cell): try print(cell.value)
        }
    }

    private mutating func print(_ double: Double) throws(Failure) {
        if double.isFinite, !tags || double != 0 || double.sign == .plus { return put(double.description) }
        let name = double.isNaN ? "NaN" : double == 0 ? "-0.0" : double < 0 ? "-Infinity" : "Infinity"
        guard tags else { throw unprintable(name) }
        put("{\"_type\":\"Float\",\"value\":\"\(name)\"}")
    }

    private mutating func print(_ items: Items) throws(Failure) {
        output.append(UInt8(ascii: "["))
        for (index, item) in items.elements.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            path.append(.index(index))
            try print(item)
            path.removeLast()
        }
        output.append(UInt8(ascii: "]"))
    }

    private mutating func print(_ object: Object) throws(Failure) {
        if tags, object.entries["_type"] != nil { return try printAsMap(object) }
        output.append(UInt8(ascii: "{"))
        var isFirst = true
        for (key, value) in object.entries {
            if !isFirst { output.append(UInt8(ascii: ",")) }
            isFirst = false
            try printMember(key, value)
        }
        output.append(UInt8(ascii: "}"))
    }

    private mutating func printMember(_ key: Key, _ value: Value) throws(Failure) {
        print(string: key.string)
        output.append(UInt8(ascii: ":"))
        path.append(.key(key.string))
        try print(value)
        path.removeLast()
    }

    /// An object of the user's with a key `_type` crosses as `Map`, so that data forges no tag.
    private mutating func printAsMap(_ object: Object) throws(Failure) {
        put("{\"_type\":\"Map\",\"entries\":[")
        var isFirst = true
        for (key, value) in object.entries {
            put(isFirst ? "[" : ",[")
            isFirst = false
            print(string: key.string)
            output.append(UInt8(ascii: ","))
            path.append(.key(key.string))
            try print(value)
            path.removeLast()
            output.append(UInt8(ascii: "]"))
        }
        put("]}")
    }

    private mutating func print(_ meta: MetaObject) throws(Failure) {
        guard tags, let parcel = try meta.checkedParcel(),
            parcel.sharing.isPlain || book?.passes(parcel) == true
        else { return try print(try meta.data()) }
        output.append(contentsOf: parcel.body)
        for reference in parcel.references { list(reference) }
    }

    private mutating func print(_ function: Function) throws(Failure) {
        guard tags else {
            throw unprintable(
                "function \(function.name)", help: "(fetch x) gives what an object of a runtime holds, as data")
        }
        do throws(Failure) {
            guard let book else {
                throw Failure("value/uncopyable", "a function cannot be copied: \(Printer.sanitized(function.name))")
            }
            if let buffer = try book.buffer(of: function) {
                output.append(contentsOf: buffer.text)
                for reference in buffer.references { list(reference) }
                return
            }
            let record = try book.record(of: function)
            list(record.reference)
            print(record)
        } catch {
            throw Failure(error.code, error.message + place, help: error.help)
        }
    }

    private mutating func list(_ reference: Reference) {
        if listed.insert(reference).inserted { references.append(reference) }
    }

    private mutating func print(_ record: ReferenceRecord) {
        put("{\"_type\":\"Ref\",\"owner\":")
        print(string: record.reference.owner)
        put(",\"generation\":\(record.reference.generation),\"ref\":\(record.reference.number),\"type\":")
        print(string: record.type)
        put(",\"repr\":")
        print(string: record.repr)
        put(",\"callable\":\(record.isCallable)}")
    }

    private var place: String {
        path.isEmpty ? "" : " at \(path.map(Self.text(of:)).joined())"
    }

    private mutating func print(_ tagged: Tagged) throws(Failure) {
        put("{\"_type\":")
        print(string: tagged.type)
        for (key, value) in tagged.fields.entries {
            output.append(UInt8(ascii: ","))
            try printMember(key, value)
        }
        output.append(UInt8(ascii: "}"))
    }

    private mutating func print(_ error: Diagnostic) throws(Failure) {
        guard tags else { throw unprintable("error \(error.code)") }
        if let carried = error.carried { return try print(Tagged(type: "Error", fields: carried)) }
        put("{\"_type\":\"Error\"")
        for name in ["code", "type", "message", "frames", "cause", "data"] {
            put(",\"\(name)\":")
            try print(error.field(name) ?? .null)
        }
        put("}")
    }

    private mutating func put(_ text: String) {
        output.append(contentsOf: text.utf8)
    }

    mutating func print(string: String) {
        output.append(UInt8(ascii: "\""))
        var string = string
        string.withUTF8 { bytes in
            var start = 0
            for index in 0..<bytes.count {
                let byte = bytes[index]
                guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7F else {
                    continue
                }
                output.append(contentsOf: bytes[start..<index])
                Self.escape(byte, into: &output)
                start = index + 1
            }
            output.append(contentsOf: bytes[start...])
        }
        output.append(UInt8(ascii: "\""))
    }

    private static func escape(_ byte: UInt8, into output: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""): output += [UInt8(ascii: "\\"), UInt8(ascii: "\"")]
        case UInt8(ascii: "\\"): output += [UInt8(ascii: "\\"), UInt8(ascii: "\\")]
        case 0x0A: output += Array("\\n".utf8)
        case 0x0D: output += Array("\\r".utf8)
        case 0x09: output += Array("\\t".utf8)
        default: output += Array("\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8)
        }
    }

    private func unprintable(
        _ what: String,
        help: String = "json.stringify takes null, booleans, finite numbers, strings, vectors and objects of these"
    ) -> Failure {
        Failure("json/unprintable", "JSON has no form for \(what)\(place)", help: help)
    }

    private static func text(of step: Step) -> String {
        switch step {
        case .key(let key): "." + key
        case .index(let index): "[\(index)]"
        }
    }
}
