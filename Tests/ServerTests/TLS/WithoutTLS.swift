// What the run of tests over TLS leaves out, with the reason beside it.

import PerigeeTestKit
import Testing

extension Trait where Self == ConditionTrait {
    /// Leaves a suite or a test out where all servers speak TLS.
    static func plainOnly(_ why: Comment) -> Self { .disabled(if: testsRunOverTLS, why) }
}
