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
        self.message = message
        self.help = help
        self.span = span
    }
}
