// Pushes through the API: one of a request, once for each `Idempotency-Key`, or the many of a batch.
//
// Runs on: the admin thread.
// Read next: Publishing/Publisher.swift, Publishing/Idempotency.swift, Publishing/BatchStream.swift.

import HTTP1
import JSON

extension AdminServer {
    /// Pushes what a request holds, and answers it.
    func push(_ call: AdminCall, _ read: (AdminCall) throws(AdminError) -> Push) throws(AdminError) {
        let header = try Self.idempotencyKey(of: call)
        let push = try read(call)
        // The requests behind it must not overtake it.
        if publisher.asksScripts { call.runsBesideOthers = false }
        guard let key = header ?? push.idempotencyKey else {
            return publisher.push(push) { call.answer($0) }
        }
        guard header == nil || push.idempotencyKey == nil else {
            throw AdminError.idempotencyKeyInvalid.saying("the key is there twice")
        }
        idempotency.push(push, key: key, of: call.sender) { call.answer($0.response) }
    }

    private static func idempotencyKey(of call: AdminCall) throws(AdminError) -> String? {
        let keys = call.head.all("idempotency-key")
        guard let key = keys.first else { return nil }
        guard keys.count == 1 else { throw AdminError.idempotencyKeyInvalid.saying("the key is there twice") }
        try Idempotency.check(key)
        return key
    }

    /// `POST /v1/batch`.
    func beginBatch(_ call: AdminCall) throws(AdminError) {
        guard call.head.first("idempotency-key") == nil else {
            throw AdminError.idempotencyKeyInvalid.saying("a batch has no key of its own: each item has one")
        }
        let batch = BatchStream(call, batches, on: loop, maxBody: limits.maxBody)
        call.reader = batch
        if !call.streamsIn { batch.ended(nil) }
    }
}

extension AdminCall {
    /// Answers a push.
    fileprivate func answer(_ answer: PushAnswer) {
        switch answer {
        case .one, .list: self.answer(200, JSONOutput.object { answer.write(to: &$0) })
        case .failed(let error, _): fail(error)
        }
    }
}
