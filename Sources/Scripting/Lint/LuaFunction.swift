// A function as Lua compiled it, with what a check needs to know: its code, its constants, and the names and lines that
// the compiler wrote down.
//
// Read next: LuaChunk.swift, LuaInstruction.swift.

/// A compiled function and the functions within it.
struct LuaFunction: Equatable {
    /// Where a function finds a variable of those around it.
    struct Upvalue: Equatable {
        var name = ""
        /// In a register of the function around it, or among that function's own upvalues.
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
