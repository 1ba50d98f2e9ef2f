// The time limit of this target's suites.

import Testing
import TimeBound

extension Trait where Self == TimeBound {
    /// Ten minutes for each test: where the machine is busy, a test waits for its turn as long as the whole run takes.
    static var bounded: Self { TimeBound(minutes: 10) }
}
