import CSystem
import Glibc
import Language

/// A segment that is there.
public struct SegmentFile: Hashable, Sendable {
    /// 0 for meta's own.
    public let session: Int
    public let number: Int
    public let bytes: Int
    public let name: String
}

/// All segments of this meta. One for each process; it lives as long as meta.
///
/// While its lock file is there and locked, no other meta touches a file of the family. The lock is made before any other
/// file of the family and goes after all of them, so a family without one belongs to nobody.
public final class SegmentFamily {
    /// `meta-<uid>-<pid>-<8 hex>`
    public let name: String
    let folder: SegmentFolder
    /// The lock: held for as long as it is open.
    private let lock: Descriptor
    private var isClosed = false

    /// - Parameter directory: where segments live; another one for tests only.
    /// - Throws: `buffer/system`, `buffer/full` where the lock cannot be made.
    public init(directory: String = "/dev/shm") throws(Failure) {
        folder = SegmentFolder(path: directory)
        // A sweeper may find the file before we lock it, take it for a dead meta's and remove it: then a new name.
        for _ in 0..<100 {
            let name = SegmentName.newFamily()
            let file = SegmentName.lock(of: name)
            let lock = Descriptor(owning: meta_file_create(folder.path(file)))
            if lock.number < 0, errno == EEXIST { continue }
            guard lock.number >= 0, meta_file_lock(lock.number, 1) == 0 else {
                throw .system("cannot make the lock of shared memory \(folder.path(file))")
            }
            guard folder.isCurrent(file, lock) else { continue }
            self.name = name
            self.lock = lock
            return
        }
        throw Failure("buffer/system", "cannot make a lock of shared memory in \(directory)")
    }

    deinit {
        close()
    }

    /// How the names of a session's segments begin: `<family>-<session>-`. 0 is meta itself.
    public func sessionPrefix(_ session: Int) -> String {
        "\(name)-\(session)-"
    }

    /// The segments that are there now.
    public func files() -> [SegmentFile] {
        files(prefix: "\(name)-")
    }

    private func files(prefix: String) -> [SegmentFile] {
        folder.names(prefix: prefix).compactMap { file in
            guard let parts = SegmentName(file), let facts = folder.facts(file) else { return nil }
            return SegmentFile(session: parts.session, number: parts.number, bytes: Int(facts.st_size), name: file)
        }
    }

    /// Bytes of all segments of the family.
    public func totalBytes() -> Int {
        files().reduce(0) { $0 + $1.bytes }
    }

    /// Takes away what a session that has ended has left, but for the segments of these numbers. Whoever has mapped one
    /// keeps it.
    public func removeSession(_ session: Int, except kept: Set<Int> = []) {
        for file in files(prefix: sessionPrefix(session)) where !kept.contains(file.number) { folder.remove(file.name) }
    }

    /// Takes away all segments, and the lock last. The family is not used afterwards.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        folder.removeFamily(name)
        folder.remove(SegmentName.lock(of: name))
    }

    /// Takes away the segments of this user's metas that died without doing so: the names that are gone.
    ///
    /// A family goes when its lock can be had. One without a lock goes as well, when its youngest change is more than a
    /// minute old: nobody can be making it, for the lock comes first, but a lock can be removed by hand.
    @discardableResult public func sweep() -> [String] {
        sweep(now: time(nil))
    }

    func sweep(now: Int) -> [String] {
        var families: [String: [String]] = [:]
        for file in folder.names(prefix: SegmentName.userPrefix) {
            if let family = SegmentName.family(of: file), family != name { families[family, default: []].append(file) }
        }
        return families.flatMap { family, files in
            folder.holds(SegmentName.lock(of: family)) ? sweep(dead: family) : sweep(orphans: files, of: family, now)
        }
    }

    /// A family with a lock file.
    private func sweep(dead family: String) -> [String] {
        let file = SegmentName.lock(of: family)
        // Whoever else gets this lock has removed the file before closing it; then the name is free, or another's.
        guard let lock = folder.open(file), meta_file_lock(lock.number, 0) == 0, folder.isCurrent(file, lock) else {
            return []
        }
        let removed = folder.removeFamily(family)
        return folder.remove(file) ? removed + [file] : removed
    }

    private func sweep(orphans files: [String], of family: String, _ now: Int) -> [String] {
        let youngest = files.compactMap { folder.facts($0)?.lastChange }.max() ?? now
        // The files were seen before the lock is looked for again: had its meta lived, the lock would be there.
        guard now - youngest > 60, !folder.holds(SegmentName.lock(of: family)) else { return [] }
        return files.filter { folder.remove($0) }
    }
}

extension SegmentFolder {
    /// Takes away all files of a family but its lock: their names.
    @discardableResult func removeFamily(_ family: String) -> [String] {
        let lock = SegmentName.lock(of: family)
        return names(prefix: "\(family)-").filter { $0 != lock && remove($0) }
    }
}
