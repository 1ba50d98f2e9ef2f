// One pass over a function's instructions that tracks the content of the registers as far as it is certain: within a
// run of instructions without a jump into it.

struct FunctionWalk {
    /// The content of a register or an upvalue.
    enum Value: Equatable {
        /// The table of globals.
        case environment
        case global(String)
        /// A handler's argument: "conn", "request".
        case object(String)
        case closure(Int)
        /// A table made by the instruction with this number.
        case table(Int)
    }

    private let function: LuaFunction
    private let isMain: Bool
    private let upvalues: [Value?]
    private let objects: [Int: String]
    private let targets: Set<Int>
    /// The names that are in scope around the function.
    private let outerNames: [String]
    private var registers: [Int: Value] = [:]
    /// Functions in tables, by the table's and the function's number.
    private var members: [Int: [(name: String, function: Int, instruction: Int)]] = [:]
    /// The inner functions that are handlers, by number.
    private(set) var handlers: [Int: String] = [:]

    /// The names that are in scope where each inner function is made.
    private(set) var scopes: [Int: [String]] = [:]

    init(
        _ function: LuaFunction, upvalues: [Value?], objects: [Int: String], outerNames: [String], isMain: Bool
    ) {
        self.outerNames = outerNames
        self.function = function
        self.isMain = isMain
        self.upvalues = upvalues
        self.objects = objects
        self.targets = Set(function.code.enumerated().compactMap { $1.target(from: $0) })
    }

    /// The content of an upvalue of an inner function.
    func value(of upvalue: LuaFunction.Upvalue) -> Value? {
        if upvalue.isLocal { return objects[upvalue.index].map(Value.object) }
        return value(ofUpvalue: upvalue.index)
    }

    mutating func run(_ lint: inout ScriptLint) {
        for (index, instruction) in function.code.enumerated() {
            if targets.contains(index) { registers.removeAll() }
            step(instruction, at: index, &lint)
        }
    }

    private func value(ofUpvalue index: Int) -> Value? {
        upvalues.indices.contains(index) ? upvalues[index] : nil
    }

    private func value(in register: Int) -> Value? {
        objects[register].map(Value.object) ?? registers[register]
    }

    private mutating func step(_ instruction: LuaInstruction, at index: Int, _ lint: inout ScriptLint) {
        let a = instruction.a
        switch instruction.operation {
        case .getInUpvalue:
            registers[a] = read(instruction, of: value(ofUpvalue: instruction.b), at: index, &lint)
        case .getField:
            registers[a] = read(instruction, of: value(in: instruction.b), at: index, &lint)
        case .method:
            if instruction.k { _ = read(instruction, of: value(in: instruction.b), at: index, &lint) }
            forget(a...a + 1)
        case .getUpvalue:
            registers[a] = value(ofUpvalue: instruction.b)
        case .setInUpvalue:
            write(instruction, of: value(ofUpvalue: a), at: index, &lint)
        case .setField:
            write(instruction, of: value(in: a), at: index, &lint)
        case .move:
            registers[a] = value(in: instruction.b)
        case .closure:
            registers[a] = .closure(instruction.bx)
            scopes[instruction.bx] = names(at: index)
        case .newTable:
            registers[a] = .table(index)
        case .returnValues:
            keepReturned(instruction, &lint)
        case .loadNil:
            forget(a...a + instruction.b)
        case .call, .tailCall, .forEachCall, .varargs, .forLoop, .forPrepare, .forEachLoop:
            forget(a...Int(UInt8.max))
        default:
            if !instruction.onlyReads { registers[a] = nil }
        }
    }

    /// The names that are in scope at an instruction.
    private func names(at index: Int) -> [String] {
        function.locals.filter { $0.scope.contains(index) }.map(\.name) + outerNames
    }

    private mutating func forget(_ range: ClosedRange<Int>) {
        registers = registers.filter { !range.contains($0.key) }
    }

    /// Reads the field whose name is the constant C. Returns its content as far as it is known.
    private func read(
        _ instruction: LuaInstruction, of owner: Value?, at index: Int, _ lint: inout ScriptLint
    ) -> Value? {
        guard let name = function.string(instruction.c) else { return nil }
        switch owner {
        case .environment:
            lint.read(global: name, scope: names(at: index), at: index, in: function)
            return .global(name)
        case .global(let library):
            let isCertain = instruction.operation == .method || lint.isStrict(library) || isCalled(after: index)
            if isCertain {
                lint.read(name, of: library, at: index, in: function)
            } else {
                lint.lookedFor.insert("\(library) has no field '\(name)'")
            }
        case .object(let kind):
            lint.read(name, of: kind, at: index, in: function)
        case .closure, .table, nil:
            break
        }
        return nil
    }

    /// Writes the field whose name is the constant B; the value is in the register C, if it is not a constant.
    private mutating func write(
        _ instruction: LuaInstruction, of owner: Value?, at index: Int, _ lint: inout ScriptLint
    ) {
        guard let name = function.string(instruction.b) else { return }
        let value = instruction.k ? nil : value(in: instruction.c)
        switch owner {
        case .environment:
            lint.write(global: name, scope: names(at: index), at: index, in: function)
            if case .closure(let inner) = value { handlers[inner] = name }
        case .global(let library):
            lint.write(name, of: library, at: index, in: function)
        case .object(let kind):
            lint.write(name, of: kind, at: index, in: function)
        case .table(let table):
            if case .closure(let inner) = value { members[table, default: []].append((name, inner, index)) }
        case .closure, nil:
            break
        }
    }

    /// The functions of a table that the file returns are handlers.
    private mutating func keepReturned(_ instruction: LuaInstruction, _ lint: inout ScriptLint) {
        guard isMain, instruction.b == 2, case .table(let table) = value(in: instruction.a)
        else { return }
        for member in members[table] ?? [] {
            handlers[member.function] = member.name
            lint.returned(handler: member.name, at: member.instruction, in: function)
        }
    }

    /// Whether the value that an instruction reads is called before it is used otherwise.
    private func isCalled(after index: Int) -> Bool {
        let register = function.code[index].a
        for next in function.code[(index + 1)...] where next.a <= register || next.b == register {
            let isCall = next.operation == .call || next.operation == .tailCall
            if next.a == register, isCall { return true }
            if next.a == register || next.target(from: 0) != nil { return false }
            if next.operation == .move || next.operation == .returnValues { return false }
        }
        return false
    }
}
