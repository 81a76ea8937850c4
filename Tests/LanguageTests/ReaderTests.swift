import Language
import Testing

/// What the reader makes of each piece of syntax, and how it refuses what is none.
struct ReaderTests {
    static func read(_ text: String) throws -> [Value] {
        try Reader.read(Source(name: "<test>", text: text)).map(\.value)
    }

    @Test(arguments: [
        ("; a comment\n#!no", "#!no"), ("#!/usr/bin/env meta\n1", "1"), ("1 #;(skipped [form]) 2", "1 2"),
        ("12 -3 +3 1_000 0xff 0b101 0o17", "12 -3 3 1000 255 5 15"), ("1 1.0", "1 1.0"),
        ("6.02e23 1e3 -0.0", "6.02e+23 1000.0 -0.0"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        (#""a\n\u00e9""#, #""a\né""#), (#""\ud83d\ude00""#, "\"😀\""), (#""""a\n"b""""#, #""a\\n\"b""#),
        ("a.b.c py:fn ...rest + empty?", "a.b.c py:fn ...rest + empty?"),
        (":name name: \"key\": 1", ":name :name \"key\" 1"),
        ("{a:1}", "{a: 1}"), ("{a :b}", "{a: :b}"), ("{:a 1 :b 2}", "{a: 1 b: 2}"), (#"{"a" : true}"#, "{a: true}"),
        ("{w: 2, h: 3}", "{w: 2 h: 3}"), ("() null nil", "null null null"), ("[1,2,3]", "[1 2 3]"), ("(a, b)", "(a b)"),
        ("`(a ,b ,@c @d ...@e)", "`(a ,b ,@c ,@d ,@e)"), ("`(eval-in ,lang x)", "`(eval-in ,lang x)"),
        ("`(a, b)", "`(a b)"),
        ("{:eval js.eval, :marshal js.serialize}", "{eval: js.eval marshal: js.serialize}"),
        ("name(a, b)", "(name a b)"), ("f(g(1))", "(f (g 1))"), ("'x", "'x"), ("#(* # 2)", "(fn (#0) (* #0 2))"),
        ("#(f #1)", "(fn (#0 #1) (f #1))"),
        ("#(f #.a #1.b.c)", "(fn (#0 #1) (f #0.a #1.b.c))"), ("#(f)", "(fn null (f))"),
        ("```py\nx = 1\n\"q\"\n```", #"(py "x = 1\n\"q\"")"#),
        ("```py\n```", #"(py "")"#), ("a→b λ", "a→b λ"), ("{true: 1 null: 2}", "{true: 1 null: 2}"), ("::", "::"),
    ])
    func readsAs(text: String, printed: String) throws {
        if text.hasSuffix("#!no") {
            #expect(throws: ReadError.self) { try Self.read(text) }
            return
        }
        #expect(try Self.read(text).map(Printer.text).joined(separator: " ") == printed)
    }

    @Test(arguments: [
        (")", "reader/close"), ("(]", "reader/mismatch"), ("[1 }", "reader/mismatch"), ("{a ]", "reader/mismatch"),
        ("{a}", "reader/object"), ("{a 1 a 2}", "reader/duplicate"), (#"{"a" 1 :a 2}"#, "reader/duplicate"),
        ("{1 2}", "reader/key"),
        ("{(f) 2}", "reader/key"), ("1+1", "reader/number"), ("01", "reader/number"), (".5", "reader/number"),
        ("1__0", "reader/number"),
        ("1_ ", "reader/number"), ("1e400", "reader/range"), ("-1e400 ", "reader/range"), ("0xg", "reader/number"),
        ("12ab", "reader/number"),
        (": ", "reader/keyword"), ("\\x", "reader/character"), (#""\x""#, "reader/escape"),
        (#""\u12g4""#, "reader/escape"),
        (#""\ud83d""#, "reader/surrogate"), (#""\ude00""#, "reader/surrogate"),
        (#""\ud83d\u0041""#, "reader/surrogate"),
        ("@x", "reader/splice"), ("#<function f>", "reader/dispatch"), ("#a", "reader/dispatch"),
        ("#(#(a))", "reader/shorthand"),
        ("`(a,b)", "reader/comma"), ("`(a,(b))", "reader/comma"), ("xs[0]", "reader/index"),
        ("(fn(x) x)", "reader/head"),
        ("((if(x) 1))", "reader/head"), ("a\u{200B}b", "reader/character"), ("“a”", "reader/character"),
        ("\u{1}", "reader/character"),
        ("``` py x(\n", "reader/unclosed"), ("```\n```", "reader/fence"),
    ])
    func refuses(text: String, code: String) {
        do {
            _ = try Reader.read(Source(name: "<test>", text: text))
            Issue.record("\(text) reads")
        } catch {
            #expect(error.failure.code == code, "\(text): \(error.failure.message)")
            #expect(error.failure.span != nil)
        }
    }

    @Test(arguments: [
        "(", "[1", "{a", "{a:", "{#", "\"a", "\"\"\"a", "'", "`(a ,", "`(...@", "#;", "#(", "```", "```py",
        "```py\ncode\n``", "1.", "1e", "0x",
        "1_", ":", "\"\\", "\"\\u00", "\"\\ud83d", "\"\\ud83d\\", "(a ; comment", "f(",
    ])
    func isIncomplete(text: String) {
        do {
            _ = try Reader.read(Source(name: "<test>", text: text))
            Issue.record("\(text) reads")
        } catch {
            guard case .incomplete = error else {
                Issue.record("\(text) is \(error.failure.code)")
                return
            }
        }
    }

    @Test func aSpanIsInBytesAndAPlaceInScalars() throws {
        let source = Source(name: "<test>", text: "é\n(λ x) )")
        do {
            _ = try Reader.read(source)
            Issue.record("reads")
        } catch {
            let span = try #require(error.failure.span)
            let place = source.place(of: span.lower)
            #expect((place.line, place.column) == (2, 7))
        }
    }

    @Test func aMessageStaysShort() {
        let name = String(repeating: "x", count: 1_000_000)
        for text in [name + "[", "{\(name) 1 \(name) 2}", "#\(name)", "1\(name)"] {
            do {
                _ = try Reader.read(Source(name: "<test>", text: text))
                Issue.record("reads")
            } catch {
                #expect(error.failure.message.utf8.count < 5_000)
                #expect(
                    Diagnostic(error.failure, source: Source(name: "<test>", text: text)).report.utf8.count < 10_000)
            }
        }
    }
}
