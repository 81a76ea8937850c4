import Evaluator
import Language
import Wire

/// `table` and `table.*`: named columns that cross as they are.
extension Router {
    func registerTables() {
        registerTableMaking()
        addTable(
            "(table.columns table)", 1...1, "The names of the columns. Answered without asking anybody.",
            "(table.columns (table {n [1 2] s [\"a\" null]})) => [\"n\" \"s\"]"
        ) { table, _ in .vector(Items(table.columns.map { .text($0.name) })) }
        addTable(
            "(table.formats table)", 1...1,
            "What each column holds, by Arrow's names. Answered without asking anybody.",
            "(table.formats (table {n [1 2] s [\"a\" null]})) => {n \"int64\" s \"utf8\"}"
        ) { table, _ in
            var formats = Object.Entries()
            for (name, format) in table.columns { formats[Key(name)] = .text(format) }
            return .object(Object(formats))
        }
        addTable(
            "(table.rows table)", 1...1, "How many rows there are. Answered without asking anybody.",
            "(table.rows (table {n [1 2]})) => 2"
        ) { table, _ in .int(table.rows) }
        addTable(
            "(table.column table name)", 2...2,
            "A column: the array that it is, or a vector of its items where it is more than numbers. (get table name) is the same.",
            "(table.column (table {s [\"a\" null]}) \"s\") => [\"a\" null]",
            "(buffer.sum (table.column (table {n [1 2]}) \"n\")) => 3"
        ) { table, arguments throws(Failure) in try table.column(try arguments.string(1)) }
        addTable(
            "(table.head table …count)", 1...2, "The first rows as objects, 10 unless said otherwise.",
            "(table.head (table {n [1 2 3]}) 2) => [{n 1} {n 2}]"
        ) { table, arguments throws(Failure) in
            var count = 10
            if arguments.count == 2 {
                guard case .int(let number) = try arguments.data(1), number >= 0 else {
                    throw arguments.wrong(1, "a number of rows")
                }
                count = number
            }
            return try table.records(0..<min(count, table.rows))
        }
        addTable(
            "(table.records table)", 1...1, "All rows as objects, as (fetch table) gives them.",
            "(table.records (table {n [1] s [\"a\"]})) => [{n 1 s \"a\"}]"
        ) { table, _ throws(Failure) in
            try table.checkSize()
            return try table.records(0..<table.rows)
        }
        addTable(
            "(table.select table names)", 2...2, "A table of these columns only, in this order, over the same memory.",
            "(table.columns (table.select (table {a [1] b [2] c [3]}) [\"c\" \"a\"])) => [\"c\" \"a\"]"
        ) { table, arguments throws(Failure) in
            let names = try arguments.items(1).map { item throws(Failure) in
                guard let name = try item.unwrapped().nameText else {
                    throw arguments.wrong(1, "a vector of names")
                }
                return name
            }
            return .function(try table.selecting(names))
        }
        machine.register(
            Builtin(
                "(table? value)", arity: 1...1, lineage: .plain,
                documentation: Documentation(
                    "Whether the value is a table.", examples: ["(table? (table {n [1 2]})) => true"])
            ) { arguments throws(Failure) in .bool(try RemoteObject.find(in: arguments[0]) is TableObject) })
    }

    /// Adds a function over a table, as `addBuffer` does.
    private func addTable(
        _ signature: String, _ arity: ClosedRange<Int>, _ text: String, _ examples: String...,
        body: @escaping (TableObject, inout Arguments) throws(Failure) -> Value
    ) {
        addBuffer(signature, arity, text, examples: examples) { arguments throws(Failure) in
            guard let table = try RemoteObject.find(in: arguments[0]) as? TableObject else {
                throw arguments.wrong(0, "a table")
            }
            return try body(table, &arguments)
        }
    }

    private func registerTableMaking() {
        let text =
            "A table: of an object of columns (vectors or arrays of one length), of a vector of objects (a key that one lacks is "
            + "null), or of a runtime's table. A column's items are of one type or null: texts, numbers, booleans, bytes, dates, datetimes."
        let examples = [
            "(table.records (table [{n 1} {n 2 s \"a\"}])) => [{n 1 s null} {n 2 s \"a\"}]",
            "(count (table {n [1 2 3]})) => 3",
        ]
        machine.register(
            Control(
                "(table columns)", arity: 1...1, documentation: Documentation(text, examples: examples)
            ) { [unowned self] arguments, fiber throws(Failure) in
                if let object = try RemoteObject.find(in: arguments[0]) {
                    return try table(of: object, arguments, in: fiber)
                }
                let made =
                    switch try arguments.data(0) {
                    case .object(let columns): try TableObject.make(columns: columns.entries, router: self)
                    case .vector(let records), .list(let records):
                        try TableObject.make(records: records.elements, router: self)
                    case .null: try TableObject.make(records: [], router: self)
                    default: throw arguments.wrong(0, "an object of columns, a vector of objects, or a table")
                    }
                return .value(derive(.function(made), by: "table", arguments))
            })
    }

    /// The table that an object of a runtime is, with its contents: an owner that cannot say them says why.
    private func table(of object: RemoteObject, _ arguments: Arguments, in fiber: Fiber) throws(Failure) -> Step {
        if let table = object as? TableObject {
            let value = arguments[0]
            return try publish(table, in: fiber) { value }
        }
        guard let handle = object as? Handle else {
            throw arguments.wrong(0, "an object of columns, a vector of objects, or a table")
        }
        let handles = handles
        return try handle.ask(Request(.publish), Body(), fiber) { reply, body, _ throws(Failure) in
            let value = try handles.decode(body, reply.references)
            guard try RemoteObject.find(in: value) is TableObject else {
                throw Failure(
                    "eval/type", "\(handle.form) is no table", help: "(table (fetch x)) makes one of what it holds")
            }
            return value
        }
    }
}
