import Language

/// Knows what crosses of the objects in a value that is on its way to one session.
final class Sending: OutgoingBook {
    private let table: HandleTable
    private let session: String
    /// Whether the session reads segments.
    private let takesBuffers: Bool
    /// Arrays whose contents are still with their owners, and must be asked for first.
    private(set) var lacking: [BufferObject] = []

    init(_ table: HandleTable, to session: String, takesBuffers: Bool) {
        self.table = table
        self.session = session
        self.takesBuffers = takesBuffers
    }

    func record(of function: Function) throws(Failure) -> ReferenceRecord {
        guard let buffer = function as? BufferObject else { return try table.record(of: function) }
        guard let handle = buffer.handle else {
            throw Failure(
                "value/uncopyable", "\(session) has no arrays: \(buffer.form)",
                help: "(buffer.values b) gives the items as vectors")
        }
        return try table.record(of: handle)
    }

    func buffer(of function: Function) throws(Failure) -> BufferText? {
        guard let buffer = function as? BufferObject else { return nil }
        if let handle = buffer.handle, handle.record.reference.owner == session {
            // At home it is the array itself; when that has gone, what is known of it.
            if case .live = buffer.contents { return nil }
            if table.has(handle.lease) { return nil }
        }
        guard takesBuffers else { return nil }
        if case .live = buffer.contents {
            lacking.append(buffer)
            return BufferText(text: [], reference: nil)
        }
        return try buffer.crossing()
    }

    /// What is gone with its owner is looked into: it may have been kept, or the error says what is missing.
    func passes(_ parcel: Parcel) -> Bool {
        takesBuffers && !parcel.sharing.isLive && parcel.references.allSatisfy(table.has)
    }
}
