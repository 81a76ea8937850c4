import Buffers
import Evaluator
import Language

/// A column of a table: its format by Arrow's name, and the arrays that its items are made of, laid out as Arrow has them.
struct TableColumn {
    let format: String
    let rows: Int
    /// Numbers, or places in the dictionary.
    var values: BufferObject?
    /// A bit for each row, the least significant first: whether it is not null.
    var validity: BufferObject?
    /// Where each text begins in `data`, and where the last ends.
    var offsets: BufferObject?
    var data: BufferObject?
    /// The column that `values` are places in: one, or none.
    var dictionary: [TableColumn] = []
    var isOrdered = false

    init(_ format: String, rows: Int) {
        self.format = format
        self.rows = rows
    }

    /// A column that an array says all of.
    init(_ array: BufferObject) {
        self.init(array.layout.format.rawValue, rows: array.layout.count)
        values = array
    }

    /// The array that says all of it; nil where more is needed.
    var plain: BufferObject? {
        validity == nil && dictionary.isEmpty && ElementFormat(rawValue: format) != nil ? values : nil
    }

    /// The arrays, with what records call them.
    var parts: [(name: String, array: BufferObject)] {
        [
            ("validity", validity), ("offsets", offsets), ("data", data),
            (dictionary.isEmpty ? "data" : "indices", values),
        ].compactMap { name, array in array.map { (name, $0) } }
    }

    // MARK: Records

    /// The contents that a record gives for a column.
    ///
    /// - Throws: `wire/unreadable` where they are no column of so many rows.
    init(_ contents: Value, rows: Int?, name: String, depth: Int = 0) throws(Failure) {
        func wrong(_ why: String) -> Failure {
            Failure("wire/unreadable", "a Table cannot be read: the column \(Printer.quoted(name)) \(why)")
        }
        if let array = try RemoteObject.find(in: contents) as? BufferObject {
            guard array.layout.rank == 1, !array.isLive, rows == nil || array.layout.count == rows else {
                throw wrong("is an array of shape \(array.layout.shape)")
            }
            self.init(array)
            return
        }
        guard case .tagged(let column) = contents, column.type == "Column", depth < 2,
            case .string(let format)? = column.fields["format"], case .int(let count)? = column.fields["rows"]
        else { throw wrong("is neither a Buffer nor a Column") }
        guard count >= 0, count < 1 << 53, rows == nil || count == rows else { throw wrong("has \(count) rows") }
        func part(_ name: String, _ count: Int?, _ formats: [ElementFormat]) throws(Failure) -> BufferObject {
            guard let field = column.fields[name], let array = try RemoteObject.find(in: field) as? BufferObject,
                array.layout.rank == 1, array.layout.isCOrder, !array.isLive, formats.contains(array.layout.format),
                count == nil || array.layout.count == count
            else { throw wrong("has no \(name) that fit its rows") }
            return array
        }
        self.init(format.string, rows: count)
        let bits = count / 8 + (count % 8 == 0 ? 0 : 1)
        if let field = column.fields["validity"], !field.isNull { validity = try part("validity", bits, [.uint8]) }
        switch format.string {
        case "utf8", "binary":
            let isNone = (column.fields["offsets"].flatMap(Self.array))?.layout.count == 0
            offsets = try part("offsets", count == 0 && isNone ? 0 : count + 1, [.int32, .int64])
            data = try part("data", nil, [.uint8])
        case "bool": data = try part("data", bits, [.uint8])
        case "null": break
        case "dictionary":
            values = try part("indices", count, [.int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64])
            guard let words = column.fields["dictionary"] else { throw wrong("has no dictionary") }
            dictionary = [try TableColumn(words, rows: nil, name: name, depth: depth + 1)]
            if case .bool(true)? = column.fields["ordered"] { isOrdered = true }
        default:
            guard let stored = ColumnFormat.stored(format.string) else {
                throw wrong("has no known format: \(Printer.sanitizedLine(String(format.string.prefix(40))))")
            }
            values = try part("data", count, [stored])
        }
    }

    private static func array(_ value: Value) -> BufferObject? {
        if case .function(let function) = value { function as? BufferObject } else { nil }
    }

    /// The record, which refers to what is added to `references`.
    func text(_ references: inout [Reference]) throws(Failure) -> [UInt8] {
        if let plain { return try Self.text(plain, &references) }
        var text = Array("{\"_type\":\"Column\",\"format\":".utf8)
        text += try JSON.bytes(.text(format))
        text += Array(",\"rows\":\(rows)".utf8)
        for (name, array) in parts { text += Array(",\"\(name)\":".utf8) + (try Self.text(array, &references)) }
        if let dictionary = dictionary.first {
            text += Array(",\"dictionary\":".utf8) + (try dictionary.text(&references))
            if isOrdered { text += Array(",\"ordered\":true".utf8) }
        }
        return text + Array("}".utf8)
    }

    private static func text(_ array: BufferObject, _ references: inout [Reference]) throws(Failure) -> [UInt8] {
        let crossing = try array.crossing()
        references += crossing.references
        return crossing.text
    }
}

extension Value {
    fileprivate var isNull: Bool { if case .null = self { true } else { false } }
}
