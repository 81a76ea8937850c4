/// The callers of the function under way. Raw memory: a push is a store, with no check for another owner.
struct FrameStack: ~Copyable {
    /// Safety: `capacity` slots, the first `count` initialised; frames are plain bits.
    private var base: UnsafeMutablePointer<Fiber.Frame>
    private var capacity: Int
    private(set) var count = 0

    init() {
        capacity = 16
        base = .allocate(capacity: capacity)
    }

    deinit {
        base.deallocate()
    }

    @inline(__always)
    mutating func push(_ frame: Fiber.Frame) {
        if count == capacity { grow() }
        (base + count).initialize(to: frame)
        count += 1
    }

    @inline(__always)
    mutating func pop() -> Fiber.Frame? {
        guard count > 0 else { return nil }
        count -= 1
        return base[count]
    }

    subscript(index: Int) -> Fiber.Frame { base[index] }

    mutating func cut(to length: Int) {
        count = min(count, length)
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Fiber.Frame>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: base, count: count)
        base.deallocate()
        base = larger
        capacity *= 2
    }
}
