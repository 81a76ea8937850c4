import CSystem
import Glibc
import Language
import Properties
import Testing

@testable import Buffers

/// Arrays in files: what NumPy wrote, what it would, and what nobody should have.
struct FileTests {
    /// Written by NumPy 2.4.
    private static let samples: [(String, ElementFormat, String)] = [
        (
            "k05VTVBZAQB2AHsnZGVzY3InOiAnPGk0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAg"
                + "ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAAAAAgAAAAMAAAAEAAAA"
                + "BQAAAAYAAAA=",
            .int32, "[[1 2 3] [4 5 6]]"
        ),
        (
            "k05VTVBZAgB0AAAAeydkZXNjcic6ICc+ZjgnLCAnZm9ydHJhbl9vcmRlcic6IFRydWUsICdzaGFwZSc6ICgzLCAyKSwgfSAg"
                + "ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAo/+AAAAAAAAEAIAAAAAAAA"
                + "QBQAAAAAAABAAAAAAAAAAEAQAAAAAAAAwBgAAAAAAAA=",
            .float64, "[[1.5 2.0] [3.0 4.0] [5.0 -6.0]]"
        ),
        (
            "k05VTVBZAwB0AAAAeydkZXNjcic6ICc+YzgnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoKSwgfSAgICAg"
                + "ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAo/gAAAQAAAAA==",
            .complex64, "(complex 1.0 2.0)"
        ),
        (
            "k05VTVBZAQB2AHsnZGVzY3InOiAnfGIxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDMsKSwgfSAgICAg"
                + "ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAAE=",
            .bool, "[true false true]"
        ),
        (
            "k05VTVBZAQB2AHsnZGVzY3InOiAnPGYyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDMsKSwgfSAgICAg"
                + "ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAOP97AIA=",
            .float16, "[0.5 65504.0 -0.0]"
        ),
    ]

    @Test func whatNumPyWroteIsRead() throws {
        let folder = try TemporaryFolder()
        for (text, format, shown) in Self.samples {
            let bytes = try #require(Base64.decode(text))
            let path = folder.write("sample.npy", bytes)
            for isMapped in [false, true] {
                let array = try NumericArray(npy: path, isMapped: isMapped)
                #expect(array.format == format && array.text() == shown)
            }
            unlink(path)
        }
    }

    @Test(arguments: Seeds.rounds(50))
    func whatIsWrittenIsReadBack(seed: UInt64) throws {
        var random = Randomness(seed: seed)
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/array.npy"
        let array = random.operand(shape: (0..<random.below(4)).map { _ in random.below(4) }).array
        try array.writeNPY(to: path)
        let again = try NumericArray(npy: path)
        #expect(again.format == array.format && again.shape == array.shape, "META_SEED=\(seed)")
        #expect(try again.isEqual(to: array), "META_SEED=\(seed)")
        try array.writeRaw(to: path)
        let raw = try NumericArray(raw: path, format: array.format, shape: array.shape)
        #expect(try raw.isEqual(to: array), "META_SEED=\(seed)")
        #expect(folder.names == ["array.npy"])
    }

