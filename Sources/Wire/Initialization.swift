/// meta's answer to a kernel's hello.
public struct Initialization: Sendable {
    public var version: String
    public var session: String
    public var generation: Int
    public var directory: String
    /// Columns of the terminal.
    public var width: Int
    /// How the names of its segments of shared memory begin, and how many bytes all segments may have; nil: it makes none.
    public var segments: (prefix: String, limit: Int)?

    public init(
        version: String, session: String, generation: Int, directory: String, width: Int,
        segments: (prefix: String, limit: Int)? = nil
    ) {
        self.version = version
        self.session = session
        self.generation = generation
        self.directory = directory
        self.width = width
        self.segments = segments
    }

    public func header(plain: Bool) -> [UInt8] {
        guard !plain else {
            return PlainFields.encode([
                "op", "init", "version", version, "session", session, "generation", String(generation),
                "directory", directory, "width", String(width),
            ])
        }
        var out = Array("{\"op\":\"init\",\"generation\":\(generation),\"width\":\(width)".utf8)
        JSONText.appendMember("version", version, to: &out)
        JSONText.appendMember("session", session, to: &out)
        JSONText.appendMember("directory", directory, to: &out)
        if let segments {
            JSONText.appendMember("segments", segments.prefix, to: &out)
            out.append(contentsOf: ",\"limit\":\(segments.limit)".utf8)
        }
        out.append(125)
        return out
    }
}
