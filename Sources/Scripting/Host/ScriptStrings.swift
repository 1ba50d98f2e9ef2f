// Lists of texts between a script and its host. Their memory belongs to the bridge and is used again, so an answer of the
// host costs no allocation in Swift.
//
// Runs on: the worker's thread, within one host call.

import LuaBridge

/// A list of byte strings that a host function fills for the script that asked.
public struct ScriptStrings: ~Copyable {
    let list: OpaquePointer

    init(_ list: OpaquePointer) {
        self.list = list
    }

    /// Adds one string, which need not be UTF-8.
    public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        bridgeStringsAppend(list, bytes.baseAddress, bytes.count)
    }

    /// Adds one string.
    public mutating func append(_ string: String) {
        var string = string
        string.withUTF8 { bridgeStringsAppend(list, $0.baseAddress, $0.count) }
    }

    /// Adds one string, which need not be UTF-8.
    public mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { append($0) }
    }

    /// Adds a name and its value, as ``ConnectionHost/pairs(_:of:into:)`` needs them.
    public mutating func append(name: String, value: String) {
        append(name)
        append(value)
    }

    /// Adds a name and its bytes, which need not be UTF-8.
    public mutating func append(name: String, value: [UInt8]) {
        append(name)
        append(value)
    }
}

/// Reads a list of strings that the bridge filled.
struct StringsReader {
    private let list: OpaquePointer
    private var offset = 0

    init(_ list: OpaquePointer) { self.list = list }

    /// The bytes of the next string, valid during the host call; nil at the end.
    mutating func nextBytes() -> UnsafeRawBufferPointer? {
        var count = 0
        guard let bytes = bridgeStringsNext(list, &offset, &count) else { return nil }
        return UnsafeRawBufferPointer(start: bytes, count: count)
    }

    /// The next string; nil at the end.
    mutating func next() -> String? { nextBytes().map { String(decoding: $0, as: UTF8.self) } }

    /// The next names and values, at most `limit`.
    mutating func pairs(atMost limit: Int) -> [(name: String, value: String)] {
        var pairs: [(name: String, value: String)] = []
        while pairs.count < limit, let name = next(), let value = next() { pairs.append((name, value)) }
        return pairs
    }
}
