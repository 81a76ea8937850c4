import CSystem
import Glibc
import Wire

extension SessionTable {
    /// Waking a second core costs ~35 µs; a kernel that answers sooner than this many reads is never slept on. With one
    /// core for both, every such read keeps the kernel from answering.
    private static let spins = meta_usable_cpus() > 1 ? 60 : 0
    /// A chatty session must not keep signals and other sessions waiting.
    private static let turnsBetweenPolls = 16
    /// A child whose request socket has closed is usually dying; this is how long it may take.
    private static let closingLimit = Duration.milliseconds(250)

    /// Moves bytes until something has happened or `deadline` has passed; then the result is empty.
    ///
    /// `alsoReadable` are further descriptors to wait for, told as `.readable`.
    public func wait(
        until deadline: ContinuousClock.Instant? = nil, alsoReadable: [Int32] = []
    ) -> [SessionEvent] {
        while events.isEmpty {
            turn(until: deadline, alsoReadable: alsoReadable)
            if events.isEmpty, let deadline, deadline <= .now { break }
        }
        defer { events = [] }
        return events
    }

    /// One look at everything, which may take until the next deadline.
    private func turn(until deadline: ContinuousClock.Instant?, alsoReadable: [Int32]) {
        expire()
        guard events.isEmpty else { return }
        if turnsSincePoll < Self.turnsBetweenPolls, meta_signals_pending() == 0, spin() {
            turnsSincePoll += 1
            return
        }
        turnsSincePoll = 0
        pollOnce(until: [deadline, nextDeadline].compactMap { $0 }.min(), alsoReadable: alsoReadable)
    }

    /// Tries the awaited socket a few times; whether it had something to say.
    private func spin() -> Bool {
        guard Self.spins > 0, let child = awaited, child.hello != nil, !child.pending.isEmpty,
            child.outgoing.isEmpty, child.upcallOutgoing.isEmpty
        else { return false }
        for _ in 0..<Self.spins {
            if child.callsUp, case .some = receiveUpcall(child) { return true }
            switch receive(child, child.requestSocket) {
            case .nothing: continue
            case .some: return true
            case .ended: return false
            }
        }
        // It takes its time; from now on it is polled with the others.
        awaited = nil
        return false
    }

    // MARK: Polling

    private enum Source {
        case ending(Child)
        case requests(Child)
        case upcalls(Child)
        case stream(Child, OutputStream)
        case signals
        case other(Int32)
    }

    func pollOnce(until deadline: ContinuousClock.Instant?, alsoReadable: [Int32]) {
        var sources: [Source] = []
        var polled: [pollfd] = []
        func add(_ descriptor: Int32, _ source: Source, writing: Bool = false) {
            guard descriptor >= 0 else { return }
            sources.append(source)
            polled.append(pollfd(fd: descriptor, events: Int16(writing ? POLLIN | POLLOUT : POLLIN), revents: 0))
        }
        add(signalPipe, .signals)
        for child in entries.compactMap(\.child) + leaving {
            add(child.requestSocket, .requests(child), writing: !child.outgoing.isEmpty)
            add(child.upcallSocket, .upcalls(child), writing: !child.upcallOutgoing.isEmpty)
            add(child.stdoutPipe, .stream(child, .stdout))
            add(child.stderrPipe, .stream(child, .stderr))
            add(child.ending.number, .ending(child))
        }
        for descriptor in alsoReadable { add(descriptor, .other(descriptor)) }
        guard poll(&polled, nfds_t(polled.count), Self.milliseconds(until: deadline)) > 0 else { return }
        for (source, state) in zip(sources, polled) where state.revents != 0 {
            take(source, Int32(state.revents))
        }
    }

    /// Rounded up, so that what is due is due when poll returns.
    private static func milliseconds(until deadline: ContinuousClock.Instant?) -> Int32 {
        guard let deadline else { return -1 }
        let left = deadline - .now
        guard left > .zero else { return 0 }
        return Int32(clamping: Int((left / .milliseconds(1)).rounded(.up)))
    }