    @Test func hostileHeadsAreRefusedWithTheirByte() throws {
        let folder = try TemporaryFolder()
        let good = "{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }"
        let heads: [(String, String)] = [
            ("", "expected"), ("{}", "not all there"), (String(good.dropLast()), "expected"),
            (good + "x", "end expected"),
            ("{'descr': '<i4', 'fortran_order': 0, 'shape': (2,)}", "True or False"),
            ("{'descr': '<i4', 'fortran_order': False, 'shape': (-2,)}", "from 0 on"),
            ("{'descr': '<i4', 'fortran_order': False, 'shape': 2}", "( expected"),
            ("{'descr': '<i4', 'fortran_order': False, 'shape': (2 3)}", ") expected"),
            ("{'descr': '<i4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "too large"),
            ("{'descr': '<i4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}", "too many"),
            ("{'descr': '<i4', 'fortran_order': False, 'shape': (0, 4611686018427387904, 4)}", "too many"),
            ("{'descr': '<i4', 'fortran_order': False, 'shape': (3,)}", "ends in its items"),
            ("{'descr': '<i4', 'descr': '<i4', 'fortran_order': False, 'shape': (2,)}", "there again"),
            ("{'descr': '<i4', 'fortran_order': False, 'shape': (2,), 'x': 1}", "unknown"),
            ("{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", "no format"),
            ("{'descr': '|i4', 'fortran_order': False, 'shape': (2,)}", "no format"),
            ("{'descr': '<M8[s]', 'fortran_order': False, 'shape': (2,)}", "no format"),
            ("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (2,)}", "structures"),
            ("{'descr': '<i4, 'fortran_order': False, 'shape': (2,)}", "no format"),
            ("{'descr: <i4", "no end"),
            (
                "{'descr': '<i4', 'fortran_order': False, 'shape': (" + String(repeating: "1,", count: 33) + ")}",
                "32 axes"
            ),
        ]
        for (head, problem) in heads {
            let path = folder.write("bad.npy", Self.file(head, items: 8))
            let given = failure { try NumericArray(npy: path) }
            #expect(given?.code == "buffer/npy", Comment(rawValue: head))
            #expect(given?.message.hasPrefix("byte ") == true, Comment(rawValue: head))
            #expect(given?.message.contains(problem) == true, "\(head): \(given?.message ?? String())")
            unlink(path)
        }
        #expect(try NumericArray(npy: folder.write("good.npy", Self.file(good, items: 9))).shape == [2])
        #expect(code { try NumericArray(npy: "\(folder.path)/none") } == "buffer/stale")
        #expect(code { try NumericArray(npy: folder.path) } == "buffer/system")
    }

    @Test func everyBeginningOfAFileIsRefused() throws {
        let folder = try TemporaryFolder()
        let bytes = try #require(Base64.decode(Self.samples[1].0))
        for count in 0..<bytes.count {
            let path = folder.write("part.npy", Array(bytes[..<count]))
            #expect(code { try NumericArray(npy: path) } == "buffer/npy", "\(count) bytes")
            unlink(path)
        }
    }

    @Test(arguments: Seeds.rounds(300))
    func aSpoiledFileIsReadOrRefused(seed: UInt64) throws {
        var random = Randomness(seed: seed)
        let folder = try TemporaryFolder()
        var bytes = try #require(Base64.decode(random.pick(Self.samples).0))
        for _ in 0...random.below(3) { bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next()) }
        let path = folder.write("spoiled.npy", bytes)
        if let failure = failure({ try NumericArray(npy: path) }) {
            #expect(["buffer/npy", "buffer/memory"].contains(failure.code), "META_SEED=\(seed): \(failure)")
        }
    }

    @Test func aFailedWriteLeavesWhatWasThere() throws {
        let folder = try TemporaryFolder()
        let array = try NumericArray(values: .vector(Items([.int(1), .int(2)])))
        let path = "\(folder.path)/kept.npy"
        try array.writeNPY(to: path)
        chmod(path, 0o640)
        #expect(code { try array.writeNPY(to: "\(folder.path)/none/x.npy") } == "buffer/stale")
        #expect(code { try array.writeNPY(to: folder.path) } == "buffer/system")
        symlink("kept.npy", "\(folder.path)/link.npy")
        try array.reshaped([2, 1]).writeNPY(to: "\(folder.path)/link.npy")
        #expect(try NumericArray(npy: path).shape == [2, 1] && folder.mode("kept.npy") == 0o640)
        #expect(Set(folder.names) == ["kept.npy", "link.npy"])
    }

    private static func file(_ head: String, items: Int) -> [UInt8] {
        let text = Array(head.utf8)
        return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.count & 0xFF), UInt8(text.count >> 8)] + text
            + [UInt8](repeating: 0, count: items)
    }
}

extension TemporaryFolder {
    func write(_ name: String, _ bytes: [UInt8]) -> String {
        let file = Descriptor(owning: meta_file_create("\(path)/\(name)"))
        meta_file_write(file.number, bytes, bytes.count, 0)
        return "\(path)/\(name)"
    }
}
