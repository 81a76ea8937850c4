import CSystem
import Glibc
import Language

/// Arrays in files.
extension NumericArray {
    /// The array of a `.npy` file, of version 1.0 to 3.0, in C or Fortran order and of either byte order. Bytes behind its
    /// items are left alone.
    ///
    /// - Parameter isMapped: whether its items stay in the file, which then nobody may shorten (SIGBUS) as long as the array
    ///   lives. Big-endian ones are copied all the same.
    /// - Throws: `buffer/npy` with the byte and what is wrong there; `buffer/stale` where there is no file; `buffer/range`,
    ///   `buffer/memory`, `buffer/mappings`, `buffer/system`.
    public convenience init(npy path: String, isMapped: Bool = false) throws(Failure) {
        let file = try ArrayFile(reading: path)
        let length = try NPYHeader.length(try file.bytes(at: 0, count: NPYHeader.prologue))
        let header = try NPYHeader(try file.bytes(at: 0, count: length))
        let layout: ArrayLayout
        do throws(Failure) {
            layout = try header.layout()
        } catch {
            throw NPYHeader.wrong(NPYHeader.prologue, error.message)
        }
        guard layout.byteCount <= file.byteCount - header.dataOffset else {
            throw NPYHeader.wrong(
                file.byteCount,
                "the file ends in its items: \(layout.byteCount) bytes from \(header.dataOffset) on expected")
        }
        try self.init(file, layout, at: header.dataOffset, isMapped: isMapped && !header.isBigEndian) {
            if header.isBigEndian { $0.swapBytes(ofItems: header.format.part.size) }
        }
    }

    /// The items of a file without a head, little-endian and in C order from a byte on.
    ///
    /// - Throws: `buffer/range` where the file is too short, `buffer/stale`, `buffer/memory`, `buffer/mappings`,
    ///   `buffer/system`.
    public convenience init(
        raw path: String, format: ElementFormat, shape: [Int], offset: Int = 0, isMapped: Bool = false
    ) throws(Failure) {
        let file = try ArrayFile(reading: path)
        try ArrayLayout(format, shape: shape, offset: offset).check(within: file.byteCount)
        try self.init(file, try ArrayLayout(format, shape: shape), at: offset, isMapped: isMapped) { _ in }
    }

    /// - Parameter layout: from offset 0.
    private convenience init(
        _ file: borrowing ArrayFile, _ layout: ArrayLayout, at offset: Int, isMapped: Bool,
        _ finish: (UnsafeMutableRawBufferPointer) -> Void
    ) throws(Failure) {
        if isMapped {
            let whole = try ArrayLayout(layout.format, shape: layout.shape, strides: layout.strides, offset: offset)
            try self.init(whole, Storage(try file.mapping()))
            return
        }
        let block = try HeapBlock(byteCount: layout.byteCount)
        try file.read(at: offset, into: block.bytes)
        finish(block.bytes)
        try self.init(layout, Storage(block))
    }

    /// Writes a `.npy` file of version 1.0, in Fortran order where the items stand so. What was there before is replaced at
    /// once, when all is written; otherwise it stays as it was.
    ///
    /// - Throws: `buffer/full`, `buffer/stale` where there is no such folder, `buffer/system`, `buffer/memory`.
    public func writeNPY(to path: String) throws(Failure) {
        let isTurned = layout.isFortranOrder && !layout.isCOrder
        let head = NPYHeader.bytes(format, shape: shape, isFortranOrder: isTurned)
        let array = isTurned ? try transposed() : self
        try array.withContiguousBytes { bytes throws(Failure) in
            try ArrayFile.replace(path, head: head, bytes)
        }
    }

    /// Writes the items alone, little-endian and in C order; replacing as `writeNPY` does.
    ///
    /// - Throws: as `writeNPY`.
    public func writeRaw(to path: String) throws(Failure) {
        try withContiguousBytes { bytes throws(Failure) in
            try ArrayFile.replace(path, head: [], bytes)
        }
    }
}

