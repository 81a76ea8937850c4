import Evaluator
import Glibc
import Language
import Sessions
import Wire

/// The way between programs and sessions: drives fibers, carries their requests out and the replies back.
///
/// One thread and one poll: a fiber that waits for a session leaves here, and goes on when its reply's number comes.
public final class Router {
    let machine = Machine()
    let sessions: SessionTable
    let console: Console
    /// How long a request to a session may take, where `spawn` said so.
    var timeouts: [String: Swift.Duration] = [:]
    /// The requests under way, by number.
    var waiting: [RequestID: Waiting] = [:]
    /// Questions of meta's own to sessions: no program waits for the answer.
    var inquiries: [RequestID: (Reply?, _ body: [UInt8], _ output: [UInt8]?) -> Void] = [:]
    /// What fibers that wait will go on with.
    private var ready: [ObjectIdentifier: Result<Value, Raised>] = [:]
    private var failures: [ObjectIdentifier: Diagnostic] = [:]
    /// The last lines of standard error of each session's request.
    private var errorTails: [String: Tail] = [:]
    private var evaluations: [String: Int] = [:]
    var interruption = Interruption()
    /// The prompt's: told at the second Ctrl-C which session does not listen; the third restarts it. Without one the
    /// second does.
    var offersRestart: ((String) -> Void)?
    /// The sessions that a read from the terminal has stopped, and the one that has the terminal now.
    var stopped: Set<String> = []
    var foreground: String?
    /// The terminal's modes when it was lent.
    var loan: termios?
    /// A signal that ends the program; also the one that the system has for who writes where nobody reads.
    var ending: Int32? { lethal ?? (console.isClosed ? SIGPIPE : nil) }
    var lethal: Int32?

    /// A request under way, and who waits for it.
    struct Waiting {
        let fiber: Fiber
        let location: Location?
        let session: String
        let code: String
        let parents: [Int]
        let start: Double
        /// When it is interrupted, and once it was, when its session is restarted.
        var deadline: ContinuousClock.Instant?
        var isLate = false
        let finish: (Outcome) throws(Failure) -> Value
    }

    /// How a request ended.
    enum Outcome {
        case reply(
            Reply, body: [UInt8], output: [UInt8]?, errorTail: String, entry: (_ summary: String) -> Ledger.Entry)
        case failure(ErrorHeader)
    }

    public init(version: String, console: Console) {
        self.console = console
        let directory = getcwd(nil, 0).map { path in
            defer { free(path) }
            return String(cString: path)
        }
        sessions = SessionTable(version: version, directory: directory ?? "/")
        machine.finish = { [unowned self] fiber in drive(fiber, from: .suspended) }
        machine.isInterrupted = { [unowned self] in
            poll()
            return isInterrupted
        }
        registerRuntimes()
        registerLibrary()
    }

    // MARK: Programs

    /// Evaluates a top-level form to its end.
    public func evaluate(_ form: Form, in source: Source) -> Result<Value, Raised> {
        interruption = Interruption()
        do throws(Raised) {
            let fiber = try machine.fiber(form, source: source)
            switch drive(fiber, from: machine.run(fiber)) {
            case .finished(let value): return .success(value)
            case .failed(let diagnostic): return .failure(machine.raise(diagnostic))
            case .suspended, .yielded:
                return .failure(
                    machine.raise(Diagnostic(code: "eval/unknown", message: "the program stopped unfinished")))
            }
        } catch {
            return .failure(error)
        }
    }

    /// Calls a function to its end.
    func call(_ function: Value, _ arguments: [Value]) -> Result<Value, Raised> {
        interruption = Interruption()
        let fiber = machine.fiber(name: "<call>", calling: function, arguments)
        switch drive(fiber, from: machine.run(fiber)) {
        case .finished(let value): return .success(value)
        case .failed(let diagnostic): return .failure(machine.raise(diagnostic))
        case .suspended, .yielded: return .failure(Raised())
        }
    }

    /// Runs a fiber to its end, waiting for sessions as it needs.
    private func drive(_ fiber: Fiber, from first: Machine.Outcome) -> Machine.Outcome {
        var outcome = first
        while true {
            switch outcome {
            case .finished, .failed: return outcome
            case .yielded:
                poll()
                if isInterrupted { interrupt(fiber) }
                outcome = machine.run(fiber)
            case .suspended:
                let key = ObjectIdentifier(fiber)
                while ready[key] == nil {
                    for event in sessions.wait(until: nextDeadline) { take(event) }
                    escalate(fiber)
                    enforceDeadlines()
                }
                guard let result = ready.removeValue(forKey: key) else { continue }
                if let diagnostic = failures.removeValue(forKey: key) {
                    outcome = machine.resume(fiber, .failure(machine.raise(diagnostic)))
                } else {
                    outcome = machine.resume(fiber, result)
                }
            }
        }
    }

    /// Takes what has happened, without waiting.
    private func poll() {
        for event in sessions.wait(until: .now) { take(event) }
    }

    // MARK: Requests

