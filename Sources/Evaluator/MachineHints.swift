import Language

/// Errors whose help depends on the text around them.
extension Machine {
    func unbound(_ global: Global, _ fiber: Fiber) -> Failure {
        let name = global.name
        if let form = SpecialForm(rawValue: name) {
            return Failure(
                "eval/form", "\(name) is a form of the language and stands at the head of a list",
                help: "its shape is \(form.shape)")
        }
        if let hint = NearMiss.hint(for: name) { return Failure("eval/unbound", "\(name) is not defined", help: hint) }
        if global.macro != nil { return Failure("eval/macro", "\(name) is a macro and is not a value") }
        let near = NearMiss.names(like: name, among: globals.boundNames + libraryNames)
        var hints = near.isEmpty ? [] : ["near names: \(near.joined(separator: ", "))"]
        if let hint = assignmentHint(name, fiber) ?? missingBodyHint(fiber) { hints.insert(hint, at: 0) }
        return Failure(
            "eval/unbound", "\(name) is not defined", help: hints.isEmpty ? nil : hints.joined(separator: "; "))
    }

    /// The text on the lines of the instruction under way, before and behind its form.
    private func surroundings(_ fiber: Fiber) -> (before: Substring, form: String, behind: Substring)? {
        guard let current = fiber.current, let site = site(current, isCaller: false) else { return nil }
        let (bytes, span) = (site.source.bytes, site.span)
        guard span.lower <= span.upper, span.upper <= bytes.count else { return nil }
        let before = String(decoding: bytes[max(0, span.lower - 120)..<span.lower], as: UTF8.self)
        let behind = String(decoding: bytes[span.upper..<min(bytes.count, span.upper + 80)], as: UTF8.self)
        let form = String(decoding: bytes[span.lower..<min(span.upper, span.lower + 80)], as: UTF8.self)
        return (before[...], form, behind.prefix { $0 != "\n" })
    }

    /// `x = 5`.
    private func assignmentHint(_ name: String, _ fiber: Fiber) -> String? {
        guard let behind = surroundings(fiber)?.behind.drop(while: { $0 == " " }), behind.hasPrefix("= ") else {
            return nil
        }
        let value = behind.dropFirst(2).drop { $0 == " " }
        guard !value.isEmpty, !value.hasPrefix(")") else { return nil }
        return "(def \(name) \(value)) defines"
    }

    /// `(def f (x))`, whose `x` is the name that is not defined.
    private func missingBodyHint(_ fiber: Fiber) -> String? {
        guard let before = surroundings(fiber)?.before, before.hasSuffix("(") else { return nil }
        let words = before.dropLast().split(separator: " ")
        guard words.count >= 2, before.dropLast().hasSuffix(" "), words[words.count - 2].hasSuffix("(def"),
            bodiless.contains(String(words[words.count - 1]))
        else { return nil }
        return Self.missingBody(String(words[words.count - 1]))
    }

    /// The call of a name that `(def f (x))` gave a value instead of a function.
    func bodyHint(_ fiber: Fiber) -> String? {
        guard let form = surroundings(fiber)?.form else { return nil }
        let isList = form.hasPrefix("(")
        let name = form.dropFirst(isList ? 1 : 0).prefix { !" ()\n".contains($0) }
        return bodiless.contains(String(name)) ? Self.missingBody(String(name)) : nil
    }

    private static func missingBody(_ name: String) -> String {
        "(def \(name) (…)) gives \(name) a value; a function's body is missing: (def \(name) (args) body)"
    }
}

extension SpecialForm {
    /// The shape that errors show.
    var shape: String {
        switch self {
        case .def: "(def name value) or (def name (args) body…)"
        case .if: "(if test then else)"
        case .when, .unless, .while: "(\(rawValue) test body…)"
        case .fn, .lambda, .arrow: "(\(rawValue) (args) body…)"
        case .let, .var, .loop: self == .var ? "(var name value)" : "(\(rawValue) (name value) body…)"
        case .each: "(each x collection body…)"
        case .try, .catch, .finally: "(try body… (catch e …) (finally …))"
        case .macro: "(macro name (args) body…)"
        case .set: "(set place value)"
        case .cond: "(cond test result … :else result)"
        case .case: "(case value literal result … otherwise)"
        case .and, .or, .do, .meta, .quote, .quasiquote, .recur, .threadFirst, .threadLast, .pipe: "(\(rawValue) …)"
        }
    }
}
