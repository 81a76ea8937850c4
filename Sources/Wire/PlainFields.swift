/// Netstrings, `<decimal>:<bytes>,` one behind the other: what a kernel without JSON reads and writes.
public enum PlainFields {
    public static func encode(_ fields: [[UInt8]]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(fields.reduce(0) { $0 + $1.count + 8 })
        for field in fields { append(field, to: &bytes) }
        return bytes
    }

    public static func encode(_ fields: [String]) -> [UInt8] {
        encode(fields.map { Array($0.utf8) })
    }

    static func append(_ field: some Collection<UInt8>, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: String(field.count).utf8)
        bytes.append(58)
        bytes.append(contentsOf: field)
        bytes.append(44)
    }

    /// - Throws: `WireError.unreadableFields` with the offset of the field that is malformed or cut off.
    public static func decode(_ bytes: [UInt8]) throws(WireError) -> [[UInt8]] {
        var fields: [[UInt8]] = []
        var position = 0
        while position < bytes.count {
            let start = position
            var count = 0
            while position < bytes.count, (48...57).contains(bytes[position]), position - start < 10 {
                count = count * 10 + Int(bytes[position] - 48)
                position += 1
            }
            guard position > start, position < bytes.count, bytes[position] == 58,
                position + 1 + count < bytes.count, bytes[position + 1 + count] == 44
            else { throw .unreadableFields(offset: start) }
            fields.append(Array(bytes[(position + 1)..<(position + 1 + count)]))
            position += count + 2
        }
        return fields
    }

    /// Alternating names and values as pairs.
    static func decodePairs(_ bytes: [UInt8]) throws(WireError) -> [String: String] {
        let fields = try decode(bytes)
        guard fields.count.isMultiple(of: 2) else { throw .unreadableFields(offset: bytes.count) }
        var pairs: [String: String] = [:]
        for index in stride(from: 0, to: fields.count, by: 2) {
            pairs[String(decoding: fields[index], as: UTF8.self)] = String(decoding: fields[index + 1], as: UTF8.self)
        }
        return pairs
    }
}
