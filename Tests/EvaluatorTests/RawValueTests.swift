import Language
import Testing

@testable import Evaluator

/// The layout of `Value` that the machine looks at without copying.
@Suite struct RawValueTests {
    private func caseNumber(_ value: Value) -> UInt8 {
        var value = value
        return withUnsafeMutablePointer(to: &value) { $0.caseNumber }
    }

    @Test func aValueIsAPayloadAndACaseNumber() {
        #expect(MemoryLayout<Value>.stride == 16)
        #expect(MemoryLayout<Value>.size == 9)
    }

    @Test func caseNumbersAreWhatTheMachineExpects() {
        #expect(caseNumber(.bool(true)) < RawValue.double)
        #expect(caseNumber(.int(-1)) < RawValue.double)
        #expect(caseNumber(.double(1.5)) == RawValue.double)
        #expect(caseNumber(.list(Items([.int(1)]))) == RawValue.list)
        #expect(caseNumber(.vector(Items([]))) == RawValue.vector)
        #expect(caseNumber(.object(Object([:]))) == RawValue.object)
        #expect(caseNumber(.function(Function(name: "f", signature: "(f)", kind: .builtin))) == RawValue.function)
        #expect(caseNumber(.null) == RawValue.null)
    }

    @Test func boxesLieAtTheStart() {
        let items = Items([.int(1)])
        var vector = Value.vector(items)
        #expect(withUnsafeMutablePointer(to: &vector) { $0.itemsPlace?.pointee === items })
        let object = Object(["a": .int(1)])
        var value = Value.object(object)
        #expect(withUnsafeMutablePointer(to: &value) { $0.objectPlace?.pointee === object })
        let function = Function(name: "f", signature: "(f)", kind: .builtin)
        var callable = Value.function(function)
        #expect(withUnsafeMutablePointer(to: &callable) { $0.unretainedFunction.takeUnretainedValue() === function })
    }
}
