/// The keys of an object that was read, as they stand in the text: a later object with the same keys, in the same order
/// and spelling, shares them without reading them. Records have few shapes.
final class JSONShape {
    /// Objects with more keys are not remembered.
    static let limit = 64

    /// Where each key stands, its quotes included.
    let keys: [Range<Int>]
    private var template: Object.Entries
    private var isCleared = false

    init(_ keys: [Range<Int>], _ entries: Object.Entries) {
        self.keys = keys
        template = entries
    }

    /// A number below 64 from the key at that place.
    static func slot(_ bytes: UnsafeBufferPointer<UInt8>, _ position: Int) -> Int {
        var hash = 0
        var place = position + 1
        while place < bytes.count, place < position + 12, bytes[place] != UInt8(ascii: "\"") {
            hash = hash &* 31 &+ Int(bytes[place])
            place += 1
        }
        return (hash ^ hash >> 6) & 63
    }

    /// Whether the text goes on with that key.
    @inline(__always)
    func matches(_ index: Int, _ bytes: UnsafeBufferPointer<UInt8>, _ position: Int) -> Bool {
        let key = keys[index]
        guard position + key.count <= bytes.count else { return false }
        for offset in 0..<key.count where bytes[key.lowerBound + offset] != bytes[position + offset] { return false }
        return true
    }

    /// Entries with these keys whose values are to be replaced.
    func entries() -> Object.Entries {
        if !isCleared {
            // Lets go of the first object's values: copying them would count references.
            for index in template.values.indices { template.values[index] = .null }
            isCleared = true
        }
        return template
    }

    /// Entries with the first keys only.
    func firstEntries(_ count: Int, _ values: [Value]) -> Object.Entries {
        var entries = Object.Entries()
        for (key, value) in zip(template.keys.prefix(count), values) { entries[key] = value }
        return entries
    }
}

/// Values that wait for the container they belong to.
struct ValueStack: ~Copyable {
    // Safety: the first `count` places hold values, the others nothing.
    private var base: UnsafeMutablePointer<Value>
    private var capacity = 256
    private(set) var count = 0

    init() {
        base = .allocate(capacity: capacity)
    }

    deinit {
        base.deinitialize(count: count)
        base.deallocate()
    }

    mutating func push(_ value: consuming Value) {
        if count == capacity { grow() }
        (base + count).initialize(to: value)
        count += 1
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Value>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: base, count: count)
        base.deallocate()
        base = larger
        capacity *= 2
    }

    /// Moves the values from a place on into an array of their number.
    mutating func take(from bottom: Int) -> [Value] {
        let size = count - bottom
        guard size > 0 else { return [] }
        count = bottom
        let source = base + bottom
        return Array(unsafeUninitializedCapacity: size) { buffer, initialized in
            guard let target = buffer.baseAddress else { return }
            target.moveInitialize(from: source, count: size)
            initialized = size
        }
    }

    /// Moves the values from a place on into the entries, which are as many.
    mutating func take(from bottom: Int, into entries: consuming Object.Entries) -> Object.Entries {
        let size = count - bottom
        let source = base + bottom
        count = bottom
        entries.values.withUnsafeMutableBufferPointer { buffer in
            guard let target = buffer.baseAddress, buffer.count == size else { return }
            target.moveUpdate(from: source, count: size)
        }
        return entries
    }
}
