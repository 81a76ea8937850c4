import Buffers
import Evaluator
import Language
import Wire

/// A table as a value of meta: named columns of one length. What it is like is known; its contents are fetched when
/// somebody first needs them, and are then its contents for good. What is asked of it by name the owner's table answers.
final class TableObject: RemoteObject, OwnedContents {
    let rows: Int
    /// What it is at home: `pandas.DataFrame`.
    let foreignType: String
    /// The columns' names and formats, in their order.
    let columns: [(name: String, format: String)]
    let details: Object.Entries
    /// The session that made it, or `meta`.
    let owner: String
    let handle: Handle?
    private var contents: [TableColumn]?
    private var readers: [ColumnReader]?
    private unowned let router: Router

    /// A table with its contents.
    ///
    /// - Parameter columns: of one length, with different names.
    init(
        _ columns: [(name: String, column: TableColumn)], rows: Int, kind: String = "meta.Table",
        details: Object.Entries = [:], owner: String = HandleTable.meta, router: Router
    ) {
        self.rows = rows
        foreignType = kind
        self.columns = columns.map { ($0.name, $0.column.format) }
        self.details = details
        self.owner = owner
        handle = nil
        contents = columns.map(\.column)
        self.router = router
        super.init(name: kind, signature: "(\(Printer.sanitizedLine(kind)) …)")
    }

    /// The table of a record.
    ///
    /// - Throws: `wire/unreadable`.
    convenience init(_ record: TableRecord, router: Router) throws(Failure) {
        let columns = try record.columns.map { name, contents throws(Failure) in
            (name: name, column: try TableColumn(contents, rows: record.rows, name: name))
        }
        let owner = columns.lazy.flatMap { $0.column.parts }.first?.array.owner
        self.init(
            columns, rows: record.rows, kind: record.kind, details: record.details, owner: owner ?? HandleTable.meta,
            router: router)
    }

    /// A table whose contents are with its owner.
    ///
    /// - Throws: `wire/unreadable`.
    init(_ record: TableRecord, live handle: Handle, router: Router) throws(Failure) {
        rows = record.rows
        foreignType = record.kind
        columns = try record.columns.map { name, format throws(Failure) in
            guard case .string(let format) = format else {
                throw Failure("wire/unreadable", "a Table cannot be read: a live column is its format")
            }
            return (name, format.string)
        }
        details = record.details
        owner = handle.record.reference.owner
        self.handle = handle
        self.router = router
        super.init(name: record.kind, signature: "(\(Printer.sanitizedLine(record.kind)) …)")
    }

    override var isData: Bool { true }
    override var isCallable: Bool { false }
    override var kindName: String { "table" }

    /// `<py pandas.DataFrame 3 × 2>`; nothing in it moves a cursor.
    override var form: String {
        "<" + Printer.sanitizedLine("\(owner) \(foreignType) \(rows) × \(columns.count)") + ">"
    }

    // MARK: Contents

    var isLive: Bool { contents == nil }

    func pin(_ published: Function) throws(Failure) {
        guard let table = published as? TableObject, let contents = table.contents, table.rows == rows,
            table.columns.map(\.name) == columns.map(\.name)
        else { throw Failure("wire/unreadable", "a table's contents are a Table of its columns") }
        self.contents = contents
    }

    /// - Throws: what `Router.prerequisite` knows while they are with their owner.
    func here() throws(Failure) -> [TableColumn] {
        guard let contents else { throw router.lacks([self]) }
        return contents
    }

    private func opened() throws(Failure) -> [ColumnReader] {
        if let readers { return readers }
        let names = columns.map(\.name)
        let made = try zip(names, try here()).map { name, column throws(Failure) in
            try ColumnReader(column, name: name)
        }
        readers = made
        return made
    }

    func crossing() throws(Failure) -> BufferText {
        var references: [Reference] = []
        var text = Array("{\"_type\":\"Table\",\"rows\":\(rows),\"kind\":".utf8)
        text += try JSON.bytes(.text(foreignType)) + Array(",\"columns\":[".utf8)
        for (place, column) in try here().enumerated() {
            text += Array(place == 0 ? "[".utf8 : ",[".utf8)
            text += try JSON.bytes(.text(columns[place].name)) + Array(",".utf8) + (try column.text(&references))
            text += Array("]".utf8)
        }
        text += Array("]".utf8)
        for (name, detail) in details {
            text += Array(",\"\(name.string)\":".utf8) + (try JSON.bytes(detail))
        }
        return BufferText(text: text + Array("}".utf8), references: references)
    }

    /// What results show of it, not to be read back.
    var shownRecord: Value {
        var formats = Object.Entries()
        for (name, format) in columns { formats[Key(name)] = .text(format) }
        return .object(
            Object([
                "_type": .text("Table"), "rows": .int(rows), "kind": .text(foreignType),
                "columns": .object(Object(formats)),
            ]))
    }

    // MARK: Rows and columns

