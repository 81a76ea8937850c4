import Language

/// A named kind of buffer: what its axes are called, and what may be asked of it.
public struct BufferType {
    public let name: String
    /// The axes' names, the slowest first; their count is the rank.
    public let axes: [String]
    /// Any format without one.
    public let format: ElementFormat?
    /// What each view is made by; nil for none.
    public let views: Object?

    /// - Throws: `buffer/type` for an axis without a name or two of one name, or more axes than arrays have.
    public init(
        name: String, axes: [String], format: ElementFormat? = nil, views: Object? = nil
    ) throws(Failure) {
        let title = Printer.quoted(name)
        guard !name.isEmpty else { throw Failure("buffer/type", "a buffer type has a name") }
        guard axes.count <= ArrayLayout.maximumRank else {
            throw Failure("buffer/type", "\(title) may have \(ArrayLayout.maximumRank) axes, got \(axes.count)")
        }
        for (place, axis) in axes.enumerated() {
            guard !axis.isEmpty else { throw Failure("buffer/type", "each axis of \(title) has a name, got \"\"") }
            guard !axes[..<place].contains(where: { Key($0) == Key(axis) }) else {
                throw Failure(
                    "buffer/type", "each axis of \(title) has its own name, got \(Printer.quoted(axis)) again")
            }
        }
        self.name = name
        self.axes = axes
        self.format = format
        self.views = views
    }

    /// - Throws: `buffer/type` when an array of that layout is not of this type.
    public func check(_ layout: ArrayLayout) throws(Failure) {
        guard layout.rank == axes.count else {
            throw Failure("buffer/type", "\(summary) has \(axes.count) axes, got shape \(layout.shape)")
        }
        guard format == nil || format == layout.format else {
            throw Failure("buffer/type", "\(summary) holds \(format?.rawValue ?? "any"), got \(layout.format.rawValue)")
        }
    }

    /// The number of an axis.
    ///
    /// - Throws: `eval/index`, with the names that there are.
    public func axis(named name: String) throws(Failure) -> Int {
        try ArrayLayout.axis(named: name, of: axes)
    }

    /// `"ImageRGB" [height width channels] uint8`
    public var summary: String {
        "\(Printer.quoted(name)) [\(axes.joined(separator: " "))]" + (format.map { " \($0.rawValue)" } ?? "")
    }

    fileprivate func isSame(as other: BufferType) throws(Failure) -> Bool {
        guard axes.map({ Key($0) }) == other.axes.map({ Key($0) }), format == other.format else { return false }
        return try Value.identical(views.asValue, other.views.asValue)
    }
}

/// The buffer types that a program has registered.
public struct BufferTypes {
    private var types: [Key: BufferType] = [:]

    public init() {}

    /// Adds a type. The same again changes nothing.
    ///
    /// - Throws: `buffer/type` for another one of that name, unless it is to be replaced.
    public mutating func register(_ type: BufferType, replacing: Bool = false) throws(Failure) {
        let key = Key(type.name)
        if let known = types[key], !replacing {
            if try known.isSame(as: type) { return }
            throw Failure(
                "buffer/type", "there is a buffer type \(known.summary) already, got \(type.summary)",
                help: ":replace true registers it anew")
        }
        types[key] = type
    }

    /// The type of that name.
    ///
    /// - Throws: `buffer/type`, with the names that there are.
    public func named(_ name: String) throws(Failure) -> BufferType {
        guard let type = types[Key(name)] else {
            let known = names.map { Printer.quoted($0) }.joined(separator: ", ")
            throw Failure(
                "buffer/type", "no buffer type is named \(Printer.quoted(name))",
                help: known.isEmpty ? "register-buffer-type makes one" : "there are \(known)")
        }
        return type
    }

    /// The registered names, sorted.
    public var names: [String] { types.keys.sorted().map(\.string) }
}

extension Object? {
    fileprivate var asValue: Value { map { .object($0) } ?? .null }
}
