import CSystem
import Glibc
import Kernels
import Wire

extension SessionTable {
    // MARK: Starting

    /// Starts the session's process. The caller has seen that none runs.
    @discardableResult
    func spawn(_ entry: Entry) throws(SessionError) -> Child {
        let interpreter = try interpreter(for: entry.launch)
        let language = entry.launch.kernelLanguage
        let sockets = try Channel.socket()
        let upcalls = try Channel.socket()
        let stdout = try Channel.output()
        let stderr = try Channel.output()
        let null = Descriptor(owning: open("/dev/null", O_RDONLY | O_CLOEXEC))
        let watcher = watcher ?? Guard()
        self.watcher = watcher
        let process = Spawn(
            path: interpreter.path, arguments: try arguments(entry.launch),
            environment: environment.changed(by: entry.launch.environment).entries,
            directory: entry.launch.directory ?? directory, memoryLimit: entry.launch.memoryLimit ?? 0)
        let pid = try process.start(
            descriptors: [
                input(of: language) ?? null.number, stdout.child.number, stderr.child.number, sockets.child.number,
                upcalls.child.number,
            ],
            guardPipe: watcher.announcements)
        watcher.startOnce()
        entry.generation += 1
        entry.hasDied = false
        let child = Child(
            session: entry.name, language: language, interpreter: interpreter, generation: entry.generation, pid: pid,
            ending: Descriptor(owning: meta_pidfd_open(pid)), requests: sockets.takeParent(),
            upcalls: upcalls.takeParent(), stdout: stdout.takeParent(), stderr: stderr.takeParent())
        child.deadline = .now + helloLimit
        child.trace = trace
        entry.child = child
        return child
    }

    /// Node changes the terminal's modes when it ends, so it gets none.
    private func input(of language: KernelLanguage?) -> Int32? {
        language.flatMap { ["py", "sh"].contains($0.name) ? terminal : nil }
    }

    func interpreter(for launch: Launch) throws(SessionError) -> Interpreter {
        let finder = InterpreterFinder(
            environment: environment.changed(by: launch.environment), directory: launch.directory ?? directory)
        switch launch.kernel {
        case .language(let name, let chosen):
            guard let language = KernelLanguage.named(name) else {
                throw SessionError(
                    code: "session/unknown", message: "no kernel for the language \(name)",
                    help: ["there are: \(KernelLanguage.all.map(\.name).joined(separator: ", "))"])
            }
            return try finder.find(language, chosen: chosen?.first)
        case .command(let words):
            guard let program = words.first, let path = finder.locate([program]) else {
                throw finder.refusal(of: words.first ?? "")
            }
            return Interpreter(path: path, version: nil)
        }
    }

    func arguments(_ launch: Launch) throws(SessionError) -> [String] {
        switch launch.kernel {
        case .command(let words): return Array(words.dropFirst())
        case .language(let name, let chosen):
            if folder == nil { folder = try KernelFolder(environment: environment) }
            let path = folder.map(\.path) ?? ""
            return Array((chosen ?? []).dropFirst()) + (KernelLanguage.named(name)?.arguments(kernels: path) ?? [])
        }
    }

    /// Takes the kernel's hello, answers it, and sends what has been kept for it.
    func welcome(_ hello: Hello, _ child: Child) {
        guard hello.major == 1 else { return lose(child, .otherProtocol(found: hello.protocol)) }
        if let language = child.language, let version = Version(hello.version), version < language.minimum {
            return lose(child, .tooOld(found: hello.version, minimum: language.minimum.description))
        }
        child.hello = hello
        if child.language == nil { entries.first { $0.child === child }?.language = hello.language }
        child.deadline = nil
        let answer = Initialization(
            version: version, session: child.session, generation: child.generation,
            directory: directory, width: width,
            segments: ["map", "copy"].contains(hello.buffers) ? segments(child.session, child.generation) : nil)
        // An init is far below every limit.
        try? child.send(header: answer.header(plain: hello.plain ?? false), body: [])
        let held = child.held
        child.held = []
        for (id, body) in held {
            guard let request = child.pending.first(where: { $0.id == id })?.request else { continue }
            send(request, id, body, to: child)
        }
    }

    // MARK: Ending

    /// Ends the session and starts it again; what it was asked and has not answered fails.
    public func restart(_ name: String, force: Bool = false) throws(SessionError) {
        let entry = try entry(name)
        dismiss(entry, .restarted, force: force)
        try spawn(entry)
    }

    /// Ends the session; its next use starts it afresh. `force` leaves it no time.
    public func stop(_ name: String, force: Bool = false) throws(SessionError) {
        dismiss(try entry(name), .stopped, force: force)
    }

    private func dismiss(_ entry: Entry, _ reason: Death.Reason, force: Bool = false) {
        guard let child = entry.child else { return }
        let isBusy = !child.pending.isEmpty
        if isBusy { report(child, reason) }
        entry.child = nil
        leave(child, force: force, after: isBusy ? .zero : farewellLimit)
    }

