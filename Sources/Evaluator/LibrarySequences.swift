import BigInt
import Language

/// Ordered collections: parts, order, making them.
extension Library {
    static func registerSequences(in machine: Machine) {
        registerEnds(in: machine)
        registerParts(in: machine)
        registerJoining(in: machine)
        registerRanges(in: machine)
    }

    private static func registerEnds(in machine: Machine) {
        for (name, text, example, key) in [
            ("first", "The first item; null when there is none.", "(first [1 2]) => 1", 0),
            ("last", "The last item; null when there is none.", "(last [1 2]) => 2", -1),
        ] {
            machine.add("(\(name) collection)", 1...1, text, example, lineage: .plain) {
                [unowned machine] arguments throws(Failure) in
                if case .object(let object) = try arguments.data(0) {
                    let entry = key == 0 ? object.entries.elements.first : object.entries.elements.last
                    return entry.map { Collections.pair($0.key, $0.value) } ?? .null
                }
                let whole = try arguments.stretch(0, atMost: key == 0 ? 1 : Limit.items + 1)
                if case .tagged = try arguments.data(0) { return whole.item(key) }
                return try machine.member(arguments[0], .int(key))
            }
        }
        machine.add(
            "(rest collection)", 1...1, "All items but the first.", "(rest [1 2 3]) => [2 3]", "(rest []) => []"
        ) { arguments throws(Failure) in
            let whole = try arguments.stretch(0)
            return whole.part(min(1, whole.count)..<whole.count)
        }
        machine.add(
            "(append collection …items)", 1...Int.max, "A vector with further items at its end.",
            "(append [1 2] 3) => [1 2 3]"
        ) { arguments throws(Failure) in .vector(Items(try arguments.items(0) + arguments.from(1))) }
        machine.add(
            "(prepend collection …items)", 1...Int.max, "A vector with further items at its start.",
            "(prepend [2 3] 1) => [1 2 3]"
        ) { arguments throws(Failure) in .vector(Items(arguments.from(1) + (try arguments.items(0)))) }
    }

    private static func registerParts(in machine: Machine) {
        machine.add(
            "(take n collection)", 2...2, "The first n items; of a text, characters. Takes the two in either order.",
            "(take 2 [1 2 3]) => [1 2]", "(take 2 \"héllo\") => \"hé\""
        ) { arguments throws(Failure) in
            let place = try arguments.numberPlace()
            let count = try arguments.size(place)
            let whole = try arguments.stretch(1 - place, atMost: min(count, Limit.items + 1))
            return whole.part(0..<min(count, whole.count))
        }
        machine.add(
            "(drop n collection)", 2...2, "All but the first n items. Takes the two in either order.",
            "(drop 1 [1 2 3]) => [2 3]", "(drop 2 \"héllo\") => \"llo\""
        ) { arguments throws(Failure) in
            let place = try arguments.numberPlace()
            let (count, whole) = (try arguments.size(place), try arguments.stretch(1 - place))
            return whole.part(min(count, whole.count)..<whole.count)
        }
        machine.add(
            "(slice collection start end)", 2...3,
            "The items from start up to end, or to the end; from the end when negative.",
            "(slice [1 2 3 4] 1 3) => [2 3]", "(slice \"héllo\" -3) => \"llo\""
        ) { arguments throws(Failure) in
            let whole = try arguments.stretch(0)
            let start = try bound(&arguments, 1, whole.count)
            let end = arguments.count == 3 ? try bound(&arguments, 2, whole.count) : whole.count
            return whole.part(start..<max(start, end))
        }
        machine.add(
            "(chunk collection n)", 2...2, "Vectors of n items each in a row; the last may have fewer.",
            "(chunk [1 2 3 4 5] 2) => [[1 2] [3 4] [5]]"
        ) { arguments throws(Failure) in
            let whole = try arguments.stretch(0)
            let size = try arguments.size(1)
            guard size > 0 else { throw arguments.wrong(1, "a size from 1") }
            let starts = stride(from: 0, to: whole.count, by: min(size, max(1, whole.count)))
            return .vector(Items(starts.map { whole.part($0..<($0 + min(size, whole.count - $0))) }))
        }
        machine.add(
            "(reverse collection)", 1...1, "The items, or a text's characters, from the last to the first.",
            "(reverse [1 2 3]) => [3 2 1]", "(reverse \"abc\") => \"cba\""
        ) { arguments throws(Failure) in try arguments.stretch(0).reversed }
    }

