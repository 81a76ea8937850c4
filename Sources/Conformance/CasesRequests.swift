import Language
import Sessions
import Wire

/// What requests do, one by one.
enum RequestCases {
    static let group = CaseGroup(
        title: "requests",
        cases: [
            Case("eval-value", "answer with the value of the last expression", needs: ["eval"], samples: ["sum"]) {
                probe throws(Complaint) in
                try probe.expect(try probe.value(of: probe.eval(try probe.sample("sum"))), "42")
            },
            Case("eval-type", "name the foreign type of a result", needs: ["eval"], samples: ["sum"], kernels: .json) {
                probe throws(Complaint) in
                guard case .value(let reply, _) = try probe.answer(to: probe.eval(try probe.sample("sum"))) else {
                    throw .broken("expected a value")
                }
                guard let type = reply.type, !type.isEmpty else { throw .broken("the ret has no type") }
                guard let elapsed = reply.elapsed, elapsed >= 0 else { throw .broken("the ret has no elapsed time") }
            },
            Case("eval-names", "bind the names of an eval for that run", needs: ["eval"], samples: ["value"]) {
                probe throws(Complaint) in
                let code = try probe.sample("value")
                for text in ["7", "8"] {
                    try probe.expect(try probe.value(of: probe.eval(code, [("x", text)])), text)
                }
            },
            Case(
                "names-are-restored", "give a name its old value back after the run", needs: ["eval", "set", "get"],
                samples: ["value"]
            ) {
                probe throws(Complaint) in
                let path: [(String, Value)] = [("path", .texts(["x"]))]
                let old = probe.isPlain ? PlainFields.encode(["5"]) : Array("5".utf8)
                _ = try probe.value(of: probe.request("set", path, body: old))
                try probe.expect(try probe.value(of: probe.eval(try probe.sample("value"), [("x", "6")])), "6")
                try probe.expect(plainGet(try probe.value(of: probe.request("get", path)), probe), "5")
            },
            Case("state", "keep what one run defines for the next", needs: ["eval"], samples: ["keep", "kept"]) {
                probe throws(Complaint) in
                _ = try probe.value(of: probe.eval(try probe.sample("keep")))
                try probe.expect(try probe.value(of: probe.eval(try probe.sample("kept"))), "42")
            },
            Case("set-get", "give back what was set", needs: ["set", "get"]) { probe throws(Complaint) in
                let path: [(String, Value)] = [("path", .texts(["conformance_x"]))]
                let body = probe.isPlain ? PlainFields.encode(["text"]) : Array("\"text\"".utf8)
                _ = try probe.value(of: probe.request("set", path, body: body))
                let came = plainGet(try probe.value(of: probe.request("get", path)), probe)
                try probe.expect(came, probe.isPlain ? "text" : "\"text\"")
            },
            Case(
                "get-missing", "answer a path that leads nowhere runtime/missing, naming what is missing",
                needs: ["get"]
            ) {
                probe throws(Complaint) in
                let id = probe.request("get", [("path", .texts(["conformance_absent"]))])
                let error = try probe.expectError(id, ["runtime/missing"])
                guard error.message.contains("conformance_absent") else {
                    throw .broken("the message does not name what is missing: \(error.message)")
                }
            },
            Case("call-missing", "answer the call of nothing runtime/missing", needs: ["call"], kernels: .json) {
                probe throws(Complaint) in
                let id = probe.request("call", [("path", .texts(["conformance_absent"]))], body: Array("[[],{}]".utf8))
                try probe.expectError(id, ["runtime/missing"])
            },
            Case(
                "call-path", "call a function by its path", needs: ["call", "eval"], samples: ["function"],
                kernels: .json
            ) {
                probe throws(Complaint) in
                _ = try probe.value(of: probe.eval(try probe.sample("function")))
                let id = probe.request("call", [("path", .texts(["own"]))], body: Array("[[7],{}]".utf8))
                try probe.expect(try probe.value(of: id), "7")
            },
            Case(
                "call-each", "make one call for each argument", needs: ["call", "eval", "each"],
                samples: ["function"], kernels: .json
            ) {
                probe throws(Complaint) in
                _ = try probe.value(of: probe.eval(try probe.sample("function")))
                let fields: [(String, Value)] = [("path", .texts(["own"])), ("each", .bool(true))]
                try probe.expect(
                    try probe.value(of: probe.request("call", fields, body: Array("[[7,8,9],{}]".utf8))), "[7,8,9]")
                try probe.expect(
                    try probe.value(of: probe.request("call", fields, body: Array("[[],{}]".utf8))), "[]")
            },
            Case(
                "import", "answer the import of a module with null", needs: ["import"], samples: ["import"],
                kernels: .json
            ) {
                probe throws(Complaint) in
                let id = probe.request(
                    "import", [("path", .texts([try probe.sample("import")])), ("as", .text("imported"))])
                try probe.expect(try probe.value(of: id), "null")
            },
            Case("import-missing", "answer the import of nothing with an err", needs: ["import"]) {
                probe throws(Complaint) in
                try probe.expectError(probe.request("import", [("path", .texts(["conformance_absent"]))]))
            },
            Case(
                "complete", "answer complete with start and matches", needs: ["complete"], samples: ["complete"],
                kernels: .json
            ) {
                probe throws(Complaint) in
                let code = try probe.sample("complete")
                let id = probe.request(
                    "complete", [("code", .text(code)), ("cursor", .int(code.unicodeScalars.count))])
                try isCompletion(try probe.value(of: id), of: code)
            },
            Case(
                "complete-cursor", "count a cursor in Unicode scalars", needs: ["complete"], samples: ["complete"],
                kernels: .json
            ) {
                probe throws(Complaint) in
                let code = "\"\u{1F600}e\u{301}\" " + (try probe.sample("complete"))
                let id = probe.request(
                    "complete", [("code", .text(code)), ("cursor", .int(code.unicodeScalars.count))])
                let body = try probe.value(of: id)
                guard case .object(let found)? = try? JSON.parse(body), case .int(let start)? = found["start"],
                    start <= code.unicodeScalars.count, start >= 5
                else { throw .broken("start does not count scalars: \(Probe.shown(body))") }
            },
            Case("status", "answer status with an object that says it is not busy", needs: ["status"], kernels: .json) {
                probe throws(Complaint) in
                let body = try probe.value(of: probe.request("status"))
                guard case .object(let status)? = try? JSON.parse(body), case .bool(false)? = status["busy"] else {
                    throw .broken("expected {\"busy\":false…}, got \(Probe.shown(body))")
                }
            },
            Case("status-plain", "answer status", needs: ["status"], kernels: .plain) { probe throws(Complaint) in
                _ = try probe.value(of: probe.request("status"))
            },
            Case("order", "answer requests in the order in which they came", needs: ["eval"], samples: ["value"]) {
                probe throws(Complaint) in
                let code = try probe.sample("value")
                let ids = (0..<40).map { number in probe.eval(code, [("x", String(number))]) }
                for (number, id) in ids.enumerated() {
                    let body = try probe.value(of: id)
                    if !probe.isPlain { try probe.expect(body, String(number)) }
                }
            },
            Case(
                "output-first", "have all that a request printed on its way before the reply", needs: ["eval"],
                samples: ["print"]
            ) {
                probe throws(Complaint) in
                try printed(probe)
            },
            Case("output-live", "let output through while the request runs", needs: ["eval"], samples: ["wait"]) {
                probe throws(Complaint) in
                let id = probe.eval(try probe.sample("wait"))
                try probe.waitForOutput("busy\n")
                try InterruptCases.interrupt(probe, id)
            },
        ])

