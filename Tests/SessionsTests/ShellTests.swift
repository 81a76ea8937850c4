import XCTest

@testable import Sessions
@testable import Wire

/// The bash kernel, in a real bash.
final class ShellTests: TableTestCase {
    func testOutputIsTheResultAndStatePersists() throws {
        XCTAssertEqual(try shell("echo hi; x=5; cd /; f() { echo f $1; return 3; }").0, "hi\n")
        XCTAssertEqual(try shell("pwd; echo $x; f 1").0, "/\n5\nf 1\n")
        XCTAssertEqual(try shell("f 2").1, 3)
        XCTAssertEqual(try shell("declare -A m=([k]=v); local y").1, 1)
        XCTAssertEqual(try shell("echo ${m[k]}").0, "v\n")
    }

    func testCallsPassArgumentsAsTheyAre() throws {
        let body = PlainFields.encode(["a b", "$x", "*", "é\n"])
        let all = try ask("sh", .call(["printf", "%s"]), body)
        guard case .reply(_, _, _, let none) = all.last else { return XCTFail("\(all)") }
        // Dots in a shell command's name are literal.
        XCTAssertEqual(none, [])
        let body2 = PlainFields.encode(["<%s>", "a b", "$x", "*", "é\n"])
        guard case .reply(_, let reply, _, let output) = try ask("sh", .call(["printf"]), body2).last else {
            return XCTFail()
        }
        XCTAssertEqual(String(decoding: output ?? [], as: UTF8.self), "<a b><$x><*><é\n>")
        XCTAssertEqual(reply.status, 0)
    }

    func testNamesAreBoundForOneRun() throws {
        let body = PlainFields.encode(["name", "a  b", "other", "é"])
        guard case .reply(_, _, _, let output) = try ask("sh", .eval("echo \"$name\" $other", name: "<sh>"), body).last
        else { return XCTFail() }
        XCTAssertEqual(String(decoding: output ?? [], as: UTF8.self), "a  b é\n")
        XCTAssertEqual(try shell("echo [$name]; declare -a arr=(1 '2 3'); declare -x ex=4 rest=5").0, "[]\n")
        let more = PlainFields.encode(["arr", "A", "ex", "B", "rest", "C"])
        let bound = Request.eval("echo $arr ${#arr[@]} $rest; bash -c 'echo $ex'", name: "<sh>")
        guard case .reply(_, _, _, let shown) = try ask("sh", bound, more).last else { return XCTFail() }
        XCTAssertEqual(String(decoding: shown ?? [], as: UTF8.self), "A 1 C\nB\n")
        XCTAssertEqual(try shell("echo ${arr[1]} $rest; bash -c 'echo $ex'").0, "2 3 5\n4\n")
    }

    func testVariablesAreReadAndSet() throws {
        _ = try ask("sh", .set(["v"]), PlainFields.encode(["a \n b"]))
        guard case .reply(_, _, let body, _) = try ask("sh", .get(["v"])).last else { return XCTFail() }
        XCTAssertEqual(try PlainFields.decode(body), [Array("a \n b".utf8)])
        guard case .failure(_, let error, _, _) = try ask("sh", .get(["missing"])).last else { return XCTFail() }
        XCTAssertEqual(error.code, "runtime/missing")
    }

    func testInterruptionKeepsTheState() throws {
        _ = try shell("x=kept; g() { while :; do h; done; }; h() { :; }")
        for code in Array(repeating: "sleep 100", count: 20) + [
            "while :; do :; done", "g", "sleep 100 | cat; echo no", "sleep 100 & wait",
        ] {
            let id = try table.submit(.eval("echo started >&2; " + code, name: "<sh>"), to: "sh")
            _ = events { if case .output("sh", .stderr, _) = $0 { true } else { false } }
            XCTAssertTrue(table.interrupt("sh"))
            guard case .failure(_, let error, _, _) = events(within: 3, until: { $0.answers(id) }).last else {
                return XCTFail(code)
            }
            XCTAssertEqual(error.code, "runtime/interrupted", code)
            XCTAssertEqual(try shell("echo $x").0, "kept\n", code)
        }
        XCTAssertFalse(table.interrupt("sh"))
    }

