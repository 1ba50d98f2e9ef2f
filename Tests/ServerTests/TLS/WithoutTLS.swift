// The trait of suites and tests that the run over TLS skips: those that start no server, speak with one by a client without TLS,
// or are about something that TLS does not change.

import PerigeeTestKit
import Testing

extension Trait where Self == ConditionTrait {
    /// Skips a suite or a test when all servers speak TLS, for this reason.
    static func plainOnly(_ why: Comment) -> Self { .disabled(if: testsRunOverTLS, why) }
}
