// Why the server does not start, with the exit code that says so to a service manager.

import EventLoop
public import Scripting

/// The server does not start.
public enum StartError: Error, Sendable, CustomStringConvertible {
    /// A listening socket cannot be opened.
    case listen(String)
    /// A certificate or a key cannot be used.
    case certificates(String)
    /// The scripts do not load.
    case scripts([ScriptError])

    /// The process's exit code: 2 for certificates, 3 for an address that cannot be used, 4 for scripts.
    public var exitCode: Int32 {
        switch self {
        case .certificates: 2
        case .listen: 3
        case .scripts: 4
        }
    }

    /// One line per problem, with file and line where there is one.
    public var description: String {
        switch self {
        case .certificates(let message), .listen(let message): message
        case .scripts(let errors): errors.map { "\($0)" }.joined(separator: "\n")
        }
    }
}
