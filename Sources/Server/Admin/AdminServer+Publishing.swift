// Pushes: from a request's body to a frame, to the workers, and the answer that says what happened.

import EventLoop
import HTTP1
import JSON
import PubSub
import WebSocket

extension AdminServer {
    // MARK: The body is the message

    func publishToChannel(_ call: AdminCall) throws(AdminError) {
        let channel = try call.channel()
        let frame = try message(call)
        let exclude = try excluded(call.hasQuery ? call.query.first("exclude") : nil)
        let push = Push(frame: frame, key: try key(call.hasQuery ? call.query.first("key") : nil), exclude: exclude)
        publish(push, to: [channel]) { call.finish($0) }
    }

    func sendToConnection(_ call: AdminCall) throws(AdminError) {
        try send(message(call), to: call.connectionID(), call)
    }

    func sendToUser(_ call: AdminCall) throws(AdminError) {
        try send(message(call), to: .user(call.parameters["user"] ?? ""), call)
    }

    func sendToEveryone(_ call: AdminCall) throws(AdminError) {
        try send(message(call), to: call.query.first("path").map { .path($0) } ?? .everyone, call)
    }

    /// Text, whatever the content type says (`curl -d` claims a form), unless it says bytes.
    private func message(_ call: AdminCall) throws(AdminError) -> Frame {
        let type = call.head.first("content-type")?.prefix { $0 != ";" }.lowercased()
        if type == "application/octet-stream" { return .binary(call.body) }
        return try text(call.body)
    }

    private func text(_ bytes: [UInt8]) throws(AdminError) -> Frame {
        var validator = UTF8Validator()
        let isValid = bytes.withUnsafeBytes { validator.consume($0) } && validator.isComplete
        guard isValid else { throw .textNotUTF8 }
        return bytes.withUnsafeBytes { .text($0) }
    }

    /// The connection that must not get the publication.
    private func excluded(_ text: String?) throws(AdminError) -> ConnectionID? {
        guard let text else { return nil }
        guard let id = ConnectionID(text) else {
            throw AdminError.parameterInvalid.saying("exclude is a connection's id")
        }
        return id
    }

    /// What conflation compares.
    private func key(_ text: String?) throws(AdminError) -> String? {
        guard let text else { return nil }
        guard (1...Self.longestKey).contains(text.utf8.count) else {
            throw AdminError.parameterInvalid.saying("key has 1 to \(Self.longestKey) bytes")
        }
        return text
    }

    static let longestKey = 255

    // MARK: The message is in JSON

    private static let knownMembers: Set = [
        "channel", "channels", "user", "connection", "data", "dataBase64", "exclude", "key",
    ]

    func publishJSON(_ call: AdminCall) throws(AdminError) {
        let members: JSONReader.Members
        do {
            members = try JSONReader.members(of: call.body)
        } catch {
            throw AdminError.jsonInvalid.saying(error.message)
        }
        if let unknown = members.keys.filter({ !Self.knownMembers.contains($0) }).min() {
            let known = Self.knownMembers.sorted().joined(separator: ", ")
            throw AdminError.jsonInvalid.saying("the member \"\(unknown)\" is not one of: \(known)")
        }
        let frame = try frame(members)
        let exclude = try excluded(try string(members, "exclude"))
        let targets = ["channel", "channels", "user", "connection"].filter { members[$0] != nil }
        guard targets.count == 1 else {
            throw AdminError.jsonInvalid.saying(
                "exactly one of channel, channels, user and connection says whom it is for")
        }
        let key = try key(try string(members, "key"))
        guard exclude == nil && key == nil || members["channel"] != nil || members["channels"] != nil else {
            throw AdminError.jsonInvalid.saying("exclude and key go with channel or channels")
        }
        if let user = try string(members, "user") { return send(frame, to: .user(user), call) }
        if let text = try string(members, "connection") {
            guard let id = ConnectionID(text) else { throw .connectionNotFound }
            return try send(frame, to: id, call)
        }
        let channels = try channels(members)
        publish(Push(frame: frame, key: key, exclude: exclude), to: channels) { outcome in
            if members["channels"] == nil { call.finish(outcome) } else { call.finishMany(outcome) }
        }
    }

    private func frame(_ members: JSONReader.Members) throws(AdminError) -> Frame {
        if let encoded = try string(members, "dataBase64") {
            guard members["data"] == nil, let bytes = Base64.decode(encoded) else {
                throw AdminError.jsonInvalid.saying("dataBase64 is Base64, and stands in the place of data")
            }
            return .binary(bytes)
        }
        guard let data = members["data"] else { throw AdminError.jsonInvalid.saying("data or dataBase64 is missing") }
        if case .string(let text) = data.value { return .text(text) }
        return .text(data.json)
    }

    private func channels(_ members: JSONReader.Members) throws(AdminError) -> [Channel] {
        var names: [String] = []
        if let name = try string(members, "channel") { names = [name] }
        if case .strings(let several)? = members["channels"]?.value { names = several }
        guard (1...100).contains(names.count) else {
            throw AdminError.jsonInvalid.saying("channels is a list of 1 to 100 channel names")
        }
        var channels: [Channel] = []
        for name in names {
            guard let channel = Channel(name) else { throw .channelNameInvalid }
            channels.append(channel)
        }
        return channels
    }

    private func string(
        _ members: JSONReader.Members, _ name: String
    ) throws(AdminError) -> String? {
        guard let member = members[name] else { return nil }
        guard case .string(let text) = member.value else {
            throw AdminError.jsonInvalid.saying("\(name) is a string")
        }
        return text
    }

