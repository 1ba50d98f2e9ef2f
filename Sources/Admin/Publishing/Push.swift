// A push as a request asks for it: the body is the message, or a JSON object holds it.
//
// Runs on: the admin thread.
// Read next: Publisher.swift.

import Gateway
import HTTP1
import JSON
import PubSub
import WebSocket

/// A message and its target.
struct Push {
    /// The subscribers or connections that a push is for.
    enum Target {
        /// - isList: whether the answer has a result for each channel.
        case channels([Channel], isList: Bool)
        case audience(Audience)
    }

    /// The most bytes of a key.
    static let longestKey = 255

    let frame: Frame
    let target: Target
    /// The key that conflation compares; for channels only.
    var key: String?
    /// The connection that must not get the publication; for channels only.
    var exclude: ConnectionID?
    /// Whether a channel with history keeps it.
    var keepsHistory = true
    /// Names the push, so that it is made once however often it is sent; no part of what is pushed.
    var idempotencyKey: String?
}

// MARK: The body is the message

extension Push {
    /// `POST /v1/channels/{channel}/messages`.
    init(toChannelOf call: AdminCall) throws(AdminError) {
        target = .channels([try call.channel()], isList: false)
        frame = try Self.message(call)
        guard call.hasQuery else { return }
        exclude = try Self.excluded(call.query.first("exclude"))
        key = try Self.key(call.query.first("key"))
        switch call.query.first("history") {
        case "false": keepsHistory = false
        case "true", nil: break
        case .some: throw AdminError.parameterInvalid.saying("history is true or false")
        }
    }

    /// The body is for an audience.
    init(to audience: Audience, _ call: AdminCall) throws(AdminError) {
        frame = try Self.message(call)
        target = .audience(audience)
    }

    /// Text, whatever the content type says (`curl -d` claims a form), unless it says bytes.
    private static func message(_ call: AdminCall) throws(AdminError) -> Frame {
        if let type = call.head.first("content-type"),
            type.prefix(while: { $0 != ";" }).lowercased() == "application/octet-stream"
        {
            return .binary(call.body)
        }
        var validator = UTF8Validator()
        let isValid = call.body.withUnsafeBytes { validator.consume($0) } && validator.isComplete
        guard isValid else { throw .textNotUTF8 }
        return call.body.withUnsafeBytes { .text($0) }
    }

    private static func excluded(_ text: String?) throws(AdminError) -> ConnectionID? {
        guard let text else { return nil }
        guard let id = ConnectionID(text) else {
            throw AdminError.parameterInvalid.saying("exclude is a connection's id")
        }
        return id
    }

    private static func key(_ text: String?) throws(AdminError) -> String? {
        guard let text else { return nil }
        guard (1...longestKey).contains(text.utf8.count) else {
            throw AdminError.parameterInvalid.saying("key has 1 to \(longestKey) bytes")
        }
        return text
    }
}

// MARK: The message is in JSON

extension Push {
    private typealias Members = [String: (value: JSONReader.Value, json: String)]

    private static let knownMembers: Set = [
        "channel", "channels", "user", "connection", "data", "dataBase64", "exclude", "key",
        "idempotencyKey",
    ]

    /// `POST /v1/publish`.
    init(json body: [UInt8]) throws(AdminError) {
        let members: Members
        do {
            members = try JSONReader.members(of: body)
        } catch {
            throw AdminError.jsonInvalid.saying(error.message)
        }
        if let unknown = members.keys.filter({ !Self.knownMembers.contains($0) }).min() {
            let known = Self.knownMembers.sorted().joined(separator: ", ")
            throw AdminError.jsonInvalid.saying("the member \"\(unknown)\" is not one of: \(known)")
        }
        frame = try Self.frame(members)
        exclude = try Self.excluded(Self.string(members, "exclude"))
        let targets = ["channel", "channels", "user", "connection"].filter { members[$0] != nil }
        guard targets.count == 1 else {
            throw AdminError.jsonInvalid.saying(
                "exactly one of channel, channels, user and connection names the target")
        }
        key = try Self.key(Self.string(members, "key"))
        guard exclude == nil && key == nil || members["channel"] != nil || members["channels"] != nil else {
            throw AdminError.jsonInvalid.saying("exclude and key go with channel or channels")
        }
        target = try Self.target(members)
        guard let name = try Self.string(members, "idempotencyKey") else { return }
        try Idempotency.check(name)
        idempotencyKey = name
    }

    private static func target(_ members: Members) throws(AdminError) -> Target {
        if let user = try string(members, "user") { return .audience(.user(user)) }
        if let text = try string(members, "connection") {
            guard let id = ConnectionID(text) else { throw .connectionNotFound }
            return .audience(.connection(id))
        }
        return .channels(try channels(members), isList: members["channels"] != nil)
    }

    private static func frame(_ members: Members) throws(AdminError) -> Frame {
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

    private static func channels(_ members: Members) throws(AdminError) -> [Channel] {
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

    private static func string(_ members: Members, _ name: String) throws(AdminError) -> String? {
        guard let member = members[name] else { return nil }
        guard case .string(let text) = member.value else {
            throw AdminError.jsonInvalid.saying("\(name) is a string")
        }
        return text
    }
}
