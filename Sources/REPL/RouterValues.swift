import Evaluator
import Language
import Sessions
import Wire

/// Replies as values, and errors as diagnostics.
extension Router {
    /// A body short enough to be read at once, so that the ledger can show the value.
    private static let shortBody = 512

    /// The MetaObject for a reply; for a shell command, its output as text.
    func value(
        of reply: Reply, _ body: [UInt8], _ output: [UInt8]?, _ errorTail: String, _ entry: (String) -> Ledger.Entry
    ) throws(Failure) -> Value {
        if let output {
            let status = reply.status ?? 0
            guard status == 0 else { throw machine.failure(Self.failed(status, output, errorTail, entry("").source)) }
            let text = try ShellOutput.text(output)
            return wrap(text, entry(Describe.summary(text)))
        }
        if body.isEmpty { return .null }
        guard body.count <= Self.shortBody else {
            let number = machine.ledger.record(entry(String(decoding: body.prefix(30), as: UTF8.self) + "…"))
            let parcel = handles.parcel(body, reply.references, reply.sharing)
            return .meta(MetaObject(source: entry("").source, number: number, parcel: parcel))
        }
        if let contents = try longContents(body, reply) {
            let number = machine.ledger.record(entry(try contents.summary()))
            let parcel = handles.parcel(body, reply.references, reply.sharing, book: contents)
            return .meta(MetaObject(source: entry("").source, number: number, parcel: parcel))
        }
        let data = try handles.decode(body, reply.references)
        if case .null = data { return .null }
        return wrap(data, entry(Describe.summary(data)))
    }

    /// The error for a shell command that ended with a status other than 0.
    static func failed(_ status: Int, _ output: [UInt8], _ errorTail: String, _ session: String) -> Diagnostic {
        Diagnostic(
            code: "runtime/status", message: "the command ended with status \(status)",
            help: "(sh:run \"…\") never raises and gives status, stdout and stderr", session: session,
            data: .object(
                Object([
                    "status": .int(status), "stdout": .text(String(decoding: output, as: UTF8.self)),
                    "stderr": .text(errorTail),
                ])))
    }

    func wrap(_ data: Value, _ entry: Ledger.Entry) -> Value {
        let number = machine.ledger.record(entry)
        if case .function(let function) = data, let handle = function as? Handle {
            handle.number = handle.number ?? number
        }
        return .meta(MetaObject(source: entry.source, number: number, data: data))
    }
}

/// What a shell command wrote, as text.
enum ShellOutput {
    /// - Throws: `value/utf8` for bytes that are no text.
    static func text(_ bytes: [UInt8]) throws(Failure) -> Value {
        let body = bytes.last == 0x0A ? bytes.dropLast() : bytes[...]
        guard let text = String(validating: body, as: UTF8.self) else {
            throw Failure(
                "value/utf8", "the command wrote bytes that are not UTF-8", help: "(sh:bytes \"…\") gives them as bytes"
            )
        }
        return .text(text)
    }
}
