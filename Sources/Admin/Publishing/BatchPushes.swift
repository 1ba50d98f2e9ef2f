// The pushes of batches: an item becomes a push, and its answer a result. It knows the batches that are open, which a drain ends.
//
// Runs on: the admin thread.
// Read next: BatchStream.swift, Publisher.swift, Idempotency.swift.

import JSON

/// The answer to an item.
enum BatchAnswer {
    case new(PushAnswer)
    /// The answer of a push that has a key.
    case kept(KeptAnswer)

    func write(to output: inout JSONOutput) {
        switch self {
        case .new(let answer): output.append { answer.write(to: &$0) }
        case .kept(let answer): answer.append(to: &output)
        }
    }
}

/// Pushes the items of all batches.
final class BatchPushes {
    private let publisher: Publisher
    private let idempotency: Idempotency
    private var streams: [ObjectIdentifier: BatchStream] = [:]
    /// Items that were taken.
    private(set) var items: UInt64 = 0
    /// Whether the server is on its way to its end: no batch of lines begins.
    private(set) var isDraining = false
    /// Whether the server stops: no item is pushed any more.
    var isStopping = false

    init(_ publisher: Publisher, _ idempotency: Idempotency) {
        self.publisher = publisher
        self.idempotency = idempotency
    }

    /// The batches whose lines still come.
    var openCount: Int { streams.count }

    /// Whether an item may begin only when those before it are answered.
    var runAlone: Bool { publisher.asksScripts }

    /// Pushes an item; it answers at once or later.
    func push(_ item: UnsafeRawBufferPointer, of sender: String, then answer: @escaping (BatchAnswer) -> Void) {
        items += 1
        guard !isStopping else { return answer(.new(.failed(.stopping, mayBePushed: false))) }
        do throws(AdminError) {
            let push = try Push(item: item)
            if let key = push.idempotencyKey {
                idempotency.push(push, key: key, of: sender) { answer(.kept($0)) }
            } else {
                publisher.push(push) { answer(.new($0)) }
            }
        } catch {
            answer(.new(.failed(error, mayBePushed: false)))
        }
    }

    func open(_ stream: BatchStream) { streams[ObjectIdentifier(stream)] = stream }

    func ended(_ stream: BatchStream) { streams[ObjectIdentifier(stream)] = nil }

    /// The server drains or stops.
    func stopAll() {
        isDraining = true
        for stream in Array(streams.values) { stream.stop() }
    }
}

extension Push {
    /// An item of a batch.
    init(item: UnsafeRawBufferPointer) throws(AdminError) { self = try Push(json: Array(item)) }
}
