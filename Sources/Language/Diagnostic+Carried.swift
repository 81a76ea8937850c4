/// Errors that cross as values.
extension Diagnostic {
    /// - Parameter carried: the fields of the envelope's `Error`: code, type, message, frames, cause, data, language.
    /// - Throws: `wire/unreadable` for fields of another kind; those that are not there are empty.
    convenience init(carried: Object) throws(Failure) {
        let cause = carried["cause"] ?? .null
        self.init(
            code: try Self.text("code", of: carried) ?? "runtime/raised",
            type: try Self.text("type", of: carried) ?? "",
            message: try Self.text("message", of: carried) ?? "",
            session: try Self.text("language", of: carried) ?? "meta",
            data: carried["data"] ?? .null, cause: cause, frames: try Self.frames(of: carried), carried: carried)
    }

    private static func text(_ name: String, of fields: Object) throws(Failure) -> String? {
        switch fields[name] {
        case nil, .null?: return nil
        case .string(let text)?: return text.string
        default: throw Failure("wire/unreadable", "a malformed Error: \(name) must be a string")
        }
    }

    private static func frames(of fields: Object) throws(Failure) -> [Frame] {
        guard case .vector(let items)? = fields["frames"] else {
            if case .null = fields["frames"] ?? .null { return [] }
            throw Failure("wire/unreadable", "a malformed Error: frames must be a vector")
        }
        var frames: [Frame] = []
        for item in items.elements {
            guard case .object(let frame) = item else {
                throw Failure("wire/unreadable", "a malformed Error: a frame must be an object")
            }
            var line = 0
            if case .int(let number)? = frame["line"] { line = number }
            frames.append(
                Frame(
                    function: try text("function", of: frame) ?? "", source: try text("source", of: frame) ?? "",
                    line: line, text: try text("text", of: frame) ?? ""))
        }
        return frames
    }
}
