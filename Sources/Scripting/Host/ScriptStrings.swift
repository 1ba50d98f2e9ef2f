// A host's answer in the form of texts. The memory belongs to the bridge and is used again, so an answer costs no
// allocation in Swift.
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

    /// Adds a name and its value, as ``ScriptHost/pairs(_:of:into:)`` needs them.
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
