import Evaluator
import Language

/// Knows what crosses of the objects in a value that is on its way to one session.
final class Sending: OutgoingBook {
    private let table: HandleTable
    private let session: String
    /// Whether the session reads segments.
    private let takesBuffers: Bool
    /// Arrays and tables whose contents are still with their owners, and must be asked for first.
    private(set) var lacking: [any OwnedContents] = []

    init(_ table: HandleTable, to session: String, takesBuffers: Bool) {
        self.table = table
        self.session = session
        self.takesBuffers = takesBuffers
    }

    func record(of function: Function) throws(Failure) -> ReferenceRecord {
        guard let object = function as? any OwnedContents else { return try table.record(of: function) }
        guard let handle = object.handle else {
            let isTable = object is TableObject
            throw Failure(
                "value/uncopyable",
                "\(session) has no \(isTable ? "tables" : "arrays"): \((object as RemoteObject).form)",
                help: isTable ? "(fetch t) gives the rows as objects" : "(buffer.data b) gives the items as vectors")
        }
        return try table.record(of: handle)
    }

    func buffer(of function: Function) throws(Failure) -> BufferText? {
        guard let object = function as? any OwnedContents else { return nil }
        if let handle = object.handle, handle.record.reference.owner == session {
            // At home it is the array or table itself; when that has gone, what is known of it.
            if object.isLive || table.has(handle.lease) { return nil }
        }
        guard takesBuffers else { return nil }
        if object.isLive {
            lacking.append(object)
            return BufferText(text: [])
        }
        return try object.crossing()
    }

    /// What is gone with its owner is looked into: it may have been kept, or the error says what is missing.
    func passes(_ parcel: Parcel) -> Bool {
        takesBuffers && !parcel.sharing.isLive && parcel.references.allSatisfy(table.has)
    }
}
