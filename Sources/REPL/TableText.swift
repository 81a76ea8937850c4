import Evaluator
import Language
import Wire

/// How a result that is a table is written: its first rows in columns, and how many there are.
extension Router {
    private static let shownRows = 20
    private static let cellWidth = 40

    func text(_ table: TableObject, width: Int) -> String {
        let size =
            "\(table.rows) row\(table.rows == 1 ? "" : "s") × \(table.columns.count) column\(table.columns.count == 1 ? "" : "s")"
        if let handle = table.handle, table.isLive, !handles.has(handle.lease) { return table.form + "  ; stale" }
        guard !table.columns.isEmpty else { return size }
        guard table.rows > 0 else { return Self.names(table) + "\n" + size }
        do throws(Failure) {
            let shown = try head(of: table)
            let count = min(Self.shownRows, table.rows)
            let rows = try (0..<count).map { row throws(Failure) in
                guard case .object(let record) = try shown.record(row) else { return [String]() }
                return record.entries.values.map(Self.cell)
            }
            return Self.layout(table, rows, width).joined(separator: "\n")
                + (count < table.rows ? "\n…\n" : "\n") + size
        } catch {
            return table.form + "  ; " + Printer.sanitizedLine(error.message)
        }
    }

    private static func names(_ table: TableObject) -> String {
        table.columns.map { cut(Printer.sanitizedLine($0.name)) }.joined(separator: "  ")
    }

    /// A table with the first rows at least: of one that is with its owner a part that is asked for.
    private func head(of table: TableObject) throws(Failure) -> TableObject {
        guard table.isLive, let handle = table.handle else { return table }
        var request = Request(.publish)
        request.count = Self.shownRows
        request.reference = handle.record.reference.number
        guard case .answered(let answer) = ask(request, of: handle.record.reference.owner) else {
            throw Failure("session/busy", "its owner is busy")
        }
        guard let head = try RemoteObject.find(in: try handles.decode(answer.body, [])) as? TableObject,
            head.rows == min(table.rows, Self.shownRows), head.columns.map(\.name) == table.columns.map(\.name)
        else { throw Failure("wire/unreadable", "its owner did not give its first rows") }
        return head
    }

    private static func cell(_ value: Value) -> String {
        switch value {
        case .string(let text): cut(Printer.sanitizedLine(String(text.string.prefix(4 * cellWidth))))
        case .tagged(let tagged) where tagged.tag != .bytes: cut(Printer.sanitizedLine(tagged.text ?? ""))
        default: cut(Printer.text(value, limit: 2 * cellWidth))
        }
    }

    private static func cut(_ text: String) -> String {
        text.count > cellWidth ? text.prefix(cellWidth - 1) + "…" : text
    }

    /// The lines: names and cells one under the other, numbers to the right; columns that do not fit are an ellipsis.
    private static func layout(_ table: TableObject, _ rows: [[String]], _ width: Int) -> [String] {
        var lines = [String](repeating: "", count: rows.count + 1)
        var used = 0
        for (place, column) in table.columns.enumerated() {
            let cells = [cut(Printer.sanitizedLine(column.name))] + rows.map { $0[place] }
            let size = cells.map(\.count).max() ?? 0
            let isLast = place == table.columns.count - 1
            guard place == 0 || used + 2 + size + (isLast ? 0 : 3) <= width else {
                for line in lines.indices { lines[line] += "  …" }
                break
            }
            let isNumber = ColumnFormat.isNumber(column.format)
            for (line, cell) in cells.enumerated() {
                let space = String(repeating: " ", count: size - cell.count)
                lines[line] += (place == 0 ? "" : "  ") + (isNumber ? space + cell : cell + space)
            }
            used += size + (place == 0 ? 0 : 2)
        }
        return lines.map { line in
            String(line.reversed().drop { $0 == " " }.reversed())
        }
    }
}