    /// What a kernel of plain fields answers to `get`: one field.
    private static func plainGet(_ body: [UInt8], _ probe: Probe) -> [UInt8] {
        guard probe.isPlain, let fields = try? PlainFields.decode(body), fields.count == 1 else { return body }
        return fields[0]
    }

    private static func isCompletion(_ body: [UInt8], of code: String) throws(Complaint) {
        guard case .object(let found)? = try? JSON.parse(body), case .int(let start)? = found["start"],
            case .vector(let matches)? = found["matches"], start >= 0, start <= code.unicodeScalars.count
        else { throw .broken("expected {\"start\":…,\"matches\":[…]}, got \(Probe.shown(body))") }
        guard !matches.elements.isEmpty else { throw .broken("nothing goes on from \(code)") }
    }

    private static func printed(_ probe: Probe) throws(Complaint) {
        let (before, errorsBefore) = (probe.kernel.output.count, probe.kernel.errors.count)
        let id = probe.eval(try probe.sample("print"))
        guard case .value = try probe.answer(to: id) else { throw .broken("the printing code failed") }
        let output = String(decoding: probe.kernel.output[before...], as: UTF8.self)
        let errors = String(decoding: probe.kernel.errors[errorsBefore...], as: UTF8.self)
        guard output == "to-stdout", errors == "to-stderr" else {
            throw .broken("at the reply standard output held \"\(output)\", standard error \"\(errors)\"")
        }
    }
}

extension Probe {
    /// Waits until the kernel has printed a text.
    func waitForOutput(_ text: String) throws(Complaint) {
        while !kernel.output.suffix(1 << 16).containsText(text) {
            guard kernel.waitForOutput(until: deadline) else {
                throw .broken("\(text.debugDescription) did not appear on standard output")
            }
        }
        kernel.forgetOutput()
    }
}

extension ArraySlice<UInt8> {
    fileprivate func containsText(_ text: String) -> Bool {
        String(decoding: self, as: UTF8.self).contains(text)
    }
}
