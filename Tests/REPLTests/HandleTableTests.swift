import Language
import Testing
import Wire

@testable import REPL

/// The books over what stays with its owner, without any session: generations are what the test says.
struct HandleTableTests {
    final class Sessions {
        var generations = ["py": 1, "js": 1]
    }

    let sessions = Sessions()
    let router = Router(version: "test", console: Console(printsToStandardError: true))
    let table: HandleTable

    init() {
        let (sessions, router) = (sessions, router)
        table = HandleTable(
            router: router, generation: { sessions.generations[$0] }, makeHandle: { Handle($0, $1, router: router) })
    }

    private func py(_ number: Int, generation: Int = 1) -> Reference {
        Reference(owner: "py", generation: generation, number: number)
    }

    private func record(_ reference: Reference) -> ReferenceRecord {
        ReferenceRecord(reference: reference, type: "T", repr: "r", isCallable: false)
    }

    private func handle(_ reference: Reference) throws -> Handle {
        guard case .function(let function) = try table.value(of: record(reference)) else {
            throw Failure("test", "no function")
        }
        return try #require(function as? Handle)
    }

    /// The code of the error, or nil.
    private func code(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return (error as? Failure)?.code ?? "\(error)"
        }
    }

    @Test func `what nobody keeps is released at the next frame with all that was received`() throws {
        try table.receive([py(1), py(2)], from: "py")
        try table.receive([py(1)], from: "py")
        #expect(table.takeReleases(for: "py") == [Release(py(2), times: 1)])
        try table.receive([py(3)], from: "py")
        #expect(Set(table.takeReleases(for: "py")) == [Release(py(1), times: 2)])
        #expect(table.takeReleases(for: "py").isEmpty)
    }

    @Test func `one handle stands for one object, and keeps it`() throws {
        try table.receive([py(1)], from: "py")
        var first: Handle? = try handle(py(1))
        try table.receive([py(1)], from: "py")
        var second: Handle? = try handle(py(1))
        #expect(first === second)
        try table.receive([], from: "py")
        #expect(table.takeReleases(for: "py").isEmpty)
        first = nil
        #expect(table.takeReleases(for: "py").isEmpty)
        second = nil
        #expect(table.takeReleases(for: "py") == [Release(py(1), times: 2)])
    }

    @Test func `a value that nobody has looked into keeps its objects`() throws {
        try table.receive([py(1), py(2)], from: "py")
        var parcel: Parcel? = table.parcel([], [py(1), py(2)], Sharing())
        try table.receive([], from: "py")
        #expect(parcel?.references.count == 2)
        #expect(table.takeReleases(for: "py").isEmpty)
        parcel = nil
        #expect(table.takeReleases(for: "py").count == 2)
    }

    @Test func `a third session holds an object until it has released as often as it was sent it`() throws {
        try table.receive([py(1)], from: "py")
        table.send([py(1)], to: "js")
        table.send([py(1)], to: "js")
        try table.receive([], from: "py")
        #expect(table.takeReleases(for: "py").isEmpty)
        table.release(Release(py(1), times: 1), by: "js")
        #expect(table.takeReleases(for: "py").isEmpty)
        try table.receive([py(1)], from: "js")
        try table.receive([], from: "js")
        table.release(Release(py(1), times: 1), by: "js")
        #expect(table.takeReleases(for: "py") == [Release(py(1), times: 1)])
        #expect(code { try table.receive([py(1)], from: "js") } == "wire/unreadable")
    }

    @Test func `a release that crosses a sending loses nothing`() throws {
        try table.receive([py(1)], from: "py")
        table.send([py(1)], to: "js")
        table.send([py(1)], to: "js")
        table.release(Release(py(1), times: 1), by: "js")
        try table.receive([], from: "js")
        #expect(table.takeReleases(for: "py").isEmpty)
        #expect(code { try table.receive([py(1)], from: "js") } == nil)
    }

    @Test func `going home counts as nothing`() throws {
        try table.receive([py(1)], from: "py")
        table.send([py(1)], to: "py")
        try table.receive([], from: "py")
        #expect(table.takeReleases(for: "py") == [Release(py(1), times: 1)])
    }

    @Test func `a session names only its own objects and what it holds`() throws {
        try table.receive([py(1)], from: "py")
        #expect(code { try table.receive([py(1)], from: "js") } == "wire/unreadable")
        #expect(code { try table.receive([py(1, generation: 2)], from: "py") } == "wire/unreadable")
        #expect(code { try table.receive([py(0)], from: "py") } == "wire/unreadable")
        let forged = Reference(owner: "meta", generation: 1, number: 1)
        #expect(code { try table.receive([forged], from: "py") } == "wire/unreadable")
        #expect(code { try table.receive([py(1, generation: 0)], from: "js") } == "session/stale-handle")
    }

    @Test func `more releases than sendings do no harm`() throws {
        try table.receive([py(1)], from: "py")
        let kept = try handle(py(1))
        table.send([py(1)], to: "js")
        for times in [0, -1, 5, .max] { table.release(Release(py(1), times: times), by: "js") }
        table.release(Release(py(1), times: 1), by: "py")
        table.release(Release(py(99), times: 1), by: "js")
        #expect(table.takeReleases(for: "py").isEmpty)
        #expect(code { try table.check(kept.lease) } == nil)
    }

    @Test func `a function of meta has one number while somebody holds it`() throws {
        let function = Function(name: "f", signature: "(f)", kind: .builtin)
        let reference = try table.record(of: function).reference
        #expect(try table.record(of: function).reference == reference)
        table.send([reference], to: "py")
        #expect(try table.function(reference) === function)
        try table.receive([reference], from: "py")
        #expect(code { try table.receive([reference], from: "js") } == "wire/unreadable")
        table.release(Release(reference, times: 1), by: "py")
        _ = table.takeReleases()
        #expect(code { _ = try table.function(reference) } == "session/stale-handle")
        #expect(try table.record(of: function).reference != reference)
    }

    @Test func `a function whose body was never sent is forgotten`() throws {
        let reference = try table.record(of: Function(name: "f", signature: "(f)", kind: .builtin)).reference
        table.send([], to: "py")
        #expect(code { _ = try table.function(reference) } == "session/stale-handle")
    }

    @Test func `the end of a session makes its objects stale and gives up what it held`() throws {
        let function = Function(name: "f", signature: "(f)", kind: .builtin)
        let own = try table.record(of: function).reference
        table.send([own], to: "py")
        try table.receive([py(1)], from: "py")
        let kept = try handle(py(1))
        let js = Reference(owner: "js", generation: 1, number: 1)
        try table.receive([js], from: "js")
        table.send([js], to: "py")
        try table.receive([], from: "py")
        sessions.generations["py"] = nil
        #expect(code { try table.check(kept.lease) } == "session/stale-handle")
        #expect(table.takeReleases(for: "js") == [Release(js, times: 1)])
        #expect(table.rows().isEmpty)
        sessions.generations["py"] = 2
        #expect(code { _ = try table.record(of: kept) } == "session/stale-handle")
        try table.receive([py(1, generation: 2)], from: "py")
        #expect(code { try table.check(kept.lease) } == "session/stale-handle")
    }

    @Test func `what was given back is an error to use, and comes again as a new handle`() throws {
        try table.receive([py(1)], from: "py")
        let first = try handle(py(1))
        table.giveBack(first.lease)
        #expect(table.takeReleases(for: "py") == [Release(py(1), times: 1)])
        #expect(code { try table.check(first.lease) } == "session/stale-handle")
        try table.receive([py(1)], from: "py")
        let second = try handle(py(1))
        #expect(second !== first)
        #expect(code { try table.check(second.lease) } == nil)
        #expect(code { try table.check(first.lease) } == "session/stale-handle")
    }

    /// Sendings and releases at random: at the end every owner has been told of each sending once.
    @Test(arguments: 0..<20) func `every sending is released once`(seed: Int) throws {
        var random = SplitMix(state: UInt64(seed))
        var sent: [Reference: Int] = [:]
        var released: [Reference: Int] = [:]
        var atJS: [Reference: Int] = [:]
        var handles: [Handle] = []
        for _ in 0..<2_000 {
            let reference = py(random.below(20) + 1)
            switch random.below(6) {
            case 0, 1:
                try table.receive([reference], from: "py")
                sent[reference, default: 0] += 1
                if random.below(2) == 0 { handles.append(try handle(reference)) }
            case 2: if !handles.isEmpty { handles.remove(at: random.below(handles.count)) }
            case 3:
                guard let handle = handles.last else { continue }
                table.send([handle.record.reference], to: "js")
                atJS[handle.record.reference, default: 0] += 1
            case 4:
                guard let (held, times) = atJS.first else { continue }
                let count = random.below(times) + 1
                table.release(Release(held, times: count), by: "js")
                atJS[held] = times == count ? nil : times - count
            default: for one in table.takeReleases(for: "py") { released[one.reference, default: 0] += one.times }
            }
            for held in atJS.keys { #expect(released[held, default: 0] < sent[held, default: 0]) }
        }
        handles = []
        for (held, times) in atJS { table.release(Release(held, times: times), by: "js") }
        try table.receive([], from: "py")
        for one in table.takeReleases(for: "py") { released[one.reference, default: 0] += one.times }
        #expect(released == sent)
        #expect(table.rows().isEmpty)
    }
}

/// Steele, Lea and Flood 2014; the seed decides the numbers.
private struct SplitMix {
    var state: UInt64

    mutating func below(_ limit: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((z ^ (z >> 31)) % UInt64(limit))
    }
}
