import Language

/// Looks at a value in memory without copying it: a copy costs a retain and a release.
///
/// The layout is the compiler's: 8 bytes of payload, then the case's number. `RawValueTests` hold it.
extension UnsafeMutablePointer<Value> {
    @inline(__always)
    var caseNumber: UInt8 {
        UnsafeRawPointer(self).load(fromByteOffset: 8, as: UInt8.self)
    }

    @inline(__always)
    var isFunction: Bool { caseNumber == RawValue.function }

    @inline(__always)
    var isFunctionOrMeta: Bool { isFunction || caseNumber == RawValue.meta }

    /// The function of a value that `isFunction`, without a retain: valid while the value stays where it is.
    @inline(__always)
    var unretainedFunction: Unmanaged<Function> {
        // Safety: the payload of `.function` is one reference.
        UnsafeRawPointer(self).load(as: Unmanaged<Function>.self)
    }

    /// The box of a vector or list, where it lies in the value: whether it is the only reference can be asked there.
    var itemsPlace: UnsafeMutablePointer<Items>? {
        guard caseNumber == RawValue.list || caseNumber == RawValue.vector else { return nil }
        // Safety: the payload of `.list` and `.vector` is one reference to `Items`.
        return UnsafeMutableRawPointer(self).assumingMemoryBound(to: Items.self)
    }

    /// The box of an object, likewise.
    var objectPlace: UnsafeMutablePointer<Object>? {
        guard caseNumber == RawValue.object else { return nil }
        // Safety: the payload of `.object` is one reference to `Object`.
        return UnsafeMutableRawPointer(self).assumingMemoryBound(to: Object.self)
    }

    /// Ends the values from here up to `end`; those without a reference cost a look only.
    @inline(__always)
    func end(upTo end: UnsafeMutablePointer<Value>) {
        var place = self
        while place < end {
            if place.caseNumber > RawValue.double, place.caseNumber != RawValue.null { place.deinitialize(count: 1) }
            place += 1
        }
    }
}

/// The numbers of the cases, in the order of their declaration; those without a payload come last.
enum RawValue {
    static let double: UInt8 = 2
    static let list: UInt8 = 7
    static let vector: UInt8 = 8
    static let object: UInt8 = 9
    static let function: UInt8 = 10
    static let meta: UInt8 = 13
    static let null: UInt8 = 15
}
