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
    /// The files of bytes that variables of shells hold the paths of.
    var files: [ByteFiles] = []
    /// How long a request to a session may take, where `spawn` said so.
    var timeouts: [String: Swift.Duration] = [:]
    /// The requests under way, by number; those that wait for their session, in order; those with something due.
    var waiting: [RequestID: Waiting] = [:]
    var queues: [String: [Queued]] = [:]
    var watched: Set<RequestID> = []
    /// Questions of meta's own to sessions: no program waits for the answer.
    var inquiries: [RequestID: (Reply?, _ body: [UInt8], _ output: [UInt8]?) -> Void] = [:]
    var agenda = Agenda()
    /// The programs that are run to their end, innermost last.
    var driven: [Branch] = []
    /// The futures that have not ended, and those that failed and have not been awaited.
    var background: [ObjectIdentifier: Branch] = [:]
    var unseen: [Branch] = []
    /// What waits until a time.
    var timed: [Wait] = []
    /// The program has asked for its end.
    var hasExited = false
    /// Arrays in shared memory.
    let buffers: BufferStore
    /// What the last encoding that failed lacked.
    var lacking: [any OwnedContents] = []
    /// Who holds what of whom.
    private(set) lazy var handles = makeHandles()
    /// What sessions have asked and not been answered; apart from those, what no thread waits for.
    var strands: [Strand] = []
    var promised: [ObjectIdentifier: Strand] = [:]
    /// The last lines of standard error of each session's request.
    var errorTails: [String: Tail] = [:]
    var evaluations: [String: Int] = [:]
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
        var waiter: Waiter
        let strand: Strand?
        let location: Location?
        let session: String
        let code: String
        let parents: [Int]
        let start: Double
        /// When it is interrupted, and once it was, when its session is restarted.
        var deadline: ContinuousClock.Instant?
        var isLate = false
        /// When it is interrupted again; whether its session was told which request is meant.
        var nudge: ContinuousClock.Instant?
        var isCancelled = false
        /// When it was interrupted last.
        var interrupted: ContinuousClock.Instant?
        /// The upcall whose thread works on it.
        var upcall: Int?

        func isFor(_ strand: Strand) -> Bool {
            if case .upcall(let own) = waiter { own === strand } else { false }
        }

        func isFor(_ batch: Batch) -> Bool {
            if case .batch(let own, _) = waiter { own === batch } else { false }
        }
    }

    enum Waiter {
        /// It goes on with what the closure makes of the end.
        case fiber(Fiber, (Outcome) throws(Failure) -> Value)
        /// The answer is the answer to this upcall, as it came.
        case upcall(Strand)
        /// The answer is one of many.
        case batch(Batch, Int)
        /// The answer is dropped.
        case nobody
    }

    /// How a request ended.
    enum Outcome {
        case reply(
            Reply, body: [UInt8], output: [UInt8]?, errorTail: String, entry: (_ summary: String) -> Ledger.Entry)
        case failure(ErrorHeader, body: [UInt8])
        /// The session has gone, or took too long.
        case lost(Diagnostic)
    }

    /// - Parameter bufferLimit: bytes of shared memory for arrays; nil: half of what there is.
    public init(version: String, console: Console, bufferLimit: Int? = nil) {
        self.console = console
        buffers = BufferStore(limit: bufferLimit)
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
        sessions.segments = { [unowned self] session, generation in
            buffers.prefix(session, generation).map { ($0, buffers.limit) }
        }
        sessions.onEnd = { [unowned self] in endBuffers(of: $0, $1) }
        registerRuntimes()
        registerLibrary()
    }

    // MARK: Events

    func take(_ event: SessionEvent) {
        defer { handles.endArrival() }
        switch event {
        case .reply(let id, let reply, let body, let output):
            if let ask = inquiries.removeValue(forKey: id) { return tell { ask(reply, body, output) } }
            finish(id) { waiting in
                if let problem = admit(reply.references, from: waiting.session) { return .failure(problem, body: []) }
                return .reply(reply, body: body, output: output, errorTail: errorTails[waiting.session]?.text ?? "") {
                    summary in
                    Ledger.Entry(
                        source: waiting.session, code: waiting.code, foreignType: reply.type ?? "",
                        location: waiting.location, start: waiting.start, duration: reply.elapsed,
                        parents: waiting.parents, summary: summary)
                }
            }
        case .failure(let id, let error, let body, _):
            if let ask = inquiries.removeValue(forKey: id) { return tell { ask(nil, [], nil) } }
            finish(id) { waiting in .failure(admit(error.references, from: waiting.session) ?? error, body: body) }
        case .output(let session, let stream, let bytes):
            if stream == .stderr { errorTails[session, default: Tail()].append(bytes) }
            console.program(bytes, isError: stream == .stderr, by: session)
        case .ended(let session, let death, let failed): end(session, death, failed)
        case .signal(let signal): take(signal: signal)
        case .upcall(let session, let generation, let upcall, let body):
            serve(upcall, body, session: session, generation: generation)
        case .released(let session, let generation, let releases):
            take(releases, of: session, generation: generation)
        case .readable: break
        }
    }

    private func finish(_ id: RequestID, _ outcome: (Waiting) -> Outcome) {
        // A thread that was interrupted just as it asked for something does not wait for the answer.
        if !strands.isEmpty { for strand in strands(servedBy: id) { stop(strand) } }
        guard let request = waiting.removeValue(forKey: id) else { return }
        takeTerminalBack(from: request.session)
        console.end(request.session)
        var end = outcome(request)
        // A shell may have taken its interrupt for the end of its command: 128 and the signal's number.
        if request.interrupted != nil, case .reply(let reply, _, _, _, _) = end, reply.status == 128 + Int(SIGINT) {
            end = .failure(ErrorHeader(code: "runtime/interrupted", message: "interrupted"), body: [])
        }
        if missedInterrupt(request, end) {
            end = .failure(ErrorHeader(code: "runtime/interrupted", message: "interrupted"), body: [])
        }
        if case .failure(let error, _) = end, error.code == "runtime/interrupted" { interruption.isHeard = true }
        if request.isLate, case .failure(let error, _) = end, error.code == "runtime/interrupted" {
            end = .lost(timeout(of: request, "its state is kept"))
        }
        tell(request, end)
        if !queues.isEmpty { pump(request.session) }
    }

    /// Tells the prompt an answer, and sends what waited behind its question.
    private func tell(_ ask: () -> Void) {
        ask()
        for session in queues.keys { pump(session) }
    }

    /// Lets whoever waits for a request go on.
    func tell(_ request: Waiting, _ outcome: Outcome) {
        switch request.waiter {
        case .nobody: break
        case .upcall(let strand): answer(strand, outcome, from: request.session)
        case .batch(let batch, let index): take(outcome, index, of: batch)
        case .fiber(let fiber, let finish):
            let branch = branch(of: fiber)
            if case .lost(let diagnostic) = outcome { return wake(branch, .failure(diagnostic)) }
            do throws(Failure) {
                wake(branch, .value(try finish(outcome)))
            } catch {
                wake(branch, .failure(machine.diagnostic(error)))
            }
        }
    }

    private func end(_ session: String, _ death: Death, _ failed: [RequestID]) {
        stopped.remove(session)
        handles.end(session)
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
            let restarted = "it did not listen and was restarted; what it held is gone"
            tell(request, .lost(request.isLate ? timeout(of: request, restarted) : diagnostic))
            isTold = true
        }
        abandonStrands(of: session, death.generation)
        if !queues.isEmpty { pump(session) }
        if !isTold, death.reason != .stopped, death.reason != .restarted { console.message(diagnostic.report) }
    }

    /// Ends a fiber's wait with an error; what it waited for is dropped when it comes.
    func give(_ fiber: Fiber?, _ diagnostic: Diagnostic) {
        guard let fiber else { return }
        let branch = branch(of: fiber)
        if case .running = branch.work { return }
        unlink(branch)
        wake(branch, .failure(diagnostic))
    }

    /// Ends every session; what they print on the way is shown.
    public func shutdown() {
        for event in sessions.shutdown(forGood: true) { take(event) }
        console.settle()
        files = []
        buffers.close()
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
