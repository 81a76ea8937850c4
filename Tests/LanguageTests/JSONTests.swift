import Language
import Testing

/// Exact JSON. The cases are written after the categories of JSONTestSuite (Nicolas Seriot): y_ must pass, n_ must fail.
struct JSONTests {
    @Test(arguments: [
        "[]", "[ 1]", "[1 ]", "[false]", "[[]   ]", "[\"\"]", "[null, 1, \"1\", {}]", "[1\n]", "[123e65]", "[0e+1]",
        "[0e1]", "[-1]", "[-0]",
        "[1E22]", "[1E-2]", "[1E+2]", "[123e45]", "[123.456e78]", "[1e-2]", "[1e+2]", "[123]", "[123.456789]",
        "[-0.000000000000001]",
        "{\"asd\":\"sdf\", \"dfg\":\"fgh\"}", "{\"asd\":\"sdf\"}", "{}", "{\"\":0}", "{\"foo\\u0000bar\": 42}",
        "{ \"min\": -1.0e+28, \"max\": 1.0e+28 }", "{\"a\":[]}", "{\"title\":\"\\u041f\\u043e\" }",
        "{\n\"a\": \"b\"\n}",
        "[\"\\u0060\\u012a\\u12AB\"]", "[\"\\uD801\\udc37\"]", "[\"\\ud83d\\ude39\\ud83d\\udc8d\"]",
        "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", "[\"\\\\u0000\"]",
        "[\"\\\"\"]", "[\"a/*b*/c/*d//e\"]", "[\"\\\\a\"]", "[\"\\\\n\"]", "[\"\\u0012\"]", "[\"\\uFFFF\"]",
        "[\"asd\"]", "[ \"asd\"]",
        "[\"\\uDBFF\\uDFFF\"]", "[\"\u{1BFFF}\"]", "[\"new\\u00A0line\"]", "[\"\u{10FFFF}\"]", "[\"\u{FFFF}\"]",
        "[\"\\u0000\"]", "[\"\\u002c\"]",
        "[\"π\"]", "[\"\u{2028}\"]", "\" \"", "[\"\\uD834\\uDd1e\"]", "[\"\\u0821\"]", "[\"\u{7F}\"]", "[\"⍂㈴⍂\"]",
        "[\"a\u{7F}a\"]", "false", "42",
        "-0.1", "null", "\"asd\"", "true", "\"\"", "[\"a\"]\n", "[true]", " [] ",
    ])
    func accepts(text: String) throws {
        let value = try JSON.parse(text)
        #expect(try Value.identical(try JSON.parse(try JSON.text(value)), value))
        let forms = try Reader.read(Source(name: "<json>", text: text))
        #expect(try forms.count == 1 && Value.identical(forms[0].value, value))
    }

