import Conformance
import Language
import REPL

/// The lines of `meta conformance`.
struct ConformanceReport {
    let isJSON: Bool
    let seed: UInt64
    private var group: String?
    private var isIntroduced = false
    private var counts = (passed: 0, failed: 0, undeclared: 0, unsampled: 0)
    private var failures: [String] = []

    init(isJSON: Bool, seed: UInt64) {
        self.isJSON = isJSON
        self.seed = seed
    }

    mutating func take(_ result: Suite.Result, kernel: String?) {
        if !isIntroduced, let kernel {
            isIntroduced = true
            say(["kernel": .text(kernel), "seed": .int(Int(seed))], "kernel \(kernel)\nseed \(seed)")
        }
        if !isJSON, group != result.group { Console.say("\n\(result.group)", isError: false) }
        group = result.group
        let (word, why) = count(result)
        var fields: Object.Entries = [
            "group": .text(result.group), "case": .text(result.name), "rule": .text("must \(result.rule)"),
            "verdict": .text(word),
        ]
        if let why { fields["why"] = .text(why) }
        if !result.log.isEmpty { fields["log"] = .vector(Items(result.log.map { .text($0) })) }
        say(fields, Self.line(result, word, why))
    }

    private mutating func count(_ result: Suite.Result) -> (word: String, why: String?) {
        switch result.verdict {
        case .passed:
            counts.passed += 1
            return ("ok", nil)
        case .failed(let why):
            counts.failed += 1
            failures.append(result.name)
            return ("FAILED", why)
        case .undeclared(let operations):
            counts.undeclared += 1
            return ("not declared", operations)
        case .unsampled(let name):
            counts.unsampled += 1
            return ("no sample", name)
        }
    }

    private static func line(_ result: Suite.Result, _ word: String, _ why: String?) -> String {
        let padding = String(repeating: " ", count: max(1, 24 - result.name.count))
        switch result.verdict {
        case .passed: return "  \(result.name)\(padding)ok"
        case .undeclared, .unsampled: return "  \(result.name)\(padding)\(word): \(why ?? "")"
        case .failed:
            let log = result.log.suffix(12).map { "      \($0)" }
            return (["  \(result.name)\(padding)FAILED: \(why ?? "")", "    a kernel must \(result.rule)"] + log)
                .joined(separator: "\n")
        }
    }

    /// Writes the summary; the exit status.
    func finish() -> Int32 {
        let (passed, failed, undeclared, unsampled) = counts
        var parts = ["\(passed) passed", "\(failed) failed"]
        if undeclared > 0 { parts.append("\(undeclared) not declared") }
        if unsampled > 0 { parts.append("\(unsampled) without a sample") }
        say(
            [
                "passed": .int(passed), "failed": .vector(Items(failures.map { .text($0) })),
                "undeclared": .int(undeclared), "unsampled": .int(unsampled),
            ], "\n" + parts.joined(separator: ", ") + (failures.isEmpty ? "" : ": " + failures.joined(separator: ", ")))
        return failed == 0 ? 0 : 1
    }

    private func say(_ fields: Object.Entries, _ text: String) {
        Console.say(isJSON ? (try? JSON.text(.object(Object(fields)))) ?? "{}" : text, isError: false)
    }
}
