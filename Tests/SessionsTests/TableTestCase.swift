import XCTest

@testable import Sessions
@testable import Wire

/// A table of its own for each test, and the ways to ask it that tests need. Everything has a deadline.
class TableTestCase: XCTestCase {
    var table = SessionTable(version: "test", directory: "/tmp", signals: [])

    static var fixtures: String {
        #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/Fixtures"
    }

    override func setUp() {
        table = SessionTable(version: "test", directory: "/tmp", signals: [])
    }

    override func tearDown() {
        table.shutdown()
    }

    func defineFake(_ fault: String, as name: String? = nil) {
        table.define(name ?? fault, .command(["python3", Self.fixtures + "/fake.py", fault]))
    }

    /// Events until one satisfies `isLast`, which is the last of the result.
    func events(
        within seconds: Double = 10, file: StaticString = #filePath, line: UInt = #line,
        until isLast: (SessionEvent) -> Bool
    ) -> [SessionEvent] {
        let deadline = ContinuousClock.now + .seconds(seconds)
        var all: [SessionEvent] = []
        while ContinuousClock.now < deadline {
            for event in table.wait(until: deadline) {
                all.append(event)
                if isLast(event) { return all }
            }
        }
        XCTFail("nothing of the expected kind within \(seconds) s, only \(all)", file: file, line: line)
        return all
    }

    /// The answer to a request, and what was told before it.
    func ask(
        _ name: String, _ request: Request, _ body: [UInt8] = [], within seconds: Double = 10,
        file: StaticString = #filePath, line: UInt = #line
    ) throws -> [SessionEvent] {
        let id = try table.submit(request, body: body, to: name)
        return events(within: seconds, file: file, line: line) { $0.answers(id) }
    }

    /// Runs shell code; its output and status.
    func shell(_ code: String, file: StaticString = #filePath, line: UInt = #line) throws -> (String, Int?) {
        let last = try ask("sh", .eval(code, name: "<sh>"), file: file, line: line).last
        switch last {
        case .reply(_, let reply, _, let output):
            return (String(decoding: output ?? [], as: UTF8.self), reply.status)
        case .failure(_, let error, _, _): return (error.code, error.status)
        default: return ("\(String(describing: last))", nil)
        }
    }

    /// How a session ended when it was asked something.
    func death(
        _ fault: String, within seconds: Double = 10, file: StaticString = #filePath, line: UInt = #line
    ) throws -> Death? {
        defineFake(fault)
        let id = try table.submit(.eval("the code", name: "<x>"), to: fault)
        let last = events(within: seconds, file: file, line: line) { $0.answers(id) }.last
        guard case .ended(_, let death, let failed) = last else {
            XCTFail("\(fault) did not end but \(String(describing: last))", file: file, line: line)
            return nil
        }
        XCTAssertEqual(failed, [id], file: file, line: line)
        return death
    }
}

extension SessionEvent {
    func answers(_ id: RequestID) -> Bool {
        switch self {
        case .reply(let answered, _, _, _), .failure(let answered, _, _, _): answered == id
        case .ended(_, _, let failed): failed.contains(id)
        case .output, .upcall, .released, .signal, .readable: false
        }
    }
}
