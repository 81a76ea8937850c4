import Language
import Wire

/// How a result that is a handle is written: as the object is now, which may be another than when it crossed.
extension Router {
    /// The most lines of an object's own text that are shown.
    private static let lineLimit = 200

    /// The handle's text; a text of several lines, as tables have it, on lines of its own.
    func text(_ handle: Handle) -> String {
        guard let reason = staleness(handle) else { return current(handle) ?? handle.form }
        return handle.form + "  ; " + reason
    }

    private func staleness(_ handle: Handle) -> String? {
        do throws(Failure) {
            try handles.check(handle.lease)
            return nil
        } catch {
            return error.message
        }
    }

    private func current(_ handle: Handle) -> String? {
        guard let lines = currentLines(handle) else { return nil }
        guard lines.count > 1 else { return handle.form }
        let head = [handle.record.reference.owner, handle.record.type].map(Printer.sanitizedLine).joined(separator: " ")
        return "<\(head)\n\(lines.joined(separator: "\n"))>"
    }

    /// The object's text as it is now, which its record has from now on too; one line where its owner is busy or that is all.
    func currentLines(_ handle: Handle) -> [String]? {
        let record = handle.record
        guard case .object(let report)? = answer(Request(.inspect), of: handle) else { return nil }
        handle.record = ReferenceRecord(
            reference: record.reference, type: report["type"]?.nameText ?? record.type,
            repr: report["repr"]?.nameText ?? record.repr, isCallable: record.isCallable)
        guard !record.isCallable, handle.record.repr.contains("\\n"),
            sessions.language(of: record.reference.owner) == "py",
            case .string(let whole)? = answer(Request.call(["__repr__"]), of: handle, arguments: true)
        else { return [handle.record.repr] }
        let lines = Printer.sanitized(whole.string).split(separator: "\n", omittingEmptySubsequences: false)
        let rest = lines.count - Self.lineLimit
        return lines.prefix(Self.lineLimit).map(String.init) + (rest > 0 ? ["… \(rest) more lines"] : [])
    }

    /// What the owner says when it is free; an object that comes back as a handle is nothing here.
    func answer(_ request: Request, of handle: Handle, arguments: Bool = false) -> Value? {
        var request = request
        request.reference = handle.record.reference.number
        let body = arguments ? Array("[[],{}]".utf8) : []
        guard case .answered(let answer) = ask(request, body: body, of: handle.record.reference.owner) else {
            return nil
        }
        return try? Envelope.decode(answer.body)
    }
}
