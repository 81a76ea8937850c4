import CSystem
import Glibc
import Language

/// A file's bytes in this process's memory, for as long as this object lives; the file's name may go before.
///
/// Mapped privately they are read only, and what others write is not promised to show; mapped shared they may be written,
/// and everybody who maps them sees it in no promised order. Nobody shortens a segment; who does so all the same ends the
/// processes that look (SIGBUS).
public final class Mapping {
    public enum Access: Sendable {
        case readOnly
        case shared
    }

    public let access: Access
    /// Safety: valid until `deinit`, which alone unmaps it. Never bound to a type, so any may be loaded.
    private let memory: UnsafeMutableRawBufferPointer

    /// The bytes; valid as long as this object lives.
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(memory) }
    /// The bytes for writing; nil unless mapped shared.
    public var mutableBytes: UnsafeMutableRawBufferPointer? { access == .shared ? memory : nil }

    /// Attaches a segment, which may be another process's: each check of the protocol, on each attach.
    ///
    /// - Parameters:
    ///   - length: how many bytes there must be at least.
    ///   - directory: where segments live; another one for tests only.
    /// - Throws: `buffer/stale` where there is no such segment; `buffer/forged` where the name is not one of this user's, the
    ///   file is another user's, not a regular one, or open to others, or for shared access published; `buffer/range` where
    ///   it is shorter; `buffer/mappings`, `buffer/system`.
    public convenience init(
        segment name: String, access: Access, atLeast length: Int = 0, directory: String = "/dev/shm"
    ) throws(Failure) {
        guard name.hasPrefix(SegmentName.userPrefix), SegmentName.isPlain(name) else {
            throw Self.forged(name, "the name is not one of this user's segments")
        }
        let file = Descriptor(owning: meta_file_open("\(directory)/\(name)", access == .shared ? 1 : 0))
        guard file.number >= 0 else {
            switch errno {
            case ENOENT: throw Failure("buffer/stale", "the segment \(name) is gone")
            case ELOOP, ENXIO, EISDIR, EACCES: throw Self.forged(name, "it cannot be opened as a file of this user's")
            default: throw .system("cannot open the segment \(name)")
            }
        }
        guard let facts = file.facts else { throw .system("cannot look at the segment \(name)") }
        guard facts.isRegular else { throw Self.forged(name, "it is no regular file") }
        guard facts.st_uid == geteuid() else { throw Self.forged(name, "it belongs to another user") }
        guard facts.st_mode & 0o077 == 0 else { throw Self.forged(name, "others may use it") }
        guard access == .readOnly || facts.st_mode & 0o200 != 0 else {
            throw Self.forged(name, "it is published, so nobody may write it")
        }
        guard facts.st_size >= length else {
            throw Failure(
                "buffer/range", "the segment \(name) has \(facts.st_size) bytes, and the items end at \(length)")
        }
        try self.init(file, byteCount: Int(facts.st_size), access: access)
    }

    init(_ file: borrowing Descriptor, byteCount: Int, access: Access) throws(Failure) {
        self.access = access
        // No bytes cannot be mapped, and need not be.
        guard byteCount > 0 else {
            memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
            return
        }
        let (rights, kind) = access == .shared ? (PROT_READ | PROT_WRITE, MAP_SHARED) : (PROT_READ, MAP_PRIVATE)
        guard let start = mmap(nil, byteCount, rights, kind, file.number, 0), start != MAP_FAILED else {
            guard errno == ENOMEM else { throw .system("cannot map \(byteCount) bytes") }
            throw Failure("buffer/mappings", "the system has no room for another mapping of \(byteCount) bytes")
        }
        memory = UnsafeMutableRawBufferPointer(start: start, count: byteCount)
    }

    deinit {
        if let start = memory.baseAddress { munmap(start, memory.count) }
    }

    private static func forged(_ name: String, _ reason: String) -> Failure {
        Failure("buffer/forged", "\(Printer.quoted(String(name.prefix(120)))) is no segment to attach: \(reason)")
    }
}
