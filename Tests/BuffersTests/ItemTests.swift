import BigInt
import Language
import Testing

@testable import Buffers

/// Values into arrays and back.
struct ItemTests {
    @Test func formatsAreWhatTheValuesNeed() throws {
        let cases: [(String, ElementFormat, [Int])] = [
            ("[true false]", .bool, [2]), ("[1 -2]", .int64, [2]), ("[1 2.5]", .float64, [2]), ("[]", .float64, [0]),
            ("[[1 2] [3 4] [5 6]]", .int64, [3, 2]), ("[[] []]", .float64, [2, 0]), ("7", .int64, []),
            ("[18446744073709551615 1]", .uint64, [2]), ("[1 18446744073709551616 0.5]", .float64, [3]),
        ]
        for (text, format, shape) in cases {
            let array = try NumericArray(values: try read(text))
            #expect(array.format == format && array.shape == shape, Comment(rawValue: text))
            #expect(try Value.equal(try array.values(), try read(text)), Comment(rawValue: text))
        }
    }

    @Test func whatIsNoArrayIsRefusedWithItsPath() throws {
        let cases: [(String, ElementFormat?, String, String)] = [
            ("[[1 2] [3]]", nil, "buffer/shape", "at [1]"), ("[[1 2] 3]", nil, "buffer/shape", "at [1]"),
            ("[1 [2]]", nil, "buffer/shape", "at [1]"), ("[1 \"2\"]", nil, "eval/type", "at [1]"),
            ("[true 1]", nil, "eval/type", "at [1]"), ("[1 2]", .bool, "eval/type", "at [0]"),
            ("[[1] [true]]", .int8, "eval/type", "at [1 0]"), ("[1 128]", .int8, "eval/overflow", "128 at [1]"),
            ("[1 -1]", .uint64, "eval/overflow", "-1 at [1]"), ("[1.5]", .int32, "eval/overflow", "1.5 at [0]"),
            ("[18446744073709551616]", nil, "eval/overflow", "at [0]"), ("[1e39]", .float32, "eval/overflow", "at [0]"),
        ]
        for (text, format, code, place) in cases {
            let value = try read(text)
            let given = failure { try NumericArray(values: value, format: format) }
            #expect(given?.code == code, Comment(rawValue: text))
            #expect(given?.message.contains(place) == true, "\(text): \(given?.message ?? "")")
        }
    }

    @Test func itemsAreExact() throws {
        let big = Value.integer(BigInt(UInt64.max))
        #expect(try Value.identical(try NumericArray(values: big, format: .uint64).value(at: []), big))
        let half = try NumericArray(values: .vector(Items([.double(1.5), .double(65_504)])), format: .float16)
        #expect(try Value.identical(try half.value(at: [-1]), .double(65_504)))
        let number = Value.tagged(.complex, ["re": .double(1), "im": .double(-2)])
        for format in [ElementFormat.complex64, .complex128] {
            #expect(try Value.identical(try NumericArray(values: number, format: format).value(at: []), number))
        }
    }

    private func read(_ text: String) throws -> Value {
        try #require(try Reader.read(Source(name: "<test>", text: text)).first).value
    }
}
