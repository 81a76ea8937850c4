import Glibc
import Language
import Wire

/// Arrays in shared memory, for kernels that read segments. The case's samples make an array of 300 float64, 0.0 to 299.0,
/// and sum up the array `x`.
enum BufferCases {
    static let group = CaseGroup(
        title: "buffers",
        cases: [
            made("buffer-live", "send an array to meta as a live Buffer of its session, and say live in the header") {
                probe throws(Complaint) in
                let (reply, record) = try buffer(try probe.sample("array"), probe)
                guard reply.sharing.isLive, case .live(let object) = record.place,
                    object.reference.owner == Probe.session,
                    reply.references == [object.reference]
                else { throw .broken("it is not live, of \(Probe.session), and listed in refs alone") }
                try check(record)
            },
            made("buffer-publish", "publish an array's contents in a segment that only its user may read") {
                probe throws(Complaint) in
                let (live, record) = try buffer(try probe.sample("array"), probe)
                guard case .live(let object) = record.place else { throw .broken("it is not live") }
                let (reply, published) = try buffer(
                    answering: probe.request("publish", [("ref", .int(object.reference.number))]), probe)
                try checkContents(of: published, reply, probe)
                guard live.references != reply.references else { throw .broken("the segment has the array's number") }
            },
            made(
                "buffer-share-publish", "publish at once what goes on to another runtime, and say shared in the header"
            ) {
                probe throws(Complaint) in
                let (reply, record) = try buffer(
                    try probe.sample("array"), probe, flags: [("share", .text("publish"))])
                guard reply.sharing.isShared else { throw .broken("the header does not say shared") }
                try checkContents(of: record, reply, probe)
            },
            made("buffer-share-none", "send a Ref instead of a Buffer to who reads no segments") {
                probe throws(Complaint) in
                let id = probe.eval(try probe.sample("array"), flags: [("share", .text("none"))])
                let body = try probe.value(of: id)
                guard case .object(let record)? = try? JSON.parse(body), record["_type"]?.nameText == "Ref" else {
                    throw .broken("expected a Ref, got \(Probe.shown(body))")
                }
            },
            made("buffer-twice", "give a segment that is used again another name and number") {
                probe throws(Complaint) in
                var names: Set<String> = []
                for _ in 0..<3 {
                    let (reply, record) = try buffer(
                        try probe.sample("array"), probe, flags: [("share", .text("publish"))])
                    try checkContents(of: record, reply, probe)
                    guard case .segment(let reference, let name) = record.place, names.insert(name).inserted else {
                        throw .broken("two arrays have one segment")
                    }
                    probe.release(reference)
                }
            },
            taken("buffer-attach", "read the contents of another's segment") {
                probe, name, reference throws(Complaint) in
                let body = Self.text(name, reference)
                let id = probe.eval(try probe.sample("array sum"), [("x", body)], references: [reference])
                try probe.expect(try probe.value(of: id), "44850.0")
            },
            taken("buffer-inline", "read an array whose bytes are in its record") { probe, _, _ throws(Complaint) in
                let bytes = contents.withUnsafeBytes { Array($0.prefix(24)) }
                let body =
                    "{\"_type\":\"Buffer\",\"buffer_id\":\"\",\"format\":\"float64\",\"shape\":[3],\"language\":\"meta\","
                    + "\"type\":\"\",\"base64\":\"\(Base64.encode(bytes))\"}"
                try probe.expect(try probe.value(of: probe.eval(try probe.sample("array sum"), [("x", body)])), "3.0")
            },
            taken("buffer-unlisted", "refuse a segment that the header does not list with wire/unreadable") {
                probe, name, reference throws(Complaint) in
                let id = probe.eval(try probe.sample("array sum"), [("x", Self.text(name, reference))])
                try probe.expectError(id, ["wire/unreadable"])
            },
            taken(
                "buffer-forged",
                "refuse a segment that is missing, too short, or open to others, or whose name leaves /dev/shm"
            ) {
                probe, name, reference throws(Complaint) in
                let code = try probe.sample("array sum")
                for (wrong, count, codes) in [
                    (name + "0", 300, ["buffer/stale"]), (name, 301, ["buffer/range"]),
                    ("../dev/shm/" + name, 300, ["buffer/forged"]), ("meta-\(getuid())-/x", 300, ["buffer/forged"]),
                ] {
                    let body = Self.text(wrong, reference, count: count)
                    try probe.expectError(probe.eval(code, [("x", body)], references: [reference]), codes)
                }
                chmod("/dev/shm/" + name, 0o644)
                let id = probe.eval(code, [("x", Self.text(name, reference))], references: [reference])
                try probe.expectError(id, ["buffer/forged"])
            },
        ])

