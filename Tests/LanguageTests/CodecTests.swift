import Language
import Properties
import Testing

/// What the quick ways of the JSON reader must get right.
struct CodecTests {
    @Test(arguments: Seeds.rounds(300))
    func floatsAreReadAsTheLibraryReadsThem(seed: UInt64) throws {
        var random = Randomness(seed: seed)
        for _ in 0..<200 {
            let digits = (0..<(1 + random.below(20))).map { _ in String(random.below(10)) }.joined()
            let whole = String(random.below(1000))
            let sign = random.chance(2) ? "-" : ""
            try check("\(sign)\(whole).\(digits)", seed)
            try check("\(sign)\(Double(bitPattern: random.next()).magnitude)", seed)
        }
    }

    /// Texts at and around the middle between two doubles.
    @Test(arguments: [
        "9007199254740993.0", "9007199254740992.999", "9007199254740993.001", "4503599627370497.5",
        "4503599627370496.5",
        "4503599627370498.5", "0.500000000000000166", "0.5000000000000001665", "1.000000000000000111",
        "1.0000000000000001110", "1844674407370955161.5", "18446744073709551615.0", "1.8446744073709551616",
        "0.1844674407370955161", "123456789.0123456789", "9.999999999999999999", "0.0000000000000000001", "0.0", "-0.0",
    ])
    func halfwayFloats(text: String) throws {
        try check(text, 0)
    }

    private func check(_ text: String, _ seed: UInt64) throws {
        guard let expected = Double(text), expected.isFinite else { return }
        let value = try JSON.parse(text)
        #expect(try Value.identical(value, .double(expected)), "META_SEED=\(seed): \(text)")
    }

    @Test(arguments: [
        #"[{"a":1,"b":2},{"a":3,"b":4}]"#, #"[{"a":1,"b":2},{"a":3},{"a":5,"b":6,"c":7},{"b":1,"a":2}]"#,
        #"[{"a":{"a":{"a":1}}},{"a":{"a":2}},{"a":{"a":{"a":3}}}]"#,
        #"[{"a":1,"b":[{"a":1,"b":2}]},{"a":2,"b":[{"a":1,"b":3}]}]"#,
        #"[{"\u0061":1},{"a":2},{"\u0061":3}]"#, #"[{"a":1},{},{"a":2}]"#, #"[{"é":1,"x":[]},{"é":2,"x":[1,[2]]}]"#,
        #"[{"0123456789abc":1},{"0123456789abd":2},{"0123456789abc":3}]"#, #"[{"":1},{"":2}]"#,
    ])
    func objectsOfLikeKeysKeepTheirOwnValues(text: String) throws {
        let value = try JSON.parse(text)
        #expect(try Value.identical(value, Reader.read(Source(name: "<json>", text: text))[0].value))
        let body = try Envelope.encode(value)
        #expect(try Value.identical(Envelope.decode(body), value))
    }

    @Test(arguments: [
        #"[{"a":1,"b":2},{"a":1,"a":2}]"#, #"[{"a":1,"b":2},{"a":1,"b":2,"a":3}]"#,
        #"[{"a":1,"b":2},{"a":1,"\u0062":2,"b":3}]"#,
        #"[{"a":1},{"a":1,"\u0061":2}]"#,
    ])
    func likeObjectsHideNoDuplicate(text: String) {
        let failure = #expect(throws: Failure.self) { try JSON.parse(text) }
        #expect(failure?.code == "json/duplicate")
    }

    @Test(arguments: [
        #"[{"a":1,"b":2},{"a":1,}]"#, #"[{"a":1,"b":2},{"a":1"b":2}]"#, #"[{"a":1,"b":2},{"a" 1}]"#,
        #"[{"a":1,"b":2},{"a":1,"b""#,
        #"[{"a":1,"b":2},{"a"#, #"[{"a":1,"b":2},{"a":1 2}]"#, #"[{"a":1},{"a":"#,
    ])
    func likeObjectsHideNoError(text: String) {
        let failure = #expect(throws: Failure.self) { try JSON.parse(text) }
        #expect(failure?.code == "json/syntax" || failure?.code == "json/unclosed")
    }

    /// Every length of text, so that each way of finding its end is taken with the quote at each place of a word.
    @Test func stringsOfEveryLength() throws {
        for length in 0..<40 {
            for special in ["", "é", "\\n", "\\\"", "\\ud83d\\ude00", "😀"] {
                let before = String(repeating: "x", count: length)
                let expected = before + special.replacingEscapes + "y"
                #expect(
                    try Value.identical(JSON.parse("[\"\(before)\(special)y\"]"), .vector(Items([.text(expected)]))))
                #expect(throws: Failure.self) { try JSON.parse("[\"\(before)\u{1}\(special)\"]") }
                #expect(throws: Failure.self) { try JSON.parse("[\"\(before)\(special)") }
                #expect(throws: Failure.self) { try JSON.parse(Array("[\"\(before)".utf8) + [0xFF, 0x22, 0x5D]) }
            }
        }
    }

    @Test func depthIsThatOfTheValue() throws {
        for text in ["1", "[]", "{}", "[[],[[1]],2]", #"{"a":[1,{"b":2}],"c":3}"#, #"[{"a":1},{"a":[[]]},{"a":1}]"#] {
            let value = try JSON.parse(text)
            #expect(value.depth == Reader.depth(text), "\(text)")
        }
    }
}

extension String {
    fileprivate var replacingEscapes: String {
        switch self {
        case "\\n": "\n"
        case "\\\"": "\""
        case "\\ud83d\\ude00": "😀"
        default: self
        }
    }
}

extension Reader {
    /// The depth that the ordinary reader finds.
    fileprivate static func depth(_ text: String) -> Int? {
        (try? Reader.read(Source(name: "<json>", text: text)))?.first?.value.depth
    }
}
