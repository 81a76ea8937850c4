import Language

/// One line of execution: a stack of values and of frames. A fiber that waits costs memory only.
public final class Fiber {
    /// What a program may want to know of itself: the names its results are bound to, where output goes.
    public let name: String
    /// What its owner keeps with it.
    public var context: AnyObject?
    /// What its owner knows of its part in the program.
    public var owner: AnyObject?
    /// The top-level form it evaluates, for errors in what that form calls last.
    var site: Location?
    /// Set to make the fiber end with `eval/interrupted` at its next check.
    public var isInterrupted = false
    /// Whether an interrupt ends it without running what `finally` still has to do.
    public var isAbandoned = false
    /// Whether it waits for an owner's answer to a comparison; the answer, until the comparison runs again with it.
    var isAsking = false
    var answer: Value?
    /// Whether that answer says nothing: what was asked for is there now, and the instruction can run.
    var isFetching = false
    /// How many time slices its cleanups have had since it was interrupted.
    public var cleanupSlices = 0

    /// Safety: `base` points to `capacity` slots of which the first `top` are initialised; only the machine that runs
    /// the fiber touches them.
    var base: UnsafeMutablePointer<Value>
    var capacity: Int
    var top = 0
    /// The frames under the current one, outermost first.
    var frames = FrameStack()
    var handlers: [Handler] = []
    /// Where the fiber goes on.
    var current: Frame?

    /// A function under way: where its locals begin and which instruction is next.
    struct Frame {
        // Safety: the closure lies in the stack slot under the locals for as long as the frame lives.
        let closure: Unmanaged<Closure>
        var next: UnsafeMutablePointer<Instruction>
        var locals: Int
    }

    struct Handler {
        let frameCount: Int
        let top: Int
        let target: UnsafeMutablePointer<Instruction>
        let isCleanup: Bool
    }

    static let frameLimit = 100_000

    init(name: String, calling function: Value, _ arguments: [Value]) {
        self.name = name
        capacity = 256
        base = .allocate(capacity: capacity)
        push(function)
        for argument in arguments { push(argument) }
    }

    deinit {
        base.deinitialize(count: top)
        base.deallocate()
    }

    private func push(_ value: Value) {
        reserve(1)
        (base + top).initialize(to: value)
        top += 1
    }

    /// Makes room for `count` more values. Pointers into the stack are void afterwards.
    func reserve(_ count: Int) {
        guard top + count > capacity else { return }
        let larger = max(capacity * 2, top + count)
        let moved = UnsafeMutablePointer<Value>.allocate(capacity: larger)
        moved.moveInitialize(from: base, count: top)
        base.deallocate()
        base = moved
        capacity = larger
    }

    func drop(to height: Int) {
        (base + height).deinitialize(count: top - height)
        top = height
    }
}
