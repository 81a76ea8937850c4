import Language
import Testing

/// Values of types that JSON lacks: how they are read from a session, compared and printed.
struct TaggedTests {
    private func decode(_ body: String) throws -> Value {
        try Envelope.decode(Array(body.utf8))
    }

    @Test(arguments: [
        #"{"_type":"Bytes","base64":"AP8"}"#, #"{"_type":"Bytes","base64":"AP8=="}"#,
        #"{"_type":"Bytes","base64":"AP9="}"#,
        #"{"_type":"Bytes","base64":"A===","more":1}"#, #"{"_type":"Bytes","base64":"====" }"#, #"{"_type":"Bytes"}"#,
        #"{"_type":"Bytes","base64":"AP-_"}"#, #"{"_type":"Bytes","base64":[1]}"#, #"{"_type":"Set","items":{"a":1}}"#,
        #"{"_type":"Set"}"#, #"{"_type":"Tuple","items":"ab"}"#, #"{"_type":"Map","entries":[[1]]}"#,
        #"{"_type":"Map","entries":[1]}"#, #"{"_type":"Map","entries":{}}"#, #"{"_type":"Map"}"#,
        #"{"_type":"Map","entries":[["_type",1],["_type",2]]}"#, #"{"_type":"Decimal","value":"1.2.3"}"#,
        #"{"_type":"Decimal","value":1}"#, #"{"_type":"Decimal","value":""}"#, #"{"_type":"Decimal","value":"1E"}"#,
        #"{"_type":"Decimal","value":"."}"#, #"{"_type":"Decimal","value":"NaNx"}"#,
        #"{"_type":"Fraction","value":"1/0"}"#,
        #"{"_type":"Fraction","value":"1"}"#, #"{"_type":"Fraction","value":"1/2/3"}"#, #"{"_type":"Complex","re":1}"#,
        #"{"_type":"Complex","re":"1","im":2}"#, #"{"_type":"Date","value":"2026-02-29"}"#,
        #"{"_type":"Date","value":"2026-13-01"}"#, #"{"_type":"Date","value":"99999999999999999999-01-01"}"#,
        #"{"_type":"Time","value":"25:00"}"#, #"{"_type":"DateTime","value":"2026-01-01"}"#,
        #"{"_type":"DateTime","value":"2026-01-01T00:00:00+"}"#, #"{"_type":"Duration","value":"P"}"#,
        #"{"_type":"Duration","value":"PT"}"#, #"{"_type":"Duration","value":"P1S"}"#,
        #"{"_type":"Duration","value":"PT1S1H"}"#,
        #"{"_type":"Duration","value":"PT1.5H"}"#, #"{"_type":"Symbol","value":null}"#,
        #"{"_type":"Int","value":"1.5"}"#,
        #"{"_type":"Int","value":"+1"}"#, #"{"_type":"Int","value":"1","more":2}"#, #"{"_type":"Float","value":"1.5"}"#,
        #"{"_type":"Float","value":"NaN","more":2}"#, #"{"_type":5}"#, #"{"_type":"Error","message":5}"#,
        #"{"_type":"Error","frames":5}"#, #"{"_type":"Error","frames":[5]}"#, #"[1,2"#, "", #"{"a":1,"a":2}"#,
    ])
    func refusesWhatIsMalformed(body: String) {
        let failure = #expect(throws: Failure.self) { try decode(body) }
        #expect(failure?.code == "wire/unreadable")
    }

