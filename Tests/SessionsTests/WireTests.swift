import FoundationEssentials
import Language
import XCTest

@testable import Wire

/// Frames, fields, and the hand-written halves of the header codec against Foundation's.
final class WireTests: XCTestCase {
    private struct Coded: Codable, Equatable {
        var op: String
        var id: Int
        var code: String?
        var name: String?
        var path: [String]?
        var `as`: String?
        var cursor: Int?
    }

    /// Printed with a failure, so that it can be run again.
    private var seed = UInt64.random(in: 1...UInt64.max)

    private func random(_ limit: Int) -> Int {
        seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((seed >> 33) % UInt64(limit))
    }

    private func randomText() -> String {
        let pieces = [
            "a", "\"", "\\", "\n", "\t", "\u{1}", "\u{1f}", "é", "🦊", "\u{7f}", "/", "{", "0", ",", ":", "\u{2028}",
        ]
        return (0..<random(12)).map { _ in pieces[random(pieces.count)] }.joined()
    }

    func testRequestHeadersReadAsFoundationWroteThem() throws {
        let start = seed
        for _ in 0..<500 {
            var request = Request([Request.Operation.eval, .call, .get, .importModule, .complete][random(5)])
            if random(2) == 0 { request.code = randomText() }
            if random(2) == 0 { request.name = randomText() }
            if random(2) == 0 { request.path = (0..<random(4)).map { _ in randomText() } }
            if random(2) == 0 { request.alias = randomText() }
            if random(2) == 0 { request.cursor = random(100_000) }
            let header = request.header(id: RequestID(random(1 << 30)), plain: false)
            let coded = try JSONDecoder().decode(Coded.self, from: Data(header))
            let again = try JSONDecoder().decode(Coded.self, from: try JSONEncoder().encode(coded))
            XCTAssertEqual(coded, again, "seed \(start)")
            XCTAssertEqual(coded.code, request.code, "seed \(start)")
            XCTAssertEqual(coded.name, request.name, "seed \(start)")
            XCTAssertEqual(coded.path, request.path, "seed \(start)")
            XCTAssertEqual(coded.as, request.alias, "seed \(start)")
            XCTAssertEqual(coded.cursor, request.cursor, "seed \(start)")
        }
    }

    func testRepliesReadTheSameByEitherReader() throws {
        let start = seed
        let elapsed = [
            "", ",\"elapsed\":0", ",\"elapsed\":12.5", ",\"elapsed\":1234567.891", ",\"elapsed\":0.001",
            ",\"elapsed\":1e3",
        ]
        let types = ["", ",\"type\":\"int\"", ",\"type\":\"numpy.ndarray\"", ",\"type\":\"a\\\"b\"", ",\"type\":\"é\""]
        for _ in 0..<1000 {
            let text = "{\"op\":\"ret\",\"re\":\(random(1 << 30))\(types[random(5)])\(elapsed[random(6)])}"
            // A space keeps the scanner away.
            let plain = try MessageDecoder().decode(Array((text + " ").utf8))
            XCTAssertEqual(try MessageDecoder().decode(Array(text.utf8)), plain, "\(text), seed \(start)")
            if let scanned = ReplyScanner.scan(Array(text.utf8)) { XCTAssertEqual(.reply(scanned), plain, text) }
        }
        XCTAssertNotNil(ReplyScanner.scan(Array("{\"op\":\"ret\",\"re\":1,\"type\":\"int\",\"elapsed\":12.5}".utf8)))
    }

    func testFramesSurviveAnyCutting() throws {
        let start = seed
        for _ in 0..<200 {
            let frames = (0..<random(5)).map { _ in
                Frame(header: Array(randomText().utf8), body: [UInt8](repeating: 7, count: random(3) * random(300)))
            }
            let bytes = try frames.flatMap { try $0.encoded() }
            var decoder = FrameDecoder()
            var back: [Frame] = []
            var position = 0
            while position < bytes.count {
                let end = min(bytes.count, position + 1 + random(40))
                try bytes[position..<end].withUnsafeBytes { try decoder.take($0, into: &back) }
                position = end
            }
            XCTAssertEqual(back, frames, "seed \(start)")
            XCTAssertTrue(decoder.isAtBoundary)
        }
    }

    func testRandomBytesNeverTrap() {
        for _ in 0..<2000 {
            let bytes = (0..<random(80)).map { _ in UInt8(random(256)) }
            var decoder = FrameDecoder()
            var frames: [Frame] = []
            bytes.withUnsafeBytes { try? decoder.take($0, into: &frames) }
            _ = try? MessageDecoder().decode(bytes)
            _ = try? MessageDecoder().decode(Array("{\"op\":".utf8) + bytes)
            _ = try? PlainFields.decode(bytes)
            _ = try? PlainFields.decode(Array("3:".utf8) + bytes)
        }
    }

    func testPlainFieldsAreTheInverseOfThemselves() throws {
        let fields = [[], [44], Array("3:abc,".utf8), Array("é".utf8)].map { $0 as [UInt8] }
        XCTAssertEqual(try PlainFields.decode(PlainFields.encode(fields)), fields)
        XCTAssertThrowsError(try PlainFields.decode(Array("3:ab,".utf8)))
    }

    func testErrorsGoThereAndBack() throws {
        var error = ErrorHeader(code: "runtime/raised", message: "m", re: 3, type: "T")
        error.frames = [StackFrame(function: "f", source: "<py 1>", line: 2, text: "x")]
        error.causes = [ErrorHeader(code: "runtime/raised", message: "n"), ErrorHeader(code: "a/b", message: "o")]
        error.path = "[0].x"
        error.original = Reference(owner: "py", generation: 2, number: 7)
        error.references = [Reference(owner: "py", generation: 2, number: 7)]
        XCTAssertEqual(try MessageDecoder().decode(error.header()), .failure(error))
    }

    func testRepliesAndReleasesGoThereAndBack() throws {
        var reply = Reply(re: 4, type: "a\"b")
        reply.more = true
        reply.iterator = Reference(owner: "js", generation: 1, number: 9)
        reply.references = [Reference(owner: "js", generation: 1, number: 9)]
        XCTAssertEqual(try MessageDecoder().decode(reply.header()), .reply(reply))
        let releases = [Release(Reference(owner: "py \n", generation: 1, number: 3), times: 2)]
        XCTAssertEqual(try MessageDecoder().decode(Release.header(releases)), .release(releases))
    }

    func testUpcallsAreRead() throws {
        let text = """
            {"op":"call","id":7,"for":3,"ref":["py",1,12],"path":["x"],"refs":[["py",1,12]],"async":true,"later":[1]}
            """
        var upcall = Upcall(.call, id: 7)
        upcall.servedRequest = 3
        upcall.reference = Reference(owner: "py", generation: 1, number: 12)
        upcall.path = ["x"]
        upcall.references = [Reference(owner: "py", generation: 1, number: 12)]
        upcall.isAsync = true
        XCTAssertEqual(try MessageDecoder().decode(Array(text.utf8)), .upcall(upcall))
        for wrong in ["\"ref\":[1,2,3]", "\"ref\":[\"py\",1,0]", "\"path\":[1]", "\"refs\":{}"] {
            let text = "{\"op\":\"call\",\"id\":7,\(wrong)}"
            XCTAssertThrowsError(try MessageDecoder().decode(Array(text.utf8)), wrong)
        }
    }
}
