import Language
import Properties
import Wire

/// Frames: their pieces, their sizes, and what is none.
enum FramingCases {
    /// Long texts are not to go through shared memory.
    private static var inFrames: (String, Value) { ("share", .text("none")) }

    static let group = CaseGroup(
        title: "framing",
        cases: [
            Case("pieces", "read a message in whatever pieces it arrives", needs: ["eval"], samples: ["sum"]) {
                probe throws(Complaint) in
                try inPieces(probe)
            },
            Case(
                "together", "read messages that arrive in one piece, and answer each", needs: ["eval"], samples: ["sum"]
            ) {
                probe throws(Complaint) in
                let code = try probe.sample("sum")
                let ids = (0..<20).map { _ in probe.newID() }
                probe.sendBytes(ids.flatMap { frame(probe, id: $0, code: code) })
                for id in ids {
                    let body = try probe.value(of: id)
                    // What a kernel of plain fields prints belongs to no request where several are under way.
                    if !probe.isPlain { try probe.expect(body, "42") }
                }
            },
            Case(
                "unreadable-header", "answer a header that it cannot read with an err of a null re, and live on",
                kernels: .json
            ) {
                probe throws(Complaint) in
                for header in ["{\"op\":", "[1,2]", "{\"op\":\"eval\",}", "\u{FFFD}", "{}"] {
                    try unreadable(probe, Array(header.utf8))
                }
                try unreadable(probe, [0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D])
            },
            Case(
                "header-limit", "refuse a header of more than 1 MiB with an err that names the limit, and live on",
                kernels: .json
            ) {
                probe throws(Complaint) in
                let padding = String(repeating: "x", count: Frame.headerLimit)
                let header = Array("{\"op\":\"status\",\"id\":\(probe.newID()),\"padding\":\"\(padding)\"}".utf8)
                probe.sendBytes(prefix(header.count, 0) + header)
                guard case .failure(let error) = try probe.next().message, error.re == nil else {
                    throw .broken("expected an err with a null re")
                }
                guard error.message.contains(where: \.isNumber) else {
                    throw .broken("the error does not name the limit: \(error.message)")
                }
            },
            Case(
                "unreadable-body", "answer a body that it cannot read with an err of that id, and live on",
                needs: ["set"], kernels: .json
            ) {
                probe throws(Complaint) in
                for body in badBodies {
                    let id = probe.request("set", [("path", .texts(["conformance_x"]))], body: body)
                    try probe.expectError(id)
                }
            },
            Case(
                "body-of-a-call", "answer a call whose body is not [arguments, keywords] with an err", needs: ["call"],
                kernels: .json
            ) {
                probe throws(Complaint) in
                for body in ["7", "[]", "[1,2]", "[[],[]]", "{}"] {
                    let id = probe.request("call", [("path", .texts(["conformance_x"]))], body: Array(body.utf8))
                    try probe.expectError(id)
                }
            },
            Case("large", "take and give bodies of 16 MB", needs: ["set", "get"], kernels: .json) {
                probe throws(Complaint) in
                let big = text(16_000_000)
                guard try probe.echo(big, flags: [inFrames]) == big else {
                    throw .broken("16 MB of text came back changed")
                }
            },
            Case(
                "large-both-ways", "not stand still while large bodies go both ways at once", needs: ["set", "get"],
                kernels: .json
            ) {
                probe throws(Complaint) in
                let big = text(16_000_000)
                let path: [(String, Value)] = [("path", .texts(["conformance_x"]))]
                let ids = [
                    probe.request("set", path, body: big), probe.request("get", path + [inFrames]),
                    probe.request("set", path, body: big),
                    probe.request("get", path + [inFrames]),
                ]
                for (index, id) in ids.enumerated() {
                    let body = try probe.value(of: id)
                    guard index.isMultiple(of: 2) || body == big else { throw .broken("16 MB came back changed") }
                }
                _ = try probe.value(of: probe.request("set", path, body: Array("null".utf8)))
            },
            Case("large-plain", "take and give 4 MB", needs: ["eval"], samples: ["value"], kernels: .plain) {
                probe throws(Complaint) in
                let big = String(repeating: "x", count: 4_000_000)
                try probe.expect(try probe.value(of: probe.eval(try probe.sample("value"), [("x", big)])), big)
            },
        ])

    private static func prefix(_ header: Int, _ body: Int) -> [UInt8] {
        Array(
            [header, body].map { count in
                let digits = String(count, radix: 16)
                return String(repeating: "0", count: 8 - digits.count) + digits
            }.joined().utf8)
    }

    private static func text(_ count: Int) -> [UInt8] { [34] + Array(repeating: 120, count: count) + [34] }

    private static func frame(_ probe: Probe, id: Int, code: String) -> [UInt8] {
        let header = Header("eval", id: id, [("code", .text(code)), ("name", .text("<c>"))])
            .bytes(plain: probe.isPlain)
        return prefix(header.count, 0) + header
    }

    private static func inPieces(_ probe: Probe) throws(Complaint) {
        let code = try probe.sample("sum")
        var random = Randomness(seed: probe.seed)
        for longest in [1, 7, 40] {
            let id = probe.newID()
            var rest = frame(probe, id: id, code: code)[...]
            while !rest.isEmpty {
                let piece = rest.prefix(1 + random.below(longest))
                probe.kernel.send(Array(piece))
                rest = rest.dropFirst(piece.count)
                if rest.isEmpty { break }
                guard case .silence = probe.kernel.next(until: .now + .milliseconds(1)) else {
                    throw .broken("it answered before the message was whole")
                }
            }
            try probe.expect(try probe.value(of: id), "42")
        }
    }

    private static func unreadable(_ probe: Probe, _ header: [UInt8]) throws(Complaint) {
        probe.sendBytes(prefix(header.count, 0) + header)
        let answer = try probe.next()
        guard case .failure(let error) = answer.message, error.re == nil else {
            throw .broken("expected an err with a null re, got \(Probe.shown(answer.header))")
        }
        guard error.code == "wire/unreadable" else { throw .broken("expected wire/unreadable, got \(error.code)") }
        try probe.settle()
    }

    private static let badBodies: [[UInt8]] =
        [
            "{", "[1,]", "{\"a\":1,\"a\":2}", "tru", "1 2", "\"\\ud800\"", "\"\\x\"", "[01]",
        ].map { Array($0.utf8) } + [[0x22, 0xFF, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0x0A, 0x22]]
}
