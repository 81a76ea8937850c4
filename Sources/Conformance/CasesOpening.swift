import Language
import Wire

/// Hello, init, and what a kernel does with what it does not know.
enum OpeningCases {
    static let group = CaseGroup(
        title: "opening",
        cases: [
            Case("hello-first", "say hello before anything else", fresh: true) { _ in },
            Case("hello-protocol", "name version 1 of the protocol as major.minor") { probe throws(Complaint) in
                let parts = probe.hello.protocol.split(separator: ".", omittingEmptySubsequences: false)
                guard parts.count == 2, parts[0] == "1", Int(parts[1]) != nil else {
                    throw .broken("hello names the protocol \"\(probe.hello.protocol)\"")
                }
            },
            Case("hello-fields", "name its language, version and operations") { probe throws(Complaint) in
                let hello = probe.hello
                guard !hello.language.isEmpty, !hello.version.isEmpty else {
                    throw .broken("hello lacks a language or a version")
                }
                guard !hello.operations.isEmpty, Set(hello.operations).count == hello.operations.count else {
                    throw .broken("hello names no operations, or one twice: \(hello.operations.joined(separator: " "))")
                }
            },
            Case("hello-operations", "name operations of the protocol") { probe throws(Complaint) in
                let unknown = probe.hello.operations.filter { !known.contains($0) }
                guard unknown.isEmpty else { throw .broken("there is no operation \(unknown.joined(separator: ", "))") }
            },
            Case("init-unanswered", "take init without a word", fresh: true) { probe throws(Complaint) in
                try probe.settle()
            },
            Case("unknown-fields", "ignore header fields that it does not know", needs: ["eval"], samples: ["sum"]) {
                probe throws(Complaint) in
                let code = try probe.sample("sum")
                let id = probe.request(
                    "eval",
                    [("code", .text(code)), ("name", .text("<c>")), ("colour", .text("blue")), ("from", .int(1))])
                try probe.expect(probe.value(of: id), "42")
            },
            Case("unknown-operation", "answer an unknown operation runtime/unsupported") { probe throws(Complaint) in
                try probe.settle()
            },
            Case("undeclared-operations", "answer an operation that its hello lacks runtime/unsupported") {
                probe throws(Complaint) in
                for operation in asked where !probe.declares(operation) {
                    let id = probe.request(
                        operation, [("path", .texts(["a"])), ("ref", .int(1)), ("code", .text("1"))])
                    try probe.expectError(id, ["runtime/unsupported"])
                }
            },
            Case("release-unknown", "take the release of objects that it never sent without a word", kernels: .json) {
                probe throws(Complaint) in
                guard probe.declares("release") else { throw .undeclared(["release"]) }
                let strange = Value.vector(Items([.text(Probe.session), .int(Probe.generation), .int(9_999), .int(1)]))
                probe.tell("release", [("refs", .vector(Items([strange])))])
                try probe.settle()
            },
        ])

    /// Those with an id, which can be asked for without being there.
    private static let asked = [
        "eval", "call", "get", "set", "import", "complete", "status", "items", "inspect", "equal", "publish",
    ]
    private static let known = Set(asked + ["release", "cancel", "hold", "copy", "each", "define", "view", "attach"])
}
