/// What a kernel says first.
public struct Hello: Codable, Equatable, Sendable {
    /// `major.minor`
    public var `protocol`: String
    public var language: String
    public var version: String
    public var operations: [String]
    public var buffers: String?
    /// Whether this kernel reads and writes plain fields instead of JSON.
    public var plain: Bool?
    public var executable: String?

    public var major: Int? { `protocol`.split(separator: ".").first.flatMap { Int($0) } }
}

/// A request's result; its value is the frame's body.
public struct Reply: Codable, Equatable, Sendable {
    public var re: Int
    /// The qualified type name as the language's users say it.
    public var type: String?
    /// Microseconds.
    public var elapsed: Double?
    /// A shell command's exit status.
    public var status: Int?

    public init(re: Int, type: String? = nil, elapsed: Double? = nil, status: Int? = nil) {
        self.re = re
        self.type = type
        self.elapsed = elapsed
        self.status = status
    }
}

/// One place that an error passed through; the user's own code only.
public struct StackFrame: Codable, Equatable, Sendable {
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
}

/// Why a request has no result; the exception's data is the frame's body.
public struct ErrorHeader: Equatable, Sendable, Codable {
    /// nil for a message that the kernel could not read.
    public var re: Int?
    public var code: String
    public var type: String?
    public var message: String
    /// Outermost first.
    public var frames: [StackFrame]
    /// The errors behind this one, nearest first.
    public var causes: [ErrorHeader]
    /// Where inside a value, such as `[0].x`.
    public var path: String?
    /// What state the session has lost.
    public var lost: String?
    public var status: Int?

    public init(code: String, message: String, re: Int? = nil, type: String? = nil) {
        self.re = re
        self.code = code
        self.type = type
        self.message = message
        frames = []
        causes = []
    }

    private enum Key: String, CodingKey { case op, re, code, type, message, frames, cause, path, lost, status }
    /// A chain of causes longer than this is cut, so that no kernel can exhaust our stack.
    private static let deepest = 32

    public init(from decoder: any Decoder) throws {
        try self.init(from: decoder, depth: 0)
    }

    private init(from decoder: any Decoder, depth: Int) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        re = try fields.decodeIfPresent(Int.self, forKey: .re)
        code = try fields.decodeIfPresent(String.self, forKey: .code) ?? "runtime/raised"
        type = try fields.decodeIfPresent(String.self, forKey: .type)
        message = try fields.decodeIfPresent(String.self, forKey: .message) ?? ""
        frames = try fields.decodeIfPresent([StackFrame].self, forKey: .frames) ?? []
        path = try fields.decodeIfPresent(String.self, forKey: .path)
        lost = try fields.decodeIfPresent(String.self, forKey: .lost)
        status = try fields.decodeIfPresent(Int.self, forKey: .status)
        causes = []
        guard depth < Self.deepest, fields.contains(.cause), try !fields.decodeNil(forKey: .cause) else { return }
        let nearest = try ErrorHeader(from: fields.superDecoder(forKey: .cause), depth: depth + 1)
        causes = [nearest] + nearest.causes
        causes[0].causes = []
    }

    public func encode(to encoder: any Encoder) throws {
        try encode(to: encoder, causes: causes[...])
    }

    private func encode(to encoder: any Encoder, causes: ArraySlice<ErrorHeader>) throws {
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encode("err", forKey: .op)
        try fields.encodeIfPresent(re, forKey: .re)
        try fields.encode(code, forKey: .code)
        try fields.encodeIfPresent(type, forKey: .type)
        try fields.encode(message, forKey: .message)
        try fields.encode(frames, forKey: .frames)
        try fields.encodeIfPresent(path, forKey: .path)
        try fields.encodeIfPresent(lost, forKey: .lost)
        try fields.encodeIfPresent(status, forKey: .status)
        guard let nearest = causes.first else { return }
        try nearest.encode(to: fields.superEncoder(forKey: .cause), causes: causes.dropFirst())
    }
}

/// Text that a kernel sends as a message instead of writing it to 1 or 2.
public struct OutputText: Codable, Equatable, Sendable {
    public var id: Int?
    public var stream: String
    public var text: String
}

/// A request of a kernel to meta.
public struct Upcall: Codable, Equatable, Sendable {
    public var op: String
    public var id: Int
    public var path: [String]?
    public var code: String?
    public var language: String?
}

/// Any header that a kernel may send.
public enum Message: Equatable, Sendable {
    case hello(Hello)
    case reply(Reply)
    case failure(ErrorHeader)
    case output(OutputText)
    case upcall(Upcall)
}