    /// Ends every session and waits until they are gone: kernels leave when their sockets close, those that do not
    /// within `farewellLimit` get SIGTERM, then SIGKILL. Returns what they still had to say.
    @discardableResult
    public func shutdown(forGood: Bool = false) -> [SessionEvent] {
        watcher?.isLeft = forGood
        for entry in entries { dismiss(entry, .stopped) }
        while !leaving.isEmpty {
            expire()
            pollOnce(until: nextDeadline, alsoReadable: [])
        }
        watcher = nil
        folder = nil
        defer { events = [] }
        return events
    }

    /// Closes the child's sockets and gives it time to go; none to one that is busy and would not notice.
    private func leave(_ child: Child, force: Bool, after patience: Duration = .zero) {
        drain(child)
        child.closeSockets()
        if awaited === child { awaited = nil }
        child.held = []
        child.pending = []
        leaving.append(child)
        if force {
            kill(child)
        } else {
            child.farewell = .socketClosed
            child.deadline = .now + patience
        }
    }

    private func kill(_ child: Child) {
        child.signalGroup(SIGKILL)
        child.farewell = .killed
        child.deadline = nil
    }

    /// Gives up on a child that misbehaves: tells why, and kills it.
    func lose(_ child: Child, _ reason: Death.Reason) {
        guard let entry = entries.first(where: { $0.child === child }) else { return }
        // First, so that what is drained now cannot lose it again.
        entry.child = nil
        entry.hasDied = true
        drain(child)
        report(child, reason)
        leave(child, force: true)
    }

    /// The child's process has ended: takes what it left behind, and reaps it.
    func bury(_ child: Child) {
        var code: Int32 = 0
        let end = meta_peek_end(child.pid, &code)
        guard end != META_ALIVE else { return }
        if let entry = entries.first(where: { $0.child === child }) {
            // Answers that it gave before it died count.
            receiveRest(child)
            if entry.child === child {
                drain(child)
                report(child, Self.reason(end, code))
                entry.child = nil
                entry.hasDied = true
            }
        } else {
            drain(child)
        }
        // While the leader is not reaped, its number cannot become another group's.
        self.end(child)
        leaving.removeAll { $0 === child }
        if awaited === child { awaited = nil }
    }

    /// Kills what is left of the child's group and reaps it.
    func end(_ child: Child) {
        child.signalGroup(SIGKILL)
        watcher?.withdraw(group: child.pid)
        meta_wait(child.pid)
        onEnd(child.session, child.generation)
    }

    private static func reason(_ end: meta_end, _ code: Int32) -> Death.Reason {
        guard end == META_SIGNALED else { return .exited(status: code) }
        return .killed(signal: meta_signal_name(code).map { String(cString: $0) } ?? "signal \(code)")
    }

    private func report(_ child: Child, _ reason: Death.Reason) {
        let waiting = child.pending.filter { !$0.isAbandoned }
        if let captured = child.pending.first?.output, !captured.isEmpty {
            events.append(.output(session: child.session, .stdout, captured))
        }
        let death = Death(
            reason: reason, generation: child.generation, running: child.pending.first?.id,
            code: child.pending.first?.request.summary, lastLines: child.lastLines.lines)
        child.pending = []
        events.append(.ended(session: child.session, death, failed: waiting.map(\.id)))
    }

    // MARK: Deadlines

    var nextDeadline: ContinuousClock.Instant? {
        let children = entries.compactMap(\.child) + leaving
        return children.flatMap { [$0.deadline, $0.interruption?.nextLook].compactMap { $0 } }.min()
    }

    /// Does what is due.
    func expire() {
        guard let next = nextDeadline, next <= .now else { return }
        let now = ContinuousClock.now
        for child in entries.compactMap(\.child) + leaving {
            if let look = child.interruption?.nextLook, look <= now { child.interruptLatecomers() }
            if let deadline = child.deadline, deadline <= now {
                child.deadline = nil
                expire(child)
            }
        }
    }

    private func expire(_ child: Child) {
        switch child.farewell {
        case .none where child.requestSocket < 0 && !child.decoder.isAtBoundary:
            lose(child, .protocolError("its request socket ended in the middle of a message"))
        case .none where child.requestSocket < 0: lose(child, .closedSocket)
        case .none: lose(child, .noHello(seconds: helloLimit / .seconds(1)))
        case .socketClosed:
            child.signalGroup(SIGTERM)
            child.farewell = .terminated
            child.deadline = .now + terminationLimit
        case .terminated: kill(child)
        case .killed: break
        }
    }
}

extension Launch {
    var kernelLanguage: KernelLanguage? {
        switch kernel {
        case .language(let name, _): KernelLanguage.named(name)
        case .command: nil
        }
    }
}