    /// An argument as a place in 0…count.
    private static func bound(_ arguments: inout Arguments, _ index: Int, _ count: Int) throws(Failure) -> Int {
        let place = try arguments.data(index)
        if case .null = place { return index == 1 ? 0 : count }
        let given = try arguments.bigInteger(index)
        guard let int = Int(exactly: given) else { return given.sign == .minus ? 0 : count }
        return int < 0 ? max(0, count &+ int) : min(int, count)
    }

    private static func registerJoining(in machine: Machine) {
        machine.add(
            "(concat …collections)", 0...Int.max, "The items of all collections in one vector.",
            "(concat [1] [2 3]) => [1 2 3]"
        ) { arguments throws(Failure) in
            var items: [Value] = []
            for index in 0..<arguments.count { items += try arguments.sequence(index) }
            try Limit.check(items.count, Limit.items, "items")
            return .vector(Items(items))
        }
        machine.add(
            "(flatten collection depth)", 1...2,
            "The items with those of vectors and lists inside in their place; depth is how far down, all the way without it.",
            "(flatten [1 [2 [3]]]) => [1 2 3]", "(flatten [1 [2 [3]]] 1) => [1 2 [3]]"
        ) { arguments throws(Failure) in
            let depth = arguments.count == 2 ? try arguments.size(1) : .max
            var items: [Value] = []
            for item in try arguments.items(0) { try flatten(item, depth, into: &items) }
            return .vector(Items(items))
        }
        machine.add(
            "(enumerate collection)", 1...1, "Pairs of each item's place, from 0, and the item.",
            "(enumerate [\"a\" \"b\"]) => [[0 \"a\"] [1 \"b\"]]"
        ) { arguments throws(Failure) in
            let items = try arguments.sequence(0)
            return .vector(Items(items.enumerated().map { .vector(Items([.int($0.offset), $0.element])) }))
        }
    }

    private static func flatten(_ item: Value, _ depth: Int, into items: inout [Value]) throws(Failure) {
        switch try item.unwrapped() {
        case .list(let inner) where depth > 0, .vector(let inner) where depth > 0:
            for item in inner.elements { try flatten(item, depth - 1, into: &items) }
        default: items.append(item)
        }
        try Limit.check(items.count, Limit.items, "items")
    }

    private static func registerRanges(in machine: Machine) {
        machine.add(
            "(range start end step)", 1...3,
            "The numbers from start up to end, which is left out; from 0 when only the end is given.",
            "(range 3) => [0 1 2]", "(range 1 10 3) => [1 4 7]", "(range 3 0 -1) => [3 2 1]"
        ) { arguments throws(Failure) in
            let start = arguments.count == 1 ? .int(0) : try arguments.number(0)
            let end = try arguments.number(arguments.count == 1 ? 0 : 1)
            let step = arguments.count == 3 ? try arguments.number(2) : .int(1)
            guard Number.compare(step, .int(0)) != .equal else { throw arguments.wrong(2, "a step other than zero") }
            if let a = Arithmetic.integer(start), let b = Arithmetic.integer(end), let c = Arithmetic.integer(step) {
                return .vector(Items(try range(a, b, c)))
            }
            let (a, b, c) = (try arguments.finite(start), try arguments.finite(end), try arguments.finite(step))
            let count = max(0, ((b - a) / c).rounded(.up))
            guard count <= Double(Limit.items) else {
                throw Failure("eval/size", "the range would have \(count) numbers")
            }
            return .vector(Items((0..<Int(count)).map { .double(a + Double($0) * c) }))
        }
    }

    private static func range(_ start: BigInt, _ end: BigInt, _ step: BigInt) throws(Failure) -> [Value] {
        let distance = step.sign == .minus ? start - end : end - start
        guard distance > 0 else { return [] }
        let size = BigInt(step.magnitude)
        let count = Int(exactly: (distance + size - 1) / size) ?? .max
        try Limit.check(count, Limit.items, "items")
        if let first = Int(exactly: start), Int(exactly: end) != nil, let step = Int(exactly: step) {
            // Every number lies between start and end, which are words; the way there may go over the edge and back.
            return (0..<count).map { .int(first &+ $0 &* step) }
        }
        return (0..<count).map { .integer(start + BigInt($0) * step) }
    }
}

extension Arguments {
    func finite(_ value: Value) throws(Failure) -> Double {
        guard let double = Arithmetic.double(value), double.isFinite else {
            throw Failure("eval/range", "\(function.name) takes finite numbers, got \(Describe.short(value))")
        }
        return double
    }
}
