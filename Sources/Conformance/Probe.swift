import Glibc
import Language
import Sessions
import Wire

/// A talk with one kernel: sends what meta would and what it would not, and holds all that comes back to the rules that
/// every message must keep.
final class Probe {
    static let session = "probe"
    static let generation = 3

    /// Those that were given, or those built in for the language that hello names.
    private(set) var samples: Samples
    private let areGiven: Bool
    let seed: UInt64
    private(set) var kernel: RawKernel
    private(set) var hello = Hello(protocol: "", language: "", version: "", operations: [])
    /// How the names of all segments of shared memory of this talk begin.
    let family = "meta-\(getuid())-\(getpid())-" + String(UInt32.random(in: 1 << 28 ... .max), radix: 16)
    /// When the case must be over.
    var deadline: ContinuousClock.Instant
    /// What kernels gave back of objects that were sent to them.
    private(set) var released: [Reference: Int] = [:]
    /// How often each foreign object was sent to the kernel.
    private(set) var sendings: [Reference: Int] = [:]
    /// What was sent and what came since the case began, the newest last.
    private(set) var log: [String] = []
    /// The first message that came, as it came.
    private(set) var firstHeader: [UInt8] = []
    private var lastID = 0
    private var answered: Set<Int> = []
    /// The last request that may be answered a second time, since a signal was sent after it.
    private var repeatable = 0
    /// The signals sent in this case: each may end a later request than the one it was meant for, but only one.
    private var strays = 0
    private var lastReference = 0
    private let messages = MessageDecoder()
    private var waiting: [Incoming] = []

    struct Incoming {
        let line: RawKernel.Line
        let header: [UInt8]
        let message: Message
        let body: [UInt8]
    }

    /// Starts no talk yet: `greet` does.
    init(_ kernel: RawKernel, samples: Samples?, seed: UInt64, deadline: ContinuousClock.Instant) {
        self.kernel = kernel
        self.samples = samples ?? Samples.builtIn("")
        areGiven = samples != nil
        self.seed = seed
        self.deadline = deadline
    }

