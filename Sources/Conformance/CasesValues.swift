import Language
import Wire

/// Values there and back: exactly what was sent, spellings aside.
enum ValueCases {
    static let group = CaseGroup(
        title: "values",
        cases: ValueTable.rows.map { row in
            Case("value-\(row.name)", "give back \(row.name) as they were sent", kernels: .json) {
                probe throws(Complaint) in
                for body in row.bodies { try roundTrip(body, probe) }
            }
        } + [
            Case(
                "value-plain-texts", "give back any text of which no byte is NUL", needs: ["eval"], samples: ["value"],
                kernels: .plain
            ) {
                probe throws(Complaint) in
                let code = try probe.sample("value")
                for text in ["", "a b", "é日本\u{1F600}", "\"'$`\\", "-n", "a\tb", "*", "~"] {
                    try probe.expect(try probe.value(of: probe.eval(code, [("x", text)])), text)
                }
            },
            Case("value-generated", "give back 300 generated values", kernels: .json) { probe throws(Complaint) in
                var generator = ValueGenerator(seed: probe.seed)
                for _ in 0..<300 { try roundTrip(generator.body(), probe) }
            },
            Case(
                "value-arguments", "take the values of the table as arguments", needs: ["call", "eval"],
                samples: ["function"], kernels: .json
            ) {
                probe throws(Complaint) in
                _ = try probe.value(of: probe.eval(try probe.sample("function")))
                for body in ValueTable.rows.map({ $0.bodies[0] }) {
                    let id = probe.request("call", [("path", .texts(["own"]))], body: Array("[[\(body)],{}]".utf8))
                    try probe.expect(try probe.value(of: id), body)
                }
            },
            Case(
                "value-names", "take the values of the table as names of an eval", needs: ["eval"], samples: ["value"],
                kernels: .json
            ) {
                probe throws(Complaint) in
                for body in ValueTable.rows.map({ $0.bodies[0] }) {
                    try probe.expect(try probe.value(of: probe.eval(try probe.sample("value"), [("x", body)])), body)
                }
            },
        ])

    private static func roundTrip(_ body: String, _ probe: Probe) throws(Complaint) {
        let came = try probe.echo(Array(body.utf8))
        guard try Bodies(samples: probe.samples).isSame(Array(body.utf8), came) else {
            throw .broken("\(Probe.shown(Array(body.utf8))) came back as \(Probe.shown(came))")
        }
    }
}