    /// An earlier source of the same round may have closed what this one names; then its number is -1.
    private func take(_ source: Source, _ state: Int32) {
        switch source {
        case .signals:
            while case let number = meta_signals_next(), number != 0 { events.append(.signal(number)) }
        case .other(let descriptor): events.append(.readable(descriptor))
        case .ending(let child): bury(child)
        case .stream(let child, let stream): read(child, stream, atMost: 1 << 16)
        case .upcalls(let child):
            if state & Int32(POLLOUT) != 0 { child.flush() }
            guard state & Int32(POLLIN | POLLHUP | POLLERR) != 0 else { return }
            if case .ended = receiveUpcall(child) { child.upcalls = .closed }
        case .requests(let child):
            if state & Int32(POLLOUT) != 0 { child.flush() }
            guard state & Int32(POLLIN | POLLHUP | POLLERR) != 0 else { return }
            if case .ended = receive(child, child.requestSocket) { close(child) }
        }
    }

    /// The child cannot be reached any more. Its death, if that is the cause, follows in a moment.
    private func close(_ child: Child) {
        child.requests = .closed
        guard child.farewell == .none else { return }
        child.deadline = .now + Self.closingLimit
    }

    // MARK: Messages

    enum Received { case nothing, some, ended }

    /// One read of the request socket.
    func receive(_ child: Child, _ socket: Int32) -> Received {
        guard socket >= 0 else { return .nothing }
        let count = meta_read(socket, buffer.baseAddress, buffer.count)
        guard count > 0 else { return count == -1 ? .nothing : .ended }
        child.isDrained = false
        var frames: [Frame] = []
        do {
            try child.decoder.take(UnsafeRawBufferPointer(rebasing: buffer[..<count]), into: &frames)
            for frame in frames {
                // A message may have ended the session.
                guard child.requestSocket >= 0 else { break }
                trace?.note(.fromKernel, child, header: frame.header, body: frame.body)
                try take(frame, from: child)
            }
        } catch {
            lose(child, .protocolError(error.message))
        }
        return .some
    }

    /// Everything that a dead child's socket still holds.
    func receiveRest(_ child: Child) {
        while case .some = receive(child, child.requestSocket) {}
    }

    private func receiveUpcall(_ child: Child) -> Received {
        guard child.upcallSocket >= 0 else { return .nothing }
        let count = meta_read(child.upcallSocket, buffer.baseAddress, buffer.count)
        guard count > 0 else { return count == -1 ? .nothing : .ended }
        child.callsUp = true
        var frames: [Frame] = []
        do {
            try child.upcallDecoder.take(UnsafeRawBufferPointer(rebasing: buffer[..<count]), into: &frames)
            for frame in frames {
                guard child.upcallSocket >= 0 else { break }
                trace?.note(.upcall, child, header: frame.header, body: frame.body)
                try takeUpcall(frame, from: child)
            }
        } catch {
            lose(child, .protocolError(error.message))
        }
        return .some
    }

    /// On their own socket kernels ask, and answer what they were asked meanwhile.
    private func takeUpcall(_ frame: Frame, from child: Child) throws(WireError) {
        switch try messages.decode(frame.header) {
        case .upcall(let upcall):
            drain(child)
            events.append(
                .upcall(session: child.session, generation: child.generation, upcall, body: frame.body))
        case .hello, .output, .release:
            lose(child, .protocolError("only requests and their replies belong on descriptor 4"))
        case let message: try take(message, frame.body, from: child)
        }
    }

    private func take(_ frame: Frame, from child: Child) throws(WireError) {
        try take(try messages.decode(frame.header), frame.body, from: child)
    }

