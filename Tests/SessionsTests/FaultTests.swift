import Glibc
import XCTest

@testable import Sessions
@testable import Wire

/// Every way a kernel can misbehave ends that session with a code, and no other.
final class FaultTests: TableTestCase {
    func testProtocolErrorsAreQuoted() throws {
        for (fault, words) in [
            ("garbage", "Hello, world! Th"), ("huge-header", "header may hold 1048576"),
            ("reply-first", "hello first"), ("bad-json", "unreadable message header"),
            ("half-alive", "middle of a message"), ("unknown-id", "12345"), ("garbage-later", "\\xff\\x00garbage"),
            ("other-protocol", "2.0"),
        ] {
            let death = try death(fault)
            XCTAssertEqual(death?.errorCode, "session/protocol", fault)
            XCTAssertTrue(death?.message.contains(words) == true, "\(fault): \(death?.message ?? "")")
        }
    }

    func testASecondReplyEndsTheSession() throws {
        defineFake("twice")
        let id = try table.submit(.eval("x", name: "<x>"), to: "twice")
        let all = events { if case .ended = $0 { true } else { false } }
        guard case .reply(id, _, _, _) = all.first, case .ended("twice", let death, []) = all.last else {
            return XCTFail("\(all)")
        }
        XCTAssertEqual(death.errorCode, "session/protocol")
    }

    func testNoHelloHasADeadline() throws {
        table.helloLimit = .milliseconds(100)
        XCTAssertEqual(try death("silent", within: 2)?.errorCode, "session/no-hello")
    }

    func testDeathsSayHowAndWhatRan() throws {
        let exit = try death("dies-at-once")
        XCTAssertEqual(exit?.reason, .exited(status: 7))
        XCTAssertEqual(exit?.lastLines, ["no luck today"])
        XCTAssertEqual(exit?.code, "the code")
        XCTAssertEqual(try death("half")?.reason, .exited(status: 0))
        XCTAssertEqual(try death("segfault")?.reason, .killed(signal: "SIGSEGV"))
        XCTAssertEqual(try death("closes", within: 2)?.reason, .closedSocket)
    }

    func testOutputBeforeADeathIsToldFirst() throws {
        defineFake("dies-after-output")
        let all = try ask("dies-after-output", .eval("x", name: "<x>"))
        XCTAssertEqual(all.output("dies-after-output", .stdout), "last words")
        guard case .ended(_, let death, _) = all.last else { return XCTFail("\(all)") }
        XCTAssertEqual(death.lastLines, ["one", "two"])
        XCTAssertEqual(death.reason, .exited(status: 3))
    }

    func testAGrandchildThatKeepsThePipesDiesToo() throws {
        XCTAssertEqual(try death("grandchild", within: 2)?.reason, .exited(status: 4))
    }

    func testAFloodHarmsNobodyElse() throws {
        defineFake("flood")
        defineFake("good")
        _ = try table.submit(.eval("x", name: "<x>"), to: "flood")
        _ = events { if case .output("flood", .stdout, _) = $0 { true } else { false } }
        for _ in 0..<20 {
            guard case .reply(_, _, let body, _) = try ask("good", .eval("x", name: "<x>"), [49]).last else {
                return XCTFail("no reply")
            }
            XCTAssertEqual(body, [49])
        }
        try table.stop("flood", force: true)
    }

    func testOneThatIgnoresSignalsIsKilled() throws {
        table.farewellLimit = .milliseconds(50)
        table.terminationLimit = .milliseconds(50)
        defineFake("deaf")
        let id = try table.submit(.eval("x", name: "<x>"), to: "deaf")
        while try table.status("deaf").state != .busy { _ = table.wait(until: .now + .milliseconds(10)) }
        XCTAssertTrue(table.interrupt("deaf"))
        let pid = try table.status("deaf").pid
        try table.restart("deaf")
        _ = events { $0.answers(id) }
        table.shutdown()
        XCTAssertEqual(kill(try XCTUnwrap(pid), 0), -1)
    }

    func testTheNextUseStartsAfresh() throws {
        for generation in 1...3 {
            XCTAssertEqual(try death("segfault")?.generation, generation)
            XCTAssertEqual(try table.status("segfault").state, .dead)
        }
    }

    func testMissingProgramsSayWhatWasLookedFor() throws {
        table.define("none", .command(["no-such-program-here"]))
        XCTAssertThrowsError(try table.start("none")) { XCTAssertEqual(($0 as? SessionError)?.code, "session/missing") }
        XCTAssertThrowsError(try table.start("nobody")) {
            XCTAssertEqual(($0 as? SessionError)?.code, "session/unknown")
        }
        table.define(
            "chosen", Launch(.language("py", interpreter: nil), environment: ["META_PYTHON": "/nowhere/python"]))
        XCTAssertThrowsError(try table.start("chosen")) {
            XCTAssertTrue("\($0)".contains("/nowhere/python"))
            XCTAssertTrue("\($0)".contains("apt install python3"))
        }
    }
}

extension [SessionEvent] {
    func output(_ session: String, _ stream: Sessions.OutputStream) -> String {
        var bytes: [UInt8] = []
        for case .output(session, stream, let more) in self { bytes += more }
        return String(decoding: bytes, as: UTF8.self)
    }
}
