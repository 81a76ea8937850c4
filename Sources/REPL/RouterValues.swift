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
            return .meta(MetaObject(source: entry("").source, number: number, body: body))
        }
        let data = try Envelope.decode(body)
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
        .meta(MetaObject(source: entry.source, number: machine.ledger.record(entry), data: data))
    }

    /// The error that a session's answer stands for, kept by the machine.
    ///
    func thrown(_ error: ErrorHeader, session: String) -> Failure {
        machine.failure(diagnostic(error, session: session))
    }

    private func diagnostic(_ error: ErrorHeader, session: String) -> Diagnostic {
        let frames = error.frames.reversed().map {
            Diagnostic.Frame(
                function: $0.function ?? "", source: $0.source ?? session, line: $0.line ?? 1, text: $0.text ?? "")
        }
        var cause = Value.null
        for next in error.causes.reversed() {
            let inner = diagnostic(next, session: session)
            cause = .error(
                Diagnostic(
                    code: inner.code, type: inner.type, message: inner.message, session: session, cause: cause,
                    frames: inner.frames))
        }
        return Diagnostic(
            code: error.code, type: error.type ?? "", message: message(error), help: help(error), session: session,
            cause: cause, frames: frames)
    }

    private func message(_ error: ErrorHeader) -> String {
        guard let path = error.path, !path.isEmpty, !error.message.contains(path) else { return error.message }
        return "\(error.message), at \(path)"
    }

    /// What the kernels call functions.
    private static let callables: Set = ["function", "builtin_function_or_method", "method", "type", "Function"]

    private func help(_ error: ErrorHeader) -> String? {
        if let lost = error.lost { return "lost: \(lost)" }
        if error.type == "NameError", console.hintsAtQuotes {
            return "in a one-liner the outer shell takes quotes away: meta -e '(py \"…\")'"
        }
        if error.code == "value/uncopyable", Self.callables.contains(error.type ?? "") {
            return "a function stays in its runtime; #(py.f #) is a function of meta that calls it there"
        }
        if error.code == "value/uncopyable" {
            return "keep it there, (py \"x = …\"), and work with it by name, or convert it: str(x), list(x), x.tolist()"
        }
        return nil
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
