import Language
import Wire

/// Objects that stay with the kernel, and objects of others that it holds.
enum HandleCases {
    static let group = CaseGroup(
        title: "handles",
        cases: [
            own(
                "ref-record",
                "send what it cannot copy as a Ref of its session and generation, with type, repr and callable"
            ) {
                probe, reference, body throws(Complaint) in
                guard reference.owner == Probe.session, reference.generation == Probe.generation, reference.number >= 1
                else {
                    throw .broken("its own object is [\(reference.owner) \(reference.generation) \(reference.number)]")
                }
                guard case .object(let record)? = try? JSON.parse(body), case .string(let type)? = record["type"],
                    !type.string.isEmpty, case .string(let repr)? = record["repr"],
                    repr.string.unicodeScalars.count <= 200,
                    case .bool(true)? = record["callable"]
                else {
                    throw .broken(
                        "the record lacks type, repr (200 characters at most) or callable: \(Probe.shown(body))")
                }
            },
            own("ref-identity", "give one object one number") { probe, reference, _ throws(Complaint) in
                let again = try probe.reference(in: try probe.value(of: probe.eval(try probe.sample("own"))))
                guard again == reference else {
                    throw .broken("the same object is number \(reference.number) and number \(again.number)")
                }
            },
            own("ref-home", "resolve its own Ref to the very object", samples: ["same"]) {
                probe, reference, body throws(Complaint) in
                let names = [("x", String(decoding: body, as: UTF8.self))]
                let id = probe.eval(try probe.sample("same"), names, references: [reference])
                try probe.expect(try probe.value(of: id), "true")
            },
            own("ref-unlisted", "refuse a Ref that the header does not list with wire/unreadable", needs: ["set"]) {
                probe, _, body throws(Complaint) in
                let path: [(String, Value)] = [("path", .texts(["conformance_x"]))]
                try probe.expectError(probe.request("set", path, body: body), ["wire/unreadable"])
            },
            own(
                "ref-stale",
                "refuse a Ref of another generation, or of a number it never gave, with session/stale-handle",
                needs: ["set"]
            ) {
                probe, reference, _ throws(Complaint) in
                for wrong in [
                    Reference(owner: reference.owner, generation: reference.generation + 1, number: reference.number),
                    Reference(owner: reference.owner, generation: reference.generation - 1, number: reference.number),
                    Reference(owner: reference.owner, generation: reference.generation, number: 99_999),
                ] {
                    let body = Array(References.record(wrong).utf8)
                    let id = probe.request(
                        "set", [("path", .texts(["conformance_x"]))], body: body, references: [wrong])
                    try probe.expectError(id, ["session/stale-handle"])
                }
            },
            own("ref-call", "call an object by its number", needs: ["call"]) { probe, reference, _ throws(Complaint) in
                let id = probe.request("call", [("ref", .int(reference.number))], body: Array("[[7],{}]".utf8))
                try probe.expect(try probe.value(of: id), "7")
            },
            own("ref-released", "drop an object when all its sendings are released, not before", needs: ["call"]) {
                probe, reference, _ throws(Complaint) in
                try releases(probe, reference)
            },
            Case(
                "ref-nested", "send objects inside containers as Refs, one that is twice in a message listed once",
                needs: ["eval", "release", "call"], samples: ["function", "own"], kernels: .json
            ) {
                probe throws(Complaint) in
                let (reference, body) = try handle(probe)
                let text = String(decoding: body, as: UTF8.self)
                let id = probe.request(
                    "call", [("ref", .int(reference.number))], body: Array("[[[\(text),{\"a\":\(text)}]],{}]".utf8),
                    references: [reference])
                let found = References.all(in: (try? JSON.parse(try probe.value(of: id))) ?? .null)
                guard found == [reference, reference] else { throw .broken("the object did not come home twice") }
            },
            Case(
                "ref-inspect", "describe an object", needs: ["eval", "release", "inspect"],
                samples: ["function", "own"], kernels: .json
            ) {
                probe throws(Complaint) in
                let (reference, _) = try handle(probe)
                let body = try probe.value(of: probe.request("inspect", [("ref", .int(reference.number))]))
                guard case .object(let about)? = try? JSON.parse(body), case .string? = about["type"],
                    case .string? = about["repr"], case .bool(true)? = about["callable"],
                    case .vector? = about["members"],
                    about.entries["length"] != nil
                else { throw .broken("expected {type repr callable length members}, got \(Probe.shown(body))") }
            },
            Case(
                "ref-equal", "compare an object by its language's equality", needs: ["eval", "release", "equal"],
                samples: ["function", "own"], kernels: .json
            ) {
                probe throws(Complaint) in
                let (reference, body) = try handle(probe)
                let fields: [(String, Value)] = [("ref", .int(reference.number))]
                try probe.expect(
                    try probe.value(of: probe.request("equal", fields, body: body, references: [reference])), "true")
                try probe.expect(try probe.value(of: probe.request("equal", fields, body: Array("7".utf8))), "false")
            },
            Case(
                "ref-unknown", "answer a request about a number that it never gave session/stale-handle",
                needs: ["release", "get"], kernels: .json
            ) {
                probe throws(Complaint) in
                let id = probe.request("get", [("ref", .int(77_777)), ("path", .texts(["a"]))])
                try probe.expectError(id, ["session/stale-handle"])
            },
            Case(
                "hold", "send what could be copied as a Ref when it is to be held", needs: ["eval", "hold", "release"],
                samples: ["list"], kernels: .json
            ) {
                probe throws(Complaint) in
                _ = try held(probe)
            },
            Case(
                "items", "give items in chunks, and an iterator for the rest",
                needs: ["eval", "hold", "items", "release"], samples: ["list"], kernels: .json
            ) {
                probe throws(Complaint) in
                try chunks(probe)
            },
            Case(
                "item", "get and set an item by its key", needs: ["eval", "hold", "get", "set", "release"],
                samples: ["list"], kernels: .json
            ) {
                probe throws(Complaint) in
                let list = try held(probe)
                let fields: [(String, Value)] = [("ref", .int(list.number)), ("item", .bool(true))]
                try probe.expect(try probe.value(of: probe.request("get", fields, body: Array("1".utf8))), "2")
                _ = try probe.value(of: probe.request("set", fields, body: Array("[1,\"new\"]".utf8)))
                try probe.expect(try probe.value(of: probe.request("get", fields, body: Array("1".utf8))), "\"new\"")
                // Whether there being no such item is an error is the language's affair.
                _ = try probe.answer(to: probe.request("get", fields, body: Array("99".utf8)))
            },
            Case(
                "copy", "send a held object as a copy when one is asked for",
                needs: ["eval", "hold", "copy", "get", "release"], samples: ["list"], kernels: .json
            ) {
                probe throws(Complaint) in
                let list = try held(probe)
                let id = probe.request("get", [("ref", .int(list.number)), ("copy", .bool(true))])
                try probe.expect(try probe.value(of: id), "[1,2,3,4,5]")
            },
            Case("foreign", "carry an object of another session through unchanged", needs: ["release"], kernels: .json)
            {
                probe throws(Complaint) in
                let foreign = probe.newReference()
                let record = References.record(foreign)
                let came = try probe.echo(Array("[\(record),\(record)]".utf8), references: [foreign])
                guard References.all(in: (try? JSON.parse(came)) ?? .null) == [foreign, foreign] else {
                    throw .broken("it came back as \(Probe.shown(came))")
                }
            },
            Case(
                "foreign-release",
                "give back an object of another session as often as it was sent, once it has dropped it",
                needs: ["eval", "release", "set"], samples: ["drop"], kernels: .json
            ) {
                probe throws(Complaint) in
                try givesBack(probe)
            },
        ])

