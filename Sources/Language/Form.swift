/// A value that was read, and where.
public struct Form {
    public let value: Value
    public let span: Span

    public init(_ value: Value, _ span: Span) {
        self.value = value
        self.span = span
    }
}

/// Why a text does not read.
public enum ReadError: Error {
    /// Some continuation of the text reads. The failure says what is open.
    case incomplete(Failure)
    /// No continuation reads.
    case malformed(Failure)

    public var failure: Failure {
        switch self {
        case .incomplete(let failure), .malformed(let failure): failure
        }
    }
}

/// The names that the evaluator treats as forms of the language rather than functions.
public enum SpecialForm: String, CaseIterable {
    case and, `case`, `catch`, cond, def, `do`, each, finally, fn, `if`, lambda, `let`, loop, macro, meta, or,
        quasiquote
    case quote, recur, set, `try`, unless, `var`, when, `while`
    case arrow = "=>"
    case threadFirst = "->"
    case threadLast = "->>"
    case pipe = "|>"
}
