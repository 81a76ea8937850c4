import Language
import Sessions
import Wire

/// Requests of the kernel's own, on descriptor 4.
enum UpcallCases {
    static let group = CaseGroup(
        title: "upcalls",
        cases: [
            up("upcall", "call an object of another session on descriptor 4, and go on with the answer") {
                probe throws(Complaint) in
                let (id, upcall) = try called(probe)
                guard upcall.servedRequest == id else {
                    throw .broken(
                        "the upcall is said to serve request \(upcall.servedRequest.map(String.init) ?? "none"), not \(id)"
                    )
                }
                answer(probe, upcall, "\"from above\"")
                try probe.expect(try probe.value(of: id), "\"from above\"")
            },
            up("upcall-values", "give an upcall's answer to the code as any value") { probe throws(Complaint) in
                for body in ["{\"a\":[1.5,null]}", "12345678901234567890", "{\"_type\":\"Bytes\",\"base64\":\"AP8=\"}"]
                {
                    let (id, upcall) = try called(probe)
                    answer(probe, upcall, body)
                    try probe.expect(try probe.value(of: id), body)
                }
            },
            up("upcall-nested", "serve requests on descriptor 4 while it waits, to a depth of 20", samples: ["sum"]) {
                probe throws(Complaint) in
                try nested(probe)
            },
            up("upcall-others-wait", "leave requests on descriptor 3 until the upcall is answered", samples: ["sum"]) {
                probe throws(Complaint) in
                let (id, upcall) = try called(probe)
                let other = probe.eval(try probe.sample("sum"))
                let inner = probe.eval(try probe.sample("sum"), inside: upcall.id)
                try probe.expect(try probe.value(of: inner, on: .upcalls), "42")
                answer(probe, upcall, "1")
                try probe.expect(try probe.value(of: id), "1")
                try probe.expect(try probe.value(of: other), "42")
            },
            up("upcall-error", "raise an upcall's error, and pass on its code, type, message, language and frames") {
                probe throws(Complaint) in
                let (id, upcall) = try called(probe)
                fail(probe, upcall)
                try isPassedOn(try probe.expectError(id, ["runtime/raised"]))
            },
            up(
                "upcall-caught", "let the user's code catch an upcall's error with code, type and message",
                samples: ["catch"]
            ) {
                probe throws(Complaint) in
                let (id, upcall) = try called(probe, "catch")
                fail(probe, upcall)
                try probe.expect(try probe.value(of: id), "\"runtime/raised|TypeError|told from above\"")
            },
            up("upcall-original", "raise its own error that comes home as the original", samples: ["raise"]) {
                probe throws(Complaint) in
                let first = try probe.expectError(
                    probe.eval(try probe.sample("raise object")), ["runtime/raised"])
                guard let original = first.original else { throw .unsampled("an error that is an object") }
                let (id, upcall) = try called(probe)
                probe.tell(
                    "err",
                    [
                        ("re", .int(upcall.id)), ("code", .text("runtime/raised")), ("message", .text("x")),
                        ("frames", .vector(Items([]))), ("ref", .triple(original)),
                    ], references: [original], on: .upcalls)
                let error = try probe.expectError(id, ["runtime/raised"])
                guard error.original == original else { throw .broken("another object was raised than the original") }
            },
            up(
                "upcall-interrupt",
                "leave an interrupt to meta while it waits, and end with runtime/interrupted when meta says so"
            ) {
                probe throws(Complaint) in
                let (id, upcall) = try called(probe)
                // Time to get from the request into the wait.
                guard try probe.isSilent(for: .milliseconds(100)) else {
                    throw .broken("it did not wait for the answer")
                }
                probe.interrupt()
                guard try probe.isSilent(for: .milliseconds(150)) else {
                    throw .broken("it did not leave the interrupt to meta")
                }
                probe.tell(
                    "err",
                    [
                        ("re", .int(upcall.id)), ("code", .text("runtime/interrupted")),
                        ("message", .text("interrupted")),
                        ("frames", .vector(Items([]))),
                    ], on: .upcalls)
                try probe.expectError(id, ["runtime/interrupted"])
            },
            up(
                "upcall-inner-error", "answer a failing inner request on descriptor 4, and go on waiting",
                samples: ["raise"]
            ) {
                probe throws(Complaint) in
                let (id, upcall) = try called(probe)
                let inner = probe.eval(try probe.sample("raise"), inside: upcall.id)
                try probe.expectError(inner, ["runtime/raised"], on: .upcalls)
                answer(probe, upcall, "2")
                try probe.expect(try probe.value(of: id), "2")
            },
        ])

    private static func up(
        _ name: String, _ rule: String, samples: [String] = [],
        run: @escaping @Sendable (Probe) throws(Complaint) -> Void
    ) -> Case {
        Case(name, rule, needs: ["eval", "release"], samples: ["call"] + samples, kernels: .json, run: run)
    }

    /// Has the kernel call a function of meta's with 1: the request that runs, and the upcall.
    private static func called(
        _ probe: Probe, _ sample: String = "call", inside outer: Int? = nil
    ) throws(Complaint) -> (Int, Upcall) {
        let function = probe.newReference()
        let code = try probe.sample(sample)
        let id = probe.eval(code, [("x", References.record(function))], references: [function], inside: outer)
        let incoming = try probe.next()
        guard case .upcall(let upcall) = incoming.message else {
            throw .broken("expected a call on descriptor 4, got \(Probe.shown(incoming.header))")
        }
        guard upcall.operation == .call, upcall.reference == function else {
            throw .broken("expected a call of [meta 1 \(function.number)], got \(Probe.shown(incoming.header))")
        }
        try probe.expect(incoming.body, "[[1],{}]")
        return (id, upcall)
    }

    private static func answer(_ probe: Probe, _ upcall: Upcall, _ body: String) {
        probe.tell("ret", [("re", .int(upcall.id)), ("type", .text("value"))], body: Array(body.utf8), on: .upcalls)
    }

    private static func nested(_ probe: Probe) throws(Complaint) {
        var open: [(Int, Upcall)] = [try called(probe)]
        for _ in 1..<20 { open.append(try called(probe, inside: open[open.count - 1].1.id)) }
        let innermost = probe.eval(try probe.sample("sum"), inside: open[open.count - 1].1.id)
        try probe.expect(try probe.value(of: innermost, on: .upcalls), "42")
        while let (id, upcall) = open.popLast() {
            answer(probe, upcall, String(open.count))
            try probe.expect(try probe.value(of: id, on: open.isEmpty ? .requests : .upcalls), String(open.count))
        }
    }

    private static func fail(_ probe: Probe, _ upcall: Upcall) {
        let frame = Value.object(
            Object(["function": .text("g"), "source": .text("<above 1>"), "line": .int(3), "text": .text("told()")]))
        probe.tell(
            "err",
            [
                ("re", .int(upcall.id)), ("code", .text("runtime/raised")), ("type", .text("TypeError")),
                ("message", .text("told from above")), ("language", .text("above")),
                ("frames", .vector(Items([frame]))),
            ], on: .upcalls)
    }

    private static func isPassedOn(_ error: ErrorHeader) throws(Complaint) {
        guard error.type == "TypeError", error.message == "told from above", error.language == "above" else {
            throw .broken("it became \(error.type ?? "?"): \(error.message) of \(error.language ?? "no language")")
        }
        guard let inner = error.frames.last, inner.source == "<above 1>", inner.line == 3 else {
            throw .broken("the frames it came with are not the innermost")
        }
        guard error.frames.count > 1, error.frames[0].source == "<conformance>" else {
            throw .broken("the kernel's own frames are not in front of them")
        }
    }
}
