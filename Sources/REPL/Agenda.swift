import Evaluator
import Language

/// The fibers that can go on, in turn, and what becomes of those that end.
struct Agenda {
    /// How a fiber goes on.
    enum Step {
        /// From its beginning, or where its time slice ended.
        case run
        case value(Value)
        case failure(Diagnostic)

        /// Whether it may take a whole time slice again.
        var isSlice: Bool {
            if case .run = self { true } else { false }
        }
    }

    private var ready: [(Fiber, Step)] = []
    private var next = 0
    private var ends: [ObjectIdentifier: (Machine.Outcome) -> Void] = [:]

    /// Whether no fiber can go on.
    var isIdle: Bool { next == ready.count }

    /// Has `end` called once, when the fiber ends.
    mutating func attend(_ fiber: Fiber, _ end: @escaping (Machine.Outcome) -> Void) {
        ends[ObjectIdentifier(fiber)] = end
    }

    mutating func add(_ fiber: Fiber, _ step: Step) {
        ready.append((fiber, step))
    }

    mutating func take() -> (Fiber, Step)? {
        guard next < ready.count else { return nil }
        let entry = ready[next]
        next += 1
        if next == ready.count {
            ready.removeAll(keepingCapacity: true)
            next = 0
        } else if next > 1024 {
            ready.removeFirst(next)
            next = 0
        }
        return entry
    }

    /// The one who waits for the fiber's end; called at most once.
    mutating func takeEnd(of fiber: Fiber) -> ((Machine.Outcome) -> Void)? {
        ends.removeValue(forKey: ObjectIdentifier(fiber))
    }
}