    /// A case about the sample `own`, a function of the kernel's.
    private static func own(
        _ name: String, _ rule: String, needs: [String] = [], samples: [String] = [],
        _ run: @escaping @Sendable (Probe, Reference, [UInt8]) throws(Complaint) -> Void
    ) -> Case {
        Case(name, rule, needs: ["eval", "release"] + needs, samples: ["function", "own"] + samples, kernels: .json) {
            probe throws(Complaint) in
            let (reference, body) = try handle(probe)
            try run(probe, reference, body)
        }
    }

    /// The kernel's function `own` as it crosses.
    static func handle(_ probe: Probe) throws(Complaint) -> (Reference, [UInt8]) {
        _ = try probe.value(of: probe.eval(try probe.sample("function")))
        let body = try probe.value(of: probe.eval(try probe.sample("own")))
        return (try probe.reference(in: body), body)
    }

    private static func held(_ probe: Probe) throws(Complaint) -> Reference {
        let body = try probe.value(of: probe.eval(try probe.sample("list"), flags: [("hold", .bool(true))]))
        let reference = try probe.reference(in: body)
        guard reference.owner == Probe.session, reference.generation == Probe.generation else {
            throw .broken("its own object is [\(reference.owner) \(reference.generation) \(reference.number)]")
        }
        return reference
    }

