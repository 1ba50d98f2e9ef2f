// The time limit of this target's suites.

import Testing
import TimeBound

extension Trait where Self == TimeBound {
    /// Three minutes for each test: many times what any takes on a busy machine.
    static var bounded: Self { TimeBound(minutes: 10) }

    /// As long as the longest test of the suite needs.
    static func bounded(minutes: Int) -> Self { TimeBound(minutes: minutes) }
}
