/// Why a case did not pass.
struct Complaint: Error {
    enum Kind {
        /// The kernel broke the rule.
        case broken
        /// Its hello does not name an operation that the case needs.
        case undeclared
        /// The case needs source text in the kernel's language that nobody has given.
        case unsampled
    }

    let kind: Kind
    let message: String

    static func broken(_ message: String) -> Complaint { Complaint(kind: .broken, message: message) }
    static func undeclared(_ operations: [String]) -> Complaint {
        Complaint(kind: .undeclared, message: operations.joined(separator: ", "))
    }
    static func unsampled(_ name: String) -> Complaint { Complaint(kind: .unsampled, message: name) }
}

/// One rule of the protocol, tried on a kernel.
struct Case: Sendable {
    let name: String
    /// The rule, in words that stand behind "must".
    let rule: String
    /// Operations without which there is nothing to try.
    let needs: [String]
    /// Source texts without which there is nothing to try.
    let samples: [String]
    /// Whether it wants a kernel that nobody has used.
    let isFresh: Bool
    let kernels: Audience
    let run: @Sendable (Probe) throws(Complaint) -> Void

    /// Which kernels a rule is for.
    enum Audience { case all, json, plain }

    init(
        _ name: String, _ rule: String, needs: [String] = [], samples: [String] = [], fresh: Bool = false,
        kernels: Audience = .all, run: @escaping @Sendable (Probe) throws(Complaint) -> Void
    ) {
        self.name = name
        self.rule = rule
        self.needs = needs
        self.samples = samples
        isFresh = fresh
        self.kernels = kernels
        self.run = run
    }
}

struct CaseGroup: Sendable {
    let title: String
    let cases: [Case]
}
