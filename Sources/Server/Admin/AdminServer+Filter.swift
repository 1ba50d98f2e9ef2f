// Where a push passes the scripts' onPublish, and where a backend's call reaches onRequest. When no script has an
// onPublish, no push comes here.
//
// Read next: ../Worker/Worker+Questions.swift.

import EventLoop
import HTTP1
import PubSub
import Scripting
import Settings
import WebSocket

extension AdminServer {
    /// A push as onPublish may change it.
    struct Publication {
        var frame: Frame
        /// Of a push to a channel.
        var channel: Channel?
        var key: String?
    }

    /// How long a script may take: as long as any event, and what it takes to tell.
    private var scriptPatience: UInt64 { node.configuration.scripts.eventTimeout.milliseconds + Self.patience }

    /// Why a script has not replied.
    private var noReply: AdminError { isStopping ? .stopping : .scriptTimeout }

    // MARK: onPublish

    /// Whether a push has to be asked about: because a script has an onPublish, or because earlier pushes of the same order wait in
    /// one that a reload has removed, and must not be overtaken.
    func mustFilter(order: String) -> Bool { node.filtersPushes || pushOrders.contains(order) }

    /// Asks main.lua whether a push may pass, on the worker that has the pushes of this order.
    /// - Parameters:
    ///   - target: for whom it is, as fields of the publication.
    ///   - order: what must not overtake each other; the channel's name, for one.
    func filter(
        _ publication: Publication, _ target: [(name: String, value: String)], order: String,
        then go: @escaping (Result<Publication, AdminError>) -> Void
    ) {
        var fields = target.map { ScriptQuestion.Field(name: $0.name, value: Array($0.value.utf8)) }
        fields.append(("data", Array(publication.frame.payload)))
        if let key = publication.key { fields.append(("key", Array(key.utf8))) }
        let question = ScriptQuestion(fields: fields, isBinary: publication.frame.isBinary)
        let ticket = nextTicket()
        let worker = Int(UInt(bitPattern: order.hashValue) % UInt(node.workers.count))
        node.workers[worker].post(.askPublish(question, order: order, ticket: ticket))
        pushOrders.begin(order)
        gather(ticket, from: 1, patience: scriptPatience) { [unowned self] answers, _ in
            defer { pushOrders.end(order) }
            switch answers.first?.answer {
            case .overloaded: return go(.failure(.overloaded))
            case .stopping: return go(.failure(.stopping))
            default: break
            }
            guard case .reply(let reply)? = answers.first?.answer else { return go(.failure(noReply)) }
            switch reply {
            case .proceed(let change?): go(Self.apply(change, to: publication))
            case .proceed(nil), .absent, .response, .waiting: go(.success(publication))
            case .refused(let reason): go(.failure(AdminError.refusedByScript.saying(reason)))
            case .failed(let error): go(.failure(AdminError(error)))
            }
        }
    }

    private static func apply(
        _ change: PublicationChange, to publication: Publication
    ) -> Result<Publication, AdminError> {
        var publication = publication
        if let data = change.data {
            publication.frame = change.isBinary ? .binary(data) : data.withUnsafeBytes { .text($0) }
        } else if publication.frame.isBinary != change.isBinary {
            let bytes = publication.frame.payload
            var validator = UTF8Validator()
            guard change.isBinary || validator.consume(bytes) && validator.isComplete else {
                return .failure(AdminError.scriptFailed.saying("onPublish: the data is not UTF-8"))
            }
            publication.frame = change.isBinary ? .binary(bytes) : .text(bytes)
        }
        if let name = change.channel, publication.channel != nil {
            guard let channel = name.withUnsafeBytes({ Channel($0) }) else {
                return .failure(AdminError.scriptFailed.saying("onPublish: the channel's name is not valid"))
            }
            publication.channel = channel
        }
        if let key = change.key {
            guard (1...longestKey).contains(key.count), let text = String(validating: key, as: UTF8.self) else {
                return .failure(AdminError.scriptFailed.saying("onPublish: key has 1 to \(longestKey) bytes of UTF-8"))
            }
            publication.key = text
        }
        return .success(publication)
    }

    // MARK: onRequest

    /// `/v1/call/{name}`: the workers take turns.
    func callScript(_ call: AdminCall) throws(AdminError) {
        guard !isDraining else { throw .stopping }
        let name = call.parameters["name"] ?? ""
        let ticket = nextTicket()
        node.workers[Int(ticket % UInt64(node.workers.count))].post(
            .askRequest(question(call, script: name), script: name, ticket: ticket))
        gather(ticket, from: 1, patience: scriptPatience) { [unowned self] answers, _ in
            if case .overloaded? = answers.first?.answer { return call.fail(.overloaded) }
            if case .stopping? = answers.first?.answer { return call.fail(.stopping) }
            guard case .reply(let reply)? = answers.first?.answer else { return call.fail(noReply) }
            switch reply {
            case .response(let response): call.answer(Response(response))
            case .failed(let error): call.fail(AdminError(error))
            case .absent, .proceed, .refused, .waiting: call.fail(.handlerNotFound)
            }
        }
    }

    private func question(_ call: AdminCall, script: String) -> ScriptQuestion {
        // The keys of this API are no business of scripts.
        let secrets: Set = node.configuration.admin.keys.isEmpty ? [] : ["authorization", "x-api-key"]
        return ScriptQuestion(
            fields: [
                ("method", Array(call.head.methodText.utf8)), ("path", Array(call.head.path.utf8)),
                ("name", Array(script.utf8)), ("ip", Array(call.ip.utf8)), ("body", call.body),
            ],
            query: call.query.pairs.map { ($0.name, $0.value) },
            headers: call.head.joinedFields.filter { !secrets.contains($0.name) })
    }
}

extension AdminError {
    /// A handler that failed: 504 when its time was up, else 500.
    init(_ error: ScriptError) {
        self = (error.kill == .timeout ? Self.scriptTimeout : Self.scriptFailed).saying(error.summary)
    }
}

extension Response {
    /// What a script answers; without a body where HTTP allows none.
    init(_ response: CallResponse) {
        let hasBody = response.status != 204 && response.status != 304
        var fields = response.headers
        if hasBody, !response.type.isEmpty, !fields.contains(where: { $0.name.lowercased() == "content-type" }) {
            fields.append(("Content-Type", response.type))
        }
        self.init(
            status: response.status, fields: fields.map { ($0.name, $0.value) }, body: hasBody ? response.body : [])
    }
}
