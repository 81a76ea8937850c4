import Buffers
import Evaluator
import Language

/// Arrays in files: `.npy`, raw bytes, and pictures, which Python reads and writes.
extension Router {
    private static let pictures: Set = ["png", "jpg", "jpeg", "gif", "bmp", "tif", "tiff", "webp", "ppm", "pgm"]

    func registerBufferFiles() {
        machine.register(
            Control(
                "(buffer.load path …:format format :shape [n …])", arity: 1...Int.max,
                documentation: Documentation(
                    "The array in a .npy file, in a picture, or in any other file as raw bytes, whose format (uint8 without one) "
                        + "and shape are given.",
                    examples: [
                        "(do (buffer.save (buffer.from [[1 2] [3 4]]) \"/tmp/meta-example.npy\") "
                            + "(buffer.data (buffer.load \"/tmp/meta-example.npy\"))) => [[1 2] [3 4]]"
                    ])
            ) { [unowned self] arguments, fiber throws(Failure) in
                let given = try Given(arguments)
                let path = try arguments.path(0)
                if Self.pictures.contains(Self.ending(path)) { return try picture(path, in: fiber) }
                return .value(.function(BufferObject(try load(path, given), router: self)))
            })
        machine.register(
            Control(
                "(buffer.save buffer path)", arity: 2...2,
                documentation: Documentation(
                    "Writes an array: as .npy or as a picture where the path ends so, otherwise its bytes in C order. Gives the path.",
                    examples: [
                        "(buffer.save (buffer.from [1 2] \"uint8\") \"/tmp/meta-example.raw\") => \"/tmp/meta-example.raw\""
                    ])
            ) { [unowned self] arguments, fiber throws(Failure) in
                let path = try arguments.path(1)
                if Self.pictures.contains(Self.ending(path)) {
                    return try runtime(.text("py")).call(["meta", "save_image"], [arguments[0], .text(path)], in: fiber)
                }
                let array = try buffer(0, of: arguments).array()
                if Self.ending(path) == "npy" { try array.writeNPY(to: path) } else { try array.writeRaw(to: path) }
                return .value(arguments[1])
            })
        machine.register(
            Control(
                "(fetch-image path)", arity: 1...1,
                documentation: Documentation(
                    "A picture as an array of Python's, read by Pillow: [height width 3] as ImageRGB, [height width 4] as ImageRGBA, "
                        + "[height width] as ImageGray.",
                    examples: ["(try (fetch-image \"no such.png\") (catch e \"no picture\")) => \"no picture\""])
            ) { [unowned self] arguments, fiber throws(Failure) in try picture(try arguments.path(0), in: fiber) })
    }

    private func picture(_ path: String, in fiber: Fiber) throws(Failure) -> Step {
        try runtime(.text("py")).call(["meta", "load_image"], [.text(path)], in: fiber)
    }

    private static func ending(_ path: String) -> String {
        path.split(separator: "/").last?.split(separator: ".").dropFirst().last?.lowercased() ?? ""
    }

    private func load(_ path: String, _ given: Given) throws(Failure) -> NumericArray {
        guard let status = Files.status(path) else { throw LibraryFiles.failure("read", path) }
        if given.keywords.isEmpty, Self.ending(path) == "npy" { return try NumericArray(npy: path) }
        var format = ElementFormat.uint8
        var shape: [Int]?
        for (key, value) in given.keywords {
            switch (key, try value.unwrapped()) {
            case ("format", let text) where text.nameText != nil: format = try ElementFormat(name: text.nameText ?? "")
            case ("shape", .vector(let items)):
                shape = try items.elements.map { item throws(Failure) in
                    guard case .int(let extent) = try item.unwrapped() else { throw Self.wrongShape(value) }
                    return extent
                }
            default:
                throw Failure(
                    "eval/keyword", "buffer.load does not take :\(key) \(Describe.short(value))",
                    help: "it takes :format \"uint8\" and :shape [2 3]")
            }
        }
        let size = Int(status.st_size)
        guard shape != nil || size.isMultiple(of: format.size) else {
            throw Failure(
                "buffer/range", "\(path) has \(size) bytes, which are no whole number of \(format.rawValue) items")
        }
        return try NumericArray(raw: path, format: format, shape: shape ?? [size / format.size])
    }

    private static func wrongShape(_ value: Value) -> Failure {
        Failure("eval/type", "a shape is a vector of integers, got \(Describe.short(value))")
    }
}