    private static let contents = (0..<300).map(Double.init)

    private static func made(
        _ name: String, _ rule: String, _ run: @escaping @Sendable (Probe) throws(Complaint) -> Void
    ) -> Case {
        Case(name, rule, needs: ["eval", "publish", "release"], samples: ["array"], kernels: .json, run: run)
    }

    /// - Parameter run: gets the name of a segment with the contents, made by somebody else, and the object that it is.
    private static func taken(
        _ name: String, _ rule: String, _ run: @escaping @Sendable (Probe, String, Reference) throws(Complaint) -> Void
    ) -> Case {
        Case(name, rule, needs: ["eval", "publish", "release"], samples: ["array sum"], kernels: .json) {
            probe throws(Complaint) in
            let reference = Reference(owner: "other", generation: 1, number: probe.newReference().number)
            let segment = probe.family + "-2-\(reference.number)-0123456789abcdef"
            let descriptor = open("/dev/shm/" + segment, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw .broken("the suite cannot make a segment") }
            defer { unlink("/dev/shm/" + segment) }
            let written = contents.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            close(descriptor)
            guard written == 2400 else { throw .broken("the suite cannot write a segment") }
            try run(probe, segment, reference)
        }
    }

    private static func text(_ segment: String, _ reference: Reference, count: Int = 300) -> String {
        "{\"_type\":\"Buffer\",\"buffer_id\":\"other-1-\(reference.number)\",\"format\":\"float64\",\"shape\":[\(count)],"
            + "\"language\":\"py\",\"type\":\"numpy.ndarray\",\"owner\":\"other\",\"generation\":1,\"ref\":\(reference.number),"
            + "\"segment\":\"\(segment)\"}"
    }

    private static func buffer(
        _ code: String, _ probe: Probe, flags: [(String, Value)] = []
    ) throws(Complaint) -> (Reply, BufferRecord) {
        try buffer(answering: probe.eval(code, flags: flags), probe)
    }

    private static func buffer(answering id: Int, _ probe: Probe) throws(Complaint) -> (Reply, BufferRecord) {
        guard case .value(let reply, let body) = try probe.answer(to: id) else {
            throw .broken("expected a Buffer, got an error")
        }
        do throws(Failure) {
            guard case .object(let fields) = try JSON.parse(body), fields["_type"]?.nameText == "Buffer" else {
                throw Failure("wire/unreadable", "it is no Buffer")
            }
            return (reply, try BufferRecord(fields, References.reference(of: fields)))
        } catch {
            throw .broken("expected a Buffer, got \(Probe.shown(body)): \(error.message)")
        }
    }

    private static func check(_ record: BufferRecord) throws(Complaint) {
        guard record.layout.format == .float64, record.layout.shape == [300] else {
            throw .broken("expected 300 float64, got \(record.layout.format.rawValue) of shape \(record.layout.shape)")
        }
    }

    private static func checkContents(of record: BufferRecord, _ reply: Reply, _ probe: Probe) throws(Complaint) {
        try check(record)
        guard case .segment(let reference, let name) = record.place else { throw .broken("it has no segment") }
        guard reply.references.contains(reference) else { throw .broken("refs does not list the segment") }
        guard name.hasPrefix(probe.family + "-1-\(reference.number)-"), !name.contains("/") else {
            throw .broken("the segment of object \(reference.number) is named \(name)")
        }
        var status = stat()
        let path = "/dev/shm/" + name
        guard lstat(path, &status) == 0 else { throw .broken("there is no segment \(name)") }
        guard status.st_mode & 0o077 == 0 else { throw .broken("others may use the segment") }
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        defer { close(descriptor) }
        var found = [Double](repeating: -1, count: 300)
        let count = found.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, 2400, record.layout.offset) }
        guard count == 2400, found == contents else { throw .broken("the segment does not hold the items") }
    }
}
