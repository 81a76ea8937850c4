/// An error as a value: what `catch` binds, `throw` raises and the screen shows.
public final class Diagnostic {
    public let code: String
    /// The foreign exception's type (`ZeroDivisionError`), or the code's own kind for errors of meta.
    public let type: String
    public let message: String
    public private(set) var help: String?
    /// The session that raised it, or `meta`.
    public let session: String
    public let data: Value
    public let cause: Value
    /// The exception itself, which stays with the session that raised it: its handle, or null.
    public let original: Value
    /// Levels of nesting below the error, so that chains of errors are capped as all data is.
    let depth: Int
    /// The envelope's fields of an error that came as a value: it goes on as it came.
    let carried: Object?
    /// Innermost first: those that came with the error from a session, then meta's own.
    public private(set) var frames: [Frame]
    private let foreignFrameCount: Int
    public private(set) var source: Source?
    public private(set) var span: Span?

    /// One step of a trace: a function, the source it is in, its line from 1, and that line's text when known.
    public struct Frame: Sendable, Equatable {
        public let function: String
        public let source: String
        public let line: Int
        public let text: String

        public init(function: String, source: String, line: Int, text: String) {
            self.function = function
            self.source = source
            self.line = line
            self.text = text
        }
    }

    public init(
        code: String, type: String = "", message: String, help: String? = nil, session: String = "meta",
        data: Value = .null, cause: Value = .null, original: Value = .null, frames: [Frame] = [], source: Source? = nil,
        span: Span? = nil,
        carried: Object? = nil
    ) {
        self.code = code
        self.type = type
        self.message = message
        self.help = help
        self.session = session
        self.data = data
        self.cause = cause
        self.original = original
        self.depth = carried.map { $0.depth + 1 } ?? max(data.depth, cause.depth) + 1
        self.carried = carried
        self.frames = frames
        foreignFrameCount = frames.count
        self.source = source
        self.span = span
    }

    public convenience init(_ failure: Failure, source: Source? = nil, span: Span? = nil) {
        self.init(
            code: failure.code, message: failure.message, help: failure.help, source: source,
            span: failure.span ?? span)
    }

    /// Adds a line of help.
    public func append(help text: String) {
        help = [help, text].compactMap { $0 }.joined(separator: "\n        ")
    }

    /// Says where the error happened, unless that is known already.
    public func locate(source: Source, span: Span) {
        guard self.source == nil else { return }
        self.source = source
        self.span = span
    }

    /// Every step from the outermost to where the error was raised, meta's own place included.
    public var trace: [Frame] {
        var trace = Array(frames[foreignFrameCount...].reversed())
        if let source, let span {
            let place = source.place(of: span.lower)
            let text = String(place.text.drop { $0 == " " }.prefix(100))
            trace.append(Frame(function: "", source: source.name, line: place.line, text: text))
        }
        return trace + frames[..<foreignFrameCount].reversed()
    }

    public func append(frame: Frame) {
        frames.append(frame)
    }

    /// The error's fields by the names that meta code reads them with (`e.message`).
    public func field(_ name: String) -> Value? {
        switch name {
        case "code": .text(code)
        case "type": .text(type)
        case "message": .text(message)
        case "help": help.map(Value.text) ?? .null
        case "source", "session": .text(session)
        case "data": data
        case "cause": cause
        case "original": original
        case "frames": .vector(Items(frames.map(\.value)))
        case "place": place
        default: nil
        }
    }

    public static let fieldNames = [
        "code", "type", "message", "data", "source", "frames", "cause", "help", "place", "original",
    ]

    private var place: Value {
        guard let source, let span else { return .null }
        let place = source.place(of: span.lower)
        return .text("\(source.name):\(place.line):\(place.column)")
    }
}

extension Diagnostic.Frame {
    var value: Value {
        .object(
            Object([
                "function": .text(function), "source": .text(source), "line": .int(line), "text": .text(text),
            ]))
    }
}
