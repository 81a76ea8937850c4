import Language

extension Machine {
    private static let raisedMark = "%raised"
    private static let traceLimit = 16

    /// What the machine's owner throws so that a fiber fails with this diagnostic.
    public func failure(_ diagnostic: Diagnostic) -> Failure {
        thrown(.error(diagnostic))
    }

    /// The diagnostic that a failure stands for.
    public func diagnostic(_ failure: Failure) -> Diagnostic {
        failure.code == Self.raisedMark ? take(Raised()) : Diagnostic(failure)
    }

    public static var interrupted: Diagnostic { Diagnostic(interruption) }

    /// The marker for a value that a program throws.
    func thrown(_ value: Value) -> Failure {
        _ = raise(diagnostic(of: value))
        return Failure(Self.raisedMark, "")
    }

    private func diagnostic(of value: Value) -> Diagnostic {
        guard let data = try? value.unwrapped() else { return Diagnostic(code: "user/error", message: "unreadable") }
        switch data {
        case .error(let diagnostic): return diagnostic
        case .object(let object):
            let message = object["message"].flatMap { try? $0.unwrapped() }?.nameText ?? Describe.short(data)
            let code = object["code"].flatMap { try? $0.unwrapped() }?.nameText ?? "user/error"
            return Diagnostic(code: code, message: message, data: value)
        default:
            return Diagnostic(code: "user/error", message: data.nameText ?? Describe.short(data), data: value)
        }
    }

    func unwind(_ fiber: Fiber, _ failure: Failure) -> Outcome? {
        unwind(fiber, diagnostic(failure))
    }

    /// Hands the error to the innermost handler; the outcome when there is none.
    func unwind(_ fiber: Fiber, _ diagnostic: Diagnostic) -> Outcome? {
        locate(diagnostic, fiber)
        let isInterrupt = diagnostic.code == Self.interruption.code
        while let handler = fiber.handlers.popLast() {
            if isInterrupt, fiber.isAbandoned || !handler.isCleanup { continue }
            if fiber.frames.count > handler.frameCount {
                fiber.current = fiber.frames[handler.frameCount]
                fiber.frames.cut(to: handler.frameCount)
            }
            fiber.drop(to: handler.top)
            push(fiber, .error(diagnostic))
            fiber.current?.next = handler.target
            return nil
        }
        fiber.frames.cut(to: 0)
        fiber.current = nil
        fiber.drop(to: 0)
        return .failed(diagnostic)
    }

    /// Notes the place where the error happened and the functions it passes, unless that was done.
    private func locate(_ diagnostic: Diagnostic, _ fiber: Fiber) {
        guard diagnostic.source == nil, let current = fiber.current else { return }
        if let site = programSite(fiber, current) { diagnostic.locate(source: site.source, span: site.span) }
        var name = Self.name(current)
        for index in stride(from: fiber.frames.count - 1, through: 0, by: -1) {
            let caller = fiber.frames[index]
            guard diagnostic.frames.count < Self.traceLimit else { break }
            if let site = site(caller, isCaller: true), !name.isEmpty, !site.source.name.hasPrefix("<library") {
                diagnostic.append(frame: frame(String(name.drop { $0 == "%" }), site))
            }
            name = Self.name(caller)
        }
    }

    /// Where the program is: what a library function ran into is shown where the program called it.
    private func programSite(_ fiber: Fiber, _ current: Fiber.Frame) -> Location? {
        let own = site(current, isCaller: false)
        guard let own, own.source.name.hasPrefix("<library") else { return own }
        for index in stride(from: fiber.frames.count - 1, through: 0, by: -1) {
            let caller = fiber.frames[index]
            if let site = site(caller, isCaller: true), !site.source.name.hasPrefix("<library") { return site }
        }
        return fiber.site ?? own
    }

    private static func name(_ frame: Fiber.Frame) -> String {
        frame.closure._withUnsafeGuaranteedRef { $0.code.name }
    }

