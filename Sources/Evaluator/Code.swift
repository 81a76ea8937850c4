import Language

/// A function's instructions and what they refer to.
final class Code {
    let name: String
    let signature: String
    let parameterCount: Int
    let hasRest: Bool
    let isMeta: Bool
    let returnsCode: Bool
    /// The most values the frame holds, arguments included.
    let frameSize: Int
    /// Whether calls need no more than a check of their number.
    let isSimple: Bool
    let captures: [Capture]
    let codes: [Code]
    let globals: [Global]
    let masks: [UInt64]
    private let sites: [(index: Int, site: Location)]
    let site: Location?
    let graveyard: Graveyard

    /// Safety: allocated in `init`, freed in `deinit`, not changed between.
    let instructions: UnsafeMutablePointer<Instruction>
    let instructionCount: Int
    let constants: UnsafeMutablePointer<Value>
    private let constantCount: Int
    /// The slots of `globals`, which keeps them alive.
    let slots: UnsafeMutablePointer<UnsafeMutablePointer<Value>>

    /// Where a closure finds a captured value when it is made: in its maker's frame or among its maker's captures.
    enum Capture {
        case local(Int)
        case captured(Int)
    }

    init(
        lambda: Lambda, frameSize: Int, captures: [Capture], instructions: [Instruction], constants: [Value],
        codes: [Code], globals: [Global], masks: [UInt64], sites: [(index: Int, site: Location)]
    ) {
        name = lambda.name
        signature = lambda.signature
        parameterCount = lambda.parameters.count - (lambda.hasRest ? 1 : 0)
        hasRest = lambda.hasRest
        isMeta = lambda.isMeta
        returnsCode = lambda.isMeta && lambda.returnsCode
        isSimple = !lambda.hasRest && !returnsCode
        site = lambda.site
        graveyard = lambda.graveyard
        self.frameSize = frameSize
        self.captures = captures
        self.codes = codes
        self.globals = globals
        self.masks = masks
        self.sites = sites
        instructionCount = instructions.count
        self.instructions = .allocate(capacity: max(1, instructions.count))
        self.instructions.initialize(from: instructions, count: instructions.count)
        constantCount = constants.count
        self.constants = .allocate(capacity: max(1, constants.count))
        self.constants.initialize(from: constants, count: constants.count)
        slots = .allocate(capacity: max(1, globals.count))
        slots.initialize(from: globals.map(\.slot), count: globals.count)
    }

    deinit {
        instructions.deallocate()
        constants.deinitialize(count: constantCount)
        constants.deallocate()
        slots.deallocate()
    }

    /// The place of the instruction: of the last site at or before it.
    func site(at index: Int) -> Location? {
        var low = 0
        var high = sites.count
        while low < high {
            let middle = (low + high) / 2
            if sites[middle].index <= index { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? sites[low - 1].site : site
    }
}

/// A function of the language with the variables it captured.
public final class Closure: Function {
    let code: Code
    /// Safety: allocated in `init` with one value a capture of the code, freed in `deinit`, not changed between.
    let captures: UnsafeMutablePointer<Value>
    let entry: Entry

    /// What a call needs of the closure, side by side and without references.
    struct Entry {
        /// The number of arguments that needs no more than a jump; -1 when there is none.
        let parameterCount: Int
        let frameSize: Int
        let instructions: UnsafeMutablePointer<Instruction>
        let constants: UnsafeMutablePointer<Value>
        let slots: UnsafeMutablePointer<UnsafeMutablePointer<Value>>
        let captures: UnsafeMutablePointer<Value>
    }

    init(code: Code, captures: [Value]) {
        self.code = code
        self.captures = .allocate(capacity: max(1, captures.count))
        self.captures.initialize(from: captures, count: captures.count)
        entry = Entry(
            parameterCount: code.isSimple ? code.parameterCount : -1, frameSize: code.frameSize,
            instructions: code.instructions, constants: code.constants, slots: code.slots, captures: self.captures)
        super.init(name: code.name, signature: code.signature, kind: .closure)
    }

    deinit {
        let count = code.captures.count
        if count > 0 { code.graveyard.bury(captures, count: count) }
        captures.deallocate()
    }
}
