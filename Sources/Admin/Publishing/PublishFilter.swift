// The way of a push through the scripts' onPublish. When no script has an onPublish, no push comes here.
//
// Runs on: the admin thread; the scripts run on the workers.
// Read next: Gateway/Worker/Scripts/BackendQuestions.swift.

import Gateway
import PubSub
import Scripting
import Settings
import WebSocket

/// A push as onPublish may change it.
struct PushDraft {
    var frame: Frame
    /// The channel of a push to one.
    var channel: Channel?
    var key: String?
}

/// Asks scripts whether pushes may pass.
final class PublishFilter {
    private let node: Node
    private let questions: Questions
    /// How many pushes of each order are being asked about. Pushes of one order must not overtake each other; it is a channel's
    /// name, a user or a connection.
    private var orders: [String: Int] = [:]
    /// Whether a script that has not replied cannot reply any more.
    var isStopping = false

    init(node: Node, questions: Questions) {
        self.node = node
        self.questions = questions
    }

    /// Whether some pushes have to be asked about.
    var mustAskSome: Bool { node.filtersPushes || !orders.isEmpty }

    /// Whether a push has to be asked about: because a script has an onPublish, or because earlier pushes of the same order wait in
    /// one that a reload has removed, and must not be overtaken.
    func mustAsk(order: String) -> Bool { node.filtersPushes || !orders.isEmpty && orders[order] != nil }

    /// Asks main.lua whether a push may pass, on the worker that has the pushes of this order.
    /// - Parameter target: the audience, as fields of the publication.
    func ask(
        _ draft: PushDraft, _ target: [(name: String, value: String)], order: String,
        then finish: @escaping (Result<PushDraft, AdminError>) -> Void
    ) {
        var fields = target.map { ScriptQuestion.Field(name: $0.name, value: Array($0.value.utf8)) }
        fields.append(("data", Array(draft.frame.payload)))
        if let key = draft.key { fields.append(("key", Array(key.utf8))) }
        let question = ScriptQuestion(fields: fields, isBinary: draft.frame.isBinary)
        let worker = Int(UInt(bitPattern: order.hashValue) % UInt(node.workers.count))
        orders[order, default: 0] += 1
        questions.askScripts(of: worker, patience: node.scriptPatience) { worker, reply in
            worker.askPublish(question, order: order, reply)
        } then: { [unowned self] answer in
            defer { end(order) }
            do throws(AdminError) {
                finish(.success(try draft.filtered(by: AdminError.reply(in: answer, isStopping: isStopping))))
            } catch {
                finish(.failure(error))
            }
        }
    }

    private func end(_ order: String) {
        guard let count = orders[order] else { return }
        orders[order] = count > 1 ? count - 1 : nil
    }
}

extension PushDraft {
    fileprivate func filtered(by reply: ScriptReply) throws(AdminError) -> PushDraft {
        switch reply {
        case .proceed(let change?): try changed(by: change)
        case .proceed(nil), .absent, .response, .waiting: self
        case .refused(let reason): throw AdminError.refusedByScript.saying(reason)
        case .failed(let error): throw AdminError(error)
        }
    }

    private func changed(by change: PublicationChange) throws(AdminError) -> PushDraft {
        var draft = self
        if let data = change.data {
            draft.frame = change.isBinary ? .binary(data) : data.withUnsafeBytes { .text($0) }
        } else if frame.isBinary != change.isBinary {
            let bytes = frame.payload
            var validator = UTF8Validator()
            guard change.isBinary || validator.consume(bytes) && validator.isComplete else {
                throw AdminError.scriptFailed.saying("onPublish: the data is not UTF-8")
            }
            draft.frame = change.isBinary ? .binary(bytes) : .text(bytes)
        }
        if let name = change.channel, channel != nil {
            guard let channel = name.withUnsafeBytes({ Channel($0) }) else {
                throw AdminError.scriptFailed.saying("onPublish: the channel's name is not valid")
            }
            draft.channel = channel
        }
        if let key = change.key {
            guard (1...Push.longestKey).contains(key.count), let text = String(validating: key, as: UTF8.self) else {
                throw AdminError.scriptFailed.saying("onPublish: key has 1 to \(Push.longestKey) bytes of UTF-8")
            }
            draft.key = text
        }
        return draft
    }
}

extension Node {
    /// Milliseconds that a script has for its reply: as long as for any event, and the time to tell.
    var scriptPatience: UInt64 { configuration.scripts.eventTimeout.milliseconds + Questions.patience }
}

extension AdminError {
    /// A handler that failed: 504 when its time was up, else 500.
    init(_ error: ScriptError) {
        self = (error.kill == .timeout ? Self.scriptTimeout : Self.scriptFailed).saying(error.summary)
    }

    /// The scripts' reply in a worker's answer; nil for an answer that has not come.
    static func reply(in answer: ScriptAnswer?, isStopping: Bool) throws(AdminError) -> ScriptReply {
        switch answer {
        case .reply(let reply): return reply
        case .overloaded: throw .overloaded
        case .stopping: throw .stopping
        case nil: throw isStopping ? .stopping : .scriptTimeout
        }
    }
}
