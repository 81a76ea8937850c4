import Evaluator
import Language
import Patterns

/// Regular expressions: `re.*`. The pattern stands first, the text second.
struct LibraryPatterns {
    private let cache = PatternCache()

    func register(in machine: Machine) {
        registerSearches(in: machine)
        registerEditing(in: machine)
        machine.extend(with: Self.definitions)
    }

    private func registerSearches(in machine: Machine) {
        machine.add(
            "(re.test pattern text)", 2...2, "Whether the pattern is somewhere in the text.",
            "(re.test \"^\\\\d+$\" \"123\") => true", lineage: .plain
        ) { arguments throws(Failure) in .bool(try matches(&arguments, limit: 1).count > 0) }
        machine.add(
            "(re.find pattern text)", 2...2, "The text of the first match; null when there is none.",
            "(re.find \"\\\\d+\" \"a12b3\") => \"12\""
        ) { arguments throws(Failure) in
            try matches(&arguments, limit: 1).first.map { .text($0.text) } ?? .null
        }
        machine.add(
            "(re.find-all pattern text)", 2...2, "The texts of all matches.",
            "(re.find-all \"\\\\d+\" \"a12b3\") => [\"12\" \"3\"]"
        ) { arguments throws(Failure) in
            .vector(Items(try matches(&arguments).map { .text($0.text) }))
        }
        machine.add(
            "(re.match pattern text)", 2...2,
            "The first match: its text, start and end in characters, groups, and the named ones by name; null when there is none.",
            "(get (re.match \"(\\\\w+)@(\\\\w+)\" \"me@home\") :groups) => [\"me\" \"home\"]"
        ) { arguments throws(Failure) in
            try matches(&arguments, limit: 1).first?.value ?? .null
        }
        machine.add(
            "(re.match-all pattern text)", 2...2, "All matches, as re.match gives one.",
            "(map :start (re.match-all \"é|b\" \"aébb\")) => [1 2 3]"
        ) { arguments throws(Failure) in .vector(Items(try matches(&arguments).map(\.value))) }
    }

    private func registerEditing(in machine: Machine) {
        machine.add(
            "(re.split pattern text)", 2...2, "The pieces of the text between the matches.",
            "(re.split \"\\\\s*,\\\\s*\" \"a , b,c\") => [\"a\" \"b\" \"c\"]"
        ) { arguments throws(Failure) in
            let subject = Subject(try arguments.onlyString(1))
            var pieces: [Value] = []
            var start = 0
            for match in try matches(&arguments) where match.range.upperBound > 0 && !match.isEmptyEnd(of: subject) {
                pieces.append(.text(subject.text(start..<match.range.lowerBound)))
                start = match.range.upperBound
            }
            return .vector(Items(pieces + [.text(subject.text(start..<subject.count))]))
        }
        machine.add(
            "(re.escape text)", 1...1, "The pattern that matches just this text.", "(re.escape \"a.b\") => \"a\\\\.b\""
        ) { arguments throws(Failure) in
            let special = "\\^$.|?*+()[]{}-#/&~".unicodeScalars
            var pattern = ""
            for scalar in try arguments.onlyString(0).unicodeScalars {
                if special.contains(scalar) { pattern += "\\" }
                pattern.unicodeScalars.append(scalar)
            }
            return .text(pattern)
        }
        machine.register(
            Builtin("(%re.replace pattern text template)", arity: 3...3) { arguments throws(Failure) in
                let template = try arguments.onlyString(2)
                let matches = try matches(&arguments)
                var texts: [String] = []
                for match in matches { texts.append(try match.fill(template)) }
                return .text(try woven(try arguments.onlyString(1), matches.map(\.range), texts))
            })
        machine.register(
            Builtin("(%re.weave pattern text replacements)", arity: 3...3) { arguments throws(Failure) in
                let ranges = try matches(&arguments).map(\.range)
                var texts: [String] = []
                for item in try arguments.items(2) { texts.append(Library.display(try arguments.look(item))) }
                return .text(try woven(try arguments.onlyString(1), ranges, texts))
            })
    }

