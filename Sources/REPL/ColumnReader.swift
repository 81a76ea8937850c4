import Buffers
import Language

/// Reads the items of a column whose contents are here. Whatever its arrays say, an item is a value or an error.
final class ColumnReader {
    let column: TableColumn
    private let name: String
    private let values: NumericArray?
    private let validity: NumericArray?
    private let offsets: NumericArray?
    private let data: NumericArray?
    private let dictionary: ColumnReader?

    /// - Throws: what `BufferObject.array` does.
    init(_ column: TableColumn, name: String) throws(Failure) {
        self.column = column
        self.name = name
        values = try column.values?.array()
        validity = try column.validity?.array()
        offsets = try column.offsets?.array()
        data = try column.data?.array()
        dictionary = if let words = column.dictionary.first { try ColumnReader(words, name: name) } else { nil }
    }

    func item(_ row: Int) throws(Failure) -> Value {
        if try isNull(row) { return .null }
        if let offsets, let data { return try text(row, offsets, data) }
        if let data { return .bool(try bit(row, of: data)) }
        guard let values else { return .null }
        let value = try values.value(at: [row])
        guard ElementFormat(rawValue: column.format) == nil, case .int(let number) = value else { return value }
        guard let dictionary else { return ColumnFormat.value(number, column.format) }
        guard number >= 0, number < dictionary.column.rows else {
            throw damaged("row \(row) is place \(number) in a dictionary of \(dictionary.column.rows)")
        }
        return try dictionary.item(number)
    }

    private func isNull(_ row: Int) throws(Failure) -> Bool {
        if let validity { return try !bit(row, of: validity) }
        return column.format == "null"
    }

    private func bit(_ row: Int, of bits: NumericArray) throws(Failure) -> Bool {
        guard case .int(let byte) = try bits.value(at: [row / 8]) else { return false }
        return byte >> (row % 8) & 1 == 1
    }

    private func text(_ row: Int, _ offsets: NumericArray, _ data: NumericArray) throws(Failure) -> Value {
        guard case .int(let start) = try offsets.value(at: [row]),
            case .int(let end) = try offsets.value(at: [row + 1]),
            start >= 0, start <= end, end <= data.count
        else { throw damaged("row \(row) lies outside its \(data.count) bytes") }
        let isText = column.format == "utf8"
        let part = try NumericArray(
            ArrayLayout(.uint8, shape: [end - start], offset: data.layout.offset + start), data.storage)
        let value = try part.withContiguousBytes { bytes throws(Failure) -> Value? in
            isText ? String(validating: bytes, as: UTF8.self).map(Value.text) : .bytes(Array(bytes))
        }
        guard let value else { throw damaged("row \(row) is not UTF-8") }
        return value
    }

    private func damaged(_ why: String) -> Failure {
        Failure("wire/unreadable", "the column \(Printer.quoted(name)) is damaged: \(why)")
    }
}