    private func take(_ message: Message, _ body: [UInt8], from child: Child) throws(WireError) {
        if child.hello == nil {
            guard case .hello(let hello) = message else {
                return lose(child, .protocolError("expected hello first, got \(message.name)"))
            }
            return welcome(hello, child)
        }
        switch message {
        case .hello: lose(child, .protocolError("said hello twice"))
        case .reply(let reply):
            drainOnce(child)
            guard let pending = child.takePending(reply.re) else {
                if child.interrupted.contains(reply.re) { return }
                return lose(child, .protocolError("answered request \(reply.re), which is not open"))
            }
            answer(pending, reply, body)
        case .failure(let error):
            drain(child)
            if let number = error.re, child.interrupted.contains(number), !child.isOpen(number) { return }
            // A message that it could not read is the one that it works on.
            guard let number = error.re ?? child.pending.first?.id.number, let pending = child.takePending(number)
            else { return lose(child, .protocolError("answered request \(error.re ?? 0), which is not open")) }
            guard !pending.isAbandoned else { return }
            events.append(
                .failure(pending.id, error, body: body, output: pending.captures ? pending.output : nil))
        case .output(let text):
            deliver(Array(text.text.utf8), of: child, text.stream == "stderr" ? .stderr : .stdout)
        case .upcall: lose(child, .protocolError("asked on descriptor 3; requests of a kernel go to descriptor 4"))
        case .release(let releases):
            // What it has asked on the other socket may still name them.
            while case .some = receiveUpcall(child) {}
            events.append(.released(session: child.session, generation: child.generation, releases))
        }
    }

    private func answer(_ pending: PendingRequest, _ reply: Reply, _ body: [UInt8]) {
        guard !pending.isAbandoned else { return }
        var reply = reply
        // What no clock could have measured is not believed.
        if !(reply.elapsed.map { (0..<1e15).contains($0) } ?? false) {
            reply.elapsed = (ContinuousClock.now - pending.sent) / .microseconds(1)
        }
        events.append(.reply(pending.id, reply, body: body, output: pending.captures ? pending.output : nil))
    }

    // MARK: Output

    /// Empties the pipes before a reply. For replies that came together once is enough, unless output is part of them.
    private func drainOnce(_ child: Child) {
        if child.isDrained, child.language?.outputIsResult == false { return }
        drain(child)
        child.isDrained = true
    }

    /// Takes what the pipes hold at this moment: all that was written before the message that has just arrived, and
    /// no more, however fast a background process writes on.
    func drain(_ child: Child) {
        for stream in [OutputStream.stdout, .stderr] {
            var left = child.pipe(stream) >= 0 ? meta_readable_bytes(child.pipe(stream)) : 0
            while left > 0 {
                let count = read(child, stream, atMost: left)
                guard count > 0 else { break }
                left -= count
            }
        }
    }

    /// One read; the number of bytes, 0 when there are none.
    @discardableResult
    private func read(_ child: Child, _ stream: OutputStream, atMost limit: Int) -> Int {
        let pipe = child.pipe(stream)
        guard pipe >= 0 else { return 0 }
        let count = meta_read(pipe, buffer.baseAddress, min(limit, buffer.count))
        guard count > 0 else {
            if count != -1 { child.closePipe(stream) }
            return 0
        }
        let bytes = [UInt8](buffer[..<count])
        let name = stream == .stderr ? child.language?.sourceName : nil
        deliver(name?.replaced(in: bytes) ?? bytes, of: child, stream)
        return count
    }

    private func deliver(_ bytes: [UInt8], of child: Child, _ stream: OutputStream) {
        if stream == .stderr { child.lastLines.take(bytes) }
        guard stream == .stdout, let index = child.capturing, child.hello != nil else {
            return events.append(.output(session: child.session, stream, bytes))
        }
        guard child.pending[index].output.count + bytes.count <= Frame.bodyLimit else {
            return lose(child, .tooMuchOutput(limit: Frame.bodyLimit))
        }
        child.pending[index].output += bytes
    }
}

extension Message {
    fileprivate var name: String {
        switch self {
        case .hello: "hello"
        case .reply: "a reply"
        case .failure: "an error"
        case .output: "output"
        case .upcall: "a request"
        case .release: "a release"
        }
    }
}
