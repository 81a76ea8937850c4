import Evaluator
import Language

/// Where values came from, as programs and people see it.
extension Router {
    func registerProvenance() {
        machine.register(
            Builtin(
                "(provenance value)", arity: 1...1, lineage: .plain,
                documentation: Documentation(
                    "Where a value came from: session, sequence, type, code, place, start (seconds since 1970), duration (µs), parents.",
                    examples: ["(get (provenance (+ (MetaObject \"py\" 1) 1)) :code) => \"+\""])
            ) { [unowned self] arguments in
                guard case .meta(let meta) = arguments[0] else { return .null }
                return provenance(meta.number)
            })
        machine.register(
            Builtin(
                "(why value)", arity: 1...1, lineage: .plain,
                documentation: Documentation(
                    "Prints where a value came from, and what that was made of.", examples: ["(why (py \"1 + 1\"))"])
            ) { [unowned self] arguments in
                console.program(Array((explanation(of: arguments[0]) + "\n").utf8))
                return .null
            })
    }

    func provenance(_ number: Int) -> Value {
        guard let entry = machine.ledger[number] else {
            return .object(Object(["sequence": .int(number), "dropped": .bool(true)]))
        }
        return .object(
            Object([
                "session": .text(entry.source), "sequence": .int(number), "type": .text(entry.foreignType),
                "code": .text(entry.code), "place": entry.location.map { .text($0.text) } ?? .null,
                "start": entry.start.map(Value.double) ?? .null, "duration": entry.duration.map(Value.double) ?? .null,
                "parents": .vector(Items(entry.parents.map(Value.int))),
            ]))
    }

    /// The tree of a value's parents, a line each.
    func explanation(of value: Value) -> String {
        guard case .meta(let meta) = value else { return "\(Describe.short(value))  never crossed: made in meta" }
        var rows: [Row] = []
        collect(meta.number, prefix: "", branch: "", into: &rows)
        let widths = (0..<3).map { column in rows.map { $0.width(column) }.max() ?? 0 }
        return rows.map { $0.text(widths) }.joined(separator: "\n")
    }

    private static let rowLimit = 200

    private struct Row {
        let value: String
        let source: String
        let code: String
        let duration: String

        func width(_ column: Int) -> Int { cells[column].unicodeScalars.count }

        private var cells: [String] { [value, source, code] }

        func text(_ widths: [Int]) -> String {
            let padded = zip(cells, widths).map { $0 + String(repeating: " ", count: $1 - $0.unicodeScalars.count) }
            var line = (padded + [duration]).joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    private func collect(_ number: Int, prefix: String, branch: String, into rows: inout [Row]) {
        guard rows.count < Self.rowLimit else { return }
        guard let entry = machine.ledger[number] else {
            rows.append(Row(value: branch + "…", source: "", code: "dropped from the ledger", duration: ""))
            return
        }
        rows.append(
            Row(
                value: branch + Printer.sanitized(entry.summary), source: entry.source, code: Self.short(entry.code),
                duration: entry.duration.map(Elapsed.text) ?? ""))
        for (index, parent) in entry.parents.enumerated() {
            let isLast = index == entry.parents.count - 1
            collect(
                parent, prefix: prefix + (isLast ? "   " : "│  "), branch: prefix + (isLast ? "└─ " : "├─ "),
                into: &rows)
        }
    }

    private static func short(_ code: String) -> String {
        let line = Printer.sanitized(code).split(separator: "\n").first.map(String.init) ?? ""
        return line.count < code.count || line.count > 60 ? String(line.prefix(58)) + "…" : line
    }
}

/// Times for people.
enum Elapsed {
    /// - Parameter microseconds: what a kernel measured.
    static func text(_ microseconds: Double) -> String {
        if microseconds < 99.5 { return "\(Int(microseconds.rounded())) µs" }
        if microseconds < 999_500 { return "\(rounded(microseconds / 1_000)) ms" }
        return "\(rounded(microseconds / 1_000_000)) s"
    }

    private static func rounded(_ value: Double) -> String {
        value < 9.95 ? "\((value * 10).rounded() / 10)" : "\(Int(value.rounded()))"
    }
}
