import XCTest

@testable import Sessions
@testable import Wire

/// Requests and replies of a kernel that behaves.
final class TrafficTests: TableTestCase {
    func testBodiesComeBackUnchanged() throws {
        defineFake("good")
        for count in [0, 1, 1 << 16, (1 << 16) + 1, 5 << 20] {
            let body = [UInt8](repeating: 32, count: count)
            guard case .reply(_, let reply, let back, nil) = try ask("good", .eval("x", name: "<x>"), body).last else {
                return XCTFail("no reply to \(count) bytes")
            }
            XCTAssertTrue(back == body)
            XCTAssertEqual(reply.type, "bytes")
        }
    }

    func testTwoWritersOfLargeFramesDoNotDeadlock() throws {
        defineFake("writes-first")
        let body = [UInt8](repeating: 32, count: 8 << 20)
        let ids = try (0..<3).map { _ in try table.submit(.eval("x", name: "<x>"), body: body, to: "writes-first") }
        XCTAssertEqual(events(within: 20) { $0.answers(ids[2]) }.count, 3)
    }

    func testOutputComesBeforeItsReply() throws {
        defineFake("prints")
        let all = try ask("prints", .eval("x", name: "<x>"))
        XCTAssertEqual(all.output("prints", .stdout), "out")
        XCTAssertEqual(all.output("prints", .stderr), "err")
    }

    func testOutputIsTheRepliesWhereAskedFor() throws {
        defineFake("prints")
        let id = try table.submit(.eval("x", name: "<x>"), to: "prints", captures: true)
        guard case .reply(_, _, _, let output) = events(until: { $0.answers(id) }).last else { return XCTFail() }
        XCTAssertEqual(output, Array("out".utf8))
    }

    func testErrorsCarryTheirCauses() throws {
        defineFake("raises")
        guard case .failure(_, let error, let body, nil) = try ask("raises", .eval("x", name: "<x>")).last else {
            return XCTFail()
        }
        XCTAssertEqual(error.frames, [StackFrame(function: "f", line: 2)])
        XCTAssertEqual(error.causes.map(\.message), ["n", "o"])
        XCTAssertEqual(body, Array("{}".utf8))
    }

    func testUnsupportedOperationsAreNotSent() throws {
        defineFake("good")
        guard case .failure(_, let error, _, _) = try ask("good", .get(["x"])).last else { return XCTFail() }
        XCTAssertEqual(error.code, "runtime/unsupported")
    }

    func testSessionsWorkAtTheSameTime() throws {
        defineFake("good", as: "one")
        defineFake("good", as: "two")
        let ids = try (0..<20).map {
            try table.submit(.eval("x", name: "<x>"), to: $0.isMultiple(of: 2) ? "one" : "two")
        }
        var open = Set(ids)
        _ = events { event in
            if case .reply(let id, _, _, _) = event { open.remove(id) }
            return open.isEmpty
        }
    }

    func testAnAbandonedRequestIsNotAnswered() throws {
        defineFake("good")
        let id = try table.submit(.eval("x", name: "<x>"), to: "good")
        table.abandon(id)
        let all = try ask("good", .eval("y", name: "<y>"))
        XCTAssertFalse(all.contains { $0.answers(id) })
    }

    func testNothingIsLeftOpen() throws {
        func descriptors() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") }
        func children() throws -> String {
            try String(contentsOfFile: "/proc/self/task/\(getpid())/children", encoding: .utf8)
        }
        let before = (try descriptors().count, try children())
        for round in 0..<5 {
            let table = SessionTable(version: "test", directory: "/tmp", signals: [])
            table.define("good", .command(["python3", Self.fixtures + "/fake.py", round == 3 ? "segfault" : "good"]))
            _ = try table.submit(.eval("x", name: "<x>"), to: "good")
            _ = try table.submit(.eval("true", name: "<x>"), to: "sh")
            _ = table.wait(until: .now + .seconds(5))
            table.shutdown()
        }
        XCTAssertEqual(try descriptors().count, before.0)
        XCTAssertEqual(try children(), before.1)
    }

    func testRoundTrip() throws {
        defineFake("good")
        for name in ["good", "sh"] {
            _ = try ask(name, .eval("true", name: "<x>"))
            let rounds = 1000
            let start = ContinuousClock.now
            for _ in 0..<rounds { _ = try ask(name, .eval("true", name: "<x>")) }
            print("warm round trip, \(name): \((ContinuousClock.now - start) / .microseconds(rounds)) µs")
        }
    }
}
