import Glibc
import Language
import Sessions
import Wire

/// The kernel as a process: its descriptors, and its end.
enum ProcessCases {
    static let group = CaseGroup(
        title: "process",
        cases: [
            Case("sockets-moved", "move its two sockets to numbers of 10 and more", fresh: true) {
                probe throws(Complaint) in
                guard !probe.samples.cannotMoveDescriptors else {
                    throw .unsampled("the language has no way to move a descriptor")
                }
                try probe.settle()
                let sockets = descriptors(of: probe.kernel.pid).filter { $0.1.hasPrefix("socket:") }
                for (number, target) in sockets where number < 10 && number > 2 {
                    throw .broken("descriptor \(number) is \(target)")
                }
            },
            Case(
                "exec-log", "not mind that descriptors 3 and 4 are used by the user's code", needs: ["eval"],
                samples: ["exec log"], fresh: true
            ) {
                probe throws(Complaint) in
                try probe.expect(try probe.value(of: probe.eval(try probe.sample("exec log"))), "42")
                try probe.settle()
            },
            Case(
                "close-on-exec", "keep its sockets from the programs that it starts", needs: ["eval"],
                samples: ["children"], fresh: true
            ) {
                probe throws(Complaint) in
                let body = try probe.value(of: probe.eval(try probe.sample("children")))
                let text = probe.isPlain ? String(decoding: body, as: UTF8.self) : probe.text(body)
                let numbers = text.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
                guard !numbers.isEmpty, numbers.allSatisfy({ $0 <= 3 }) else {
                    throw .broken("a program that it started has the descriptors \(text)")
                }
            },
            Case("standard-input", "leave standard input to the user's code", fresh: true) { probe throws(Complaint) in
                try probe.settle()
                guard descriptors(of: probe.kernel.pid).contains(where: { $0.0 == 0 }) else {
                    throw .broken("descriptor 0 is closed")
                }
            },
            Case("ends-with-its-socket", "end when its request socket closes", fresh: true) { probe throws(Complaint) in
                try probe.settle()
                probe.kernel.closeSockets()
                guard probe.kernel.ending(until: min(probe.deadline, .now + .seconds(3))) != nil else {
                    throw .broken("it lives on 3 s after its sockets were closed")
                }
            },
            Case("ends-without-hello", "end when its sockets close before it was answered", fresh: true) {
                probe throws(Complaint) in
                probe.kernel.closeSockets()
                guard probe.kernel.ending(until: min(probe.deadline, .now + .seconds(3))) != nil else {
                    throw .broken("it lives on 3 s after its sockets were closed")
                }
            },
        ])

    /// The open descriptors of a process, each with what it is.
    private static func descriptors(of pid: pid_t) -> [(Int, String)] {
        guard let directory = opendir("/proc/\(pid)/fd") else { return [] }
        defer { closedir(directory) }
        var found: [(Int, String)] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let number = Int(name) else { continue }
            var bytes = [CChar](repeating: 0, count: 256)
            let count = readlink("/proc/\(pid)/fd/\(name)", &bytes, bytes.count)
            found.append(
                (number, String(decoding: bytes.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)))
        }
        return found
    }
}

extension Probe {
    /// The text that a body is.
    func text(_ body: [UInt8]) -> String {
        guard case .string(let text)? = try? JSON.parse(body) else { return String(decoding: body, as: UTF8.self) }
        return text.string
    }
}
