// Where a list of connections goes on.

/// The `next` of one page of connections and the `cursor` of the page after it: a worker and a slot of its table, "1-2f".
struct ConnectionCursor: Equatable {
    let worker: Int
    let slot: UInt32

    init(worker: Int, slot: UInt32) {
        self.worker = worker
        self.slot = slot
    }

    /// Nil for anything that no page says.
    init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt32($0, radix: 36) }
        guard parts.count == 2, let worker = parts[0], let slot = parts[1] else { return nil }
        self.init(worker: Int(worker), slot: slot)
        guard self.text == text else { return nil }
    }

    var text: String { String(worker, radix: 36) + "-" + String(slot, radix: 36) }
}
