import Buffers
import Evaluator
import Language
import Wire

/// An array as a value of meta: what it is like is known, its contents are fetched when somebody first needs them, and
/// are then its contents for good. What is asked of it by name (attributes, methods) the owner's array itself answers.
final class BufferObject: RemoteObject, OwnedContents {
    /// Of the owner's array; once the contents are there, of these.
    private(set) var layout: ArrayLayout
    /// Its owner's own type: `numpy.ndarray`.
    let foreignType: String
    let language: String
    /// The session that made it, or `meta`.
    let owner: String
    /// Whether it is one memory for all who have it.
    private(set) var isMutable: Bool
    /// The registered buffer type.
    let typeName: String?
    /// The array at its owner, where it has been lived in; nil for one that came with its contents.
    let handle: Handle?
    private(set) var contents: Contents
    /// Under which number others know the contents of an array of meta's own.
    private var publication: Publication?
    private unowned let router: Router

    enum Contents {
        /// With the owner.
        case live
        case segment(Lease, name: String)
        case memory(NumericArray)
        case released
    }

    /// Arrays of fewer bytes cross inside their records.
    static let inlineLimit = 2048

    init(_ record: BufferRecord, _ contents: Contents, handle: Handle? = nil, owner: String, router: Router) {
        layout = record.layout
        foreignType = record.type
        language = record.language
        typeName = record.name
        isMutable = record.isMutable
        self.owner = owner
        self.handle = handle
        self.contents = contents
        self.router = router
        super.init(name: record.type, signature: "(\(Printer.sanitizedLine(record.type)) …)")
    }

    /// An array of meta's own.
    init(_ array: NumericArray, type name: String? = nil, router: Router) {
        layout = array.layout
        foreignType = ""
        language = "meta"
        owner = HandleTable.meta
        typeName = name
        isMutable = false
        handle = nil
        contents = .memory(array)
        self.router = router
        super.init(name: "buffer", signature: "(buffer …)")
    }

    /// This array with other items of the same contents, or as another type.
    private init(_ other: BufferObject, layout: ArrayLayout, contents: Contents, type name: String?) {
        self.layout = layout
        foreignType = other.foreignType
        language = other.language
        owner = other.owner
        typeName = name
        isMutable = other.isMutable
        handle = nil
        self.contents = contents
        router = other.router
        super.init(name: other.name, signature: other.signature)
    }

    override var isData: Bool { true }
    override var isCallable: Bool { handle?.isCallable ?? false }

    /// `<py numpy.ndarray float64 [3 4]>`; nothing in it moves a cursor.
    override var form: String {
        let shape = "[" + layout.shape.map(String.init).joined(separator: " ") + "]"
        let parts = [owner, typeName ?? (owner == HandleTable.meta ? "" : foreignType), layout.format.rawValue, shape]
        return "<" + Printer.sanitizedLine(parts.filter { !$0.isEmpty }.joined(separator: " ")) + ">"
    }

    // MARK: Contents

    /// Whether they are with the owner.
    var isLive: Bool { if case .live = contents { true } else { false } }

    /// The items, as meta reads them.
    ///
    /// - Throws: what `Router.prerequisite` knows while they are with their owner; `buffer/stale`.
    func array() throws(Failure) -> NumericArray {
        switch contents {
        case .live: throw router.lacks([self])
        case .released: throw Self.isReleased
        case .memory(let array): return array
        case .segment(let lease, let name):
            return try NumericArray(layout, Storage(try router.mapping(of: lease, name, isMutable: isMutable)))
        }
    }

    func pin(_ published: Function) throws(Failure) {
        guard let published = published as? BufferObject else {
            throw Failure("wire/unreadable", "an array's contents are a Buffer")
        }
        if case .live = published.contents {
            throw Failure("wire/unreadable", "what its owner published of an array holds no contents")
        }
        contents = published.contents
        layout = published.layout
        isMutable = published.isMutable
    }

    private static let isReleased = Failure("buffer/stale", "the buffer was released")

    /// Lets go of what its owner keeps for it: the leases to be given back.
    func release() -> [Lease] {
        var leases = handle.map { [$0.lease] } ?? []
        if case .segment(let lease, _) = contents { leases.append(lease) }
        contents = .released
        publication = nil
        return leases
    }

