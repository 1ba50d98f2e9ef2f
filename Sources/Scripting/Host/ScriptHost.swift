// The requests of scripts to their server. The engine's bridge makes them while a script runs, and the worker answers them.
// Each table of the script API has a file with its part of the protocol.
//
// Runs on: the worker's thread, within an event. No function may call back into the engine, and byte buffers are valid
// only during the call.
// Read next: ServerHost.swift, then HostLink.swift.

import LuaBridge

/// The server, as one worker's scripts see it.
///
/// Arguments have been checked: texts are UTF-8 where they must be, close codes are ones that an endpoint may send,
/// reasons fit a close frame. Only channel names are not checked: the host judges them.
public protocol ScriptHost: ConnectionHost, ServerHost, TimerHost, RequestHost, LogHost {}

/// A host of which only some functions do something. Every function has an answer here that does nothing; a type that
/// conforms implements the others.
///
/// The worker conforms to ``ScriptHost`` alone, so the compiler demands all functions of it.
public protocol SilentHost: ScriptHost {}

/// The host of scripts that are only checked: their calls have no effect.
public final class CheckHost: SilentHost {
    /// Makes a host.
    public init() {}
}

/// A host of test files, which answers the commands of their table `t`.
package protocol ScriptTestHost: ScriptHost {
    /// Runs the command that the first string names, with the other strings as arguments. False if the answer is one
    /// string with an error.
    func perform(_ strings: [[UInt8]], into answer: inout ScriptStrings) -> Bool
}

@c @implementation
func scriptHostTest(_ host: UnsafeMutableRawPointer, _ arguments: OpaquePointer, _ answer: OpaquePointer) -> Bool {
    var strings: [[UInt8]] = []
    var reader = StringsReader(arguments)
    while let bytes = reader.nextBytes() { strings.append(Array(bytes)) }
    return HostLink.with(host) { link in
        guard let tests = link.host as? any ScriptTestHost else { return false }
        var list = ScriptStrings(answer)
        return tests.perform(strings, into: &list)
    }
}