    deinit {
        guard let folder = opendir("/dev/shm") else { return }
        defer { closedir(folder) }
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasPrefix(family) { unlink("/dev/shm/" + name) }
        }
    }

    var isPlain: Bool { hello.plain ?? (firstHeader.first.map { (48...57).contains($0) } ?? false) }
    func declares(_ operation: String) -> Bool { hello.operations.contains(operation) }

    func beginCase(until deadline: ContinuousClock.Instant) {
        self.deadline = deadline
        log = []
        strays = 0
    }

    // MARK: Hello

    /// Takes the kernel's hello and answers it.
    func greet() throws(Complaint) {
        let first = try nextFrame()
        firstHeader = first.header
        guard case .hello(let hello) = first.message else {
            throw .broken("the first message is not hello: \(Self.shown(first.header))")
        }
        self.hello = hello
        if !areGiven { samples = Samples.builtIn(hello.language) }
        sendHeader(
            Initialization(
                version: "0", session: Self.session, generation: Self.generation, directory: "/", width: 80,
                segments: (family + "-1-", 1 << 30)
            ).header(plain: isPlain))
    }

    // MARK: Sending

    func sendBytes(_ bytes: [UInt8], on line: RawKernel.Line = .requests) {
        note(line == .requests ? "sent" : "sent on 4", bytes)
        kernel.send(bytes, on: line)
    }

    private func sendHeader(_ header: [UInt8], _ body: [UInt8] = [], on line: RawKernel.Line = .requests) {
        guard let bytes = try? Frame(header: header, body: body).encoded() else { return }
        note(line == .requests ? "sent" : "sent on 4", header, body)
        kernel.send(bytes, on: line)
    }

    func newID() -> Int {
        lastID += 1
        return lastID
    }

    /// Sends a request; its number.
    ///
    /// - Parameter references: what the body names, to be listed and counted.
    @discardableResult
    func request(
        _ op: String, _ fields: [(String, Value)] = [], body: [UInt8] = [], references: [Reference] = [],
        inside upcall: Int? = nil
    ) -> Int {
        let id = newID()
        var fields = fields
        if let upcall { fields.append(("in", .int(upcall))) }
        if !references.isEmpty { fields.append(("refs", .triples(references))) }
        for reference in references where reference.owner != Self.session { sendings[reference, default: 0] += 1 }
        sendHeader(
            Header(op, id: id, fields).bytes(plain: isPlain), body, on: upcall == nil ? .requests : .upcalls)
        return id
    }

    /// Sends a message that gets no reply, or the answer to an upcall.
    func tell(
        _ op: String, _ fields: [(String, Value)], body: [UInt8] = [], references: [Reference] = [],
        on line: RawKernel.Line = .requests
    ) {
        var fields = fields
        if !references.isEmpty { fields.append(("refs", .triples(references))) }
        for reference in references where reference.owner != Self.session { sendings[reference, default: 0] += 1 }
        sendHeader(Header(op, fields).bytes(plain: isPlain), body, on: line)
    }

    /// Gives back one sending of an object of the kernel's.
    func release(_ reference: Reference) {
        tell(
            "release",
            [
                (
                    "refs",
                    .vector(
                        Items([
                            .vector(
                                Items([
                                    .text(reference.owner), .int(reference.generation), .int(reference.number), .int(1),
                                ]))
                        ]))
                )
            ])
    }

    /// A callable object of meta's own, never named before.
    func newReference() -> Reference {
        lastReference += 1
        return Reference(owner: "meta", generation: 1, number: lastReference)
    }

    // MARK: Receiving

    /// The next message, on any line.
    func nextFrame() throws(Complaint) -> Incoming {
        if !waiting.isEmpty { return waiting.removeFirst() }
        switch kernel.next(until: deadline) {
        case .silence: throw .broken("no answer in time")
        case .closed(.requests, let isCut):
            let how = kernel.ending(until: min(deadline, .now + .seconds(1))).map { "the kernel ended: \($0)" }
            throw .broken(
                (how ?? "the kernel closed its request socket") + (isCut ? ", in the middle of a message" : ""))
        case .closed(.upcalls, _):
            // Allowed: a kernel that never calls up may close it.
            return try nextFrame()
        case .unreadable(let line, let error):
            throw .broken("unreadable on descriptor \(line == .requests ? 3 : 4): \(error.message)")
        case .frame(let line, let frame): return try checked(line, frame)
        }
    }

    private func checked(_ line: RawKernel.Line, _ frame: Frame) throws(Complaint) -> Incoming {
        note(line == .requests ? "came" : "came on 4", frame.header, frame.body)
        let message: Message
        do throws(WireError) {
            message = try messages.decode(frame.header)
        } catch {
            throw .broken(error.message)
        }
        let incoming = Incoming(line: line, header: frame.header, message: message, body: frame.body)
        try Rules.check(incoming, isPlain: frame.header.first.map { (48...57).contains($0) } ?? false)
        if case .release(let releases) = message {
            for release in releases { released[release.reference, default: 0] += release.times }
        }
        return incoming
    }

    /// The next message that is no release and no output.
    func next() throws(Complaint) -> Incoming {
        while true {
            let incoming = try nextFrame()
            switch incoming.message {
            case .release(let releases):
                for release in releases
                where released[release.reference, default: 0] > sendings[release.reference, default: 0] {
                    throw .broken("it gave back an object more often than it was sent")
                }
            case .output: continue
            default: return incoming
            }
        }
    }

    enum Answer {
        case value(Reply, [UInt8])
        case error(ErrorHeader, [UInt8])
    }

    /// Interrupts the kernel's process group. What has been answered may then be answered once more: the signal may have
    /// met the answer while it was written, and meta drops the second by its number.
    func interrupt() {
        repeatable = lastID
        strays += 1
        log.append("sent SIGINT")
        kernel.signal(2)
    }

    /// Whether a signal may still be on its way; counts it as arrived.
    func takeStray() -> Bool {
        guard strays > 0 else { return false }
        strays -= 1
        return true
    }

    /// Whether nothing comes for a while, but what may be repeated.
    func isSilent(for time: Duration) throws(Complaint) -> Bool {
        let end = ContinuousClock.now + time
        while true {
            switch kernel.next(until: end) {
            case .silence: return true
            case .frame(let line, let frame):
                guard isRepeated(try checked(line, frame)) else { return false }
            default: return false
            }
        }
    }

    private func isRepeated(_ incoming: Incoming) -> Bool {
        switch incoming.message {
        case .reply(let reply): reply.re <= repeatable && answered.contains(reply.re)
        case .failure(let error): error.re.map { $0 <= repeatable && answered.contains($0) } ?? false
        default: false
        }
    }

    /// The answer to a request, which must be the next message.
    func answer(to id: Int, on line: RawKernel.Line = .requests) throws(Complaint) -> Answer {
        var incoming = try next()
        while isRepeated(incoming) { incoming = try next() }
        answered.insert(id)
        guard incoming.line == line else {
            throw .broken("a message on the other descriptor: \(Self.shown(incoming.header))")
        }
        switch incoming.message {
        case .reply(let reply) where reply.re == id: return .value(reply, incoming.body)
        case .failure(let error) where error.re == id: return .error(error, incoming.body)
        default: throw .broken("expected the answer to request \(id), got \(Self.shown(incoming.header))")
        }
    }

    /// Asks something that no kernel can do and takes the answer: nothing else may still be on its way.
    func settle() throws(Complaint) {
        let id = request("conformance-ping")
        guard case .error(let error, _) = try answer(to: id) else {
            throw .broken("an unknown operation was answered by a ret")
        }
        if error.code == "runtime/interrupted", takeStray() { return try settle() }
        guard error.code == "runtime/unsupported" else {
            throw .broken("an unknown operation was answered by \(error.code) instead of runtime/unsupported")
        }
    }

    // MARK: What people read

    private func note(_ what: String, _ header: [UInt8], _ body: [UInt8] = []) {
        log.append("\(what) \(Self.shown(header))" + (body.isEmpty ? "" : " \(Self.shown(body))"))
        if log.count > 40 { log.remove(at: 10) }
    }

    static func shown(_ bytes: [UInt8]) -> String {
        var text = ""
        for scalar in String(decoding: bytes.prefix(160), as: UTF8.self).unicodeScalars {
            text +=
                scalar.value < 32 || scalar.value == 127 ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
        }
        return bytes.count > 160 ? text + "… (\(bytes.count) bytes)" : text
    }
}

typealias RawLine = RawKernel.Line
