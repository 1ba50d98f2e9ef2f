// Why an event was ended from outside.

import LuaBridge

/// Why a handler did not come to its own end.
public enum ScriptKill: Sendable, Hashable {
    /// It has used up its CPU time.
    case budget
    /// Loading took too long.
    case load
    /// It waited again after its time was up.
    case timeout
    /// It waited again after its connection was closed.
    case closed

    init?(_ kill: BridgeKill) {
        switch kill {
        case .none: return nil
        case .budget: self = .budget
        case .load: self = .load
        case .timeout: self = .timeout
        case .closed: self = .closed
        }
    }
}
