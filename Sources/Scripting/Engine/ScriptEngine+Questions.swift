// Questions that others ask of a script and want an answer to.
//
// Read next: LuaBridge/Events/questions.c, Gateway/Worker/Worker+Questions.swift.

import LuaBridge

extension ScriptEngine {
    /// The live script of that name, `nil` when there is none.
    public func script(named name: String) -> ScriptID? {
        guard live?.scripts.contains(where: { $0.name == name }) == true else { return nil }
        return intern(name)
    }

    /// Asks `main` whether a backend's push may pass.
    public func onPublish(_ question: ScriptQuestion) -> ScriptReply {
        guard let id = script(named: "main"), defines(.publish, id) else { return .absent }
        return ask(.publish, id, question) { bridgeOnPublish(bridge, target(id), &$0) }
    }

    /// Hands a backend's call to a script.
    public func onRequest(_ id: ScriptID, _ question: ScriptQuestion) -> ScriptReply {
        guard defines(.request, id) else { return .absent }
        return ask(.request, id, question) { bridgeOnRequest(bridge, target(id), &$0) }
    }

    /// Asks whether a client may subscribe to a channel.
    public func onSubscribe(
        _ id: ScriptID, _ connection: ConnectionHandle, channel: UnsafeRawBufferPointer
    ) -> ScriptReply {
        guard defines(.subscribe, id) else { return .absent }
        activity.begin(.subscribe, id)
        let name = BridgeBytes(
            bytes: channel.baseAddress?.assumingMemoryBound(to: CChar.self), count: channel.count)
        let outcome = bridgeOnSubscribe(bridge, target(id), connection.bridged, name)
        return begin(outcome, .subscribe, id, connection)
    }

    private func ask(
        _ handler: ScriptHandler, _ id: ScriptID, _ question: ScriptQuestion,
        _ call: (inout BridgeQuestion) -> BridgeOutcome
    ) -> ScriptReply {
        activity.begin(handler, id)
        let strings = bridgeRequestStrings(bridge)
        var list = ScriptStrings(strings)
        for field in question.fields {
            list.append(field.name)
            list.append(field.value)
        }
        for pair in question.query { list.append(name: pair.name, value: pair.value) }
        for field in question.headers { list.append(name: field.name, value: field.value) }
        var bridged = BridgeQuestion(
            strings: strings, fieldCount: Int32(question.fields.count), queryCount: Int32(question.query.count),
            headerCount: Int32(question.headers.count), binary: question.isBinary)
        return begin(call(&bridged), handler, id, nil)
    }

    private func begin(
        _ outcome: BridgeOutcome, _ handler: ScriptHandler, _ id: ScriptID, _ connection: ConnectionHandle?
    ) -> ScriptReply {
        counts[countIndex(handler, id)].calls &+= 1
        if outcome == .waiting { return .waiting(suspend(.handler(handler, id), connection)) }
        return reply(outcome, handler, id, origin(id))
    }

    /// What a handler that has ended answers.
    func reply(
        _ outcome: BridgeOutcome, _ handler: ScriptHandler, _ id: ScriptID, _ origin: EventOrigin
    ) -> ScriptReply {
        let result = bridgeResult(bridge).pointee
        defer { bridgeResultRead(bridge) }
        switch outcome {
        case .done, .absent, .waiting:
            return handler == .request ? .response(CallResponse(result)) : .proceed(PublicationChange(result))
        case .refused:
            return .refused(String(decoding: result.strings.first ?? [], as: UTF8.self))
        case .closeRequested, .failed:
            counts[countIndex(handler, id)].errors &+= 1
            return .failed(error(origin, during: handler.name))
        }
    }
}

extension BridgeResult {
    /// The strings of the list that the handler left.
    fileprivate var strings: [[UInt8]] {
        guard let list else { return [] }
        var strings: [[UInt8]] = []
        var offset = 0
        var count = 0
        while let bytes = bridgeStringsNext(list, &offset, &count) {
            strings.append(Array(UnsafeRawBufferPointer(start: bytes, count: count)))
        }
        return strings
    }

    fileprivate var pairs: [(name: String, value: [UInt8])] {
        let strings = strings
        return stride(from: 0, to: strings.count - 1, by: 2).map {
            (String(decoding: strings[$0], as: UTF8.self), strings[$0 + 1])
        }
    }
}

extension PublicationChange {
    fileprivate init?(_ result: BridgeResult) {
        guard result.list != nil else { return nil }
        let pairs = result.pairs
        channel = pairs.first { $0.name == "channel" }?.value
        key = pairs.first { $0.name == "key" }?.value
        data = pairs.first { $0.name == "data" }?.value
        isBinary = result.code != 0
    }
}

extension CallResponse {
    fileprivate init(_ result: BridgeResult) {
        let pairs = result.pairs
        status = Int(result.code)
        body = pairs.first?.value ?? []
        type = String(decoding: pairs.dropFirst().first?.value ?? [], as: UTF8.self)
        headers = pairs.dropFirst(2).map { ($0.name, String(decoding: $0.value, as: UTF8.self)) }
    }
}
