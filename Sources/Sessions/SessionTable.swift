import CSystem
import Glibc
import Kernels
import Wire

/// Every session of this meta: starts them when they are first used, moves bytes between them and meta, notices their
/// deaths, and ends them.
///
/// One thread, which must be the main one: a session dies with the thread that started it. Nothing happens between two
/// calls; `wait` does the work and tells what happened.
public final class SessionTable {
    public static let protocolVersion = "1.0"

    /// How long a kernel may take to say hello.
    public var helloLimit = Duration.seconds(20)
    /// How long a kernel may run on after its sockets were closed (its `atexit` functions), and after SIGTERM.
    public var farewellLimit = Duration.seconds(1)
    public var terminationLimit = Duration.milliseconds(300)
    /// Columns of the terminal, told to sessions that start from now on.
    public var width: Int

    /// The terminal that sessions read from, where their language reads one line at a time; nil: they read nothing.
    public var terminal: Int32?

    /// How the names of a session's segments of shared memory begin, and how many bytes there may be of all; asked at each
    /// start.
    public var segments: (_ session: String, _ generation: Int) -> (prefix: String, limit: Int)? = { _, _ in nil }
    /// Told when a session's process is gone.
    public var onEnd: (_ session: String, _ generation: Int) -> Void = { _, _ in }

    let version: String
    /// Where sessions start, unless their launch says otherwise.
    public let directory: String
    /// What sessions inherit; meta's own.
    var environment: Environment
    let signalPipe: Int32
    lazy var trace = FrameTrace(environment)
    var folder: KernelFolder?
    var watcher: Guard?
    var entries: [Entry] = []
    /// Children that have been told to go.
    var leaving: [Child] = []
    var events: [SessionEvent] = []
    /// The session whose reply is most likely next.
    var awaited: Child?
    var turnsSincePoll = 0
    let messages = MessageDecoder()
    let buffer: UnsafeMutableRawBufferPointer
    private var lastID = 0

    /// A session's name and what it is made of; it may or may not run.
    final class Entry {
        let name: String
        var launch: Launch
        var generation = 0
        var child: Child?
        var hasDied = false
        /// What the last hello of a program of the user's said.
        var language: String?

        init(name: String, launch: Launch) {
            self.name = name
            self.launch = launch
        }
    }

    /// Defines `py`, `js` and `sh`, and starts nothing.
    ///
    /// `signals` are told as events from now on instead of having their usual effect.
    public init(
        version: String, directory: String, width: Int = 80, signals: [Int32] = [SIGINT, SIGTERM, SIGHUP, SIGWINCH]
    ) {
        self.version = version
        self.directory = directory
        self.width = width
        environment = .current()
        // SIGPIPE is ignored in any case: a session that is gone must not take meta with it.
        meta_ignore_sigpipe()
        signalPipe = signals.isEmpty ? -1 : meta_signals_open(signals, signals.count)
        buffer = .allocate(byteCount: 1 << 18, alignment: 16)
        entries = KernelLanguage.all.map { Entry(name: $0.name, launch: .language($0.name)) }
    }

    deinit {
        for child in entries.compactMap(\.child) + leaving { end(child) }
        buffer.deallocate()
    }

    // MARK: What there is

    public var runtimes: [RuntimeStatus] { entries.map { status($0) } }

    public func status(_ name: String) throws(SessionError) -> RuntimeStatus { status(try entry(name)) }

    /// Whether `name` is a session or an alias of one.
    public func has(_ name: String) -> Bool { (try? entry(name)) != nil }

    /// The language of a session as meta names it, `py`; of a program of the user's, what its hello said last. nil where
    /// no session is called so.
    public func language(of name: String) -> String? {
        (try? entry(name)).map { $0.language ?? $0.launch.language }
    }

