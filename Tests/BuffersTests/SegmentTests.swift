import CSystem
import Glibc
import Language
import Testing

@testable import Buffers

/// Segments in a folder of their own, so that no other test or meta sees them.
struct SegmentTests {
    @Test func namesAreReadStrictly() {
        let user = geteuid()
        let name = SegmentName("meta-\(user)-4711-5f3a9c01-3-12-0123456789abcdef")
        #expect(name?.family == "meta-\(user)-4711-5f3a9c01" && name?.session == 3 && name?.number == 12)
        for wrong in [
            "meta-\(user)-4711-5f3a9c01-3-12-0123456789abcde", "meta-\(user)-4711-5f3a9c01-3-012-0123456789abcdef",
            "meta-\(user)-4711-5f3a9c01-lock", "meta-\(user)0-4711-5f3a9c01-3-12-0123456789abcdef",
            "meta-\(user)-4711-5f3a9c01-3-12-0123456789abcdef-", "meta-\(user)-+4711-5f3a9c01-3-12-0123456789abcdef",
            "meta-\(user)-4711-5F3A9C01-3-12-0123456789abcdef", "",
        ] { #expect(SegmentName(wrong) == nil, Comment(rawValue: wrong)) }
    }

    @Test func aFamilyKnowsItsFilesAndTakesThemAway() throws {
        let folder = try TemporaryFolder()
        let family = try SegmentFamily(directory: folder.path)
        #expect(family.sessionPrefix(3) == "\(family.name)-3-")
        let names = [(3, 1), (3, 2), (30, 1)].map { "\(family.sessionPrefix($0.0))\($0.1)-0123456789abcdef" }
        for name in names { folder.make(name, bytes: 10) }
        folder.make("unrelated", bytes: 5)
        #expect(Set(family.files().map(\.name)) == Set(names))
        #expect(family.totalBytes() == 30)
        family.removeSession(3, except: [2])
        #expect(Set(family.files().map(\.name)) == Set(names.dropFirst()))
        family.close()
        #expect(folder.names == ["unrelated"])
    }

    @Test func theSweepTakesTheDeadAndSparesTheLiving() throws {
        let folder = try TemporaryFolder()
        let (family, other) = (try SegmentFamily(directory: folder.path), try SegmentFamily(directory: folder.path))
        let user = geteuid()
        let dead = "meta-\(user)-1-00000000"
        let kept = [
            folder.make("\(other.sessionPrefix(1))1-0123456789abcdef"),
            folder.make("\(family.sessionPrefix(1))1-0123456789abcdef"),
            folder.make("meta-\(user)0-1-00000000-lock"), folder.make("meta-\(user)-1-0000000-lock"),
            folder.make("meta-\(user)-1-0000000x-1-1-0123456789abcdef"),
            folder.make("sem.meta-\(user)-1-00000000-lock"),
            "\(family.name)-lock", "\(other.name)-lock",
        ]
        let gone = [
            folder.make("\(dead)-1-1-0123456789abcdef"), folder.make("\(dead)-1-x"), folder.make("\(dead)-lock"),
        ]
        #expect(Set(family.sweep()) == Set(gone))
        #expect(Set(folder.names) == Set(kept))
    }

    @Test func filesWithoutALockGoWhenTheyAreOld() throws {
        let folder = try TemporaryFolder()
        let family = try SegmentFamily(directory: folder.path)
        let file = folder.make("meta-\(geteuid())-1-00000000-1-1-0123456789abcdef")
        #expect(family.sweep().isEmpty)
        #expect(family.sweep(now: time(nil) + 30).isEmpty)
        #expect(family.sweep(now: time(nil) + 90) == [file])
    }

    @Test func aLockThatIsALinkIsNobodys() throws {
        let folder = try TemporaryFolder()
        let family = try SegmentFamily(directory: folder.path)
        let target = folder.make("target")
        let link = "meta-\(geteuid())-1-00000000-lock"
        #expect(symlink("\(folder.path)/\(target)", "\(folder.path)/\(link)") == 0)
        let file = folder.make("meta-\(geteuid())-1-00000000-1-1-0123456789abcdef")
        #expect(family.sweep().isEmpty)
        #expect(folder.names.contains(target) && folder.names.contains(file))
    }

    @Test func aFamilyLivesAsLongAsItsProcess() throws {
        let folder = try TemporaryFolder()
        let family = try SegmentFamily(directory: folder.path)
        let dead = "meta-\(geteuid())-1-00000000"
        let gone = [folder.make("\(dead)-1-1-0123456789abcdef"), folder.make("\(dead)-lock")]
        let holder = try #require(Holder(lock: "\(folder.path)/\(dead)-lock"))
        #expect(family.sweep().isEmpty)
        holder.kill()
        #expect(Set(family.sweep()) == Set(gone))
    }

    @Test func attachingChecksWhatItIsGiven() throws {
        let folder = try TemporaryFolder()
        let user = "meta-\(geteuid())-"
        func attach(_ name: String, _ access: Mapping.Access = .readOnly, _ length: Int = 0) -> String {
            code {
                try Mapping(segment: name, access: access, atLeast: length, directory: folder.path)
            }
        }
        #expect(attach("\(user)gone") == "buffer/stale")
        #expect(attach("other") == "buffer/forged")
        #expect(attach("\(user)../x") == "buffer/forged")
        #expect(attach("\(user)x\0") == "buffer/forged")
        let name = folder.make("\(user)1-00000000-1-1-0123456789abcdef", bytes: 16)
        #expect(attach(name, .readOnly, 16) == "")
        #expect(attach(name, .readOnly, 17) == "buffer/range")
        #expect(attach(name, .shared) == "")
        chmod("\(folder.path)/\(name)", 0o400)
        #expect(attach(name, .shared) == "buffer/forged")
        chmod("\(folder.path)/\(name)", 0o640)
        #expect(attach(name) == "buffer/forged")
        symlink("\(folder.path)/\(name)", "\(folder.path)/\(user)link")
        #expect(attach("\(user)link") == "buffer/forged")
        mkfifo("\(folder.path)/\(user)pipe", 0o600)
        #expect(attach("\(user)pipe") == "buffer/forged")
        mkdir("\(folder.path)/\(user)folder", 0o700)
        #expect(attach("\(user)folder") == "buffer/forged")
        rmdir("\(folder.path)/\(user)folder")
        #expect(attach(folder.make("\(user)empty", bytes: 0)) == "")
    }

    @Test func aMappingOutlivesItsName() throws {
        let folder = try TemporaryFolder()
        let name = folder.make("meta-\(geteuid())-1-00000000-1-1-0123456789abcdef", bytes: 3)
        let mapping = try Mapping(segment: name, access: .shared, directory: folder.path)
        let reader = try Mapping(segment: name, access: .readOnly, directory: folder.path)
        unlink("\(folder.path)/\(name)")
        mapping.mutableBytes?[1] = 7
        #expect(Array(reader.bytes) == [1, 7, 1])
        #expect(reader.mutableBytes == nil)
        let array = try NumericArray(ArrayLayout(.uint8, shape: [3]), Storage(mapping))
        try array.setItem(at: [-1], to: .int(255))
        #expect(Array(reader.bytes) == [1, 7, 255])
        #expect(code { try array.setItem(at: [0], to: .int(256)) } == "eval/overflow")
        #expect(code { try array.copied().setItem(at: [0], to: .int(1)) } == "buffer/published")
    }

    @Test func whatIsGivenBackIsUsedAgain() throws {
        let folder = try TemporaryFolder()
        let family = try SegmentFamily(directory: folder.path)
        let pool = SegmentPool(family: family, limit: 3_000, idleLimit: 1_500)
        let first = try publish(pool, 1_000, 1)
        #expect(SegmentName(first)?.number == 1 && family.totalBytes() == 1_000)
        #expect(folder.mode(first) == 0o400)
        pool.giveBack(1)
        // Small enough to waste more than a quarter: a new one.
        _ = try publish(pool, 700, 2)
        #expect(pool.idleBytes == 1_000 && family.totalBytes() == 1_700)
        let third = try publish(pool, 750, 3)
        #expect(pool.idleBytes == 0 && family.totalBytes() == 1_700 && folder.mode(third) == 0o400)
        #expect(!folder.names.contains(first))
        let mapping = try Mapping(segment: third, access: .readOnly, directory: folder.path)
        #expect(Array(mapping.bytes) == [UInt8](repeating: 3, count: 750) + [UInt8](repeating: 0, count: 250))
        pool.giveBack(3)
        pool.giveBack(2)
        #expect(pool.idleBytes == 700)
    }

    @Test func theFamilyHoldsNoMoreThanItsLimit() throws {
        let folder = try TemporaryFolder()
        let family = try SegmentFamily(directory: folder.path)
        let pool = SegmentPool(family: family, limit: 3_000)
        folder.make("\(family.sessionPrefix(1))1-0123456789abcdef", bytes: 1_000)
        _ = try publish(pool, 1_500, 1)
        #expect(code { try publish(pool, 501, 2) } == "buffer/limit")
        pool.giveBack(1)
        _ = try publish(pool, 2_000, 3)
        #expect(family.totalBytes() == 3_000 && pool.idleBytes == 0)
        _ = try publish(pool, 0, 4)
    }

    private func publish(_ pool: SegmentPool, _ count: Int, _ number: Int) throws(Failure) -> String {
        let bytes = [UInt8](repeating: UInt8(number), count: count)
        do {
            return try bytes.withUnsafeBytes { try pool.publish($0, number: number) }
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure("test", "\(error)")
        }
    }
}

/// A folder that goes with what is in it.
final class TemporaryFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/meta-buffers-XXXXXX".utf8CString)
        path = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit {
        for name in names { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    var names: [String] { SegmentFolder(path: path).names(prefix: "").filter { $0 != "." && $0 != ".." } }

    /// A file of so many ones.
    @discardableResult func make(_ name: String, bytes: Int = 1) -> String {
        let file = Descriptor(owning: meta_file_create("\(path)/\(name)"))
        meta_file_write(file.number, [UInt8](repeating: 1, count: bytes), bytes, 0)
        return name
    }

    func mode(_ name: String) -> mode_t? { SegmentFolder(path: path).facts(name).map { $0.st_mode & 0o777 } }
}

/// Another process that holds a lock until it is killed.
final class Holder {
    private let stream: UnsafeMutablePointer<FILE>
    private let pid: pid_t

    /// Nil unless it holds the lock.
    init?(lock: String) {
        let program =
            "import fcntl,os,time;f=open('\(lock)');fcntl.flock(f,fcntl.LOCK_EX);print(os.getpid(),flush=True);time.sleep(60)"
        guard let stream = popen("exec python3 -c \"\(program)\"", "r") else { return nil }
        var line = [CChar](repeating: 0, count: 32)
        guard fgets(&line, 32, stream) != nil,
            let pid = pid_t(String(decoding: line.map(UInt8.init(bitPattern:)), as: UTF8.self).filter(\.isNumber))
        else { return nil }
        self.stream = stream
        self.pid = pid
    }

    /// Returns when it is dead.
    func kill() {
        Glibc.kill(pid, SIGKILL)
        pclose(stream)
    }
}
