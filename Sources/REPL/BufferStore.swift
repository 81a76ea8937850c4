import Buffers
import Glibc
import Language

/// The shared memory of this meta: which segments there may be, whose they are, and meta's own.
final class BufferStore {
    var types = BufferTypes()
    /// Bytes that all segments may have together.
    let limit: Int
    private var opened: SegmentFamily?
    private var pool: SegmentPool?
    /// Under which number each start of a session makes its segments; 0 is meta's own.
    private var places: [Place: Int] = [:]

    private struct Place: Hashable {
        let session: String
        let generation: Int
    }

    /// - Parameter limit: in bytes; nil: half of what shared memory there is.
    init(limit: Int?) {
        self.limit = limit ?? Self.capacity / 2
        places[Place(session: HandleTable.meta, generation: 1)] = 0
    }

    /// The family, made when it is first needed; what metas that have died left behind is removed then.
    ///
    /// - Throws: `buffer/full` and others where shared memory cannot be used.
    private func family() throws(Failure) -> SegmentFamily {
        if let opened { return opened }
        let family = try SegmentFamily()
        family.sweep()
        opened = family
        return family
    }

    /// Bytes that shared memory holds in all.
    private static var capacity: Int {
        var status = statvfs()
        guard statvfs("/dev/shm", &status) == 0 else { return 0 }
        return Int(status.f_blocks) * Int(status.f_frsize)
    }

    // MARK: Sessions

    /// How the names of a session's segments begin; nil where there is no shared memory.
    func prefix(_ session: String, _ generation: Int) -> String? {
        guard let family = try? family() else { return nil }
        let place = Place(session: session, generation: generation)
        let number = places[place] ?? places.count
        places[place] = number
        return family.sessionPrefix(number)
    }

    /// Whether a segment's name is what the session that owns the object would have given it.
    func isName(_ name: String, of reference: Reference) -> Bool {
        let place = Place(session: reference.owner, generation: reference.generation)
        guard let opened, let number = places[place] else { return false }
        return name.hasPrefix(opened.sessionPrefix(number) + "\(reference.number)-")
    }

    /// The segments of a session that are there, by the object's number.
    func segments(of session: String, _ generation: Int) -> [Int: String] {
        guard let number = places[Place(session: session, generation: generation)] else { return [:] }
        let files = opened?.files().filter { $0.session == number } ?? []
        return Dictionary(files.map { ($0.number, $0.name) }) { first, _ in first }
    }

    /// A session has gone: nobody attaches its segments any more.
    func end(_ session: String, _ generation: Int) {
        guard let number = places[Place(session: session, generation: generation)] else { return }
        opened?.removeSession(number)
    }

    /// All that is there: whose, the object's number, bytes.
    func report() -> [(owner: Reference, bytes: Int)] {
        let owners = Dictionary(places.map { ($0.value, $0.key) }) { first, _ in first }
        return (opened?.files() ?? []).compactMap { file in
            owners[file.session].map {
                (Reference(owner: $0.session, generation: $0.generation, number: file.number), file.bytes)
            }
        }
    }

    // MARK: Meta's own

    /// Puts contents where others can attach them.
    ///
    /// - Throws: `buffer/full`, `buffer/limit`.
    func publish(_ array: NumericArray, number: Int) throws(Failure) -> Publication {
        // Each session has a pool too, which nobody else can empty: together they leave room.
        let pool =
            if let pool { pool } else {
                SegmentPool(family: try family(), limit: limit, idleLimit: min(256 << 20, limit / 8))
            }
        self.pool = pool
        let segment = try array.withContiguousBytes { bytes throws(Failure) in try pool.publish(bytes, number: number) }
        return Publication(array, segment: segment, number: number, in: pool)
    }

    /// Removes all.
    func close() {
        pool = nil
        opened?.close()
        opened = nil
    }
}
