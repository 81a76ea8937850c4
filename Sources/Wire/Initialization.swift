/// meta's answer to a kernel's hello.
public struct Initialization: Equatable, Sendable {
    public var version: String
    public var session: String
    public var generation: Int
    public var directory: String
    /// Columns of the terminal.
    public var width: Int

    public init(version: String, session: String, generation: Int, directory: String, width: Int) {
        self.version = version
        self.session = session
        self.generation = generation
        self.directory = directory
        self.width = width
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
        out.append(125)
        return out
    }
}