    func site(_ frame: Fiber.Frame, isCaller: Bool) -> Location? {
        frame.closure._withUnsafeGuaranteedRef { closure in
            closure.code.site(at: frame.next - closure.code.instructions - 1)
        }
    }

    /// Where the fiber is: the form that its innermost function evaluates.
    public func location(of fiber: Fiber) -> Location? {
        fiber.current.flatMap { programSite(fiber, $0) }
    }
}

/// What a person may have meant.
public enum NearMiss {
    /// The form that works for habits from other languages.
    static func hint(for name: String) -> String? {
        switch name {
        case "import", "from", "require":
            "a runtime's modules are there by name: (py.os.getcwd), (js.path.join \"a\" \"b\")"
        case "ls", "cd", "pwd", "cat", "git", "grep", "echo", "mkdir", "rm", "cp", "mv", "make", "curl", "find", "head",
            "tail":
            "a shell command: (sh \"\(name) …\") or (sh.\(name) …)"
        case "console", "console.log": "(print x) prints here; (js.console.log x) in JavaScript"
        case "printf", "puts": "(print x) prints"
        case "let*", "letrec": "let binds one after the other: (let (a 1 b a) …)"
        case "define", "defun", "defn", "function", "func": "(def name (args) body) defines a function"
        case "setq", "set!", "setf": "(set name value) assigns"
        case "defmacro": "(macro name (args) body) defines a macro"
        case "begin", "progn": "(do form…) runs forms one after the other"
        case "True": "true"
        case "False": "false"
        case "None", "undefined": "null"
        case "==": "(= a b) compares"
        case "else": "else stands last in cond, or is the last form of if"
        case "len", "length", "size": "(count xs)"
        case "quit", "exit": "(exit) ends the program"
        default: operatorHint(name)
        }
    }

    /// `x+1`, `key=f`: a name with an operator inside; `key="f"` reads as `key=` and a string.
    private static func operatorHint(_ name: String) -> String? {
        if name.hasPrefix("."), name.dropFirst().first?.isLetter == true {
            return "(\(name) object argument …) calls a method of what a form gives"
        }
        if name.first?.isLetter == true, name.hasSuffix("="), !name.hasSuffix("==") {
            return "a keyword argument is :\(name.dropLast()) value"
        }
        for sign in ["==", "!=", "<=", ">=", "=", "+", "*", "<", ">"] {
            let parts = name.split(separator: sign, maxSplits: 1, omittingEmptySubsequences: true)
            guard parts.count == 2, name.contains(sign), !name.hasPrefix("-"), !name.hasPrefix("=") else { continue }
            if sign == "=" {
                return "a keyword argument is :\(parts[0]) \(parts[1]); (def \(parts[0]) \(parts[1])) defines"
            }
            return "the operator comes first: (\(sign == "==" ? "=" : sign) \(parts[0]) \(parts[1]))"
        }
        return nil
    }

    /// The three nearest names at most two edits away (one for short names).
    public static func names(like name: String, among names: [String]) -> [String] {
        let limit = name.count <= 1 ? 0 : name.count <= 3 ? 1 : 2
        let candidates = Set(names).filter { !$0.hasPrefix("%") && abs($0.count - name.count) <= limit && $0 != name }
        let ranked = candidates.map { (name: $0, distance: distance(name, $0)) }.filter { $0.distance <= limit }
        return ranked.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(3).map(\.name)
    }

    private static func distance(_ left: String, _ right: String) -> Int {
        let (a, b) = (Array(left.unicodeScalars), Array(right.unicodeScalars))
        var previous = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                let substitution = previous[j] + (a[i] == b[j] ? 0 : 1)
                let swapped = i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j]
                row.append(min(substitution, previous[j + 1] + 1, row[j] + 1, swapped ? previous[j - 1] + 1 : .max))
            }
            previous = row
        }
        return previous[b.count]
    }
}
