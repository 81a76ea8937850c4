/// An error on its way out of a pure function: what is wrong, before it is known where.
///
/// `code` is stable (`reader/unclosed`, `eval/arity`); the message is lower case without a full stop and says what was
/// wrong, what is allowed and what was given.
public struct Failure: Error, Sendable {
    public let code: String
    public let message: String
    public var help: String?
    public var span: Span?

    public init(_ code: String, _ message: String, help: String? = nil, span: Span? = nil) {
        self.code = code
        self.message = Self.cut(message)
        self.help = help.map(Self.cut)
        self.span = span
    }

    /// A message quotes what a program or another process made, which may be of any size.
    private static func cut(_ text: String) -> String {
        let limit = 2_000
        guard text.utf8.count > limit else { return text }
        return String(text.unicodeScalars.prefix(limit / 2)) + "…" + String(text.unicodeScalars.suffix(100))
    }
}
