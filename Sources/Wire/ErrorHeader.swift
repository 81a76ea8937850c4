import Language

/// Why a request has no result; the exception's data is the frame's body.
public struct ErrorHeader: Equatable, Sendable {
    /// nil for a message that the kernel could not read.
    public var re: Int?
    public var code: String
    public var type: String?
    public var message: String
    /// The language whose error it is.
    public var language: String?
    /// Outermost first, across every language it passed.
    public var frames: [StackFrame] = []
    /// The errors behind this one, nearest first.
    public var causes: [ErrorHeader] = []
    /// Where inside a value, such as `[0].x`.
    public var path: String?
    /// What state the session has lost.
    public var lost: String?
    /// Which of the calls failed, from 0, where a request was for many.
    public var index: Int?
    public var status: Int?
    /// The exception object itself, which stays with its owner.
    public var original: Reference?
    /// Every object that the body and `original` name.
    public var references: [Reference] = []
    public var sharing = Sharing()

    public init(code: String, message: String, re: Int? = nil, type: String? = nil) {
        self.re = re
        self.code = code
        self.type = type
        self.message = message
    }

    /// A chain of causes longer than this is cut, so that no kernel can exhaust our stack.
    private static let deepest = 32

    init(_ fields: HeaderFields, depth: Int = 0) throws(HeaderFields.Problem) {
        re = try fields.integer("re")
        code = try fields.text("code") ?? "runtime/raised"
        type = try fields.text("type")
        message = try fields.text("message") ?? ""
        language = try fields.text("language")
        frames = try fields.parts("frames").map(StackFrame.init)
        path = try fields.text("path")
        lost = try fields.text("lost")
        index = try fields.integer("index")
        status = try fields.integer("status")
        original = try fields.reference("ref")
        references = try fields.references("refs")
        sharing = try Sharing(fields)
        guard depth < Self.deepest, let cause = try fields.part("cause") else { return }
        let nearest = try ErrorHeader(cause, depth: depth + 1)
        causes = [nearest] + nearest.causes
        causes[0].causes = []
    }

    /// The header of an answer to a kernel, which reads JSON or plain fields.
    public func header(plain: Bool = false) -> [UInt8] {
        if plain {
            var fields = [
                "op", "err", "re", re.map(String.init) ?? "", "code", code, "type", type ?? "", "message", message,
            ]
            if let status { fields += ["status", String(status)] }
            return PlainFields.encode(fields)
        }
        var out = Array("{\"op\":\"err\",\"re\":\(re.map(String.init) ?? "null")".utf8)
        appendFields(to: &out)
        JSONText.appendReferences(references, to: &out)
        out.append(125)
        return out
    }

    private func appendFields(to out: inout [UInt8]) {
        JSONText.appendMember("code", code, to: &out)
        JSONText.appendMember("message", message, to: &out)
        if let type { JSONText.appendMember("type", type, to: &out) }
        if let language { JSONText.appendMember("language", language, to: &out) }
        if let path { JSONText.appendMember("path", path, to: &out) }
        if let lost { JSONText.appendMember("lost", lost, to: &out) }
        if let status { out.append(contentsOf: ",\"status\":\(status)".utf8) }
        appendFrames(to: &out)
        if let original {
            out.append(contentsOf: ",\"ref\":".utf8)
            JSONText.appendReference(original, to: &out)
        }
        for cause in causes {
            out.append(contentsOf: ",\"cause\":{\"op\":\"err\"".utf8)
            cause.appendFields(to: &out)
        }
        out.append(contentsOf: causes.map { _ in 125 })
    }

    private func appendFrames(to out: inout [UInt8]) {
        out.append(contentsOf: ",\"frames\":[".utf8)
        for (index, frame) in frames.enumerated() {
            if index > 0 { out.append(44) }
            out.append(contentsOf: "{\"line\":\(frame.line.map(String.init) ?? "null")".utf8)
            if let function = frame.function { JSONText.appendMember("function", function, to: &out) }
            if let source = frame.source { JSONText.appendMember("source", source, to: &out) }
            if let text = frame.text { JSONText.appendMember("text", text, to: &out) }
            out.append(125)
        }
        out.append(93)
    }
}
