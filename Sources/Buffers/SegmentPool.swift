import CSystem
import Glibc
import Language

/// The segments that meta itself makes. What is given back is used again, under a new name, for contents of nearly its size:
/// writing into pages that are there costs a quarter of getting new ones.
///
/// Not for several threads.
public final class SegmentPool {
    /// What the family's segments may hold together, in bytes.
    public let limit: Int
    /// What segments that nobody uses may hold together, in bytes.
    public let idleLimit: Int

    private let family: SegmentFamily
    private let prefix: String
    private var published: [Int: Segment] = [:]
    /// Given back, the longest idle first.
    private var idle: [Segment] = []

    private struct Segment {
        var name: String
        let byteCount: Int
    }

    public init(family: SegmentFamily, session: Int = 0, limit: Int, idleLimit: Int = 256 << 20) {
        self.family = family
        self.limit = limit
        self.idleLimit = idleLimit
        prefix = family.sessionPrefix(session)
    }

    /// Bytes of the segments that wait to be used again.
    public var idleBytes: Int { idle.reduce(0) { $0 + $1.byteCount } }

    /// A segment with these bytes, which never change any more (mode 0400): its name.
    ///
    /// - Parameter number: the object's; none is used twice.
    /// - Throws: `buffer/limit` where the family would hold too much; `buffer/full` where shared memory is full;
    ///   `buffer/system`.
    public func publish(_ bytes: UnsafeRawBufferPointer, number: Int) throws(Failure) -> String {
        let name = SegmentName.new(prefix: prefix, number: number)
        if let segment = try reused(bytes, as: name) {
            published[number] = segment
            return name
        }
        try makeRoom(for: bytes.count)
        let file = Descriptor(owning: meta_file_create(family.folder.path(name)))
        guard file.number >= 0 else { throw .system("cannot make a segment of \(bytes.count) bytes") }
        do throws(Failure) {
            try write(bytes, tail: 0, to: file)
        } catch {
            family.folder.remove(name)
            throw error
        }
        published[number] = Segment(name: name, byteCount: bytes.count)
        return name
    }

    /// The object has another number now, as all had given it back under the old one: its segment's new name.
    ///
    /// - Throws: `buffer/stale` when somebody has taken the segment away.
    public func rename(_ number: Int, to new: Int) throws(Failure) -> String {
        guard var segment = published[number] else { throw Failure("buffer/stale", "there is no segment \(number)") }
        let name = SegmentName.new(prefix: prefix, number: new)
        guard Glibc.rename(family.folder.path(segment.name), family.folder.path(name)) == 0 else {
            throw .system("cannot rename the segment \(segment.name)")
        }
        segment.name = name
        published[number] = nil
        published[new] = segment
        return name
    }

    /// All have given the object back: its segment may be used again.
    public func giveBack(_ number: Int) {
        guard let segment = published.removeValue(forKey: number) else { return }
        idle.append(segment)
        trim(to: idleLimit)
    }

    /// Removes every segment that waits to be used again.
    public func dropIdle() {
        trim(to: 0)
    }

    private func trim(to bytes: Int) {
        var excess = idleBytes - bytes
        while excess > 0 || (bytes == 0 && !idle.isEmpty) {
            let oldest = idle.removeFirst()
            family.folder.remove(oldest.name)
            excess -= oldest.byteCount
        }
    }

    // MARK: Making

    /// An idle segment of at most a quarter more than the bytes, renamed and overwritten; nil where there is none.
    private func reused(_ bytes: UnsafeRawBufferPointer, as name: String) throws(Failure) -> Segment? {
        let fitting = idle.indices.filter {
            idle[$0].byteCount >= bytes.count && idle[$0].byteCount - bytes.count <= idle[$0].byteCount / 4
        }
        guard let index = fitting.min(by: { idle[$0].byteCount < idle[$1].byteCount }) else { return nil }
        let old = idle.remove(at: index)
        let folder = family.folder
        // Whatever goes wrong, the segment goes: half of it may be written. The old name is stale before its bytes change.
        guard folder.facts(old.name)?.st_size == off_t(old.byteCount),
            Glibc.rename(folder.path(old.name), folder.path(name)) == 0, chmod(folder.path(name), 0o600) == 0
        else {
            folder.remove(old.name)
            folder.remove(name)
            return nil
        }
        let file = Descriptor(owning: meta_file_open(folder.path(name), 1))
        do throws(Failure) {
            guard file.number >= 0 else { throw .system("cannot open the segment \(name)") }
            try write(bytes, tail: old.byteCount - bytes.count, to: file)
        } catch {
            folder.remove(name)
            throw error
        }
        return Segment(name: name, byteCount: old.byteCount)
    }

    /// Fills the file with the bytes and so many zeros, and closes it to writers.
    private func write(_ bytes: UnsafeRawBufferPointer, tail: Int, to file: borrowing Descriptor) throws(Failure) {
        var result = Int32(0)
        if let start = bytes.baseAddress { result = meta_file_write(file.number, start, bytes.count, 0) }
        if result == 0, tail > 0 {
            let zeros = [UInt8](repeating: 0, count: tail)
            result = meta_file_write(file.number, zeros, tail, off_t(bytes.count))
        }
        guard result == 0, fchmod(file.number, 0o400) == 0 else {
            throw .system("cannot fill a segment of \(bytes.count) bytes")
        }
    }

    /// Lets idle segments go where the family would hold too much otherwise.
    private func makeRoom(for byteCount: Int) throws(Failure) {
        var used = family.totalBytes()
        if byteCount > limit - used, !idle.isEmpty {
            dropIdle()
            used = family.totalBytes()
        }
        guard byteCount <= limit - used else {
            throw Failure(
                "buffer/limit",
                "shared memory is limited to \(limit) bytes: \(used) are in use, and \(byteCount) more were asked for")
        }
    }
}
