import Language

/// A header's fields. Unknown ones are ignored; one of the wrong kind counts as unreadable.
struct HeaderFields {
    private let object: Object

    /// Why a header cannot be read, as its sender should hear it.
    struct Problem: Error {
        let reason: String
    }

    init(_ header: [UInt8]) throws(Problem) {
        let value: Value
        do {
            value = try JSON.parse(header)
        } catch {
            throw Problem(reason: error.message)
        }
        guard case .object(let object) = value else { throw Problem(reason: "not a JSON object") }
        self.object = object
    }

    private init(_ object: Object) {
        self.object = object
    }

    private subscript(_ name: String) -> Value? {
        guard let value = object[name] else { return nil }
        if case .null = value { return nil }
        return value
    }

    private func wrong(_ name: String) -> Problem {
        Problem(reason: "wrong kind of field '\(name)'")
    }

    func text(_ name: String) throws(Problem) -> String? {
        guard let value = self[name] else { return nil }
        guard case .string(let text) = value else { throw wrong(name) }
        return text.string
    }

    func required<T>(_ value: T?, _ name: String) throws(Problem) -> T {
        guard let value else { throw Problem(reason: "no field '\(name)'") }
        return value
    }

    func integer(_ name: String) throws(Problem) -> Int? {
        switch self[name] {
        case nil: return nil
        case .int(let number): return number
        default: throw wrong(name)
        }
    }

    func number(_ name: String) throws(Problem) -> Double? {
        switch self[name] {
        case nil: return nil
        case .int(let number): return Double(number)
        case .double(let number): return number
        default: throw wrong(name)
        }
    }

    func flag(_ name: String) throws(Problem) -> Bool? {
        switch self[name] {
        case nil: return nil
        case .bool(let flag): return flag
        default: throw wrong(name)
        }
    }

    func texts(_ name: String) throws(Problem) -> [String]? {
        guard let items = try items(name) else { return nil }
        return try items.map { item throws(Problem) in
            guard case .string(let text) = item else { throw wrong(name) }
            return text.string
        }
    }

    func parts(_ name: String) throws(Problem) -> [HeaderFields] {
        try (try items(name) ?? []).map { item throws(Problem) in
            guard case .object(let object) = item else { throw wrong(name) }
            return HeaderFields(object)
        }
    }

    func part(_ name: String) throws(Problem) -> HeaderFields? {
        guard let value = self[name] else { return nil }
        guard case .object(let object) = value else { throw wrong(name) }
        return HeaderFields(object)
    }

    /// `["py",1,12]`
    func reference(_ name: String) throws(Problem) -> Reference? {
        guard let value = self[name] else { return nil }
        return try reference(of: value, name).0
    }

    func references(_ name: String) throws(Problem) -> [Reference] {
        try (try items(name) ?? []).map { item throws(Problem) in try reference(of: item, name).0 }
    }

    /// `["py",1,12,3]`
    func releases(_ name: String) throws(Problem) -> [Release] {
        try (try items(name) ?? []).map { item throws(Problem) in
            let (reference, times) = try reference(of: item, name)
            guard let times, times > 0 else { throw wrong(name) }
            return Release(reference, times: times)
        }
    }

    private func reference(of value: Value, _ name: String) throws(Problem) -> (Reference, times: Int?) {
        guard case .vector(let items) = value, (3...4).contains(items.elements.count),
            case .string(let owner) = items.elements[0], case .int(let generation) = items.elements[1],
            case .int(let number) = items.elements[2], number > 0
        else { throw wrong(name) }
        var times: Int?
        if items.elements.count == 4, case .int(let count) = items.elements[3] { times = count }
        return (Reference(owner: owner.string, generation: generation, number: number), times)
    }

    private func items(_ name: String) throws(Problem) -> [Value]? {
        guard let value = self[name] else { return nil }
        guard case .vector(let items) = value else { throw wrong(name) }
        return items.elements
    }
}

/// How many of the times that an object was sent its receiver is done with.
public struct Release: Hashable, Sendable {
    public let reference: Reference
    public let times: Int

    public init(_ reference: Reference, times: Int) {
        self.reference = reference
        self.times = times
    }

    /// The header of the message that tells several; it has no id and gets no reply.
    public static func header(_ releases: [Release]) -> [UInt8] {
        var out = Array("{\"op\":\"release\",\"refs\":[".utf8)
        for (index, release) in releases.enumerated() {
            if index > 0 { out.append(44) }
            JSONText.appendReference(release.reference, times: release.times, to: &out)
        }
        out += [93, 125]
        return out
    }
}