    func testInterruptionOfCallsKeepsTheState() throws {
        _ = try shell("x=kept; g() { echo started >&2; while :; do h; done; echo no; }; h() { :; }")
        _ = try shell("s() { echo started >&2; sleep 100 | cat; echo no; }; b() { echo started >&2; busy=1; eval g; }")
        let calls: [(String, [String])] = [
            ("g", []), ("s", []), ("b", []), ("eval", ["echo started >&2; while :; do :; done; echo no"]),
            ("bash", ["-c", "echo started >&2; sleep 100"]), ("command", ["eval", "echo started >&2; sleep 100"]),
        ]
        for (name, arguments) in calls {
            let id = try table.submit(.call([name]), body: PlainFields.encode(arguments), to: "sh")
            _ = events { if case .output("sh", .stderr, _) = $0 { true } else { false } }
            XCTAssertTrue(table.interrupt("sh"))
            guard case .failure(_, let error, _, let output) = events(within: 3, until: { $0.answers(id) }).last else {
                return XCTFail(name)
            }
            XCTAssertEqual(error.code, "runtime/interrupted", name)
            XCTAssertEqual(output ?? [], [], name)
            XCTAssertEqual(try shell("echo $x").0, "kept\n", name)
        }
    }

    func testOptionsOfTheUserHoldForCallsToo() throws {
        _ = try shell("set -f; f() { echo *; false; echo after; }")
        guard case .reply(_, _, _, let output) = try ask("sh", .call(["f"])).last else { return XCTFail() }
        XCTAssertEqual(String(decoding: output ?? [], as: UTF8.self), "*\nafter\n")
        _ = try shell("set -x")
        let told = try ask("sh", .call(["true"])).compactMap { event -> String? in
            if case .output("sh", .stderr, let bytes) = event { String(decoding: bytes, as: UTF8.self) } else { nil }
        }.joined()
        XCTAssertTrue(told.contains(" true"), told)
        XCTAssertFalse(told.contains("__meta_finish"), told)
    }

    func testMessagesNameTheShellAndTheLine() throws {
        for (request, line) in [(Request.eval(":\nnosuch", name: "<sh>"), 2), (.call(["nosuch"]), 1)] {
            let told = try ask("sh", request).compactMap { event -> String? in
                if case .output("sh", .stderr, let bytes) = event {
                    String(decoding: bytes, as: UTF8.self)
                } else {
                    nil
                }
            }
            XCTAssertEqual(told.joined(), "sh: line \(line): nosuch: command not found\n")
        }
        let id = try table.submit(.eval("nosuch; kill -9 $$", name: "<sh>"), to: "sh")
        guard case .ended(_, let death, _) = events(until: { $0.answers(id) }).last else { return XCTFail() }
        XCTAssertEqual(death.lastLines.last, "sh: line 1: nosuch: command not found")
    }

    func testUserCodeCannotBreakTheKernel() throws {
        for code in [
            "exec 3>/dev/null 4</dev/null 5</dev/null", "break 9", "continue 9", "return 0",
            "read() { echo no; }; printf() { echo no; }; source() { :; }; local() { :; }; trap() { :; }",
            "IFS=:,0123456789",
            "set -f", "shopt -s nocasematch extglob nullglob", "trap 'true' INT DEBUG", "TMOUT=1",
            "LC_ALL=C.UTF-8", "set -u", "x=(1 2 3)", "set -- a b",
        ] {
            XCTAssertEqual(try shell(code).1, 0, code)
            XCTAssertEqual(try shell("echo ok").0, "ok\n", code)
        }
        XCTAssertNotEqual(try shell("if").1, 0)
        XCTAssertEqual(try shell("echo ok").0, "ok\n")
    }

    func testCommandsInheritNothingOfOurs() throws {
        XCTAssertEqual(try shell("bash -c 'echo /proc/self/fd/*'").0.split(separator: " ").count, 4)
        XCTAssertEqual(try shell("exec 3>/dev/null; echo $LC_ALL").0, "\n")
    }

    func testExitEndsTheRequestAndKeepsTheState() throws {
        XCTAssertEqual(try shell("x=kept; f() { while :; do exit 3; done; }; f; x=no").1, 3)
        XCTAssertEqual(try shell("echo $x; (exit 4) || echo $?").0, "kept\n4\n")
        guard case .reply(_, let reply, _, _) = try ask("sh", .call(["exit"]), PlainFields.encode(["5"])).last else {
            return XCTFail()
        }
        XCTAssertEqual(reply.status, 5)
    }

    func testTheBuiltinExitEndsTheSessionAndTheNextUseStartsAfresh() throws {
        let request = Request.eval("builtin exit 3", name: "<sh>")
        guard case .ended(_, let death, _) = try ask("sh", request).last else { return XCTFail() }
        XCTAssertEqual(death.reason, .exited(status: 3))
        XCTAssertEqual(death.code, "builtin exit 3")
        XCTAssertEqual(try shell("echo again").0, "again\n")
    }

    func testMegabytesOfOutput() throws {
        XCTAssertEqual(try shell("head -c 3000000 /dev/zero | tr '\\0' x").0.utf8.count, 3_000_000)
    }
}