    @Test func refusesWhatIsNestedWithoutEnd() {
        let tuple = String(repeating: #"{"_type":"Tuple","items":["#, count: 1_000_000)
        #expect(throws: Failure.self) { try decode(tuple) }
    }

    @Test(arguments: [
        #"{"_type":"Bytes","base64":"AP8="}"#, #"{"_type":"Decimal","value":"-1.10E+5"}"#,
        #"{"_type":"Decimal","value":"sNaN12"}"#,
        #"{"_type":"Complex","re":1.0,"im":{"_type":"Float","value":"-0.0"}}"#, #"{"_type":"Fraction","value":"-1/3"}"#,
        #"{"_type":"Date","value":"+010000-01-01"}"#, #"{"_type":"Time","value":"12:00:00.000001+01:30"}"#,
        #"{"_type":"DateTime","value":"2026-01-31T12:00:00+01:00","zone":"Europe/Berlin","fold":1}"#,
        #"{"_type":"Duration","value":"-P1DT2.000003S"}"#, #"{"_type":"Duration","value":"P1Y2M"}"#,
        #"{"_type":"Tuple","items":[1,{"_type":"Set","items":[{"_type":"Tuple","items":[]}]}]}"#,
        #"{"_type":"Map","entries":[[1,2],["1",3],[null,{"_type":"Undefined"}]]}"#, #"{"_type":"Symbol","value":"a"}"#,
        #"{"_type":"Map","entries":[["_type","Int"],["value","1"]]}"#,
        #"{"_type":"Later","x":[{"_type":"Undefined"}]}"#,
        #"{"_type":"Error","code":"runtime/raised","type":"E","message":"m","frames":[{"function":"f","column":3}],"language":"py","data":[1],"more":2}"#,
        #"{"_type":"Bytes","base64":"AP8=","more":1}"#,
    ])
    func comeBackAsTheyCame(body: String) throws {
        #expect(String(decoding: try Envelope.encode(try decode(body)), as: UTF8.self) == body)
    }

    @Test(arguments: [
        (#"{"_type":"Set","items":[1,[2]]}"#, #"{"_type":"Set","items":[[2],1]}"#),
        (#"{"_type":"Map","entries":[[1,"a"],[2,"b"]]}"#, #"{"_type":"Map","entries":[[2,"b"],[1,"a"]]}"#),
        (#"{"_type":"Decimal","value":"0.10"}"#, #"{"_type":"Decimal","value":"1E-1"}"#),
        (#"{"_type":"Decimal","value":"-0"}"#, #"{"_type":"Decimal","value":"0.00"}"#),
        (#"{"_type":"Decimal","value":"1E+1000000000000"}"#, #"{"_type":"Decimal","value":"10E+999999999999"}"#),
        (
            #"{"_type":"DateTime","value":"2026-01-01T00:30:00+01:00"}"#,
            #"{"_type":"DateTime","value":"2025-12-31T23:30:00.000Z"}"#
        ),
        (#"{"_type":"Duration","value":"PT24H"}"#, #"{"_type":"Duration","value":"P1D"}"#),
        (#"{"_type":"Tuple","items":[1]}"#, #"{"_type":"Tuple","items":[1.0]}"#),
    ])
    func equalByValue(one: String, other: String) throws {
        #expect(try Value.equal(try decode(one), try decode(other)))
        #expect(ValueKey(try decode(one)) == ValueKey(try decode(other)))
        #expect(ValueKey(try decode(one)).hashValue == ValueKey(try decode(other)).hashValue)
    }

    @Test(arguments: [
        (#"{"_type":"Set","items":[1,1,2]}"#, #"{"_type":"Set","items":[1,2,2]}"#),
        (#"{"_type":"Map","entries":[[1,"a"]]}"#, #"{"_type":"Map","entries":[[1,"b"]]}"#),
        (#"{"_type":"Tuple","items":[1]}"#, "[1]"), (#"{"_type":"Undefined"}"#, "null"),
        (#"{"_type":"Decimal","value":"NaN"}"#, #"{"_type":"Decimal","value":"NaN"}"#),
        (#"{"_type":"Symbol","value":"a"}"#, #""a""#),
        (
            #"{"_type":"DateTime","value":"2026-01-01T00:00:00Z"}"#,
            #"{"_type":"DateTime","value":"2026-01-01T00:00:00"}"#
        ),
    ])
    func differ(one: String, other: String) throws {
        #expect(try !Value.equal(try decode(one), try decode(other)))
    }

    @Test func identicalSetsHaveNoOrderButKinds() throws {
        let nan = #"{"_type":"Float","value":"NaN"}"#
        let set = try decode(#"{"_type":"Set","items":[1,"# + nan + "]}")
        #expect(try Value.identical(set, try decode(#"{"_type":"Set","items":["# + nan + ",1]}")))
        #expect(try !Value.identical(set, try decode(#"{"_type":"Set","items":["# + nan + ",1.0]}")))
    }

    @Test func base64HasOneTextForAllBytes() {
        for count in 0..<10 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 97 &+ 200) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
    }
}
