import Testing

@testable import LineEditor

struct StorageTests {
    @Test(arguments: ["plain", "two\nlines", "back\\slash \\n", "ends \\", "漢字", "\ttab"])
    func entriesComeBackAsTheyWere(entry: String) {
        #expect(!HistoryFile.encode(entry).contains("\n"))
        #expect(HistoryFile.decode(HistoryFile.encode(entry)) == entry)
    }

    @Test func someEntriesAreNotKept() {
        #expect(HistoryFile.keeps("a", after: "b"))
        #expect(!HistoryFile.keeps("a", after: "a"))
        #expect(!HistoryFile.keeps(" a", after: nil))
        #expect(!HistoryFile.keeps("\n\t", after: nil))
    }

    @Test func scalarsArriveWhole() {
        var decoder = ScalarDecoder()
        let text = "aé漢😀"
        var scalars: [Unicode.Scalar] = []
        for byte in text.utf8 {
            decoder.append([byte])
            while let scalar = decoder.next() { scalars.append(scalar) }
        }
        #expect(scalars == Array(text.unicodeScalars))
    }

    @Test(
        arguments: [
            [0xff, 0x61], [0xc3, 0x61], [0xe6, 0xbc, 0x61], [0xc0, 0x80, 0x61], [0xed, 0xa0, 0x80, 0x61],
        ] as [[UInt8]]
    )
    func otherBytesAreReplaced(bytes: [UInt8]) {
        var decoder = ScalarDecoder()
        decoder.append(bytes)
        var scalars: [Unicode.Scalar] = []
        while let scalar = decoder.next() { scalars.append(scalar) }
        #expect(scalars.first == "\u{FFFD}")
        #expect(scalars.last == "a")
    }
}
