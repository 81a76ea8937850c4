import Language

/// A request of a kernel to meta. Its values are the frame's body, as in meta's own requests.
public struct Upcall: Equatable, Sendable {
    public var operation: Request.Operation
    /// In the kernel's own numbering.
    public var id: Int
    /// The request of meta's that the calling thread works on; nil for a thread of the user's own.
    public var servedRequest: Int?
    public var reference: Reference?
    /// Names from a runtime or a name of meta's inwards, or from the reference.
    public var path: [String]?
    public var code: String?
    public var language: String?
    /// What the values are where the body is plain fields, a letter for each: `t` text, `j` JSON, `s` text as base64
    /// (bytes when it is no UTF-8), `b` bytes as base64. Nothing: all are text.
    public var kinds: String?
    public var isItem = false
    public var holds = false
    public var copies = false
    public var count: Int?
    /// No thread waits for the answer.
    public var isAsync = false
    /// Every object that the body names.
    public var references: [Reference] = []
    public var sharing = Sharing()

    public init(_ operation: Request.Operation, id: Int) {
        self.operation = operation
        self.id = id
    }

    init(_ fields: HeaderFields, _ operation: Request.Operation) throws(HeaderFields.Problem) {
        self.operation = operation
        id = try fields.required(try fields.integer("id"), "id")
        servedRequest = try fields.integer("for")
        reference = try fields.reference("ref")
        path = try fields.texts("path")
        code = try fields.text("code")
        language = try fields.text("language")
        isItem = try fields.flag("item") ?? false
        holds = try fields.flag("hold") ?? false
        copies = try fields.flag("copy") ?? false
        count = try fields.integer("count")
        isAsync = try fields.flag("async") ?? false
        references = try fields.references("refs")
        sharing = try Sharing(fields)
    }

    /// The request that asks the object's owner what this one asks meta.
    public func forwarded(to number: Int) -> Request {
        var request = Request(operation, path: path)
        request.reference = number
        request.isItem = isItem
        request.holds = holds
        request.copies = copies
        request.count = count
        request.references = references
        return request
    }
}