    private static let definitions = #"""
        ;; The text with every match replaced: by a text in which $0 is the match, $1 or ${name} a group and $$ a dollar, or by what a function gives for the match.
        ;; > (re.replace "(\\w+) (\\w+)" "hello world" "$2 $1") => "world hello"
        ;; > (re.replace "[a-z]+" "ab-cd" (fn (m) (upper m.text))) => "AB-CD"
        (def re.replace (pattern text replacement)
          (if (function? replacement)
              (%re.weave pattern text (%map replacement (re.match-all pattern text)))
              (%re.replace pattern text replacement)))
        """#

    // MARK: Matching

    private func matches(_ arguments: inout Arguments, limit: Int = .max) throws(Failure) -> [PatternMatch] {
        let text = try arguments.onlyString(0)
        let subject = Subject(try arguments.onlyString(1))
        do throws(PatternError) {
            return try Self.matches(of: try cache.pattern(text), in: subject, limit: limit)
        } catch {
            throw Self.failure(error, text)
        }
    }

    private static func matches(
        of pattern: Pattern, in subject: Subject, limit: Int
    ) throws(PatternError) -> [PatternMatch] {
        var found: [PatternMatch] = []
        var (start, scalars, counted) = (0, 0, 0)
        while found.count < limit, start <= subject.count {
            guard let ranges = try pattern.first(in: subject, from: start), let whole = ranges.first ?? nil else {
                break
            }
            scalars += subject.scalars(counted..<max(counted, whole.lowerBound))
            counted = max(counted, whole.lowerBound)
            found.append(
                PatternMatch(pattern: pattern, subject: subject, range: whole, ranges: ranges, start: scalars))
            start = whole.isEmpty ? subject.next(whole.upperBound) : max(whole.upperBound, start + 1)
        }
        return found
    }

    private static func failure(_ error: PatternError, _ pattern: String) -> Failure {
        let shown = Describe.short(.text(pattern))
        switch error {
        case .syntax(let message, let scalar):
            return Failure("re/syntax", "the pattern \(shown) is wrong at character \(scalar): \(message)")
        case .limit(let limit):
            return Failure(
                "re/limit", "looking for \(shown) took more than \(limit)",
                help: "a repetition inside a repetition, (a+)+, tries every way to divide the text; (a+) may do")
        case .failed(let message): return Failure("re/failed", "looking for \(shown) failed: \(message)")
        }
    }

    private func woven(_ text: String, _ ranges: [Range<Int>], _ texts: [String]) throws(Failure) -> String {
        let subject = Subject(text)
        var result = ""
        var start = 0
        for (range, replacement) in zip(ranges, texts) {
            result += subject.text(start..<range.lowerBound)
            result += replacement
            start = range.upperBound
            try Limit.check(result.utf8.count, Limit.bytes, "bytes")
        }
        return result + subject.text(start..<subject.count)
    }
}

/// A match: byte ranges of its text and of its groups, and how many scalars stand before it.
private struct PatternMatch {
    let pattern: Pattern
    let subject: Subject
    let range: Range<Int>
    let ranges: [Range<Int>?]
    let start: Int

    var text: String { subject.text(range) }

    func isEmptyEnd(of subject: Subject) -> Bool { range.isEmpty && range.lowerBound == subject.count }

    private func group(_ number: Int) -> Value {
        guard number < ranges.count, let range = ranges[number] else { return .null }
        return .text(subject.text(range))
    }

    var value: Value {
        var named = Object.Entries()
        for (name, number) in pattern.names { named[Key(name)] = group(number) }
        return .object(
            Object([
                "text": .text(text), "start": .int(start), "end": .int(start + subject.scalars(range)),
                "groups": .vector(Items(ranges.indices.dropFirst().map(group))), "named": .object(Object(named)),
            ]))
    }

    /// The template with groups in it.
    func fill(_ template: String) throws(Failure) -> String {
        guard template.utf8.contains(UInt8(ascii: "$")) else { return template }
        var result = ""
        var rest = template.unicodeScalars[...]
        while let sign = rest.firstIndex(of: "$") {
            result.unicodeScalars += rest[..<sign]
            rest = rest[rest.index(after: sign)...]
            if rest.first == "$" {
                result += "$"
                rest = rest.dropFirst()
            } else {
                result += Library.display(try reference(&rest))
            }
        }
        return result + String(rest)
    }

    private func reference(_ rest: inout Substring.UnicodeScalarView) throws(Failure) -> Value {
        let isBraced = rest.first == "{"
        let body = isBraced ? rest.dropFirst().prefix { $0 != "}" } : rest.prefix { ("0"..."9").contains($0) }.prefix(2)
        rest = rest[body.endIndex...].dropFirst(isBraced ? 1 : 0)
        let name = String(body)
        if let number = Int(name), (0..<ranges.count).contains(number) { return group(number) }
        if let number = pattern.names.first(where: { $0.name == name })?.group { return group(number) }
        throw Failure(
            "re/group", "the pattern has no group \(name.isEmpty ? "of an empty name" : name)",
            help: "in a replacement $1 and ${name} are groups, $$ is a dollar sign")
    }
}