    /// Whether bodies to and from this session are plain fields (`PlainFields`) instead of JSON.
    public func isPlain(_ name: String) -> Bool {
        guard let entry = try? entry(name) else { return false }
        return entry.child?.hello?.plain ?? KernelLanguage.named(entry.launch.language)?.isPlain ?? false
    }

    public var hasOutstandingRequests: Bool { entries.contains { $0.child?.pending.isEmpty == false } }

    /// Makes a session known under `name`, or changes what it is from its next start on.
    public func define(_ name: String, _ launch: Launch) {
        if let known = entries.first(where: { $0.name == name }) {
            known.launch = launch
        } else {
            entries.append(Entry(name: name, launch: launch))
        }
    }

    // MARK: Using it

    /// Starts the session if it does not run, without waiting for it.
    public func start(_ name: String) throws(SessionError) {
        let entry = try entry(name)
        if entry.child == nil { try spawn(entry) }
    }

    /// Sends a request, starting its session first if need be; until the session is ready it is kept.
    ///
    /// `body` is JSON text, or plain fields where `isPlain` says so. `captures` tells whether standard output becomes
    /// the reply's `output`; nil: where it is the language's result.
    public func submit(
        _ request: Request, body: [UInt8] = [], to name: String, captures: Bool? = nil
    ) throws(SessionError) -> RequestID {
        guard body.count <= Frame.bodyLimit else {
            throw SessionError(
                code: "session/too-large",
                message: "a request's values may hold \(Frame.bodyLimit) bytes, got \(body.count)")
        }
        let entry = try entry(name)
        // A death that has not been noticed yet must not cost a request.
        if let idle = entry.child, idle.pending.isEmpty, idle.hello != nil, idle.hasRested { bury(idle) }
        let child = try running(entry)
        lastID += 1
        let id = RequestID(lastID)
        let captures = captures ?? child.language?.outputIsResult ?? false
        // What arrived before belongs to no request, or to the one around this one.
        if captures, child.pending.isEmpty || request.upcall != nil { drain(child) }
        child.pending.append(PendingRequest(id: id, request: request, captures: captures, sent: .now))
        if child.hello == nil {
            child.held.append((id, body))
        } else {
            send(request, id, body, to: child)
        }
        awaited = child
        return id
    }

    /// Answers what a kernel has asked; nothing when that kernel has gone.
    ///
    /// - Parameter header: of a `Reply` or an `ErrorHeader`, as JSON or plain fields.
    @discardableResult
    public func answer(
        session: String, generation: Int, header: [UInt8], body: [UInt8] = []
    ) throws(SessionError) -> Bool {
        guard let child = living(session, generation) else { return false }
        do {
            try child.send(header: header, body: body, isInner: true)
        } catch {
            throw SessionError(code: "session/too-large", message: error.message)
        }
        awaited = child
        return true
    }

    /// Tells a kernel that objects of its own are not needed any more.
    public func release(_ releases: [Release], session: String, generation: Int) {
        guard let child = living(session, generation), operations(of: session)?.contains("release") == true else {
            return
        }
        try? child.send(header: Release.header(releases), body: [])
    }

    /// Which start of the session runs now; nil when none does.
    public func generation(of name: String) -> Int? { (try? entry(name))?.child?.generation }

    /// What the session's kernel has said it can do; nil while it has not said anything.
    public func operations(of name: String) -> [String]? { (try? entry(name))?.child?.hello?.operations }

    private func living(_ session: String, _ generation: Int) -> Child? {
        guard let child = (try? entry(session))?.child, child.generation == generation, child.hello != nil else {
            return nil
        }
        return child
    }

    /// How the session's kernel takes arrays: `map`, `copy` or `none`; nil while it has not said anything.
    public func buffers(of name: String) -> String? {
        guard let hello = (try? entry(name))?.child?.hello else { return nil }
        return hello.buffers ?? "none"
    }

    /// Forgets a request: its answer is dropped when it comes.
    public func abandon(_ id: RequestID) {
        for child in entries.compactMap(\.child) {
            guard let index = child.pending.firstIndex(where: { $0.id == id }) else { continue }
            child.pending[index].isAbandoned = true
        }
    }