    @Test(arguments: [
        "", " ", "[1 true]", "[\"\": 1]", "[\"\"],", "[,1]", "[1,,2]", "[\"x\"]]", "[\"\",]", "[\"x\"", "[x", "[3[4]]",
        "[1:2]", "[,]", "[-]", "[   , \"\"]",
        "[\"a\",\n4\n,1,", "[1,]", "[\"\u{B}a\"\\f]", "[*]", "[fals]", "[nul]", "[tru]", "[++1234]", "[+1]", "[+Inf]",
        "[-01]", "[-1.0.]", "[-2.]", "[-NaN]",
        "[.-1]", "[.2e-3]", "[0.1.2]", "[0.3e+]", "[0.3e]", "[0.e1]", "[0E+]", "[0E]", "[0e+]", "[0e]", "[1.0e+]",
        "[1.0e-]", "[1.0e]", "[1 000.0]", "[1eE2]",
        "[2.e+3]", "[2.e3]", "[9.e+]", "[Inf]", "[NaN]", "[\u{FF11}]", "[1+2]", "[0x1]", "[0x42]", "[Infinity]",
        "[0e+-1]", "[-123.123foo]", "[-Infinity]",
        "[-foo]", "[- 1]", "[-012]", "[-.123]", "[-1x]", "[1ea]", "[1.]", "[.123]", "[1.2a-3]",
        "[1.8011670033376514H-308]", "[012]", "[True]",
        "[\"x\", truth]", "{[: \"x\"}\n", "{\"x\", null}", "{\"x\"::\"b\"}", "{🇨🇭}", "{\"a\":\"a\" 123}",
        "{key: 'value'}", "{\"a\" b}", "{:\"b\"}", "{\"a\" \"b\"}",
        "{\"a\":", "{\"a\"", "{1:1}", "{9999E9999:1}", "{null:null,null:null}", "{\"id\":0,,,,,}", "{'a':0}",
        "{\"id\":0,}", "{\"a\":\"b\"}/**/", "{\"a\":\"b\"}#",
        "{\"a\":\"b\",,\"c\":\"d\"}", "{a: \"b\"}", "{\"a\":\"a", "{ \"foo\" : \"bar\", \"a\" }", "{\"a\":\"b\"}#", " ",
        "[\"\\uD800\\\"]", "[\"\\uD800\\u\"]",
        "[\"\\uD800\\u1\"]", "[\"\\uD800\\u1x\"]", "[é]", "[\"\\\u{0}\"]", "[\"\\x00\"]", "[\"\\\\\\\"]", "[\"\\\t\"]",
        "[\"\\🌀\"]", "[\"\\\"]", "[\"\\u00A\"]",
        "[\"\\uD834\\uDd\"]", "[\"\\uD800\\uD800\\x\"]", "[\"\\a\"]", "[\"\\uqqqq\"]", "[\\u0020\"asd\"]", "[\\n]",
        "\"", "['single quote']", "abc", "[\"\\",
        "[\"a\u{0}a\"]", "[\"new\nline\"]", "[\"\t\"]", "\"\\UA66D\"", "\"\"x", "<.>", "[<null>]", "[1]x", "[1]]",
        "[\"asd]", "aå", "[True]", "1]", "{\"x\": true,",
        "[][]", "]", "\u{FEFF}", "{]", "{}}", "{\"\":", "{\"a\":/*comment*/\"b\"}", "{\"a\": true} \"x\"", "['", "[,",
        "[{", "[\"a", "{", "{,", "[\u{2060}]",
        "[\u{C}]", "[\u{A0}]", "nan", "+1", "01", "\"\\ud800\"", "\"\\udc00\"", "1e400", "-1e400", "{\"a\":1,\"a\":2}",
    ])
    func refuses(text: String) {
        do {
            let value = try JSON.parse(text)
            Issue.record("\(text) is \(Printer.text(value))")
        } catch {
            #expect(error.code.hasPrefix("json/"))
        }
    }

    @Test(arguments: [
        [0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xE9, 0x22], [0xFF],
        [0x22, 0xE2, 0x82, 0x22],
    ])
    func refusesWhatIsNotUTF8(bytes: [UInt8]) {
        #expect(throws: Failure.self) { try JSON.parse(bytes) }
    }

    @Test func integersOfAnySizeStayIntegers() throws {
        for text in [
            "9223372036854775807", "-9223372036854775808", "9223372036854775808",
            "1" + String(repeating: "0", count: 400),
        ] {
            #expect(try JSON.text(try JSON.parse(text)) == text)
        }
    }

    @Test(arguments: [
        "1.0", "0.1", "-0.0", "5e-324", "1.7976931348623157e+308", "2.2250738585072014e-308", "9007199254740993.0",
    ])
    func floatsStayFloats(text: String) throws {
        let value = try JSON.parse(text)
        guard case .double(let double) = value else {
            Issue.record("\(text) is no float")
            return
        }
        #expect(double.bitPattern == Double(text)?.bitPattern)
        #expect(try Value.identical(try JSON.parse(try JSON.text(value)), value))
    }

    @Test func spellingsOfAKeyStayApart() throws {
        let value = try JSON.parse("{\"\u{E9}\":1,\"e\u{301}\":2}")
        guard case .object(let object) = value else { return }
        #expect(object.entries.count == 2)
        #expect(try JSON.text(value) == "{\"\u{E9}\":1,\"e\u{301}\":2}")
        #expect(try Value.equal(.text("\u{E9}"), .text("e\u{301}")) == false)
    }

    @Test func whatJSONLacksIsAnErrorThatNamesThePlace() throws {
        let value = try #require(try ReaderTests.read("{a: [1 NaN]}").first)
        do {
            _ = try JSON.text(value)
            Issue.record("NaN is no JSON")
        } catch {
            #expect(error.code == "json/unprintable")
            #expect(error.message.contains(".a[1]"))
        }
    }
}