    // MARK: On to the workers

    /// What is published, to whatever channels.
    private struct Push {
        let frame: Frame
        let key: String?
        let exclude: ConnectionID?
    }

    private func publish(
        _ push: Push, to channels: [Channel], then finish: @escaping (Result<[PushOutcome], AdminError>) -> Void
    ) {
        publishNext(push, channels[...], [], finish)
    }

    /// One channel after the other, so that the answer's counts are each channel's own.
    private func publishNext(
        _ push: Push, _ channels: ArraySlice<Channel>, _ outcomes: [PushOutcome],
        _ finish: @escaping (Result<[PushOutcome], AdminError>) -> Void
    ) {
        guard let channel = channels.first else { return finish(.success(outcomes)) }
        let goOn = { [unowned self] (outcome: Result<PushOutcome, AdminError>) in
            switch outcome {
            case .success(let outcome): publishNext(push, channels.dropFirst(), outcomes + [outcome], finish)
            case .failure(let error): finish(.failure(error))
            }
        }
        guard mustFilter(order: channel.name) else { return publish(push, to: channel, then: goOn) }
        var target = [("channel", channel.name)]
        if let exclude = push.exclude { target.append(("exclude", exclude.text)) }
        let publication = Publication(frame: push.frame, channel: channel, key: push.key)
        filter(publication, target, order: channel.name) { [unowned self] result in
            switch result {
            case .success(let changed):
                let push = Push(frame: changed.frame, key: changed.key, exclude: push.exclude)
                publish(push, to: changed.channel ?? channel, then: goOn)
            case .failure(let error):
                goOn(.failure(error))
            }
        }
    }

    private func publish(
        _ push: Push, to channel: Channel, then finish: @escaping (Result<PushOutcome, AdminError>) -> Void
    ) {
        let ticket = nextTicket()
        let outcome = node.broker.publish(
            push.frame, to: channel, key: push.key, exclude: push.exclude?.subscriber, origin: nil, receipt: ticket)
        guard case .published(let position, let workers, _) = outcome else { return finish(.failure(.overloaded)) }
        gather(ticket, from: workers.count) { [unowned self] answers, isComplete in
            finish(
                .success(
                    PushOutcome(
                        id: pushID(ticket), channel: channel, position: position, count: answers.deliveries,
                        isComplete: isComplete, version: node.liveVersion)))
        }
    }

    private func send(_ frame: Frame, to audience: Audience, _ call: AdminCall) {
        guard node.filtersPushes || !pushOrders.isEmpty else { return sendNow(frame, to: audience, call) }
        let target = audience.target
        let order = target.map { "\($0.name) \($0.value)" } ?? ""
        guard mustFilter(order: order) else { return sendNow(frame, to: audience, call) }
        filter(Publication(frame: frame), target.map { [$0] } ?? [], order: order) { [unowned self] result in
            switch result {
            case .success(let changed): sendNow(changed.frame, to: audience, call)
            case .failure(let error): call.fail(error)
            }
        }
    }

    private func sendNow(_ frame: Frame, to audience: Audience, _ call: AdminCall) {
        if case .connection(let id) = audience { return sendNow(frame, to: id, call) }
        let ticket = nextTicket()
        let reached = (0..<node.workers.count).count { node.workers.send(frame, to: audience, on: $0, ticket: ticket) }
        guard reached > 0 else { return call.fail(.overloaded) }
        gather(ticket, from: node.workers.count) { [unowned self] answers, isComplete in
            call.finish(.success([direct(ticket, answers.deliveries, isComplete)]))
        }
    }

    private func send(_ frame: Frame, to id: ConnectionID, _ call: AdminCall) throws(AdminError) {
        guard id.node == node.number, Int(id.worker) < node.workers.count else { throw .connectionNotFound }
        send(frame, to: .connection(id), call)
    }

    private func sendNow(_ frame: Frame, to id: ConnectionID, _ call: AdminCall) {
        let ticket = nextTicket()
        guard node.workers.send(frame, to: .connection(id), on: Int(id.worker), ticket: ticket) else {
            return call.fail(.overloaded)
        }
        gather(ticket, from: 1) { [unowned self] answers, isComplete in
            let count = answers.deliveries
            if isComplete && count.matched == 0 { return call.fail(.connectionNotFound) }
            call.finish(.success([direct(ticket, count, isComplete)]))
        }
    }

    private func direct(_ ticket: UInt64, _ count: DeliveryCount, _ isComplete: Bool) -> PushOutcome {
        PushOutcome(
            id: pushID(ticket), channel: nil, position: nil, count: count, isComplete: isComplete,
            version: node.liveVersion)
    }

    /// Unique for the node's life, and different from another life's.
    private func pushID(_ ticket: UInt64) -> String {
        Base32.text(of: UInt64(node.number) << 48 | UInt64(node.startedAt & 0xFFFF) << 32 | ticket)
    }
}

extension [(worker: UInt8, answer: WorkerAnswer)] {
    /// The deliveries of all workers together.
    fileprivate var deliveries: DeliveryCount {
        reduce(into: DeliveryCount()) { sum, entry in
            if case .delivered(let count) = entry.answer { sum += count }
        }
    }
}

extension Audience {
    /// Whom it is for, as a publication's field says it; nil for everyone.
    fileprivate var target: (name: String, value: String)? {
        switch self {
        case .connection(let id): ("connection", id.text)
        case .user(let user): ("user", user)
        case .path(let path): ("path", path)
        case .everyone: nil
        }
    }
}
