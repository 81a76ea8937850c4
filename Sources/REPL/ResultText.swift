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
        let text = Printer.layout(value, width: width)
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
        let data = String(decoding: try Envelope.encode(Self.shown(try value.unwrapped())), as: UTF8.self)
        let parts = [
            "{\"_type\":\"MetaObject\",\"source\":", try JSON.text(.text(source)), ",\"data\":", data,
            ",\"provenance\":", try JSON.text(origin), "}",
        ]
        return parts.joined()
    }

    /// A function has no JSON form of its own; it is shown as what it is, not to be read back.
    private static func shown(_ value: Value) -> Value {
        guard case .function(let function) = value else { return value }
        return .tagged(
            Tagged(
                type: "Ref",
                fields: Object(["owner": .text("meta"), "type": .text("function"), "repr": .text(function.signature)])))
    }

    private func rawText(_ value: Value) throws(Failure) -> String? {
        switch try value.unwrapped() {
        case .null: nil
        case .string(let text): text.string
        case let data: String(decoding: try Envelope.encode(Self.shown(data)), as: UTF8.self)
        }
    }
}
