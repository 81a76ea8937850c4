import Language
import Wire

/// What an err must tell.
enum ErrorCases {
    static let group = CaseGroup(
        title: "errors",
        cases: [
            Case(
                "raise-code", "answer what the user's code raises with runtime/raised", needs: ["eval"],
                samples: ["raise"]
            ) {
                probe throws(Complaint) in
                _ = try raised(probe)
            },
            Case(
                "raise-message", "give the error's message and its type as the language names it", needs: ["eval"],
                samples: ["raise"]
            ) {
                probe throws(Complaint) in
                let error = try raised(probe)
                guard error.message.contains("conformance boom") else {
                    throw .broken("the message is \"\(error.message)\"")
                }
                guard error.message == "conformance boom" else {
                    throw .broken("the message holds more than the message: \"\(error.message)\"")
                }
                guard let type = error.type, !type.isEmpty else { throw .broken("the error has no type") }
            },
            Case(
                "raise-frames", "tell the user's frames: source, line, text", needs: ["eval"], samples: ["raise"],
                kernels: .json
            ) {
                probe throws(Complaint) in
                let error = try raised(probe)
                guard let last = error.frames.last else { throw .broken("the error has no frames") }
                guard last.source == "<conformance>", last.line == 2 else {
                    throw .broken("the innermost frame is \(last.source ?? "?"):\(last.line ?? 0), not <conformance>:2")
                }
                guard let text = last.text, text.contains("conformance boom") else {
                    throw .broken("the frame's text is not the line: \(last.text ?? "none")")
                }
                guard error.frames.allSatisfy({ $0.source == "<conformance>" }) else {
                    throw .broken(
                        "frames of the kernel's own: \(error.frames.compactMap(\.source).joined(separator: ", "))")
                }
            },
            Case(
                "raise-language", "name the language of an error", needs: ["eval", "release"], samples: ["raise"],
                kernels: .json
            ) {
                probe throws(Complaint) in
                let error = try raised(probe)
                guard error.language == probe.hello.language else {
                    throw .broken("the error's language is \(error.language ?? "not given")")
                }
            },
            Case("raise-cause", "tell the error behind an error", needs: ["eval"], samples: ["cause"], kernels: .json) {
                probe throws(Complaint) in
                let error = try probe.expectError(probe.eval(try probe.sample("cause")), ["runtime/raised"])
                guard let cause = error.causes.first, cause.type?.isEmpty == false else {
                    throw .broken("the error has no cause")
                }
            },
            Case(
                "cycle", "answer a value that holds itself value/cycle, with the path", needs: ["eval"],
                samples: ["cycle"], kernels: .json
            ) {
                probe throws(Complaint) in
                let error = try probe.expectError(probe.eval(try probe.sample("cycle")), ["value/cycle"])
                guard let path = error.path, path.contains("[0][1]") else {
                    throw .broken("the path is \(error.path ?? "not given"), not [0][1]")
                }
            },
            Case(
                "depth-out", "answer a value of more than 1,000 levels value/depth", needs: ["eval"], samples: ["deep"],
                kernels: .json
            ) {
                probe throws(Complaint) in
                try probe.expectError(probe.eval(try probe.sample("deep")), ["value/depth"])
            },
            Case(
                "depth-in", "refuse a body of more than 1,000 levels with value/depth, take one of 1,000",
                needs: ["set", "get"], kernels: .json
            ) {
                probe throws(Complaint) in
                let fits = Array((String(repeating: "[", count: 1000) + String(repeating: "]", count: 1000)).utf8)
                guard try probe.echo(fits) == fits else { throw .broken("1,000 levels came back changed") }
                for levels in [1001, 100_000] {
                    let body = Array(
                        (String(repeating: "[", count: levels) + String(repeating: "]", count: levels)).utf8)
                    let id = probe.request("set", [("path", .texts(["conformance_x"]))], body: body)
                    try probe.expectError(id, ["value/depth"])
                }
                _ = try probe.value(
                    of: probe.request("set", [("path", .texts(["conformance_x"]))], body: Array("null".utf8)))
            },
            Case(
                "original", "keep the exception that it raised, and name it", needs: ["eval", "release"],
                samples: ["raise"], kernels: .json
            ) {
                probe throws(Complaint) in
                let error = try probe.expectError(probe.eval(try probe.sample("raise object")), ["runtime/raised"])
                // A mere text, which some languages raise, has nothing to keep.
                guard let original = error.original else { throw .unsampled("an error that is an object") }
                guard original.owner == Probe.session, original.generation == Probe.generation else {
                    throw .broken("the original is said to belong to \(original.owner) \(original.generation)")
                }
            },
        ])

    private static func raised(_ probe: Probe) throws(Complaint) -> ErrorHeader {
        try probe.expectError(probe.eval(try probe.sample("raise")), ["runtime/raised"])
    }
}
