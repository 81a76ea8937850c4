import BigInt
import Language

/// What the items of a format are in memory, each of that format's size and layout.
///
/// Each has a `Wide`, one of four types that hold every item of its kind exactly: conversions go through these, so that there
/// are 14 ways in and 14 out instead of 14 × 14. Code over elements is generic and specialised: no switch for an item.
protocol Element: BitwiseCopyable {
    associatedtype Wide: WideElement

    static var format: ElementFormat { get }
    var wide: Wide { get }

    /// The nearest element, and whether it is near enough: whole numbers must be held exactly; a float takes any number,
    /// rounded, but no finite one that it has only infinity for.
    static func narrowed(_ wide: Int64) -> (Self, Bool)
    static func narrowed(_ wide: UInt64) -> (Self, Bool)
    static func narrowed(_ wide: Double) -> (Self, Bool)
    static func narrowed(_ wide: Complex<Double>) -> (Self, Bool)
}

/// Int64, UInt64, Double or Complex<Double>.
protocol WideElement: Element where Wide == Self {
    var value: Value { get }
    /// As in `Value.isTrue`: neither zero nor NaN.
    var isTrue: Bool { get }
    /// The nearest float; of a complex number the real part.
    var float: Double { get }
    /// Of both parts of a complex number: whether one is, and whether both are.
    var isNaN: Bool { get }
    var isFinite: Bool { get }

    static func narrow<T: Element>(_ wide: Self, to type: T.Type) -> (T, Bool)
}

/// A bool: a byte that is 0, or true.
struct Flag: Element {
    let byte: UInt8

    static var format: ElementFormat { .bool }
    @inline(__always) init(_ isSet: Bool) { byte = isSet ? 1 : 0 }
    @inline(__always) var wide: Int64 { byte == 0 ? 0 : 1 }

    static func narrowed(_ wide: Int64) -> (Flag, Bool) { (Flag(wide != 0), wide == 0 || wide == 1) }
    static func narrowed(_ wide: UInt64) -> (Flag, Bool) { (Flag(wide != 0), wide <= 1) }
    static func narrowed(_ wide: Double) -> (Flag, Bool) { (Flag(wide != 0), wide == 0 || wide == 1) }
    static func narrowed(_ wide: Complex<Double>) -> (Flag, Bool) {
        (Flag(wide.re != 0), wide.im == 0 && (wide.re == 0 || wide.re == 1))
    }
}

/// Two floats, the real part first.
struct Complex<Part: BinaryFloatingPoint & BitwiseCopyable>: BitwiseCopyable {
    var re: Part
    var im: Part

    @inline(__always) init(_ re: Part, _ im: Part) {
        self.re = re
        self.im = im
    }
}

extension Element where Self: FixedWidthInteger {
    @inline(__always) static func narrowed(_ wide: Int64) -> (Self, Bool) {
        let value = Self(truncatingIfNeeded: wide)
        return (value, Int64(truncatingIfNeeded: value) == wide && (value < 0) == (wide < 0))
    }
    @inline(__always) static func narrowed(_ wide: UInt64) -> (Self, Bool) {
        let value = Self(truncatingIfNeeded: wide)
        return (value, UInt64(truncatingIfNeeded: value) == wide && value >= 0)
    }
    @inline(__always) static func narrowed(_ wide: Double) -> (Self, Bool) {
        // By way of 64 bits, to which the processor converts; 0 stands for what would trap, and is found unequal.
        if isSigned || bitWidth < 64 {
            let whole = Int64(wide >= -0x1p63 && wide < 0x1p63 ? wide : 0)
            let value = Self(truncatingIfNeeded: whole)
            return (
                value, Double(whole) == wide && Int64(truncatingIfNeeded: value) == whole && (value < 0) == (whole < 0)
            )
        }
        let whole = UInt64(wide > -1 && wide < 0x1p64 ? wide : 0)
        return (Self(truncatingIfNeeded: whole), Double(whole) == wide)
    }
    @inline(__always) static func narrowed(_ wide: Complex<Double>) -> (Self, Bool) {
        let (value, fits) = narrowed(wide.re)
        return (value, fits && wide.im == 0)
    }
}

extension Element where Self: BinaryFloatingPoint {
    @inline(__always) var wide: Double { Double(self) }

    @inline(__always) static func narrowed(_ wide: Int64) -> (Self, Bool) {
        let value = Self(wide)
        return (value, value.isFinite)
    }
    @inline(__always) static func narrowed(_ wide: UInt64) -> (Self, Bool) {
        let value = Self(wide)
        return (value, value.isFinite)
    }
    @inline(__always) static func narrowed(_ wide: Double) -> (Self, Bool) {
        let value = Self(wide)
        return (value, value.isFinite || !wide.isFinite)
    }
    @inline(__always) static func narrowed(_ wide: Complex<Double>) -> (Self, Bool) {
        let (value, fits) = narrowed(wide.re)
        return (value, fits && wide.im == 0)
    }
}