    /// The items although their owner may have gone, where they are mapped.
    func keptArray() throws(Failure) -> NumericArray {
        if case .segment(let lease, _) = contents, let mapping = lease.mapping, !lease.isReleased {
            return try NumericArray(layout, Storage(mapping))
        }
        return try array()
    }

    /// Part of it, or all under another shape or type name: of the same contents.
    func with(_ layout: ArrayLayout, type name: String? = nil) throws(Failure) -> BufferObject {
        switch contents {
        case .live: throw router.lacks([self])
        case .released: throw Self.isReleased
        case .segment: return BufferObject(self, layout: layout, contents: contents, type: name)
        case .memory(let array):
            let part = try NumericArray(layout, array.storage)
            return BufferObject(self, layout: layout, contents: .memory(part), type: name)
        }
    }

    func crossing() throws(Failure) -> BufferText {
        switch contents {
        case .live: throw router.lacks([self])
        case .released: throw Self.isReleased
        case .segment(let lease, let name):
            try router.checkContents(lease)
            return text(layout, .segment(lease.reference, name: name), lease.reference)
        case .memory(let array):
            guard layout.byteCount >= Self.inlineLimit else {
                return text(try ArrayLayout(layout.format, shape: layout.shape), .inline(try array.bytes()), nil)
            }
            let known = if let publication { publication } else { try router.publish(array) }
            publication = known
            let reference = router.handles.reference(of: known)
            try known.rename(reference.number)
            return text(try known.layout(), .segment(reference, name: known.segment), reference)
        }
    }

    /// The path of a file with the items in C order: the segment itself where it is just that, which nobody may write.
    func path(_ files: ByteFiles) throws(Failure) -> String {
        if case .segment(let lease, let name) = contents, layout.isCOrder, layout.offset == 0, !isMutable,
            try array().storage.byteCount == layout.byteCount
        {
            files.keep(lease)
            return "/dev/shm/" + name
        }
        return try files.path(of: try array().bytes())
    }

    private func text(_ layout: ArrayLayout, _ place: BufferRecord.Place, _ reference: Reference?) -> BufferText {
        let record = BufferRecord(
            layout: layout, language: language, type: foreignType, name: typeName, isMutable: isMutable, place: place)
        return BufferText(text: record.text(), references: reference.map { [$0] } ?? [])
    }

    /// What results show of it: the seed's record, not to be read back.
    var shownRecord: Value {
        let identity: Reference? =
            switch contents {
            case .live: handle?.record.reference
            case .segment(let lease, _): lease.reference
            case .memory: publication.map(router.handles.reference(of:))
            case .released: nil
            }
        var fields: Object.Entries = [
            "_type": .text("Buffer"),
            "buffer_id": .text(identity.map { "\($0.owner)-\($0.generation)-\($0.number)" } ?? ""),
            "format": .text(layout.format.rawValue), "shape": .vector(Items(layout.shape.map(Value.int))),
            "language": .text(language),
        ]
        if let typeName { fields["name"] = .text(typeName) }
        return .object(Object(fields))
    }

    // MARK: What its owner is asked

    override func call(_ path: [String], _ arguments: inout Arguments, in fiber: Fiber) throws(Failure) -> Step {
        try remote(path).call(path, &arguments, in: fiber)
    }

    override func fetch(_ path: [String], in fiber: Fiber) throws(Failure) -> Step {
        try remote(path).fetch(path, in: fiber)
    }

    override func assign(_ path: [String], _ value: Value, in fiber: Fiber) throws(Failure) -> Step {
        try remote(path).assign(path, value, in: fiber)
    }

    private func remote(_ path: [String]) throws(Failure) -> Handle {
        try remote(
            path, "buffer",
            help: "(buffer.shape b), (buffer.get b i), (buffer.view b \"name\"); (functions) lists what there is")
    }

