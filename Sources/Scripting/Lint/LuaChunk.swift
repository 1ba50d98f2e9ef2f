// Reads the output of Lua's compiler, in the format of Lua 5.4 (ldump.c). The bytes come from our own compiler, but
// nothing is taken for granted: malformed bytes are no chunk, and then there is nothing to check.
//
// Allocates: the functions, never more than the bytes can fill.

struct LuaChunk {
    private struct Malformed: Error {}

    /// The deepest nesting of functions that Lua allows.
    private static let deepest = 200

    private let bytes: [UInt8]
    private var position = 0

    /// The main function of a chunk; `nil` if the bytes are not a complete chunk of Lua 5.4 in this machine's form.
    static func mainFunction(of bytes: [UInt8]) -> LuaFunction? {
        var chunk = LuaChunk(bytes: bytes)
        guard (try? chunk.skipHeader()) != nil, let main = try? chunk.function(depth: 0),
            chunk.position == bytes.count
        else { return nil }
        return main
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Signature, version, format, a check for damage, the sizes of instructions, integers and floats with an example
    /// of each, then the number of the main function's upvalues.
    private mutating func skipHeader() throws {
        let start: [UInt8] = [0x1B, 0x4C, 0x75, 0x61, 0x54, 0, 0x19, 0x93, 0x0D, 0x0A, 0x1A, 0x0A, 4, 8, 8]
        guard bytes.starts(with: start + [0x78, 0x56]) else { throw Malformed() }
        position = start.count
        try skip(8 + 8 + 1)
    }

    private mutating func function(depth: Int) throws -> LuaFunction {
        guard depth <= Self.deepest else { throw Malformed() }
        var function = LuaFunction()
        _ = try string()
        let firstLine = try number()
        _ = try number()
        function.parameterCount = Int(try byte())
        try skip(2)
        function.code = try list(atLeast: 4) { LuaInstruction(word: try $0.word()) }
        function.constants = try list(atLeast: 1) { try $0.constant() }
        function.upvalues = try list(atLeast: 3) { chunk in
            let isLocal = try chunk.byte() != 0
            let index = Int(try chunk.byte())
            try chunk.skip(1)
            return LuaFunction.Upvalue(isLocal: isLocal, index: index)
        }
        function.functions = try list(atLeast: 8) { try $0.function(depth: depth + 1) }
        function.lines = try lines(from: firstLine)
        function.locals = try list(atLeast: 3) { chunk in
            let name = try chunk.string() ?? ""
            let start = try chunk.number()
            let end = try chunk.number()
            return LuaFunction.Local(name: name, scope: start..<max(start, end))
        }
        for (index, name) in try list(atLeast: 1, { try $0.string() }).enumerated() {
            guard index < function.upvalues.count else { throw Malformed() }
            function.upvalues[index].name = name ?? ""
        }
        return function
    }

    /// A string constant, `nil` for any other constant.
    private mutating func constant() throws -> String? {
        switch try byte() {
        case 0x00, 0x01, 0x11: break
        case 0x03, 0x13: try skip(8)
        case 0x04, 0x14: return try string()
        default: throw Malformed()
        }
        return nil
    }

    /// The lines of all instructions. Each is stored as the difference to the one before, or as -128 if the line is in
    /// a separate list.
    private mutating func lines(from firstLine: Int) throws -> [Int] {
        let differences = try list(atLeast: 1) { Int8(bitPattern: try $0.byte()) }
        var absolute: [Int: Int] = [:]
        for (instruction, line) in try list(atLeast: 2, { (try $0.number(), try $0.number()) }) {
            absolute[instruction] = line
        }
        var line = firstLine
        return differences.enumerated().map { instruction, difference in
            line = difference == -128 ? absolute[instruction] ?? line : line + Int(difference)
            return line
        }
    }

    private mutating func list<Element>(
        atLeast size: Int, _ element: (inout LuaChunk) throws -> Element
    ) throws -> [Element] {
        let count = try number()
        guard count <= (bytes.count - position) / size else { throw Malformed() }
        var elements: [Element] = []
        elements.reserveCapacity(count)
        for _ in 0..<count { elements.append(try element(&self)) }
        return elements
    }

    /// A string with its length plus one before it; 0 stands for none.
    private mutating func string() throws -> String? {
        let size = try number()
        guard size > 0 else { return nil }
        let start = position
        try skip(size - 1)
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    /// Seven bits per byte, the highest first; the last byte is marked.
    private mutating func number() throws -> Int {
        var value = 0
        while true {
            let next = try byte()
            guard value <= Int(Int32.max) >> 7 else { throw Malformed() }
            value = value << 7 | Int(next & 0x7F)
            if next & 0x80 != 0 { return value }
        }
    }

    private mutating func word() throws -> UInt32 {
        let start = position
        try skip(4)
        return (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << (8 * UInt32($1)) }
    }

    private mutating func byte() throws -> UInt8 {
        try skip(1)
        return bytes[position - 1]
    }

    private mutating func skip(_ count: Int) throws {
        guard count <= bytes.count - position else { throw Malformed() }
        position += count
    }
}