    private static func release(_ probe: Probe, _ reference: Reference, _ times: Int) {
        let record = Value.vector(
            Items([.text(reference.owner), .int(reference.generation), .int(reference.number), .int(times)]))
        probe.tell("release", [("refs", .vector(Items([record])))])
    }

    private static func releases(_ probe: Probe, _ first: Reference) throws(Complaint) {
        // Anew, so that the count of its sendings is known.
        let (reference, _) = try fresh(probe, after: first)
        let call: [(String, Value)] = [("ref", .int(reference.number))]
        let body = Array("[[7],{}]".utf8)
        _ = try probe.value(of: probe.eval(try probe.sample("own")))
        release(probe, reference, 1)
        try probe.expect(try probe.value(of: probe.request("call", call, body: body)), "7")
        release(probe, reference, 1)
        try probe.expectError(probe.request("call", call, body: body), ["session/stale-handle"])
        let later = try probe.reference(in: try probe.value(of: probe.eval(try probe.sample("own"))))
        guard later.number != reference.number else { throw .broken("the number \(reference.number) was given twice") }
    }

    /// A new function `own`, sent once.
    private static func fresh(_ probe: Probe, after old: Reference) throws(Complaint) -> (Reference, [UInt8]) {
        release(probe, old, 1000)
        let (reference, body) = try handle(probe)
        return (reference, body)
    }

    private static func chunks(_ probe: Probe) throws(Complaint) {
        var asked = try held(probe)
        var all: [Value] = []
        for round in 0..<5 {
            let id = probe.request("items", [("ref", .int(asked.number)), ("count", .int(2))])
            guard case .value(let reply, let body) = try probe.answer(to: id),
                case .vector(let items)? = try? JSON.parse(body)
            else { throw .broken("expected a vector of items") }
            guard items.elements.count <= 2 else { throw .broken("more items than were asked for") }
            all += items.elements
            guard reply.more == true else { break }
            guard let iterator = reply.iterator, round < 4 else { throw .broken("more, but no iterator to ask for it") }
            asked = iterator
        }
        guard let same = try? Value.equal(.vector(Items(all)), .vector(Items((1...5).map { .int($0) }))), same else {
            throw .broken("the items are \((try? JSON.text(.vector(Items(all)))) ?? "?")")
        }
    }

    private static func givesBack(_ probe: Probe) throws(Complaint) {
        let foreign = probe.newReference()
        let path: [(String, Value)] = [("path", .texts(["conformance_y"]))]
        for _ in 0..<3 {
            _ = try probe.value(
                of: probe.request("set", path, body: Array(References.record(foreign).utf8), references: [foreign]))
        }
        _ = try probe.value(of: probe.request("set", path, body: Array("null".utf8)))
        for _ in 0..<20 {
            _ = try probe.value(of: probe.eval(try probe.sample("drop")))
            try probe.settle()
            if probe.released[foreign, default: 0] == 3 { return }
        }
        throw .broken("it was sent 3 times and given back \(probe.released[foreign, default: 0]) times")
    }
}
