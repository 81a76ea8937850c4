import Language
import Sessions

/// Grades one kernel against every rule of the protocol.
public final class Suite {
    public enum Verdict: Equatable, Sendable {
        case passed
        case failed(String)
        /// Hello does not name these operations.
        case undeclared(String)
        /// It takes source text in the kernel's language that nobody has given.
        case unsampled(String)
    }

    public struct Result: Sendable {
        public let group: String
        public let name: String
        /// Behind "must".
        public let rule: String
        public let verdict: Verdict
        /// What was sent and what came, where it failed.
        public let log: [String]
    }

    /// How long a case may take.
    public var limit = Duration.seconds(20)
    private let launch: Launch
    private let seed: UInt64
    private let given: Samples?
    private let table: SessionTable
    private var probe: Probe?

    /// - Parameters:
    ///   - samples: nil for those that are built in for what hello says.
    ///   - directory: where the kernel starts.
    public init(_ launch: Launch, samples: Samples?, seed: UInt64, directory: String) {
        self.launch = launch
        self.seed = seed
        given = samples
        table = SessionTable(version: "0", directory: directory, signals: [])
    }

    public static var caseNames: [(group: String, name: String)] {
        groups.flatMap { group in group.cases.map { (group.title, $0.name) } }
    }

    private static let groups = [
        OpeningCases.group, FramingCases.group, RequestCases.group, ValueCases.group, HandleCases.group,
        BufferCases.group,
        UpcallCases.group,
        ErrorCases.group, InterruptCases.group, ProcessCases.group,
    ]

    /// What hello said and whose samples are used, for the report's first line; nil before it ran.
    public private(set) var kernelSummary: String?

    /// Runs the cases whose name or group's title is in `only`, all when it is empty, and tells each result as it comes.
    public func run(only: Set<String> = [], _ tell: (Result) -> Void) {
        for group in Self.groups {
            for each in group.cases where only.isEmpty || only.contains(each.name) || only.contains(group.title) {
                // Of two kinds of kernels each has cases that say nothing to the other.
                guard let (verdict, log) = grade(each) else { continue }
                tell(Result(group: group.title, name: each.name, rule: each.rule, verdict: verdict, log: log))
            }
        }
        probe = nil
    }

    /// nil where the case is not for this kind of kernel.
    private func grade(_ each: Case) -> (Suite.Verdict, [String])? {
        let deadline = ContinuousClock.now + limit
        if each.isFresh { probe = nil }
        var current: Probe?
        do throws(Complaint) {
            let probe = try ready(deadline)
            current = probe
            probe.beginCase(until: deadline)
            guard each.kernels == .all || (each.kernels == .plain) == probe.isPlain else { return nil }
            let missing = each.needs.filter { !probe.declares($0) }
            guard missing.isEmpty else { throw .undeclared(missing) }
            for name in each.samples where probe.samples[name] == nil { throw .unsampled(name) }
            try each.run(probe)
            if each.isFresh { self.probe = nil } else { try probe.settle() }
            return (.passed, [])
        } catch {
            switch error.kind {
            case .undeclared: return (.undeclared(error.message), [])
            case .unsampled: return (.unsampled(error.message), [])
            case .broken:
                let log = (current ?? probe)?.log ?? []
                // What it says next belongs to nobody.
                probe = nil
                return (.failed(error.message), log)
            }
        }
    }

    /// The kernel at hand, or a new one that has said hello.
    private func ready(_ deadline: ContinuousClock.Instant) throws(Complaint) -> Probe {
        if let probe { return probe }
        let kernel: RawKernel
        do throws(SessionError) {
            kernel = try table.openRaw(launch)
        } catch {
            throw .broken("\(error.code): \(error.message)")
        }
        let new = Probe(kernel, samples: given, seed: seed, deadline: deadline)
        probe = new
        try new.greet()
        kernelSummary =
            "\(new.hello.language) \(new.hello.version), operations \(new.hello.operations.joined(separator: " ")); "
            + "samples: \(new.samples.origin)"
        return new
    }
}
