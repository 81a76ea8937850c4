/// A value's JSON text as a session sent it, not looked into, with what it refers to.
public struct Parcel {
    public let body: [UInt8]
    public let references: [Reference]
    public let sharing: Sharing
    /// Keeps the objects alive that the text refers to.
    let lease: AnyObject?
    let book: (any ReferenceBook)?

    public init(
        body: [UInt8], references: [Reference] = [], sharing: Sharing = Sharing(), lease: AnyObject? = nil,
        book: (any ReferenceBook)? = nil
    ) {
        self.body = body
        self.references = references
        self.sharing = sharing
        self.lease = lease
        self.book = book
    }

    /// - Throws: `wire/unreadable` when the text is not one value of the envelope.
    func decoded() throws(Failure) -> Value {
        try Envelope.decode(body, references: references, book: book)
    }
}

/// What a body holds that not everybody can read.
public struct Sharing: Equatable, Sendable {
    /// Arrays whose contents are still with their owner.
    public var isLive: Bool
    /// Segments of shared memory.
    public var isShared: Bool
    var isPlain: Bool { !isLive && !isShared }

    public init(isLive: Bool = false, isShared: Bool = false) {
        self.isLive = isLive
        self.isShared = isShared
    }
}
