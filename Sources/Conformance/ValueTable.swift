/// Every row of the protocol's table of values, as bodies.
enum ValueTable {
    static let rows: [(name: String, bodies: [String])] = [
        ("null", ["null"]),
        ("booleans", ["true", "false", "[true,false]"]),
        ("integers", ["0", "-1", "42", "9007199254740991", "-9007199254740991"]),
        (
            "large-integers",
            [
                "9007199254740992", "9007199254740993", "-9007199254740993", "9223372036854775807",
                "-9223372036854775808",
                "18446744073709551615", "18446744073709551616", "[12345678901234567890]",
                "123456789012345678901234567890123456789012345678901234567890",
            ]
        ),
        (
            "floats",
            ["1.5", "-0.1", "0.1", "1e300", "5e-324", "1.7976931348623157e308", "0.30000000000000004", "[2.5,3]"]
        ),
        (
            "integral-floats",
            ["1.0", "-3.0", "0.0", "1e20", "[1.0,1]", "100000000000000000000.0", "9007199254740992.0"]
        ),
        (
            "special-floats",
            [
                #"{"_type":"Float","value":"NaN"}"#, #"{"_type":"Float","value":"Infinity"}"#,
                #"{"_type":"Float","value":"-Infinity"}"#, #"{"_type":"Float","value":"-0.0"}"#,
                #"[{"_type":"Float","value":"NaN"},{"_type":"Float","value":"-0.0"}]"#,
            ]
        ),
        (
            "tagged-integers",
            [#"{"_type":"Int","value":"5"}"#, #"{"_type":"Int","value":"123456789012345678901234567890"}"#]
        ),
        (
            "texts",
            [
                #""""#, #""plain""#, #""é \u00e9 日本 \ud83d\ude00""#,
                #""\"\\\/\b\f\n\r\t\u0000\u001f\u007f\u2028\u2029""#,
                #""\u0065\u0301""#, #""\ufeff\ufffe""#, #"["1","1.0","true","null","NaN"]"#,
            ]
        ),
        ("vectors", ["[]", "[[]]", "[1,[2,[3,null]]]", #"[null,false,0,"",[],{}]"#]),
        (
            "objects",
            [
                "{}", #"{"a":1}"#, #"{"b":1,"a":2,"c":3}"#, #"{"":0}"#, #"{"é":{"x":[{}]}}"#,
                #"{"a b":1,"a.b":2,"a\"b":3}"#,
            ]
        ),
        (
            "awkward-keys",
            [
                #"{"b":1,"2":2,"1":3}"#, #"{"__proto__":1}"#, #"{"constructor":1,"toString":2,"toJSON":3,"then":4}"#,
                #"{"__class__":1,"self":2,"length":3}"#,
            ]
        ),
        (
            "bytes",
            [
                #"{"_type":"Bytes","base64":""}"#, #"{"_type":"Bytes","base64":"AP8="}"#,
                #"{"_type":"Bytes","base64":"/+8AAQID"}"#,
            ]
        ),
        (
            "decimals",
            [
                #"{"_type":"Decimal","value":"1.10"}"#, #"{"_type":"Decimal","value":"-0"}"#,
                #"{"_type":"Decimal","value":"123456789012345678901234567890.123456789"}"#,
            ]
        ),
        ("fractions", [#"{"_type":"Fraction","value":"1/3"}"#, #"{"_type":"Fraction","value":"-7/2"}"#]),
        ("complex", [#"{"_type":"Complex","re":1.5,"im":-2.5}"#]),
        ("dates", [#"{"_type":"Date","value":"2024-02-29"}"#, #"{"_type":"Date","value":"0001-01-01"}"#]),
        ("times", [#"{"_type":"Time","value":"12:34:56"}"#, #"{"_type":"Time","value":"23:59:59.999999"}"#]),
        (
            "datetimes",
            [
                #"{"_type":"DateTime","value":"2024-01-02T03:04:05+00:00"}"#,
                #"{"_type":"DateTime","value":"2024-01-02T03:04:05.123+00:00"}"#,
                #"{"_type":"DateTime","value":"2024-01-02T03:04:05.000001+00:00"}"#,
                #"{"_type":"DateTime","value":"2024-01-02T03:04:05"}"#,
                #"{"_type":"DateTime","value":"2024-07-02T03:04:05+05:30"}"#,
                #"{"_type":"DateTime","value":"2024-07-02T03:04:05+02:00","zone":"Europe/Berlin"}"#,
            ]
        ),
        (
            "durations",
            [#"{"_type":"Duration","value":"P1DT2.5S"}"#, #"{"_type":"Duration","value":"P0DT0S"}"#]
        ),
        (
            "tuples",
            [#"{"_type":"Tuple","items":[]}"#, #"{"_type":"Tuple","items":[1,{"_type":"Tuple","items":["a"]}]}"#]
        ),
        ("sets", [#"{"_type":"Set","items":[]}"#, #"{"_type":"Set","items":[1,"a"]}"#]),
        (
            "maps",
            [
                #"{"_type":"Map","entries":[[1,"a"],["1","b"]]}"#,
                #"{"_type":"Map","entries":[[null,{"x":1}],[true,2]]}"#,
                #"{"_type":"Map","entries":[[{"_type":"Tuple","items":[1,2]},3]]}"#,
            ]
        ),
        (
            "forged-tags",
            [
                #"{"_type":"Map","entries":[["_type","Int"],["value","1"]]}"#,
                #"{"_type":"Map","entries":[["_type","Ref"]]}"#,
                #"{"_type":"Map","entries":[["_type","Nonsense"],["x",1]]}"#,
            ]
        ),
        ("undefined", [#"{"_type":"Undefined"}"#, #"[{"_type":"Undefined"},null]"#]),
        ("symbols", [#"{"_type":"Symbol","value":"a"}"#]),
        (
            "unknown-tags",
            [
                #"{"_type":"Quaternion","parts":[1,2,3,4]}"#,
                #"[{"_type":"Shape","value":"x","inner":{"_type":"Bytes","base64":"AP8="}}]"#,
            ]
        ),
        (
            "nested",
            [
                #"{"a":[{"_type":"Set","items":[{"_type":"Tuple","items":[1,2]}]},{"b":{"_type":"Float","value":"-0.0"}}]}"#,
                #"[{"_type":"Map","entries":[[1,{"_type":"Bytes","base64":"AP8="}]]},{"_type":"Date","value":"2024-02-29"}]"#,
            ]
        ),
    ]
}
