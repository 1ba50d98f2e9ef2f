// What a test file asks of its host.
//
// Runs on: the thread that runs the test, called from C.

import LuaBridge

/// A host of test files, which answers what their table `t` asks.
package protocol ScriptTestHost: ScriptHost {
    /// Does what the first of the strings names, with the others as arguments. False when the answer is one string that
    /// says what is wrong.
    func perform(_ strings: [[UInt8]], into answer: inout ScriptStrings) -> Bool
}

extension ScriptEngine {
    /// Gives the files that are loaded from now on the table `t`, which is made by the Lua source. The host must be a
    /// ``ScriptTestHost``.
    package func installTestKit(_ source: [UInt8]) throws(ScriptError) {
        let installed = source.withUnsafeBytes { bytes in
            bridgeInstallTestKit(
                bridge, BridgeBytes(bytes: bytes.bindMemory(to: CChar.self).baseAddress, count: bytes.count))
        }
        guard installed else {
            throw ScriptError(file: "", message: bridgeResult(bridge).pointee.messageString, version: 0)
        }
    }

    /// Stops the clocks that scripts see, at this time in seconds since 1970.
    package func setTime(_ seconds: Double) {
        bridgeSetTime(bridge, seconds)
    }
}

@c @implementation
func scriptHostTest(_ host: UnsafeMutableRawPointer, _ arguments: OpaquePointer, _ answer: OpaquePointer) -> Bool {
    var strings: [[UInt8]] = []
    var offset = 0
    var count = 0
    while let bytes = bridgeStringsNext(arguments, &offset, &count) {
        strings.append(Array(UnsafeRawBufferPointer(start: bytes, count: count)))
    }
    return HostLink.with(host) { link in
        guard let tests = link.host as? any ScriptTestHost else { return false }
        var list = ScriptStrings(answer)
        return tests.perform(strings, into: &list)
    }
}
