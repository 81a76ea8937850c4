/// One instruction: 8 bytes. What `a`, `b` and `c` mean is said behind each opcode.
struct Instruction {
    var op: Opcode
    var a: UInt8 = 0
    var b: UInt16 = 0
    var c: Int32 = 0
}

enum Opcode: UInt8 {
    /// Pushes constant c.
    case constant
    case null
    case bool
    /// Pushes the integer c.
    case integer
    /// Pushes local c; through its cell; captured value c; through its cell.
    case local, localCell, captured, capturedCell
    /// Pops into local c; into its cell; into captured cell c.
    case storeLocal, storeLocalCell, storeCapturedCell
    /// Puts local c into a new cell.
    case makeCell
    /// Pushes global c; pops into it, bound or (b = 1) to be bound.
    case global, storeGlobal
    case pop
    case duplicate
    /// Drops c values under the top one.
    case slide
    /// Jumps by c; when the popped value is false; true.
    case jump, jumpIfFalse, jumpIfTrue
    /// Jumps by c keeping the top value when it is false (true), else pops it.
    case jumpIfFalseKeep, jumpIfTrueKeep
    /// Arithmetic and comparison on the two top values.
    case add, subtract, multiply, less, lessOrEqual, greater, greaterOrEqual, equal, not
    /// The top value plus c; local b plus c, pushed; local b plus c, stored back.
    case addInteger, addLocalInteger, incrementLocal
    /// Jumps by c unless the comparison a of the two top values holds; of local b with the integer that follows as the
    /// next instruction's c; of local b with the local of the next instruction's c.
    case jumpUnless, jumpUnlessLocalInteger, jumpUnlessLocals
    /// The member of the second value by the top one.
    case get
    /// The second value; of a remote object as many items as the top one says.
    case spread
    /// The members b (a constant: their names) of the top value.
    case path
    /// As `path`, but a runtime's root becomes a function to call.
    case callee
    /// Pushes global c of the dotted name when bound and jumps by the next instruction's c, else goes on behind it.
    case exactGlobal
    /// Changes a variable along the c keys under the top value: local b; its cell; captured cell b; global b (a: 0…3).
    case put
    /// Makes a vector, list of c values; an object whose keys are the items of constant c.
    case vector, list, object
    /// Makes a closure of code c.
    case closure
    /// Calls the function under c arguments. b: index of the literal keywords' mask plus 1.
    case call, tailCall
    case `return`
    /// Errors go to c until the handler is popped. a = 1: for interrupts too.
    case pushHandler, popHandler
    case raise
}

/// Comparisons that are fused with a jump.
enum Comparison: UInt8 {
    case less, lessOrEqual, greater, greaterOrEqual, equal
}