    /// Sends a request on a fiber's behalf; the fiber goes on with what `finish` makes of the end.
    ///
    /// - Parameter code: what lineage shows as the maker of the result, when that is not the request's own code or path.
    func submit(
        _ request: Request, body: [UInt8], to session: String, for fiber: Fiber, parents: [Int] = [],
        code: String? = nil, captures: Bool? = nil, finish: @escaping (Outcome) throws(Failure) -> Value
    ) throws(Failure) -> Step {
        do throws(SessionError) {
            let id = try sessions.submit(request, body: body, to: session, captures: captures)
            if stopped.remove(session) != nil { sessions.resume(session) }
            errorTails[session] = Tail()
            waiting[id] = Waiting(
                fiber: fiber, location: machine.location(of: fiber), session: session,
                code: code ?? Self.text(of: request), parents: parents, start: Clock.now,
                deadline: timeouts[session].map { .now + $0 }, finish: finish)
            return .suspend
        } catch {
            throw Failure(
                error.code, error.message, help: error.help.isEmpty ? nil : error.help.joined(separator: "\n        "))
        }
    }

    /// What the ledger calls a request: its code, its path, or for a call `path(…)`.
    private static func text(of request: Request) -> String {
        request.operation == .call ? request.summary + "(…)" : request.summary
    }

    /// The name of the next piece of code in a session: `<py 3>`.
    func nextName(in session: String) -> String {
        evaluations[session, default: 0] += 1
        return "<\(session) \(evaluations[session, default: 0])>"
    }

    // MARK: Events

    func take(_ event: SessionEvent) {
        switch event {
        case .reply(let id, let reply, let body, let output):
            if let ask = inquiries.removeValue(forKey: id) { return ask(reply, body, output) }
            finish(id) { waiting in
                .reply(reply, body: body, output: output, errorTail: errorTails[waiting.session]?.text ?? "") {
                    summary in
                    Ledger.Entry(
                        source: waiting.session, code: waiting.code, foreignType: reply.type ?? "",
                        location: waiting.location, start: waiting.start, duration: reply.elapsed,
                        parents: waiting.parents, summary: summary)
                }
            }
        case .failure(let id, let error, _, _):
            if let ask = inquiries.removeValue(forKey: id) { return ask(nil, [], nil) }
            finish(id) { _ in .failure(error) }
        case .output(let session, let stream, let bytes):
            if stream == .stderr { errorTails[session, default: Tail()].append(bytes) }
            console.program(bytes, isError: stream == .stderr)
        case .ended(let session, let death, let failed): end(session, death, failed)
        case .signal(let signal): take(signal: signal)
        case .upcall, .released, .readable: break
        }
    }

    private func finish(_ id: RequestID, _ outcome: (Waiting) -> Outcome) {
        guard let request = waiting.removeValue(forKey: id) else { return }
        takeTerminalBack(from: request.session)
        let key = ObjectIdentifier(request.fiber)
        if request.isLate, case .failure(let error) = outcome(request), error.code == "runtime/interrupted" {
            return give(request.fiber, timeout(of: request, "its state is kept"))
        }
        do throws(Failure) {
            ready[key] = .success(try request.finish(outcome(request)))
        } catch {
            ready[key] = .success(.null)
            failures[key] = machine.diagnostic(error)
        }
    }

    private func end(_ session: String, _ death: Death, _ failed: [RequestID]) {
        stopped.remove(session)
        takeTerminalBack(from: session)
        let diagnostic = Diagnostic(
            code: death.errorCode, message: "session \(session) \(death.message)",
            help: "its next use starts it afresh; what it held is gone", session: session,
            data: .object(Object(["stderr": .vector(Items(death.lastLines.map(Value.text)))])),
            frames: death.code.map { [Diagnostic.Frame(function: "while running", source: session, line: 1, text: $0)] }
                ?? [])
        var isTold = false
        for id in failed {
            if let ask = inquiries.removeValue(forKey: id) { ask(nil, [], nil) }
            guard let request = waiting.removeValue(forKey: id) else { continue }
            ready[ObjectIdentifier(request.fiber)] = .success(.null)
            failures[ObjectIdentifier(request.fiber)] =
                request.isLate
                ? timeout(of: request, "it did not listen and was restarted; what it held is gone") : diagnostic
            isTold = true
        }
        if !isTold, death.reason != .stopped, death.reason != .restarted { console.message(diagnostic.report) }
    }

    func give(_ fiber: Fiber, _ diagnostic: Diagnostic) {
        ready[ObjectIdentifier(fiber)] = .success(.null)
        failures[ObjectIdentifier(fiber)] = diagnostic
    }

    /// Ends every session; what they print on the way is shown.
    public func shutdown() {
        for event in sessions.shutdown(forGood: true) { take(event) }
    }
}

/// Seconds since 1970.
enum Clock {
    static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// The last lines of a stream.
struct Tail {
    private var bytes: [UInt8] = []

    mutating func append(_ more: [UInt8]) {
        bytes += more.suffix(4096)
        if bytes.count > 8192 { bytes.removeFirst(bytes.count - 4096) }
    }

    var text: String {
        String(decoding: bytes, as: UTF8.self).split(separator: "\n").suffix(5).joined(separator: "\n")
    }
}
