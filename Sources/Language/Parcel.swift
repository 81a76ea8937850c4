/// A value's JSON text as a session sent it, not looked into, with what it refers to.
public struct Parcel {
    public let body: [UInt8]
    public let references: [Reference]
    /// Keeps the objects alive that the text refers to.
    let lease: AnyObject?
    let book: (any ReferenceBook)?

    public init(body: [UInt8], references: [Reference] = [], lease: AnyObject? = nil, book: (any ReferenceBook)? = nil)
    {
        self.body = body
        self.references = references
        self.lease = lease
        self.book = book
    }

    /// - Throws: `wire/unreadable` when the text is not one value of the envelope.
    func decoded() throws(Failure) -> Value {
        try Envelope.decode(body, references: references, book: book)
    }
}