extension Complex: Element where Part: Element {
    static var format: ElementFormat { Part.format == .float32 ? .complex64 : .complex128 }
    @inline(__always) var wide: Complex<Double> { Complex<Double>(Double(re), Double(im)) }

    static func narrowed(_ wide: Int64) -> (Self, Bool) { real(Part.narrowed(wide)) }
    static func narrowed(_ wide: UInt64) -> (Self, Bool) { real(Part.narrowed(wide)) }
    static func narrowed(_ wide: Double) -> (Self, Bool) { real(Part.narrowed(wide)) }
    static func narrowed(_ wide: Complex<Double>) -> (Self, Bool) {
        let (re, im) = (Part.narrowed(wide.re), Part.narrowed(wide.im))
        return (Self(re.0, im.0), re.1 && im.1)
    }

    private static func real(_ part: (Part, Bool)) -> (Self, Bool) { (Self(part.0, 0), part.1) }
}

// MARK: The elements

extension Int8: Element {
    static var format: ElementFormat { .int8 }
    @inline(__always) var wide: Int64 { Int64(self) }
}
extension Int16: Element {
    static var format: ElementFormat { .int16 }
    @inline(__always) var wide: Int64 { Int64(self) }
}
extension Int32: Element {
    static var format: ElementFormat { .int32 }
    @inline(__always) var wide: Int64 { Int64(self) }
}
extension UInt8: Element {
    static var format: ElementFormat { .uint8 }
    @inline(__always) var wide: Int64 { Int64(self) }
}
extension UInt16: Element {
    static var format: ElementFormat { .uint16 }
    @inline(__always) var wide: Int64 { Int64(self) }
}
extension UInt32: Element {
    static var format: ElementFormat { .uint32 }
    @inline(__always) var wide: Int64 { Int64(self) }
}
extension Float16: Element { static var format: ElementFormat { .float16 } }
extension Float: Element { static var format: ElementFormat { .float32 } }

extension Int64: WideElement {
    static var format: ElementFormat { .int64 }
    @inline(__always) var wide: Int64 { self }
    var value: Value { .int(Int(self)) }
    @inline(__always) var isTrue: Bool { self != 0 }
    @inline(__always) var float: Double { Double(self) }
    var isNaN: Bool { false }
    var isFinite: Bool { true }
    @inline(__always) static func narrow<T: Element>(_ wide: Int64, to type: T.Type) -> (T, Bool) { T.narrowed(wide) }
}
extension UInt64: WideElement {
    static var format: ElementFormat { .uint64 }
    @inline(__always) var wide: UInt64 { self }
    var value: Value { .integer(BigInt(self)) }
    @inline(__always) var isTrue: Bool { self != 0 }
    @inline(__always) var float: Double { Double(self) }
    var isNaN: Bool { false }
    var isFinite: Bool { true }
    @inline(__always) static func narrow<T: Element>(_ wide: UInt64, to type: T.Type) -> (T, Bool) { T.narrowed(wide) }
}
extension Double: WideElement {
    static var format: ElementFormat { .float64 }
    var value: Value { .double(self) }
    @inline(__always) var isTrue: Bool { self != 0 && !isNaN }
    @inline(__always) var float: Double { self }
    @inline(__always) static func narrow<T: Element>(_ wide: Double, to type: T.Type) -> (T, Bool) { T.narrowed(wide) }
}
extension Complex<Double>: WideElement {
    var value: Value { .tagged(.complex, ["re": .double(re), "im": .double(im)]) }
    @inline(__always) var isTrue: Bool { re != 0 || im != 0 }
    @inline(__always) var float: Double { re }
    var isNaN: Bool { re.isNaN || im.isNaN }
    var isFinite: Bool { re.isFinite && im.isFinite }
    @inline(__always) static func narrow<T: Element>(_ wide: Self, to type: T.Type) -> (T, Bool) { T.narrowed(wide) }
}

// MARK: From a format to its element

/// Code over elements, run for the one that a format has.
protocol ElementVisitor {
    associatedtype Output
    func visit<T: Element>(_ type: T.Type) throws(Failure) -> Output
}

extension ElementFormat {
    @inline(__always) func accept<V: ElementVisitor>(_ visitor: V) throws(Failure) -> V.Output {
        switch self {
        case .bool: try visitor.visit(Flag.self)
        case .int8: try visitor.visit(Int8.self)
        case .int16: try visitor.visit(Int16.self)
        case .int32: try visitor.visit(Int32.self)
        case .int64: try visitor.visit(Int64.self)
        case .uint8: try visitor.visit(UInt8.self)
        case .uint16: try visitor.visit(UInt16.self)
        case .uint32: try visitor.visit(UInt32.self)
        case .uint64: try visitor.visit(UInt64.self)
        case .float16: try visitor.visit(Float16.self)
        case .float32: try visitor.visit(Float.self)
        case .float64: try visitor.visit(Double.self)
        case .complex64: try visitor.visit(Complex<Float>.self)
        case .complex128: try visitor.visit(Complex<Double>.self)
        }
    }
}
