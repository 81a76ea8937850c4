import Evaluator
import Language

/// How results are written.
public enum OutputForm: Sendable {
    /// The readable form, with a runtime's value's provenance as a trailing comment.
    case pretty
    /// A MetaObject as JSON, one line.
    case json
    /// Bare data: a string without quotes, anything else as JSON.
    case raw
}

extension Router {
    /// The text of a result; nil when nothing is to be written.
    func text(_ value: Value, as form: OutputForm, width: Int) throws(Failure) -> String? {
        switch form {
        case .pretty: try prettyText(value, width: width)
        case .json: try jsonText(value)
        case .raw: try rawText(value)
        }
    }

    private func prettyText(_ value: Value, width: Int) throws(Failure) -> String? {
        let data = try value.unwrapped()
        if case .null = data { return nil }
        if case .tagged(let tagged) = data, tagged.type == "Undefined" { return nil }
        if case .error(let error) = data { return error.report }
        let text =
            if case .function(let function) = data, let buffer = function as? BufferObject {
                self.text(buffer)
            } else if case .function(let function) = data, let table = function as? TableObject {
                self.text(table, width: width)
            } else if case .function(let function) = data, let handle = function as? Handle {
                self.text(handle)
            } else {
                Printer.layout(value, width: width)
            }
        guard let comment = comment(value) else { return text }
        return text + "  ; " + comment
    }

    /// `py int 0.2 ms`, for a value as a runtime gave it.
    private func comment(_ value: Value) -> String? {
        guard case .meta(let meta) = value, let entry = machine.ledger[meta.number], let duration = entry.duration
        else {
            return nil
        }
        return [entry.source, entry.foreignType, Elapsed.text(duration)].filter { !$0.isEmpty }.joined(separator: " ")
    }

    private func jsonText(_ value: Value) throws(Failure) -> String {
        var source = "meta"
        var origin = Value.null
        if case .meta(let meta) = value {
            source = meta.source
            origin = provenance(meta.number)
        }
        let data = String(decoding: try Self.shown(try value.unwrapped()), as: UTF8.self)
        let parts = [
            "{\"_type\":\"MetaObject\",\"source\":", try JSON.text(.text(source)), ",\"data\":", data,
            ",\"provenance\":", try JSON.text(origin), "}",
        ]
        return parts.joined()
    }

    private static func shown(_ value: Value) throws(Failure) -> [UInt8] {
        try Envelope.encode(value, book: ShownReferences()).bytes
    }

    private func rawText(_ value: Value) throws(Failure) -> String? {
        switch try value.unwrapped() {
        case .null: nil
        case .string(let text): text.string
        case let data: String(decoding: try Self.shown(data), as: UTF8.self)
        }
    }
}

/// Functions and handles as results show them: as what they are, not to be read back.
private final class ShownReferences: OutgoingBook {
    func record(of function: Function) -> ReferenceRecord {
        if let handle = function as? Handle { return handle.record }
        return ReferenceRecord(
            reference: Reference(owner: HandleTable.meta, generation: 1, number: 0), type: "function",
            repr: Printer.sanitizedLine(function.signature), isCallable: true)
    }

    func buffer(of function: Function) throws(Failure) -> BufferText? {
        if let table = function as? TableObject { return BufferText(text: try JSON.bytes(table.shownRecord)) }
        guard let buffer = function as? BufferObject else { return nil }
        return BufferText(text: try JSON.bytes(buffer.shownRecord))
    }

    func passes(_ parcel: Parcel) -> Bool { false }
}
