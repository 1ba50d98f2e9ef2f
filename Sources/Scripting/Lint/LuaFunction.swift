// A function as Lua compiled it, with the parts that a check needs: its code, its constants, and the names and lines
// that the compiler wrote down. Instructions have the layout of Lua 5.4's lopcodes.h: seven bits of operation, then A
// (8 bits), k (1 bit), B and C (8 bits each), or Bx in the place of k, B and C.
//
// Read next: LuaChunk.swift.

/// A compiled function and the functions within it.
struct LuaFunction: Equatable {
    /// The place of a variable of an enclosing function.
    struct Upvalue: Equatable {
        var name = ""
        /// Whether it is in a register of the enclosing function; otherwise it is among that function's upvalues.
        let isLocal: Bool
        let index: Int
    }

    /// A local variable, in scope from one instruction to another.
    struct Local: Equatable {
        let name: String
        let scope: Range<Int>
    }

    var parameterCount = 0
    var code: [LuaInstruction] = []
    /// The strings among the constants; `nil` for any other constant.
    var constants: [String?] = []
    var upvalues: [Upvalue] = []
    var functions: [LuaFunction] = []
    /// The line of each instruction.
    var lines: [Int] = []
    var locals: [Local] = []

    /// The string constant with this number.
    func string(_ index: Int) -> String? {
        constants.indices.contains(index) ? constants[index] : nil
    }

    func line(of instruction: Int) -> Int? {
        lines.indices.contains(instruction) ? lines[instruction] : nil
    }
}

struct LuaInstruction: Equatable {
    /// The operations that the check tells apart, by their numbers in Lua 5.4.
    enum Operation: UInt8 {
        case move = 0
        case falseAndSkip = 6
        case loadNil = 8
        case getUpvalue = 9
        case setUpvalue = 10
        case getInUpvalue = 11
        case getField = 14
        case setInUpvalue = 15
        case setTable = 16
        case setInteger = 17
        case setField = 18
        case newTable = 19
        case method = 20
        case jump = 56
        case test = 66
        case testAndSet = 67
        case call = 68
        case tailCall = 69
        case returnValues = 70
        case forLoop = 73
        case forPrepare = 74
        case forEachPrepare = 75
        case forEachCall = 76
        case forEachLoop = 77
        case setList = 78
        case closure = 79
        case varargs = 80
        case varargsPrepare = 81
        case extra = 82
    }

    let word: UInt32

    var number: UInt8 { UInt8(word & 0x7F) }
    var operation: Operation? { Operation(rawValue: number) }
    var a: Int { Int(word >> 7 & 0xFF) }
    var k: Bool { word >> 15 & 1 == 1 }
    var b: Int { Int(word >> 16 & 0xFF) }
    var c: Int { Int(word >> 24 & 0xFF) }
    var bx: Int { Int(word >> 15) }
    private var jumpDistance: Int { Int(word >> 7) - 0xFF_FFFF }

    /// Whether the operation is a comparison or test that may skip the next instruction.
    var maySkip: Bool { (57...67).contains(number) }

    /// Whether the operation only reads registers: stores, jumps, comparisons and returns. Any other writes to A.
    var onlyReads: Bool {
        switch number {
        case 10, 15...18, 46...48, 54...66, 70...72, 75, 78, 81...: true
        default: false
        }
    }

    /// The instruction to which execution may jump from the one at `index`; nil if it only goes to the next one.
    func target(from index: Int) -> Int? {
        switch operation {
        case .jump: index + 1 + jumpDistance
        case .forLoop, .forEachLoop: index + 1 - bx
        case .forPrepare: index + 2 + bx
        case .forEachPrepare: index + 1 + bx
        case .falseAndSkip: index + 2
        default: maySkip ? index + 2 : nil
        }
    }
}
