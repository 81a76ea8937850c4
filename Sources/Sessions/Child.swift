import CSystem
import Glibc
import Kernels
import Wire

/// A request that has no answer yet.
struct PendingRequest {
    let id: RequestID
    let request: Request
    /// Whether what arrives on standard output belongs to its reply.
    let captures: Bool
    var output: [UInt8] = []
    var sent: ContinuousClock.Instant
    /// Nobody waits for the answer any more; it is dropped when it comes.
    var isAbandoned = false
}

/// One running kernel: its process, our ends of its descriptors, and what is on its way.
///
/// Only its `SessionTable` touches it. Descriptors close when `.closed` takes their place or with the child; the process
/// itself is ended and reaped by the table.
final class Child {
    let session: String
    let language: KernelLanguage?
    let interpreter: Interpreter
    let generation: Int
    let pid: pid_t
    let ending: Descriptor
    var requests: Descriptor
    var upcalls: Descriptor
    var stdout: Descriptor
    var stderr: Descriptor

    var hello: Hello?
    var decoder = FrameDecoder()
    var upcallDecoder = FrameDecoder()
    var outgoing = OutgoingBytes()
    /// Whether its pipes have been emptied since its replies were last read.
    var isDrained = false
    /// Whether what is sent waits for more.
    var isHeld = false
    /// What goes to the thread that waits for an upcall.
    var upcallOutgoing = OutgoingBytes()
    /// Whether it has ever asked meta for something, so that it is worth listening closely.
    var callsUp = false
    /// Bodies of requests that wait for hello.
    var held: [(id: RequestID, body: [UInt8])] = []
    /// In the order they were sent; the kernel works on the first.
    var pending: [PendingRequest] = []
    /// Requests that were under way at an interrupt: a signal that lands while the reply is written can repeat it.
    var interrupted: Set<Int> = []

    private var lastAnswer: ContinuousClock.Instant?
    /// Whether its last answer is so old that it may have died since, unnoticed. Asking the system costs a call.
    var hasRested: Bool { lastAnswer.map { .now - $0 > .milliseconds(2) } ?? true }

    func isOpen(_ number: Int) -> Bool { pending.contains { $0.id.number == number } }
    var lastLines = LastLines()
    /// When something must have happened: hello, or the end of a child that is leaving.
    var deadline: ContinuousClock.Instant?
    var farewell = Farewell.none
    var interruption: Interruption?
    var trace: FrameTrace?

    /// A shell that is interrupted between two commands starts the second all the same, and bash then waits for it
    /// before it looks at the signal. So processes that were born too late to get the signal get it a little later.
    struct Interruption {
        var reached: [pid_t: String]
        var nextLook: ContinuousClock.Instant
        var looksLeft = 2
    }

    /// How far the end of a child that shall go has come.
    enum Farewell { case none, socketClosed, terminated, killed }

    init(
        session: String, language: KernelLanguage?, interpreter: Interpreter, generation: Int, pid: pid_t,
        ending: consuming Descriptor, requests: consuming Descriptor, upcalls: consuming Descriptor,
        stdout: consuming Descriptor, stderr: consuming Descriptor
    ) {
        self.session = session
        self.language = language
        self.interpreter = interpreter
        self.generation = generation
        self.pid = pid
        self.ending = ending
        self.requests = requests
        self.upcalls = upcalls
        self.stdout = stdout
        self.stderr = stderr
    }

    var requestSocket: Int32 { requests.number }
    var upcallSocket: Int32 { upcalls.number }
    var stdoutPipe: Int32 { stdout.number }
    var stderrPipe: Int32 { stderr.number }

    /// Ends here: no further requests, and none waits.
    func closeSockets() {
        requests = .closed
        upcalls = .closed
    }

    func closePipe(_ stream: OutputStream) {
        switch stream {
        case .stdout: stdout = .closed
        case .stderr: stderr = .closed
        }
    }

    func pipe(_ stream: OutputStream) -> Int32 {
        switch stream {
        case .stdout: stdoutPipe
        case .stderr: stderrPipe
        }
    }

    func takePending(_ number: Int) -> PendingRequest? {
        guard let index = pending.firstIndex(where: { $0.id.number == number }) else { return nil }
        lastAnswer = .now
        return pending.remove(at: index)
    }

    /// Sends what the sockets take; the rest goes when they are writable. A broken socket is noticed when it is read.
    func flush() {
        if isHeld { return }
        if requestSocket >= 0, !outgoing.send(to: requestSocket) { outgoing = OutgoingBytes() }
        if upcallSocket >= 0, !upcallOutgoing.send(to: upcallSocket) { upcallOutgoing = OutgoingBytes() }
    }

    /// - Parameter isInner: whether it is for the thread that waits for an upcall.
    func send(header: [UInt8], body: [UInt8], isInner: Bool = false) throws(WireError) {
        trace?.note(isInner ? .toCaller : .toKernel, self, header: header, body: body)
        // A large body is not copied behind its header.
        if body.count > 1 << 16 {
            let prefix = try Frame.prefix(header: header.count, body: body.count) + header
            append(prefix, isInner)
            append(body, isInner)
        } else {
            append(try Frame(header: header, body: body).encoded(), isInner)
        }
        flush()
    }

    private func append(_ bytes: [UInt8], _ isInner: Bool) {
        if isInner { upcallOutgoing.append(bytes) } else { outgoing.append(bytes) }
    }

    /// The request that what arrives on standard output belongs to: the innermost one that runs.
    var capturing: Int? {
        let index = pending.lastIndex { $0.request.upcall != nil } ?? (pending.isEmpty ? nil : 0)
        return index.flatMap { pending[$0].captures ? $0 : nil }
    }

    func signalGroup(_ signal: Int32) {
        kill(-pid, signal)
    }

    /// Interrupts the group, and notes whom that reached.
    func interrupt() {
        interrupted = Set(pending.map(\.id.number))
        let repeats = language?.outputIsResult == true
        if repeats { interruption = Interruption(reached: descendants(), nextLook: .now + .milliseconds(20)) }
        signalGroup(SIGINT)
    }

    /// Interrupts those that were started while the first signal was on its way.
    func interruptLatecomers() {
        guard var current = interruption else { return }
        interruption = nil
        guard !pending.isEmpty else { return }
        // A child between fork and exec can lose the signal: one that runs another program now is told again.
        for (process, program) in descendants() where current.reached[process] != program {
            current.reached[process] = program
            kill(process, SIGINT)
        }
        current.looksLeft -= 1
        current.nextLook = .now + .milliseconds(100)
        if current.looksLeft > 0 { interruption = current }
    }

    /// The processes below this one, each with the program it runs.
    private func descendants() -> [pid_t: String] {
        var found: [pid_t: String] = [:]
        var open = [pid]
        while let parent = open.popLast(), found.count < 1000 {
            let children = Files.read("/proc/\(parent)/task/\(parent)/children") ?? []
            for child in String(decoding: children, as: UTF8.self).split(separator: " ").compactMap({ pid_t($0) })
            where found[child] == nil {
                found[child] = Files.link("/proc/\(child)/exe") ?? ""
                open.append(child)
            }
        }
        return found
    }

    /// Resident bytes of the kernel itself.
    var memory: Int? {
        guard let text = Files.read("/proc/\(pid)/statm") else { return nil }
        let fields = String(decoding: text, as: UTF8.self).split(separator: " ")
        return fields.count > 1 ? Int(fields[1]).map { $0 * Int(sysconf(Int32(_SC_PAGESIZE))) } : nil
    }
}
