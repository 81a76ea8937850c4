import Glibc

/// Why a session could not be reached.
public struct SessionError: Error, Equatable, Sendable {
    /// `session/unknown`, `session/missing`, `session/too-old`, `session/spawn`, `session/system`, `session/too-large`
    public let code: String
    public let message: String
    /// What to do about it, a line each.
    public let help: [String]

    public init(code: String, message: String, help: [String] = []) {
        self.code = code
        self.message = message
        self.help = help
    }

    static func system(_ what: String, _ error: Int32) -> SessionError {
        SessionError(code: "session/system", message: "\(what): \(errorText(error))")
    }
}

/// The system's words for an error number.
func errorText(_ error: Int32) -> String {
    strerror(error).map { String(cString: $0) } ?? "error \(error)"
}
