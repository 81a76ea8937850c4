import Language
import Testing

@testable import Buffers

/// The registry of buffer types.
struct TypeTests {
    @Test func aTypeIsRegisteredOnce() throws {
        var types = BufferTypes()
        let image = try BufferType(name: "Image", axes: ["height", "width"], format: .uint8)
        try types.register(image)
        try types.register(image)
        let other = try BufferType(name: "Image", axes: ["height", "width"], format: .uint16)
        let given = failure { try types.register(other) }
        #expect(given?.code == "buffer/type")
        #expect(given?.message.contains("\"Image\" [height width] uint8 already") == true)
        let viewed = try BufferType(
            name: "Image", axes: ["height", "width"], format: .uint8, views: Object(["gray": .text("x")]))
        #expect(code { try types.register(viewed) } == "buffer/type")
        try types.register(other, replacing: true)
        #expect(try types.named("Image").format == .uint16)
        #expect(failure { try types.named("Imag") }?.help == "there are \"Image\"")
    }

    @Test func axesHaveTheirOwnNames() {
        #expect(code { try BufferType(name: "T", axes: ["a", "a"]) } == "buffer/type")
        #expect(code { try BufferType(name: "T", axes: [""]) } == "buffer/type")
        #expect(code { try BufferType(name: "", axes: []) } == "buffer/type")
        #expect(code { try BufferType(name: "T", axes: (0..<33).map(String.init)) } == "buffer/type")
    }

    @Test func layoutsAreChecked() throws {
        let type = try BufferType(name: "T", axes: ["x", "y"], format: .int8)
        try type.check(ArrayLayout(.int8, shape: [2, 3]))
        #expect(code { try type.check(ArrayLayout(.int8, shape: [2])) } == "buffer/type")
        #expect(code { try type.check(ArrayLayout(.int16, shape: [2, 3])) } == "buffer/type")
        #expect(try type.axis(named: "y") == 1)
        #expect(code { try type.axis(named: "z") } == "eval/index")
    }
}
