// `Idempotency-Key`: a push is made once for each key, and a repeat gets the first answer, marked `"repeated":true`. A repeat that
// comes before the first is answered waits for it. An answer that says that nothing was pushed is not kept, so a repeat tries anew.
// The table lives as long as the process: a restart forgets it, and so does an upgrade.
//
// Runs on: the admin thread.
// Read next: IdempotencyTable.swift, Publisher.swift.

import EventLoop
import Gateway
import HTTP1
import JSON
import WebSocket

/// An answer to a push, ready to be sent once more.
struct KeptAnswer {
    let status: Int
    /// A JSON object.
    let json: [UInt8]
    /// For a failure: the error, whose answer has header fields of its own.
    let error: AdminError?
    var isRepeated = false

    init(_ answer: PushAnswer) {
        var output = JSONOutput()
        if case .failed(let error, _) = answer {
            output.append { error.write(to: &$0) }
            status = error.status
            self.error = error
        } else {
            output.append { answer.write(to: &$0) }
            status = 200
            error = nil
        }
        json = output.bytes
    }

    /// The same answer, marked as a repeated one.
    var repeated: KeptAnswer {
        var copy = self
        copy.isRepeated = true
        return copy
    }

    /// The answer to a request.
    var response: Response {
        var response = error?.response ?? Response(status: status, fields: [("Content-Type", "application/json")])
        response.body = json
        if isRepeated { response.body.replaceSubrange((json.count - 1)..., with: #","repeated":true}"#.utf8) }
        return response
    }

    /// Appends the answer as that to an item of a batch.
    func append(to output: inout JSONOutput) {
        var members = json.dropLast()
        if error != nil { members += ",\"status\":\(status)".utf8 }
        if isRepeated { members += #","repeated":true"#.utf8 }
        output.append(object: members)
    }
}

/// Pushes each key once.
final class Idempotency {
    typealias Table = IdempotencyTable<KeptAnswer, (KeptAnswer) -> Void>

    /// The most bytes of a key.
    static let longestKey = 128

    private let publisher: Publisher
    private let loop: EventLoop
    private var table = Table()
    /// Pushes that got the answer of an earlier one.
    private(set) var repeats: UInt64 = 0

    init(_ publisher: Publisher, on loop: EventLoop) {
        self.publisher = publisher
        self.loop = loop
    }

    var count: Int { table.count }
    var bytes: Int { table.bytes }
    var forgotten: UInt64 { table.forgotten }

    /// Checks a key's length.
    static func check(_ key: String) throws(AdminError) {
        guard (1...longestKey).contains(key.utf8.count) else { throw .idempotencyKeyInvalid }
    }

    /// Pushes, unless the key was used for the same push; answers in any case.
    func push(_ push: Push, key: String, of sender: String, then answer: @escaping (KeptAnswer) -> Void) {
        let key = Table.Key(key, of: sender)
        switch table.begin(key, push.digest, at: loop.now, waiter: answer) {
        case .new:
            publisher.push(push) { [unowned self] result in
                let kept = KeptAnswer(result)
                answer(kept)
                finish(key, kept, result)
            }
        case .waits:
            repeats += 1
        case .known(let first):
            repeats += 1
            answer(first.repeated)
        case .reused:
            answer(KeptAnswer(.failed(.idempotencyKeyReused, mayBePushed: false)))
        case .full:
            answer(KeptAnswer(.failed(.overloaded, mayBePushed: false)))
        }
    }

    private func finish(_ key: Table.Key, _ kept: KeptAnswer, _ result: PushAnswer) {
        var isKept = true
        if case .failed(_, mayBePushed: false) = result { isKept = false }
        let waiting = table.finish(key, isKept ? kept : nil, bytes: kept.json.count, at: loop.now)
        for answer in waiting { answer(kept.repeated) }
    }
}

extension Push {
    /// What is pushed, and to whom.
    fileprivate var digest: PushDigest {
        PushDigest { hasher in
            switch target {
            case .channels(let channels, let isList):
                hasher.combine(channels)
                hasher.combine(isList)
            case .audience(let audience):
                switch audience {
                case .connection(let id): hasher.combine(id)
                case .user(let user): hasher.combine(Array(user.utf8))
                case .path(let path): hasher.combine(Array(path.utf8))
                case .everyone: break
                }
                hasher.combine(audience.kind)
            }
            hasher.combine(key.map { Array($0.utf8) })
            hasher.combine(keepsHistory)
            hasher.combine(exclude)
            hasher.combine(frame.isBinary)
            hasher.combine(frame.payload.count)
            frame.withUnsafeBytes { _ in hasher.combine(bytes: frame.payload) }
        }
    }
}

extension Audience {
    fileprivate var kind: Int {
        switch self {
        case .connection: 1
        case .user: 2
        case .path: 3
        case .everyone: 4
        }
    }
}