    /// Interrupts what the session runs, as Ctrl-C does. False when it runs nothing.
    @discardableResult
    public func interrupt(_ name: String) -> Bool {
        guard let child = (try? entry(name))?.child, child.hello != nil, !child.pending.isEmpty else { return false }
        // A stopped group would take the signal only when it goes on.
        child.signalGroup(SIGCONT)
        child.interrupt()
        return true
    }

    /// What is sent to the session stays here until `flush`, so that many small frames go at once.
    public func hold(_ name: String) { (try? entry(name))?.child?.isHeld = true }

    public func flush(_ name: String) {
        guard let child = (try? entry(name))?.child else { return }
        child.isHeld = false
        child.flush()
    }

    /// Ends a request that waits for a promise, and no other. False where its kernel cannot.
    public func cancel(_ id: RequestID) -> Bool {
        guard let child = entries.lazy.compactMap(\.child).first(where: { $0.isOpen(id.number) }),
            let hello = child.hello, hello.operations.contains("cancel")
        else { return false }
        child.interrupted.insert(id.number)
        let header = Request(.cancel).header(id: id, plain: hello.plain ?? false)
        return (try? child.send(header: header, body: [])) != nil
    }

    func entry(_ name: String) throws(SessionError) -> Entry {
        let wanted = entries.contains { $0.name == name } ? name : KernelLanguage.named(name)?.name ?? name
        guard let entry = entries.first(where: { $0.name == wanted }) else {
            throw SessionError(
                code: "session/unknown", message: "no session is called \(name)",
                help: ["there are: \(entries.map(\.name).joined(separator: ", "))"])
        }
        return entry
    }

    func send(_ request: Request, _ id: RequestID, _ body: [UInt8], to child: Child) {
        guard let hello = child.hello else { return }
        if let index = child.pending.firstIndex(where: { $0.id == id }) { child.pending[index].sent = .now }
        guard hello.operations.contains(request.operation.rawValue) else {
            let error = ErrorHeader(
                code: "runtime/unsupported",
                message: "\(child.session) does not support \(request.operation.rawValue)", re: id.number)
            return fail(id, error, in: child)
        }
        do {
            try child.send(
                header: request.header(id: id, plain: hello.plain ?? false), body: body,
                isInner: request.upcall != nil)
        } catch {
            fail(id, ErrorHeader(code: "session/too-large", message: error.message, re: id.number), in: child)
        }
    }

    private func running(_ entry: Entry) throws(SessionError) -> Child {
        if let child = entry.child { return child }
        return try spawn(entry)
    }

    private func fail(_ id: RequestID, _ error: ErrorHeader, in child: Child) {
        guard let pending = child.takePending(id.number), !pending.isAbandoned else { return }
        events.append(.failure(id, error, body: [], output: nil))
    }

    private func status(_ entry: Entry) -> RuntimeStatus {
        let language = KernelLanguage.named(entry.launch.language)
        guard let child = entry.child else {
            let found = try? interpreter(for: entry.launch)
            return RuntimeStatus(
                name: entry.name, language: entry.language ?? entry.launch.language,
                state: found == nil ? .missing : entry.hasDied ? .dead : .unstarted, interpreter: found?.path,
                version: found?.version, pid: nil, generation: entry.generation, memory: nil,
                buffers: nil)
        }
        return RuntimeStatus(
            name: entry.name, language: language?.name ?? child.hello?.language ?? entry.launch.language,
            state: child.hello == nil ? .starting : child.pending.isEmpty ? .idle : .busy,
            interpreter: child.hello?.executable ?? child.interpreter.path,
            version: child.hello?.version ?? child.interpreter.version, pid: child.pid,
            generation: child.generation, memory: child.memory,
            buffers: child.hello.map { $0.buffers ?? "none" })
    }
}