extension NPYHeader {
    /// How the items lie behind the head.
    fileprivate func layout() throws(Failure) -> ArrayLayout {
        guard isFortranOrder else { return try ArrayLayout(format, shape: shape) }
        return try ArrayLayout(format, shape: shape.reversed()).transposed()
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Turns round the bytes of each item.
    fileprivate func swapBytes(ofItems size: Int) {
        switch size {
        case 2: for item in bindMemory(to: UInt16.self).indices { swap(UInt16.self, item) }
        case 4: for item in bindMemory(to: UInt32.self).indices { swap(UInt32.self, item) }
        case 8: for item in bindMemory(to: UInt64.self).indices { swap(UInt64.self, item) }
        default: break
        }
    }

    private func swap<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, _ item: Int) {
        let place = item * MemoryLayout<T>.size
        storeBytes(of: loadUnaligned(fromByteOffset: place, as: type).byteSwapped, toByteOffset: place, as: type)
    }
}

/// A regular file, open for reading.
private struct ArrayFile: ~Copyable {
    private let path: String
    private let file: Descriptor
    let byteCount: Int

    init(reading path: String) throws(Failure) {
        let file = Descriptor(owning: open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK))
        guard file.number >= 0, let facts = file.facts else { throw .system("cannot open \(Printer.quoted(path))") }
        guard facts.isRegular else { throw Failure("buffer/system", "\(Printer.quoted(path)) is no regular file") }
        self.path = path
        self.file = file
        byteCount = Int(facts.st_size)
    }

    /// The bytes from a place on, fewer where the file ends.
    func bytes(at offset: Int, count: Int) throws(Failure) -> [UInt8] {
        var got = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { out, filled in
            got = meta_file_read(file.number, out.baseAddress, count, off_t(offset))
            filled = max(0, got)
        }
        guard got >= 0 else { throw .system("cannot read \(Printer.quoted(path))") }
        return bytes
    }

    func read(at offset: Int, into out: UnsafeMutableRawBufferPointer) throws(Failure) {
        let got = meta_file_read(file.number, out.baseAddress, out.count, off_t(offset))
        guard got >= 0 else { throw .system("cannot read \(Printer.quoted(path))") }
        guard got == out.count else {
            throw Failure("buffer/range", "\(Printer.quoted(path)) became shorter while it was read")
        }
    }

    func mapping() throws(Failure) -> Mapping {
        try Mapping(file, byteCount: byteCount, access: .readOnly)
    }

    /// Puts a new file in the place of another, or of none; links are followed, and a mode that was there stays.
    static func replace(_ path: String, head: [UInt8], _ bytes: UnsafeRawBufferPointer) throws(Failure) {
        let target = resolved(path)
        var facts = stat()
        let isThere = stat(target, &facts) == 0
        guard !isThere || facts.isRegular else {
            throw Failure("buffer/system", "\(Printer.quoted(path)) is no regular file")
        }
        let draft = "\(target).\(UInt32.random(in: 0...UInt32.max)).part"
        let file = Descriptor(owning: meta_file_create(draft))
        guard file.number >= 0 else { throw .system("cannot write \(Printer.quoted(path))") }
        guard meta_file_write(file.number, head, head.count, 0) == 0,
            meta_file_write(file.number, bytes.baseAddress, bytes.count, off_t(head.count)) == 0,
            fchmod(file.number, isThere ? facts.st_mode & 0o777 : newFileMode()) == 0, rename(draft, target) == 0
        else {
            let error = errno
            unlink(draft)
            throw .system("cannot write \(Printer.quoted(path))", error)
        }
    }

    private static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    /// What a file made by any program gets. The mask can only be read by setting it.
    private static func newFileMode() -> mode_t {
        let mask = umask(0)
        umask(mask)
        return 0o666 & ~mask
    }
}