    /// - Throws: `eval/key` for a name that no column has.
    func place(_ name: String) throws(Failure) -> Int {
        guard let place = columns.firstIndex(where: { $0.name == name }) else {
            let names = columns.prefix(20).map { Printer.quoted($0.name) }.joined(separator: " ")
            throw Failure(
                "eval/no-member", "the table has no column \(Printer.quoted(name))", help: "its columns are \(names)")
        }
        return place
    }

    /// The array that a column is, or a vector of its items where it is more than numbers.
    func column(_ name: String) throws(Failure) -> Value {
        let place = try place(name)
        if let array = try here()[place].plain { return .function(array) }
        let reader = try opened()[place]
        try checkSize()
        return .vector(Items(try (0..<rows).map { row throws(Failure) in try reader.item(row) }))
    }

    /// - Throws: `eval/size` for more rows than a vector has items.
    func checkSize() throws(Failure) {
        guard rows <= Limit.items else {
            throw Failure("eval/size", "a table of \(rows) rows is more than \(Limit.items)")
        }
    }

    func record(_ row: Int) throws(Failure) -> Value {
        var fields = Object.Entries(minimumCapacity: columns.count)
        for (column, reader) in zip(columns, try opened()) { fields[Key(column.name)] = try reader.item(row) }
        return .object(Object(fields))
    }

    func records(_ range: Range<Int>) throws(Failure) -> Value {
        .vector(Items(try range.map { row throws(Failure) in try record(row) }))
    }

    /// The same with these columns only, over the same memory.
    func selecting(_ names: [String]) throws(Failure) -> TableObject {
        let all = try here()
        let chosen = try names.map { name throws(Failure) in (name: name, column: all[try place(name)]) }
        guard Set(names).count == names.count else { throw Failure("eval/type", "a column is chosen twice") }
        return TableObject(chosen, rows: rows, owner: owner, router: router)
    }

    // MARK: What its owner is asked

    override func call(_ path: [String], _ arguments: inout Arguments, in fiber: Fiber) throws(Failure) -> Step {
        try remote(path).call(path, &arguments, in: fiber)
    }

    override func fetch(_ path: [String], in fiber: Fiber) throws(Failure) -> Step {
        try remote(path).fetch(path, in: fiber)
    }

    override func assign(_ path: [String], _ value: Value, in fiber: Fiber) throws(Failure) -> Step {
        try remote(path).assign(path, value, in: fiber)
    }

    private func remote(_ path: [String]) throws(Failure) -> Handle {
        try remote(
            path, "table", help: "(table.columns t), (get t \"name\"), (get t 0); (functions) lists what there is")
    }

    override func ask(_ question: Question, in fiber: Fiber) throws(Failure) -> Step {
        switch question {
        case .length: return .value(.int(rows))
        case .members, .documentation, .setItem:
            if let handle { return try handle.ask(question, in: fiber) }
            if case .setItem = question { throw Failure("eval/type", "a table does not change") }
            if case .members = question { return .value(.vector(Items(columns.map { .text($0.name) }))) }
            return .value(.null)
        case .item(let key):
            return try router.publish(self, in: fiber) { [self] () throws(Failure) in try item(try key.unwrapped()) }
        case .items(let limit):
            return try router.publish(self, in: fiber) { [self] () throws(Failure) in try items(from: 0, limit) }
        case .copy:
            try checkSize()
            return try router.publish(self, in: fiber) { [self] () throws(Failure) in try records(0..<rows) }
        case .equality(let other):
            guard let other = try RemoteObject.find(in: other) as? TableObject, other.rows == rows,
                other.columns.map(\.name) == columns.map(\.name)
            else { return .value(.bool(false)) }
            for table in [self, other] { _ = try table.here() }
            for row in 0..<rows where try !Value.equal(try record(row), try other.record(row)) {
                return .value(.bool(false))
            }
            return .value(.bool(true))
        }
    }

    private func item(_ key: Value) throws(Failure) -> Value {
        if case .int(let row) = key {
            guard row >= -rows, row < rows else {
                throw Failure("eval/index", "row \(row) of a table of \(rows) rows")
            }
            return try record(row < 0 ? row + rows : row)
        }
        guard let name = key.nameText else {
            throw Failure("eval/type", "a table has rows by number and columns by name, got \(Describe.short(key))")
        }
        return try column(name)
    }

    /// `[items rest]`.
    fileprivate func items(from start: Int, _ limit: Int) throws(Failure) -> Value {
        let end = min(rows, start + limit)
        let rest: Value = end < rows ? .function(RestOfTable(self, from: end)) : .null
        return .vector(Items([try records(start..<end), rest]))
    }
}

/// The rows of a table that somebody who goes through them has not seen yet.
private final class RestOfTable: RemoteObject {
    private let table: TableObject
    private let start: Int

    init(_ table: TableObject, from start: Int) {
        self.table = table
        self.start = start
        super.init(name: "rows", signature: "(rows)")
    }

    override func ask(_ question: Question, in fiber: Fiber) throws(Failure) -> Step {
        guard case .items(let limit) = question else { return try super.ask(question, in: fiber) }
        return .value(try table.items(from: start, limit))
    }
}
