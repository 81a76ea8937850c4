import Wire

/// What `SessionTable.wait` has to tell. A request ends with exactly one of `reply`, `failure`, or being among the
/// `failed` of an `ended`; what it printed is told before.
public enum SessionEvent: Equatable, Sendable {
    /// `output`: what reached standard output during the request, where that is (part of) its result.
    case reply(RequestID, Reply, body: [UInt8], output: [UInt8]?)
    case failure(RequestID, ErrorHeader, body: [UInt8], output: [UInt8]?)
    case output(session: String, OutputStream, [UInt8])
    /// The session is gone; its next use starts afresh. Not told of a session that was stopped with nothing to do.
    case ended(session: String, Death, failed: [RequestID])
    /// A kernel asks meta for something.
    case upcall(session: String, generation: Int, Upcall, body: [UInt8])
    /// A kernel is done with objects of others.
    case released(session: String, generation: Int, [Release])
    case signal(Int32)
    case readable(Int32)
}

public enum OutputStream: String, Equatable, Sendable { case stdout, stderr }

/// How a session ended.
public struct Death: Equatable, Sendable {
    public enum Reason: Equatable, Sendable {
        /// The process ended by itself.
        case exited(status: Int32)
        /// `SIGSEGV`, or `signal 35` for one without a name.
        case killed(signal: String)
        /// It said what is not in the protocol.
        case protocolError(String)
        case noHello(seconds: Double)
        /// It lives without its request socket.
        case closedSocket
        case tooOld(found: String, minimum: String)
        case otherProtocol(found: String)
        case tooMuchOutput(limit: Int)
        case stopped, restarted
    }

    public let reason: Reason
    public let generation: Int
    /// The request that was running and its code or path.
    public let running: RequestID?
    public let code: String?
    /// The last lines of standard error, oldest first.
    public let lastLines: [String]

    /// `session/exited`, `session/killed`, `session/protocol`, `session/no-hello`, `session/closed`,
    /// `session/too-old`, `session/too-large`, `session/stopped`
    public var errorCode: String {
        switch reason {
        case .exited: "session/exited"
        case .killed: "session/killed"
        case .protocolError, .otherProtocol: "session/protocol"
        case .noHello: "session/no-hello"
        case .closedSocket: "session/closed"
        case .tooOld: "session/too-old"
        case .tooMuchOutput: "session/too-large"
        case .stopped, .restarted: "session/stopped"
        }
    }

    /// What happened, to be put behind the session's name: "ended with exit status 3".
    public var message: String {
        switch reason {
        case .exited(let status): "ended with exit status \(status)"
        case .killed(let signal): "was killed by \(signal)"
        case .protocolError(let what): "does not follow the protocol: \(what)"
        case .noHello(let seconds): "did not say hello within \(Int(seconds.rounded(.up))) s"
        case .closedSocket: "closed its request socket"
        case .tooOld(let found, let minimum): "is version \(found), at least \(minimum) is needed"
        case .otherProtocol(let found): "speaks protocol \(found), meta speaks \(SessionTable.protocolVersion)"
        case .tooMuchOutput(let limit): "printed more than \(limit) bytes in one request"
        case .stopped: "was stopped"
        case .restarted: "was restarted"
        }
    }
}

/// One line of `(runtimes)`.
public struct RuntimeStatus: Equatable, Sendable {
    public enum State: String, Equatable, Sendable { case unstarted, starting, idle, busy, dead, missing }

    public let name: String
    public let language: String
    public let state: State
    /// The path of the interpreter that runs, or that would.
    public let interpreter: String?
    public let version: String?
    public let pid: Int32?
    /// How often it has been started.
    public let generation: Int
    /// Resident bytes.
    public let memory: Int?
    /// How it takes arrays: `map`, `copy` or `none`; nil while it has not said anything.
    public let buffers: String?
}
