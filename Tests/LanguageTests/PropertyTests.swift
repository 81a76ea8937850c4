import FoundationEssentials
import Language
import Properties
import Testing

/// What holds for every text and every value.
struct PropertyTests {
    @Test(arguments: Seeds.rounds(150))
    func everyPrefixOfAProgramReadsOrIsIncomplete(seed: UInt64) {
        var text = ProgramText(seed: seed)
        let program = Array(text.program().unicodeScalars)
        for count in 0...program.count {
            let prefix = String(String.UnicodeScalarView(program[..<count]))
            do {
                _ = try Reader.read(Source(name: "<prefix>", text: prefix))
            } catch {
                guard case .incomplete = error, count < program.count else {
                    Issue.record("META_SEED=\(seed): \(error.failure) in \(Printer.quoted(prefix))")
                    return
                }
            }
        }
    }

    @Test(arguments: Seeds.rounds(300))
    func whatIsPrintedReadsBackAsItself(seed: UInt64) throws {
        var text = ProgramText(seed: seed)
        for form in try Reader.read(Source(name: "<program>", text: text.program())) { try roundTrip(form.value, seed) }
        var values = RandomValues(seed: seed)
        for _ in 0..<5 { try roundTrip(values.form(), seed) }
    }

    private func roundTrip(_ value: Value, _ seed: UInt64) throws {
        for printed in [Printer.text(value), Printer.layout(value, width: 20)] {
            let message = Comment(rawValue: "META_SEED=\(seed): \(printed)")
            do {
                let again = try Reader.read(Source(name: "<printed>", text: printed))
                #expect(again.count == 1, message)
                if let first = again.first { #expect(try Value.identical(first.value, value), message) }
            } catch let error as ReadError {
                Issue.record("META_SEED=\(seed): \(error.failure) in \(printed)")
            }
        }
    }

    @Test(arguments: Seeds.rounds(300))
    func anyTextGivesFormsOrADiagnosticInsideIt(seed: UInt64) {
        var random = Randomness(seed: seed)
        let pieces = [
            "(", ")", "[", "]", "{", "}", "\"", "'", "`", ",", ",@", "@", "#", "#(", "#;", ";", "\n", " ", ":", "::",
            "a", "1", "-",
            ".", "...", "\\", "\"\"\"", "```", "```py\n", "0x", "1e", "e5", "_", "\\u", "d83d", "é", "\u{200B}",
            "\u{0}", "if", "fn(", "{a",
            "\u{7F}", "“", "#0", "#<", "\r", "nil", "true:", "\u{FEFF}",
        ]
        var soup = ""
        for _ in 0..<(1 + random.below(30)) { soup += random.pick(pieces) }
        check(soup, seed)
        let bytes = (0..<random.below(200)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        check(String(decoding: bytes, as: UTF8.self), seed)
    }

    private func check(_ text: String, _ seed: UInt64) {
        let source = Source(name: "<soup>", text: text)
        do {
            _ = try Reader.read(source)
        } catch {
            let failure = error.failure
            let message = Comment(rawValue: "META_SEED=\(seed): \(failure) in \(Printer.quoted(text))")
            #expect(failure.code.hasPrefix("reader/"), message)
            guard let span = failure.span else {
                Issue.record("META_SEED=\(seed): no place: \(failure)")
                return
            }
            #expect(span.lower >= 0 && span.lower <= source.bytes.count, message)
            #expect(Diagnostic(failure, source: source).report.contains("^"), message)
        }
    }

    @Test(arguments: Seeds.rounds(300))
    func anyJSONDocumentIsALiteral(seed: UInt64) throws {
        var values = RandomValues(seed: seed)
        var random = Randomness(seed: seed)
        let value = values.json()
        let text = Self.spaced(try JSON.text(value), &random)
        let message = Comment(rawValue: "META_SEED=\(seed): \(text)")
        let parsed = try JSON.parse(text)
        #expect(try Value.identical(parsed, value), message)
        do {
            let forms = try Reader.read(Source(name: "<json>", text: text))
            #expect(forms.count == 1, message)
            if let form = forms.first { #expect(try Value.identical(form.value, value), message) }
        } catch let error as ReadError {
            Issue.record("META_SEED=\(seed): \(error.failure) in \(text)")
        }
    }

    /// The document with white space wherever JSON allows it, and some characters as escapes.
    private static func spaced(_ text: String, _ random: inout Randomness) -> String {
        var result = ""
        var isInString = false
        var isEscaped = false
        for scalar in text.unicodeScalars {
            let isPunctuation = "{}[]:,".unicodeScalars.contains(scalar) && !isInString
            if isPunctuation { result += random.pick(["", " ", "\n", "\t", "\r\n "]) }
            if isInString, !isEscaped, ("g"..."z").contains(scalar), random.chance(3) {
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            } else {
                result.unicodeScalars.append(scalar)
            }
            if isPunctuation { result += random.pick(["", " ", "\n", "\t", "\r\n "]) }
            if isEscaped {
                isEscaped = false
            } else if scalar == "\\", isInString {
                isEscaped = true
            } else if scalar == "\"" {
                isInString.toggle()
            }
        }
        return result
    }

    @Test(arguments: Seeds.rounds(300))
    func theEnvelopeGivesBackTheSameValue(seed: UInt64) throws {
        var values = RandomValues(seed: seed)
        let value = values.json()
        let body = try Envelope.encode(value)
        #expect(try Value.identical(try Envelope.decode(body), value), "META_SEED=\(seed)")
    }
}
