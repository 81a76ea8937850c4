import Language
import Sessions
import Wire

/// SIGINT to the kernel's process group, and what it leaves alone.
enum InterruptCases {
    static let group = CaseGroup(
        title: "interrupts",
        cases: [
            Case("interrupt-running", "end what runs with runtime/interrupted", needs: ["eval"], samples: ["busy"]) {
                probe throws(Complaint) in
                let id = probe.eval(try probe.sample("busy"))
                try probe.waitForOutput("busy\n")
                try interrupt(probe, id)
            },
            Case("interrupt-waiting", "end a wait with runtime/interrupted", needs: ["eval"], samples: ["wait"]) {
                probe throws(Complaint) in
                let id = probe.eval(try probe.sample("wait"))
                try probe.waitForOutput("busy\n")
                try interrupt(probe, id)
            },
            Case(
                "interrupt-keeps-state", "keep what was defined before the interrupt", needs: ["eval"],
                samples: ["keep", "kept", "busy"]
            ) {
                probe throws(Complaint) in
                _ = try probe.value(of: probe.eval(try probe.sample("keep")))
                let id = probe.eval(try probe.sample("busy"))
                try probe.waitForOutput("busy\n")
                try interrupt(probe, id)
                try probe.expect(try probe.valueAfterInterrupts(try probe.sample("kept")), "42")
            },
            Case("interrupt-idle", "not mind an interrupt while nothing runs", needs: ["eval"], samples: ["sum"]) {
                probe throws(Complaint) in
                // A kernel may still be getting ready after its hello.
                try probe.settle()
                for _ in 0..<5 { try idle(probe) }
            },
            Case(
                "interrupt-late", "answer each request once, however signals fall between them", needs: ["eval"],
                samples: ["sum"]
            ) {
                probe throws(Complaint) in
                try late(probe)
            },
        ])

    /// Interrupts until the request has ended; a kernel may lose a signal that meets the end of something else.
    static func interrupt(_ probe: Probe, _ id: Int) throws(Complaint) {
        let deadline = probe.deadline
        defer { probe.deadline = deadline }
        while true {
            probe.interrupt()
            probe.deadline = min(deadline, .now + .milliseconds(1000))
            do throws(Complaint) {
                try probe.expectError(id, ["runtime/interrupted"])
                probe.deadline = deadline
                return try probe.settle()
            } catch {
                guard error.message == "no answer in time", deadline > .now else { throw error }
            }
        }
    }

    private static func idle(_ probe: Probe) throws(Complaint) {
        probe.interrupt()
        guard try probe.isSilent(for: .milliseconds(30)) else {
            throw .broken("an interrupt while idle was answered, or ended the kernel")
        }
        try probe.settle()
        try probe.expect(try probe.valueAfterInterrupts(try probe.sample("sum")), "42")
    }

    private static func late(_ probe: Probe) throws(Complaint) {
        let code = try probe.sample("sum")
        for _ in 0..<15 {
            let ids = (0..<10).map { _ in probe.eval(code) }
            probe.interrupt()
            for id in ids {
                let before = probe.kernel.output.count
                switch try probe.answer(to: id) {
                case .value(_, let body):
                    // What a kernel of plain fields printed belongs to several requests by now.
                    if !probe.isPlain { try probe.expect(body, "42") }
                    _ = before
                case .error(let error, _):
                    guard error.code == "runtime/interrupted" else {
                        throw .broken("expected the value or runtime/interrupted, got \(error.code): \(error.message)")
                    }
                }
            }
        }
        try probe.settle()
        probe.kernel.forgetOutput()
        try probe.expect(try probe.valueAfterInterrupts(code), "42")
    }
}
