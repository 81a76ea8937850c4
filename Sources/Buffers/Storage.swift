import Glibc
import Language

/// A stretch of memory of this process that an array fills once and shares then.
final class HeapBlock {
    /// Safety: valid until `deinit`, which alone frees it. Written only before the block is put into a `Storage`.
    let start: UnsafeMutableRawPointer
    let byteCount: Int

    var bytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: start, count: byteCount) }

    /// Memory that was not set to anything, aligned for every format and for vectors.
    ///
    /// - Throws: `buffer/memory`.
    init(byteCount: Int) throws(Failure) {
        let isHuge = byteCount >= Self.huge
        var start: UnsafeMutableRawPointer?
        guard posix_memalign(&start, isHuge ? Self.hugePage : 64, max(1, byteCount)) == 0, let start else {
            throw Failure("buffer/memory", "there is no memory for an array of \(byteCount) bytes")
        }
        // Getting small pages costs more than to compute what goes into them. Where there are no large ones, small do.
        if isHuge { madvise(start, byteCount / Self.hugePage * Self.hugePage, MADV_HUGEPAGE) }
        self.start = start
        self.byteCount = byteCount
    }

    deinit {
        free(start)
    }

    private static let huge = 4 << 20
    private static let hugePage = 2 << 20
}

/// What an array's items lie in: its own memory, or a mapping. Nobody writes it, but a mapping that is shared.
public struct Storage {
    private let block: Block

    private enum Block {
        case heap(HeapBlock)
        case mapping(Mapping)
    }

    public init(_ mapping: Mapping) {
        block = .mapping(mapping)
    }

    init(_ block: HeapBlock) {
        self.block = .heap(block)
    }

    /// - Throws: `buffer/memory`.
    public init(copying bytes: UnsafeRawBufferPointer) throws(Failure) {
        let copy = try HeapBlock(byteCount: bytes.count)
        copy.bytes.copyMemory(from: bytes)
        block = .heap(copy)
    }

    public var byteCount: Int {
        switch block {
        case .heap(let heap): heap.bytes.count
        case .mapping(let mapping): mapping.bytes.count
        }
    }

    /// The mapping that this is; nil for memory of its own.
    public var mapping: Mapping? {
        if case .mapping(let mapping) = block { mapping } else { nil }
    }

    /// Lends the bytes for the time of a call.
    func withBytes<T>(_ body: (UnsafeRawBufferPointer) throws(Failure) -> T) throws(Failure) -> T {
        switch block {
        case .heap(let heap):
            defer { withExtendedLifetime(heap) {} }
            return try body(UnsafeRawBufferPointer(heap.bytes))
        case .mapping(let mapping):
            defer { withExtendedLifetime(mapping) {} }
            return try body(mapping.bytes)
        }
    }
}
