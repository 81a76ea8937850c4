import Language

/// What a kernel says first.
public struct Hello: Equatable, Sendable {
    /// `major.minor`
    public var `protocol`: String
    public var language: String
    public var version: String
    public var operations: [String]
    public var buffers: String?
    /// Whether this kernel reads and writes plain fields instead of JSON.
    public var plain: Bool?
    public var executable: String?

    public init(
        protocol: String, language: String, version: String, operations: [String], buffers: String? = nil,
        plain: Bool? = nil, executable: String? = nil
    ) {
        self.protocol = `protocol`
        self.language = language
        self.version = version
        self.operations = operations
        self.buffers = buffers
        self.plain = plain
        self.executable = executable
    }

    init(_ fields: HeaderFields) throws(HeaderFields.Problem) {
        self.init(
            protocol: try fields.required(try fields.text("protocol"), "protocol"),
            language: try fields.text("language") ?? "", version: try fields.text("version") ?? "",
            operations: try fields.texts("operations") ?? [], buffers: try fields.text("buffers"),
            plain: try fields.flag("plain"), executable: try fields.text("executable"))
    }

    public var major: Int? { `protocol`.split(separator: ".").first.flatMap { Int($0) } }
}

/// A request's result; its value is the frame's body.
public struct Reply: Equatable, Sendable {
    public var re: Int
    /// The qualified type name as the language's users say it.
    public var type: String?
    /// Microseconds.
    public var elapsed: Double?
    /// A shell command's exit status.
    public var status: Int?
    /// Whether there are further items (`items`).
    public var more: Bool?
    /// Who has them.
    public var iterator: Reference?
    /// Every object that the body and `iterator` name.
    public var references: [Reference] = []
    public var sharing = Sharing()

    public init(re: Int, type: String? = nil, elapsed: Double? = nil, status: Int? = nil) {
        self.re = re
        self.type = type
        self.elapsed = elapsed
        self.status = status
    }

    init(_ fields: HeaderFields) throws(HeaderFields.Problem) {
        re = try fields.required(try fields.integer("re"), "re")
        type = try fields.text("type")
        elapsed = try fields.number("elapsed")
        status = try fields.integer("status")
        more = try fields.flag("more")
        iterator = try fields.reference("iterator")
        references = try fields.references("refs")
        sharing = try Sharing(fields)
    }

    /// The header of an answer to a kernel, which reads JSON or plain fields.
    public func header(plain: Bool = false) -> [UInt8] {
        if plain { return PlainFields.encode(["op", "ret", "re", String(re)]) }
        var out = Array("{\"op\":\"ret\",\"re\":\(re)".utf8)
        if let type { JSONText.appendMember("type", type, to: &out) }
        if let more { out.append(contentsOf: ",\"more\":\(more)".utf8) }
        if let iterator {
            out.append(contentsOf: ",\"iterator\":".utf8)
            JSONText.appendReference(iterator, to: &out)
        }
        JSONText.appendReferences(references, to: &out)
        out.append(125)
        return out
    }
}

extension Sharing {
    init(_ fields: HeaderFields) throws(HeaderFields.Problem) {
        self.init(isLive: try fields.flag("live") ?? false, isShared: try fields.flag("shared") ?? false)
    }
}

/// One place that an error passed through; the user's own code only.
public struct StackFrame: Equatable, Sendable {
    public var function: String?
    public var source: String?
    public var line: Int?
    public var text: String?

    public init(function: String? = nil, source: String? = nil, line: Int? = nil, text: String? = nil) {
        self.function = function
        self.source = source
        self.line = line
        self.text = text
    }

    init(_ fields: HeaderFields) throws(HeaderFields.Problem) {
        function = try fields.text("function")
        source = try fields.text("source")
        line = try fields.integer("line")
        text = try fields.text("text")
    }
}

/// Text that a kernel sends as a message instead of writing it to 1 or 2.
public struct OutputText: Equatable, Sendable {
    public var id: Int?
    public var stream: String
    public var text: String

    init(_ fields: HeaderFields) throws(HeaderFields.Problem) {
        id = try fields.integer("id")
        stream = try fields.required(try fields.text("stream"), "stream")
        text = try fields.required(try fields.text("text"), "text")
    }
}

/// Any header that a kernel may send.
public enum Message: Equatable, Sendable {
    case hello(Hello)
    case reply(Reply)
    case failure(ErrorHeader)
    case output(OutputText)
    case upcall(Upcall)
    case release([Release])
}
