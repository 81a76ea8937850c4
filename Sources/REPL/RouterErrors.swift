import Evaluator
import Language
import Wire

/// Errors as they cross: what a session raised as a diagnostic, and a diagnostic as a session hears it.
extension Router {
    /// The error that a session's answer stands for, kept by the machine.
    func thrown(_ error: ErrorHeader, _ body: [UInt8], session: String) -> Failure {
        machine.failure(diagnostic(error, body, session: session))
    }

    func diagnostic(_ error: ErrorHeader, _ body: [UInt8], session: String) -> Diagnostic {
        // What an exception carries is worth less than the exception: when it cannot be read, it is left out.
        let data = body.isEmpty ? nil : try? handles.decode(body, error.references)
        var cause = Value.null
        for next in error.causes.reversed() { cause = .error(diagnostic(next, .null, cause, session: session)) }
        return diagnostic(error, data ?? .null, cause, original: original(of: error), session: session)
    }

    private func original(of error: ErrorHeader) -> Value {
        guard let reference = error.original, error.references.contains(reference) else { return .null }
        let record = ReferenceRecord(
            reference: reference, type: error.type ?? "", repr: error.message, isCallable: false)
        return (try? handles.value(of: record)) ?? .null
    }

    private func diagnostic(
        _ error: ErrorHeader, _ data: Value, _ cause: Value, original: Value = .null, session: String
    ) -> Diagnostic {
        let frames = error.frames.reversed().map {
            Diagnostic.Frame(
                function: $0.function ?? "", source: $0.source ?? session, line: $0.line ?? 1, text: $0.text ?? "")
        }
        return Diagnostic(
            code: error.code, type: error.type ?? "", message: message(error), help: help(error, session),
            session: origin(of: error, passedOnBy: session), data: data, cause: cause, original: original,
            frames: frames)
    }

    /// The session whose error it is: a session may pass on what another one raised.
    private func origin(of error: ErrorHeader, passedOnBy session: String) -> String {
        if let owner = error.original?.owner, error.language == nil || sessions.language(of: owner) == error.language {
            return owner
        }
        guard let language = error.language, language != sessions.language(of: session) else { return session }
        return language
    }

    private func message(_ error: ErrorHeader) -> String {
        guard let path = error.path, !path.isEmpty, !error.message.contains(path) else { return error.message }
        return "\(error.message), at \(path)"
    }

    private func help(_ error: ErrorHeader, _ session: String) -> String? {
        if let lost = error.lost { return "lost: \(lost)" }
        if let name = unknownName(error), origin(of: error, passedOnBy: session) == session {
            if name == "meta", sessions.language(of: session) == "py" { return "import meta" }
            if machine.globals.boundNames.contains(name), !machine.libraryNames.contains(name) {
                return "\(name) is a name of meta: (\(session) \"…\" :\(name) \(name)) passes its value"
            }
        }
        if error.code == "eval/arity", sessions.language(of: session) == "js" {
            return "JavaScript's map and its like pass item, index and array: x => f(x) passes one"
        }
        if error.type == "NameError", console.hintsAtQuotes {
            return "in a one-liner the outer shell takes quotes away: meta -e '(py \"…\")'"
        }
        if error.code == "value/uncopyable" {
            return "keep it there, (py \"x = …\"), and work with it by name, or convert it: str(x), list(x), x.tolist()"
        }
        return nil
    }

    /// The name that Python or JavaScript does not know.
    private func unknownName(_ error: ErrorHeader) -> String? {
        guard error.type == "NameError" || error.type == "ReferenceError",
            let end = error.message.firstRange(of: " is not defined")
        else { return nil }
        let words = error.message[..<end.lowerBound].split(separator: " ")
        return words.last.map { String($0.filter { $0 != "'" }) }
    }

    // MARK: Outwards

    private static let frameLimit = 100

    /// The error as a session hears it: the header, and what it carries.
    func message(of diagnostic: Diagnostic, for session: String) -> (header: ErrorHeader, body: [UInt8]) {
        var header = header(of: diagnostic)
        guard !sessions.isPlain(session) else { return (header, []) }
        // What cannot cross is left out: the error itself must arrive.
        var body = Body()
        if case .null = diagnostic.data {} else { body = (try? encode(diagnostic.data, for: session)) ?? Body() }
        header.references = body.references
        if case .function(let function) = diagnostic.original, let handle = function as? Handle,
            (try? encode(diagnostic.original, for: session)) != nil
        {
            header.original = handle.record.reference
            if !body.references.contains(handle.record.reference) { header.references.append(handle.record.reference) }
        }
        return (header, body.bytes)
    }

    private func header(of diagnostic: Diagnostic) -> ErrorHeader {
        var header = shortHeader(of: diagnostic)
        var next = diagnostic.cause
        while case .error(let cause) = next, header.causes.count < 16 {
            header.causes.append(shortHeader(of: cause))
            next = cause.cause
        }
        return header
    }

    private func shortHeader(of diagnostic: Diagnostic) -> ErrorHeader {
        let isInterrupt = diagnostic.code == Machine.interrupted.code
        var header = ErrorHeader(
            code: isInterrupt ? "runtime/interrupted" : diagnostic.code, message: diagnostic.message,
            type: diagnostic.type.isEmpty ? nil : diagnostic.type)
        header.language = sessions.language(of: diagnostic.session) ?? diagnostic.session
        if case .object(let data) = diagnostic.data, case .int(let status)? = data["status"] {
            header.status = diagnostic.code == "runtime/status" ? status : nil
        }
        var frames = diagnostic.trace.map {
            StackFrame(function: $0.function, source: $0.source, line: $0.line, text: $0.text)
        }
        if frames.count > Self.frameLimit {
            frames.removeSubrange(Self.frameLimit / 2..<frames.count - Self.frameLimit / 2)
        }
        header.frames = frames
        return header
    }
}
