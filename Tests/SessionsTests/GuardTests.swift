import CSystem
import Glibc
import XCTest

@testable import Sessions
@testable import Wire

/// What is left when the process that holds the sessions is killed.
final class GuardTests: XCTestCase {
    /// A forked copy of this test plays meta: it starts a session with a grandchild and is killed.
    func testNothingOutlivesAKilledParent() throws {
        var ends: [Int32] = [0, 0]
        XCTAssertEqual(pipe(&ends), 0)
        let parent = try Self.startVictim(reportingTo: ends[1])
        close(ends[1])
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(ends[0], &bytes, bytes.count)
        let pids = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: " ")
            .compactMap { Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        XCTAssertEqual(pids.count, 2, "expected the shell and its grandchild, got \(pids)")
        XCTAssertTrue(pids.allSatisfy { kill($0, 0) == 0 })
        kill(parent, SIGKILL)
        meta_wait(parent)
        let deadline = ContinuousClock.now + .seconds(5)
        while pids.contains(where: { Self.lives($0) }), ContinuousClock.now < deadline { sched_yield() }
        for pid in pids { XCTAssertFalse(Self.lives(pid), "process \(pid) is left") }
        close(ends[0])
    }

    /// A zombie that its new parent has not reaped yet does not live.
    private static func lives(_ pid: Int32) -> Bool {
        guard let text = Files.read("/proc/\(pid)/stat") else { return false }
        return !String(decoding: text, as: UTF8.self).contains(") Z ")
    }

    /// This test binary again, in the role that an environment variable asks for.
    private static func startVictim(reportingTo pipe: Int32) throws -> pid_t {
        let environment = Environment.current().changed(by: ["META_TEST_VICTIM": "1"]).entries
        let spawn = Spawn(
            path: "/proc/self/exe", arguments: ["SessionsTests.GuardTests/testVictim"], environment: environment)
        return try spawn.start(descriptors: [-1, 2, 2, pipe], guardPipe: -1)
    }

    func testVictim() throws {
        guard Environment.current()["META_TEST_VICTIM"] != nil else { return }
        let table = SessionTable(version: "test", directory: "/", signals: [])
        let id = try table.submit(.eval("sleep 1000 & echo $$ $!", name: "<sh>"), to: "sh")
        while true {
            for case .reply(id, _, _, let output?) in table.wait() {
                _ = output.withUnsafeBytes { write(3, $0.baseAddress, $0.count) }
            }
        }
    }
}