    override func ask(_ question: Question, in fiber: Fiber) throws(Failure) -> Step {
        switch question {
        case .length:
            guard let length = layout.shape.first else { throw Failure("eval/type", "\(form) has no length") }
            return .value(.int(length))
        case .members, .documentation, .setItem:
            guard let handle else { return .value(question.isMembers ? .vector(Items([])) : .null) }
            return try handle.ask(question, in: fiber)
        case .equality(let other):
            let both = [self, try RemoteObject.find(in: other) as? BufferObject]
            if let absent = both.lazy.compactMap({ $0 }).first(where: \.isLive) { throw router.lacks([absent]) }
            return .value(try answer(question))
        case .item, .items, .copy:
            if case .live = contents {
                return try router.publish(self, in: fiber) { [self] () throws(Failure) in try answer(question) }
            }
            return .value(try answer(question))
        }
    }

    /// What the contents say; they are here.
    private func answer(_ question: Question) throws(Failure) -> Value {
        let array = try array()
        switch question {
        case .item(let key): return try router.item(of: self, try key.unwrapped())
        case .items(let limit):
            guard layout.rank > 0 else { throw Failure("eval/type", "\(form) has no items to go through") }
            let count = min(limit, layout.shape[0])
            let items = try (0..<count).map { index throws(Failure) in try router.part(of: self, [.index(index)]) }
            let rest = count < layout.shape[0] ? try with(try layout.selecting([.range(start: count)])) : nil
            return .vector(Items([.vector(Items(items)), rest.map(Value.function) ?? .null]))
        case .copy: return try array.values(limit: Limit.items)
        case .equality(let other):
            guard let other = try RemoteObject.find(in: other) as? BufferObject else { return .bool(false) }
            return .bool(try array.isEqual(to: try other.array()))
        case .length, .members, .documentation, .setItem: return .null
        }
    }

    override func operate(_ name: String, _ operands: [Value]) throws(Failure) -> Value {
        try router.operate(name, operands)
    }
}

extension RemoteObject.Question {
    fileprivate var isMembers: Bool { if case .members = self { true } else { false } }
}

extension Handle {
    /// The handle in a value: an object of a runtime, or the array or table behind its contents.
    static func behind(_ value: Value) throws(Failure) -> Handle? {
        let object = try RemoteObject.find(in: value)
        return object as? Handle ?? (object as? any OwnedContents)?.handle
    }
}

/// Contents of meta's own under which others know them: a segment, until the last of them has given it back.
final class Publication: Function {
    private(set) var segment: String
    /// What the segment is named for.
    private var number: Int
    /// In C order; the segment begins with its first item.
    let array: NumericArray
    private let pool: SegmentPool

    /// Of the items in the segment.
    func layout() throws(Failure) -> ArrayLayout { try ArrayLayout(array.format, shape: array.shape) }

    /// What a layout over the segment means of the array.
    func part(_ layout: ArrayLayout) throws(Failure) -> NumericArray {
        try layout.check(within: array.layout.byteCount)
        let own = try ArrayLayout(
            layout.format, shape: layout.shape, strides: layout.strides, offset: layout.offset + array.layout.offset)
        return try NumericArray(own, array.storage)
    }

    init(_ array: NumericArray, segment: String, number: Int, in pool: SegmentPool) {
        self.array = array
        self.segment = segment
        self.number = number
        self.pool = pool
        super.init(name: "segment", signature: "(segment)", kind: .builtin)
    }

    /// Makes the segment that of another number: all have given back what they knew under the old one.
    ///
    /// - Throws: `buffer/stale` when somebody has taken the segment away.
    func rename(_ number: Int) throws(Failure) {
        guard number != self.number else { return }
        segment = try pool.rename(self.number, to: number)
        self.number = number
    }

    deinit { pool.giveBack(number) }
}

extension NumericArray {
    /// The items in C order.
    func bytes() throws(Failure) -> [UInt8] {
        try withContiguousBytes { bytes in Array(bytes) }
    }

    /// - Throws: `buffer/range` unless the layout fits the bytes.
    convenience init(_ layout: ArrayLayout, bytes: [UInt8]) throws(Failure) {
        let copy = bytes.withUnsafeBytes { bytes in
            Result { () throws(Failure) in try Storage(copying: bytes) }
        }
        try self.init(layout, try copy.get())
    }
}
