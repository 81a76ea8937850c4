import CSystem
import Glibc
import Wire

/// A kernel with nobody in between: its frames as they come, whatever they say. For grading kernels; sessions are
/// `SessionTable`'s.
public final class RawKernel {
    /// Descriptor 3 of the kernel, and descriptor 4.
    public enum Line: Sendable { case requests, upcalls }

    public enum Event: Sendable {
        case frame(Line, Frame)
        /// What came is no frame; nothing further can be read from that line.
        case unreadable(Line, WireError)
        /// The kernel closed its end; `isCut` tells whether in the middle of a frame.
        case closed(Line, isCut: Bool)
        case silence
    }

    public let pid: pid_t
    /// What the kernel has written to 1 and 2, all that came before the last event among it.
    public private(set) var output: [UInt8] = []
    public private(set) var errors: [UInt8] = []
    /// Of each stream no more than this is kept.
    public static let outputLimit = 1 << 26

    private let table: SessionTable
    private var ends: [Line: End] = [:]
    private let stdout: Descriptor
    private let stderr: Descriptor
    private var events: [Event] = []
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)

    private final class End {
        let socket: Descriptor
        var decoder = FrameDecoder()
        var outgoing = OutgoingBytes()
        var isReadable = true

        init(_ socket: consuming Descriptor) {
            self.socket = socket
        }
    }

    fileprivate init(
        pid: pid_t, table: SessionTable, requests: consuming Descriptor, upcalls: consuming Descriptor,
        stdout: consuming Descriptor, stderr: consuming Descriptor
    ) {
        self.pid = pid
        self.table = table
        self.stdout = stdout
        self.stderr = stderr
        ends = [.requests: End(requests), .upcalls: End(upcalls)]
    }

    deinit {
        kill(-pid, SIGKILL)
        table.watcher?.withdraw(group: pid)
        meta_wait(pid)
        buffer.deallocate()
    }

    // MARK: Talking

    /// Puts bytes on their way as they are; `next` sends what the socket does not take at once.
    public func send(_ bytes: [UInt8], on line: Line = .requests) {
        guard let end = ends[line] else { return }
        end.outgoing.append(bytes)
        if !end.outgoing.send(to: end.socket.number) { end.outgoing = OutgoingBytes() }
    }

    /// The next thing that happens; `.silence` when nothing has until the deadline.
    public func next(until deadline: ContinuousClock.Instant) -> Event {
        while events.isEmpty {
            let left = deadline - .now
            turn(milliseconds: left > .zero ? Int32(clamping: Int((left / .milliseconds(1)).rounded(.up))) : 0)
            if events.isEmpty, deadline <= .now { return .silence }
        }
        return events.removeFirst()
    }

    /// Takes what has been printed, until there is more of it or the deadline has passed. False then.
    public func waitForOutput(until deadline: ContinuousClock.Instant) -> Bool {
        let (before, errorsBefore) = (output.count, errors.count)
        while output.count == before, errors.count == errorsBefore {
            guard deadline > .now, ends.values.contains(where: \.isReadable) else { return false }
            turn(milliseconds: 20)
        }
        return true
    }

    /// Drops what has been printed so far.
    public func forgetOutput() {
        output = []
        errors = []
    }

    /// Signals the kernel's process group.
    public func signal(_ number: Int32) {
        kill(-pid, number)
    }

    /// Closes our ends of both sockets, as meta does to end a session.
    public func closeSockets() {
        ends = [:]
    }

    /// How the process ended, in words; nil while it lives at the deadline.
    public func ending(until deadline: ContinuousClock.Instant) -> String? {
        var code: Int32 = 0
        while true {
            switch meta_peek_end(pid, &code) {
            case META_EXITED: return "exit status \(code)"
            case META_SIGNALED: return meta_signal_name(code).map { String(cString: $0) } ?? "signal \(code)"
            case META_GONE: return "gone"
            default: break
            }
            guard deadline > .now else { return nil }
            turn(milliseconds: 5)
        }
    }

    // MARK: One look

    private func turn(milliseconds: Int32) {
        var lines: [Line?] = []
        var polled: [pollfd] = []
        for (line, end) in ends where end.isReadable {
            lines.append(line)
            polled.append(
                pollfd(
                    fd: end.socket.number, events: Int16(end.outgoing.isEmpty ? POLLIN : POLLIN | POLLOUT), revents: 0))
        }
        for pipe in [stdout.number, stderr.number] {
            lines.append(nil)
            polled.append(pollfd(fd: pipe, events: Int16(POLLIN), revents: 0))
        }
        // A pipe whose writers are gone is always ready: it must not make this a busy loop.
        guard poll(&polled, nfds_t(polled.count), milliseconds) > 0 else { return }
        let isIdle = zip(lines, polled).allSatisfy { $0 == nil && $1.revents & Int16(POLLIN) == 0 || $1.revents == 0 }
        if isIdle { usleep(useconds_t(max(1, min(milliseconds, 5))) * 1000) }
        for (line, state) in zip(lines, polled) where state.revents != 0 {
            guard let line else { continue }
            if Int32(state.revents) & POLLOUT != 0 { send([], on: line) }
            if Int32(state.revents) & (POLLIN | POLLHUP | POLLERR) != 0 { receive(line) }
        }
        drain()
    }

    private func receive(_ line: Line) {
        guard let end = ends[line] else { return }
        let count = meta_read(end.socket.number, buffer.baseAddress, buffer.count)
        guard count > 0 else {
            guard count != -1 else { return }
            end.isReadable = false
            return events.append(.closed(line, isCut: !end.decoder.isAtBoundary))
        }
        // What was printed before the message is taken before it.
        drain()
        var frames: [Frame] = []
        do throws(WireError) {
            try end.decoder.take(UnsafeRawBufferPointer(rebasing: buffer[..<count]), into: &frames)
            events += frames.map { .frame(line, $0) }
        } catch {
            events += frames.map { .frame(line, $0) }
            end.isReadable = false
            events.append(.unreadable(line, error))
        }
    }

    private func drain() {
        Self.drain(stdout.number, into: &output)
        Self.drain(stderr.number, into: &errors)
    }

    /// What the pipe holds at this moment.
    private static func drain(_ pipe: Int32, into bytes: inout [UInt8]) {
        var left = meta_readable_bytes(pipe)
        var piece = [UInt8](repeating: 0, count: min(left, 1 << 16))
        while left > 0 {
            let count = meta_read(pipe, &piece, min(left, piece.count))
            guard count > 0 else { return }
            left -= count
            if bytes.count < outputLimit { bytes += piece[..<count] }
        }
    }
}

extension SessionTable {
    /// Starts a kernel with nobody in between. It dies with the table.
    ///
    /// - Throws: `session/missing`, `session/spawn`, `session/system`
    public func openRaw(_ launch: Launch) throws(SessionError) -> RawKernel {
        let sockets = try Channel.socket()
        let upcalls = try Channel.socket()
        let stdout = try Channel.output()
        let stderr = try Channel.output()
        let null = Descriptor(owning: open("/dev/null", O_RDONLY | O_CLOEXEC))
        let watcher = watcher ?? Guard()
        self.watcher = watcher
        let process = Spawn(
            path: try interpreter(for: launch).path, arguments: try arguments(launch),
            environment: environment.changed(by: launch.environment).entries,
            directory: launch.directory ?? directory, memoryLimit: launch.memoryLimit ?? 0)
        let pid = try process.start(
            descriptors: [
                null.number, stdout.child.number, stderr.child.number, sockets.child.number, upcalls.child.number,
            ], guardPipe: watcher.announcements)
        watcher.startOnce()
        return RawKernel(
            pid: pid, table: self, requests: sockets.takeParent(), upcalls: upcalls.takeParent(),
            stdout: stdout.takeParent(), stderr: stderr.takeParent())
    }
}
