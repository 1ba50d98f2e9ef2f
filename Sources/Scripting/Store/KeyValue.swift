// A value that `kv` keeps.

/// A plain Lua value; `nil` is the absence of one.
public enum KeyValue: Sendable, Equatable {
    case boolean(Bool)
    case integer(Int64)
    case number(Double)
    case string([UInt8])

    /// Bytes beyond the entry itself.
    var size: Int {
        if case .string(let bytes) = self { bytes.count } else { 0 }
    }

    /// Whether Lua's `==` holds: 3 and 3.0 are equal.
    func equals(_ other: KeyValue) -> Bool {
        switch (self, other) {
        case (.integer(let whole), .number(let number)), (.number(let number), .integer(let whole)):
            Int64(exactly: number) == whole
        default:
            self == other
        }
    }

    /// The sum as Lua computes it: integers wrap around, anything else is a float. `nil` when one is not a number.
    func adding(_ amount: KeyValue) -> KeyValue? {
        switch (self, amount) {
        case (.integer(let a), .integer(let b)): .integer(a &+ b)
        case (.integer(let a), .number(let b)): .number(Double(a) + b)
        case (.number(let a), .integer(let b)): .number(a + Double(b))
        case (.number(let a), .number(let b)): .number(a + b)
        default: nil
        }
    }
}
