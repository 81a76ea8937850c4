import Glibc
import XCTest

@testable import Kernels
@testable import Sessions
@testable import Wire

/// What sessions make of the environment: caches, interpreters that are too old, limits, the trace.
final class EnvironmentTests: TableTestCase {
    private var folder = ""

    override func setUpWithError() throws {
        var template = Array("/tmp/meta-test-XXXXXX".utf8CString)
        XCTAssertNotNil(mkdtemp(&template))
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    override func tearDown() {
        super.tearDown()
        remove(folder)
    }

    func testACacheThatCannotBeWrittenIsReplacedByATemporaryFolder() throws {
        // A file in the folder's place stops root too.
        XCTAssertTrue(Files.write([], toNew: folder + "/cache"))
        XCTAssertEqual(mkdir(folder + "/tmp", 0o700), 0)
        table.environment = table.environment.changed(by: [
            "XDG_CACHE_HOME": folder + "/cache", "TMPDIR": folder + "/tmp",
        ])
        XCTAssertEqual(try shell("echo ok").0, "ok\n")
        XCTAssertEqual(Files.names(in: folder + "/tmp").count, 1)
        table.shutdown()
        XCTAssertEqual(Files.names(in: folder + "/tmp"), [])
    }

    func testOldKernelFoldersAreRemoved() throws {
        let cache = folder + "/meta"
        for (name, days) in [("kernels-old", 31), ("kernels-new", 29), ("other", 31)] {
            XCTAssertTrue(Files.makePrivateDirectory("\(cache)/\(name)"))
            XCTAssertTrue(Files.write([1], toNew: "\(cache)/\(name)/kernel.sh"))
            let then = timespec(tv_sec: time(nil) - days * 86_400, tv_nsec: 0)
            XCTAssertEqual(utimensat(AT_FDCWD, "\(cache)/\(name)", [then, then], 0), 0)
        }
        let environment = Environment.current().changed(by: ["XDG_CACHE_HOME": folder])
        XCTAssertEqual(try KernelFolder(environment: environment).path, cache + "/kernels-" + KernelFile.contentHash())
        let left = Files.names(in: cache).sorted()
        XCTAssertEqual(left, ["kernels-" + KernelFile.contentHash(), "kernels-new", "other"].sorted())
    }

    func testInterpretersThatAreTooOldAreNamed() throws {
        for (language, choice, version) in [
            ("py", "META_PYTHON", "3.9.1"), ("js", "META_NODE", "16.0.0"), ("sh", "META_BASH", "4.4.20"),
        ] {
            let program = "\(folder)/old-\(language)"
            let script = "#!/bin/sh\nprintf '%s\\n%s\\n' '\(program)' '\(version)'\n"
            XCTAssertTrue(Files.write(Array(script.utf8), toNew: program))
            XCTAssertEqual(chmod(program, 0o700), 0)
            table.environment = table.environment.changed(by: ["XDG_CACHE_HOME": folder, choice: program])
            XCTAssertThrowsError(try table.submit(.eval("1", name: "<x>"), to: language)) { error in
                let error = error as? SessionError
                XCTAssertEqual(error?.code, "session/too-old")
                XCTAssertTrue(error?.message.contains("\(program) is \(version)") == true, "\(error as Any)")
            }
        }
    }

    func testMemoryIsLimited() throws {
        table.define("small", Launch(.language("py", interpreter: nil), memoryLimit: 256 << 20))
        let last = try ask("small", .eval("len(bytearray(1 << 30))", name: "<py>")).last
        guard case .failure(_, let error, _, _) = last else { return XCTFail("\(String(describing: last))") }
        XCTAssertEqual(error.type, "MemoryError")
        guard case .reply(_, _, let body, _) = try ask("small", .eval("1 + 1", name: "<py>")).last else {
            return XCTFail()
        }
        XCTAssertEqual(body, Array("2".utf8))
    }

    func testEveryFrameIsTraced() throws {
        let path = folder + "/trace"
        table.environment = table.environment.changed(by: ["META_TRACE": path])
        XCTAssertEqual(try shell("echo a\necho b").0, "a\nb\n")
        let lines = String(decoding: Files.read(path) ?? [], as: UTF8.self).split(separator: "\n")
        XCTAssertEqual(lines.count, 4, "hello, init, eval, ret: \(lines)")
        for (line, part) in zip(
            lines, ["sh#1 < 2:op,5:hello,", "sh#1 > 2:op,4:init,", #"echo a\necho b"#, "< 2:op,3:ret,"])
        {
            XCTAssertTrue(line.contains(part), "\(line) lacks \(part)")
        }
        XCTAssertEqual(Files.status(path)?.mode, S_IFREG | 0o600)
    }

    private func remove(_ path: String) {
        for name in Files.names(in: path) where unlink(path + "/" + name) != 0 {
            remove(path + "/" + name)
        }
        rmdir(path)
    }
}
