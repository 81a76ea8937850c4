import Language
import Wire

/// What cases ask and expect, in a line each.
extension Probe {
    func sample(_ name: String) throws(Complaint) -> String {
        guard let text = samples[name] else { throw .unsampled(name) }
        return text
    }

    /// Sends source to be run, with values bound to names.
    @discardableResult
    func eval(
        _ code: String, _ names: [(String, String)] = [], flags: [(String, Value)] = [],
        references: [Reference] = [], inside upcall: Int? = nil
    ) -> Int {
        let id = request(
            "eval", [("code", .text(code)), ("name", .text("<conformance>"))] + flags, body: bindings(names),
            references: references, inside: upcall)
        return id
    }

    private func bindings(_ names: [(String, String)]) -> [UInt8] {
        guard !names.isEmpty else { return [] }
        if isPlain { return PlainFields.encode(names.flatMap { [$0.0, $0.1] }) }
        return Array(("{" + names.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}").utf8)
    }

    /// The value of a request that must succeed: its body, or what a kernel of plain fields printed meanwhile.
    func value(of id: Int, on line: RawLine = .requests) throws(Complaint) -> [UInt8] {
        let before = kernel.output.count
        switch try answer(to: id, on: line) {
        case .value(_, let body): return isPlain && body.isEmpty ? Array(kernel.output[before...]) : body
        case .error(let error, _): throw .broken("expected a value, got \(error.code): \(error.message)")
        }
    }

    /// The value of source, asked for again where a signal that was meant for an earlier request ends it.
    func valueAfterInterrupts(_ code: String) throws(Complaint) -> [UInt8] {
        while true {
            let before = kernel.output.count
            switch try answer(to: eval(code)) {
            case .value(_, let body): return isPlain && body.isEmpty ? Array(kernel.output[before...]) : body
            case .error(let error, _):
                guard error.code == "runtime/interrupted", takeStray() else {
                    throw .broken("expected a value, got \(error.code): \(error.message)")
                }
            }
        }
    }

    /// The error of a request that must fail with one of these codes; any code when none is given.
    @discardableResult
    func expectError(_ id: Int, _ codes: [String] = [], on line: RawLine = .requests) throws(Complaint) -> ErrorHeader {
        switch try answer(to: id, on: line) {
        case .value(_, let body):
            throw .broken(
                "expected \(codes.isEmpty ? "an error" : codes.joined(separator: " or ")), got the value \(Self.shown(body))"
            )
        case .error(let error, _):
            guard codes.isEmpty || codes.contains(error.code) else {
                throw .broken("expected \(codes.joined(separator: " or ")), got \(error.code): \(error.message)")
            }
            return error
        }
    }

    /// That a value is the one written here, spellings aside.
    func expect(_ came: [UInt8], _ wanted: String) throws(Complaint) {
        if isPlain {
            guard came == Array(wanted.utf8) else { throw .broken("expected \(wanted), got \(Self.shown(came))") }
            return
        }
        guard try Bodies(samples: samples).isSame(Array(wanted.utf8), came) else {
            throw .broken("expected \(Self.shown(Array(wanted.utf8))), got \(Self.shown(came))")
        }
    }

    /// The kernel's value of a JSON text, there and back by the way that it has: `set` and `get`, or `eval`.
    func echo(
        _ body: [UInt8], references: [Reference] = [], flags: [(String, Value)] = []
    ) throws(Complaint) -> [UInt8] {
        if declares("set"), declares("get"), !isPlain {
            let path: [(String, Value)] = [("path", .texts(["conformance_x"]))]
            _ = try value(of: request("set", path, body: body, references: references))
            return try value(of: request("get", path + flags))
        }
        guard declares("eval") else { throw .undeclared(["set", "get"]) }
        return try value(
            of: eval(try sample("value"), [("x", String(decoding: body, as: UTF8.self))], references: references))
    }

    /// The one object of the kernel's that a body is.
    func reference(in body: [UInt8]) throws(Complaint) -> Reference {
        guard let value = try? JSON.parse(body), case .object(let object) = value,
            let reference = References.reference(of: object)
        else { throw .broken("expected a Ref, got \(Self.shown(body))") }
        return reference
    }
}
