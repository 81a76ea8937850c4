import Buffers
import Language

/// Meta's own interest in an object of a session: when the last handle or unread value that refers to the object goes,
/// its owner is told.
final class Lease {
    let reference: Reference
    private weak var table: HandleTable?
    /// What stands for the object in programs, made when somebody looks.
    weak var handle: Handle?
    /// The memory of the segment that the object is, once somebody has looked.
    var mapping: Mapping?
    /// Given back by the program, before its end.
    var isReleased = false

    init(_ reference: Reference, of table: HandleTable) {
        self.reference = reference
        self.table = table
    }

    deinit {
        if !isReleased { table?.drop(reference) }
    }
}

/// What keeps several objects alive for one value.
final class Leases {
    private let leases: [Lease]

    init(_ leases: [Lease]) {
        self.leases = leases
    }
}
