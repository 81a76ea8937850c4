import BigInt
import Buffers
import Evaluator
import Language

/// Tables of meta's own, made of vectors, arrays and records.
extension TableObject {
    /// Of columns by their names.
    ///
    /// - Throws: `value/uncopyable` naming the column whose items are of no one type; `eval/type` for other lengths.
    static func make(columns fields: Object.Entries, router: Router) throws(Failure) -> TableObject {
        var columns: [(name: String, column: TableColumn)] = []
        for (name, value) in fields {
            columns.append((name.string, try TableColumn(values: try value.unwrapped(), name: name.string, router)))
        }
        let rows = columns.first?.column.rows ?? 0
        if let other = columns.first(where: { $0.column.rows != rows }) {
            throw Failure(
                "eval/type",
                "the columns of a table are of one length: \(Printer.quoted(columns[0].name)) has \(rows) items, "
                    + "\(Printer.quoted(other.name)) \(other.column.rows)")
        }
        return TableObject(columns, rows: rows, router: router)
    }

    /// Of records: a key that one lacks is null in its row.
    static func make(records: [Value], router: Router) throws(Failure) -> TableObject {
        var lists: [Key: [Value]] = [:]
        var names: [Key] = []
        for (row, record) in records.enumerated() {
            guard case .object(let record) = try record.unwrapped() else {
                throw Failure("eval/type", "a record of a table is an object, got \(Describe.short(record)) at \(row)")
            }
            for (name, value) in record.entries {
                if lists[name] == nil {
                    names.append(name)
                    lists[name] = [Value](repeating: .null, count: records.count)
                }
                lists[name]?[row] = value
            }
        }
        let columns = try names.map { name throws(Failure) in
            let values = Value.vector(Items(lists[name] ?? []))
            return (name: name.string, column: try TableColumn(values: values, name: name.string, router))
        }
        return TableObject(columns, rows: records.count, router: router)
    }
}

extension TableColumn {
    /// Of a vector, or of an array of one axis.
    init(values: Value, name: String, _ router: Router) throws(Failure) {
        if let array = try RemoteObject.find(in: values) as? BufferObject {
            guard array.layout.rank == 1 else {
                throw Failure(
                    "eval/type", "the column \(Printer.quoted(name)) has one axis, got the shape \(array.layout.shape)")
            }
            self.init(array)
            return
        }
        guard let items = values.items else {
            throw Failure(
                "eval/type", "the column \(Printer.quoted(name)) is a vector or a buffer, got \(Describe.short(values))"
            )
        }
        var kind: Kind?
        var data: [Value] = []
        data.reserveCapacity(items.count)
        for (row, item) in items.enumerated() {
            let value = try item.unwrapped()
            data.append(value)
            if case .null = value { continue }
            guard let found = Kind(value), let joined = kind == nil ? found : kind?.joined(with: found) else {
                throw Failure(
                    "value/uncopyable",
                    "the column \(Printer.quoted(name)) holds items of one type: texts, numbers, booleans, bytes, dates, "
                        + "datetimes or null; got \(Describe.short(value)) at \(row)")
            }
            kind = joined
        }
        try self.init(data, kind, router)
    }

    private enum Kind {
        case bool, int, float, text, bytes, date, local, instant

        init?(_ value: Value) {
            switch value {
            case .bool: self = .bool
            case .int, .big: self = .int
            case .double: self = .float
            case .string: self = .text
            case .tagged(let tagged):
                switch tagged.tag {
                case .bytes?: self = .bytes
                case .date?: self = .date
                case .dateTime?:
                    guard let (_, isInstant) = ColumnFormat.nanoseconds(tagged.text ?? "") else { return nil }
                    self = isInstant ? .instant : .local
                default: return nil
                }
            default: return nil
            }
        }

        func joined(with other: Kind) -> Kind? {
            if self == other { return self }
            return [self, other].allSatisfy { $0 == .int || $0 == .float } ? .float : nil
        }
    }

    private init(_ items: [Value], _ kind: Kind?, _ router: Router) throws(Failure) {
        let rows = items.count
        func array(_ items: [Value], _ format: ElementFormat? = nil) throws(Failure) -> BufferObject {
            BufferObject(try NumericArray(values: .vector(Items(items)), format: format), router: router)
        }
        func bits(_ flags: [Bool]) throws(Failure) -> BufferObject {
            var bytes = [UInt8](repeating: 0, count: (flags.count + 7) / 8)
            for (row, flag) in flags.enumerated() where flag { bytes[row / 8] |= 1 << (row % 8) }
            return try Self.bytes(bytes, router)
        }
        let filled = items.map { item -> Value in if case .null = item { .int(0) } else { item } }
        switch kind {
        case nil: self.init("null", rows: rows)
        case .bool:
            self.init("bool", rows: rows)
            data = try bits(items.map { if case .bool(true) = $0 { true } else { false } })
        case .int:
            let isWide = filled.contains { if case .big = $0 { true } else { false } }
            self.init(isWide ? "uint64" : "int64", rows: rows)
            values = try array(filled, isWide ? .uint64 : .int64)
        case .float:
            self.init("float64", rows: rows)
            values = try array(filled, .float64)
        case .text, .bytes:
            self.init(kind == .text ? "utf8" : "binary", rows: rows)
            var text: [UInt8] = []
            var ends: [Value] = [.int(0)]
            for item in items {
                if case .string(let string) = item { text += Array(string.string.utf8) }
                if case .tagged(let tagged) = item { text += tagged.bytes ?? [] }
                ends.append(.int(text.count))
            }
            offsets = try array(ends, text.count < 1 << 31 ? .int32 : .int64)
            data = try Self.bytes(text, router)
        case .date:
            self.init("date32", rows: rows)
            values = try array(
                items.map { .int(ColumnFormat.days($0.tagText ?? "") ?? 0) }, .int32)
        case .local, .instant:
            let moments = items.map { ColumnFormat.nanoseconds($0.tagText ?? "")?.nanoseconds ?? 0 }
            let isFine = moments.contains { $0 % 1_000 != 0 }
            let unit = isFine ? "ns" : "us"
            self.init("timestamp[\(unit)\(kind == .instant ? ", UTC" : "")]", rows: rows)
            values = try array(moments.map { .integer($0 / (isFine ? 1 : 1_000)) }, .int64)
        }
        let valid = items.map { if case .null = $0 { false } else { true } }
        if kind != nil, valid.contains(false) { validity = try bits(valid) }
    }

    private static func bytes(_ bytes: [UInt8], _ router: Router) throws(Failure) -> BufferObject {
        let layout = try ArrayLayout(.uint8, shape: [bytes.count])
        return BufferObject(try NumericArray(layout, bytes: bytes), router: router)
    }
}

extension Value {
    fileprivate var items: [Value]? {
        switch self {
        case .vector(let items), .list(let items): items.elements
        default: nil
        }
    }

    fileprivate var tagText: String? { if case .tagged(let tagged) = self { tagged.text } else { nil } }
}
