/// What crosses of a table: its columns by their names, or what they are like while they are with their owner.
public struct TableRecord {
    public let rows: Int
    /// What it is at home: `pandas.DataFrame`.
    public let kind: String
    /// Of each column its contents, an array or a `Column`; of a live table its format, a text.
    public let columns: [(name: String, contents: Value)]
    /// What only those look at who know its kind; it travels on as it came.
    public let details: Object.Entries
    /// The table at its owner, where its contents still are.
    public let live: ReferenceRecord?

    static let detailNames: [Key] = ["index", "dtypes", "label", "names", "freq", "enums"]

    /// - Parameter reference: what the record names, already seen to be listed by its frame.
    /// - Throws: `wire/unreadable` for a record that is none.
    init(_ fields: Object, _ reference: Reference?) throws(Failure) {
        guard case .int(let rows)? = fields["rows"], rows >= 0, rows < 1 << 53 else {
            throw Self.unreadable("it has no rows")
        }
        guard case .vector(let pairs)? = fields["columns"] else { throw Self.unreadable("it has no columns") }
        var names: Set<String> = []
        columns = try pairs.elements.map { pair throws(Failure) in
            guard case .vector(let parts) = pair, parts.elements.count == 2, case .string(let name) = parts.elements[0]
            else { throw Self.unreadable("a column is not a name and its contents") }
            guard names.insert(name.string).inserted else {
                throw Self.unreadable("two columns have the name \(Printer.quoted(name.string))")
            }
            return (name.string, parts.elements[1])
        }
        self.rows = rows
        kind = fields["kind"]?.nameText ?? "meta.Table"
        var details = Object.Entries()
        for name in Self.detailNames { details[name] = fields.entries[name] }
        self.details = details
        live = reference.map {
            ReferenceRecord(
                reference: $0, type: fields["type"]?.nameText ?? "", repr: fields["repr"]?.nameText ?? "",
                isCallable: false)
        }
    }

    private static func unreadable(_ why: String) -> Failure {
        Failure("wire/unreadable", "a Table cannot be read: \(why)")
    }
}
