// The bound of a loop that waits in a test: it fails by itself, and says what it waited for.

/// Runs `step` again and again until it answers true.
/// - Parameter time: how long that may take; ten times as long under a sanitizer.
public func repeatUntil(
    _ what: String, within time: Duration = .seconds(60), _ step: () throws -> Bool
) throws {
    let end = ContinuousClock.now + time * (TimeBound.isSanitized ? 10 : 1)
    while try !step() {
        guard ContinuousClock.now < end else { throw TimeIsUp(description: "\(time) on, still not: \(what)") }
    }
}

/// The condition of a loop has not come true in time.
public struct TimeIsUp: Error, CustomStringConvertible {
    public let description: String
}
