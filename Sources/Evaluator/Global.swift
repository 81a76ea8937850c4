import Language

/// A top-level name. Its value sits at a stable address, so that code reaches it without a look-up.
public final class Global {
    public let name: String
    /// Safety: allocated here, freed in `deinit`; code that holds the address also holds the Global.
    let slot: UnsafeMutablePointer<Value>
    /// Whether the value is a macro, which the compiler runs.
    public internal(set) var macro: Closure?

    init(name: String) {
        self.name = name
        slot = .allocate(capacity: 1)
        slot.initialize(to: Self.unbound)
    }

    deinit {
        slot.deinitialize(count: 1)
        slot.deallocate()
    }

    /// What an unbound slot holds; a cell is never data.
    private static var unbound: Value { .cell(Cell(.null)) }

    public var value: Value? {
        if case .cell = slot.pointee { nil } else { slot.pointee }
    }

    func bind(_ value: Value) {
        slot.pointee = value
        macro = nil
    }
}

/// The top-level names, and what is bound to a name only when it is first wanted.
public final class Globals {
    private var table: [String: Global] = [:]
    /// Binds a name that is not bound yet; the library's functions in the language are compiled this way.
    var load: ((String) -> Value?)?

    init() {}

    /// The global of that name, made when there is none.
    public func named(_ name: String) -> Global {
        if let known = table[name] { return known }
        let global = Global(name: name)
        table[name] = global
        if let value = load?(name) { global.bind(value) }
        return global
    }

    /// The global of that name when it is bound.
    public func bound(_ name: String) -> Global? {
        if let known = table[name] { return known.value == nil && known.macro == nil ? nil : known }
        guard let value = load?(name) else { return nil }
        let global = Global(name: name)
        global.bind(value)
        table[name] = global
        return global
    }

    /// Binds a name, without looking for what the library would bind to it.
    public func define(_ name: String, _ value: Value) {
        let global = table[name] ?? Global(name: name)
        table[name] = global
        global.bind(value)
    }

    /// The names that are bound now.
    public var boundNames: [String] {
        table.values.filter { $0.value != nil || $0.macro != nil }.map(\.name)
    }
}
