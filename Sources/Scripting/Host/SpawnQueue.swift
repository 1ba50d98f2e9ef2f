// Functions that `server.spawn` was given and that have not been called, in order, by the bridge's numbers.
//
// Runs on: the worker's thread. Allocates: when more functions wait than ever before.

/// A bounded queue of functions.
struct SpawnQueue {
    private let limit: Int
    private var functions: [Int32] = []
    /// Functions before this index have been called.
    private var first = 0
    /// How often a function was refused because too many waited.
    private(set) var refused: UInt64 = 0

    init(limit: Int) { self.limit = limit }

    var count: Int { functions.count - first }

    /// False when as many wait as may.
    mutating func append(_ function: Int32) -> Bool {
        guard count < limit else {
            refused += 1
            return false
        }
        functions.append(function)
        return true
    }

    mutating func popFirst() -> Int32? {
        guard first < functions.count else { return nil }
        defer {
            first += 1
            if first == functions.count || first >= 1_024 {
                functions.removeFirst(first)
                first = 0
            }
        }
        return functions[first]
    }
}
