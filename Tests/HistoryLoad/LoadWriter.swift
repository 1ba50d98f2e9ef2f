// Publishes numbers, as fast as the store takes them, and says which are stored.
//
// Runs on: the main thread; answers come on the store's.

import Glibc
import History
import Synchronization

/// A publisher that keeps a number of publications waiting.
final class LoadWriter: Sendable {
    private let store: HistoryStore
    private let channels: Int
    /// One for each publication that may wait.
    private let places: Places

    init(file: String, sync: HistorySync, channels: Int, window: Int) {
        var options = HistoryOptions(file: file)
        options.sync = sync
        store = HistoryStore(options) { notice in
            if case .unavailable(let why) = notice { Self.say("! \(why)\n") }
        }
        self.channels = channels
        places = Places(window)
    }

    func run() -> Never {
        // Numbers of each run follow those of the one before, as the store has them.
        var next = (0..<channels).map { newest($0) + 1 }
        var channel = 0
        while true {
            places.take()
            publish(next[channel], to: channel)
            next[channel] += 1
            channel = (channel + 1) % channels
        }
    }

    private func publish(_ number: Int, to channel: Int) {
        let draft = HistoryDraft(
            channel: Self.name(channel), limits: HistoryLimits(size: 1_000_000, age: 86_400_000), note: [1, 2, 3],
            body: Array("\(number)".utf8))
        let failure = store.publish(draft) { [self] outcome in
            switch outcome {
            case .stored(let position, _): Self.say("\(channel) \(position.offset) \(position.epoch) \(number)\n")
            case .repeated: Self.say("! repeated\n")
            case .failed(let failure): Self.end(failure)
            }
            places.give()
        }
        if let failure { Self.end(failure) }
    }

    private static func end(_ failure: HistoryFailure) -> Never {
        say("! \(failure)\n")
        _exit(1)
    }

    /// The newest number in the store, 0 for none.
    private func newest(_ channel: Int) -> Int {
        let query = StoreQuery(
            channel: Self.name(channel), limits: HistoryLimits(size: 1_000_000, age: 86_400_000), start: .newest,
            count: 1, bytes: 1_000)
        let result = Atomic(0)
        let answers = Places(0)
        let failure = store.read(query, inOrder: true) { page in
            let body = (try? page.get())?.publications.last?.body ?? []
            result.store(Int(String(decoding: body, as: UTF8.self)) ?? 0, ordering: .sequentiallyConsistent)
            answers.give()
        }
        guard failure == nil else { return 0 }
        answers.take()
        return result.load(ordering: .sequentiallyConsistent)
    }

    private static func name(_ channel: Int) -> [UInt8] { Array("channel-\(channel)".utf8) }

    private static func say(_ line: String) {
        var line = line
        line.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = write(1, rest.baseAddress, rest.count)
                guard count > 0 else { exit(1) }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }
}
