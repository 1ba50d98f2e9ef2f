// Which pushes wait in scripts' onPublish, by what they must not overtake: a channel's name, a user.

/// Counts the pushes of each order that are being asked about.
struct PushOrders {
    private var counts: [String: Int] = [:]

    var isEmpty: Bool { counts.isEmpty }

    func contains(_ order: String) -> Bool { !counts.isEmpty && counts[order] != nil }

    mutating func begin(_ order: String) { counts[order, default: 0] += 1 }

    mutating func end(_ order: String) {
        guard let count = counts[order] else { return }
        counts[order] = count > 1 ? count - 1 : nil
    }
}
