// Scripts' requests to other servers: each is an operation of the worker's loop, and its end resumes the handler that waits.
//
// Runs on: the worker's thread.
// Read next: Resumptions.swift, HTTPClient/HTTPClient.swift

import EventLoop
import HTTPClient
import Proxies
import Scripting
import Settings

/// The requests of a worker's scripts.
final class OutgoingRequests {
    private let client: HTTPClient

    /// - Parameter admin: where the admin API listens.
    init(on loop: EventLoop, _ configuration: Configuration.HTTPClient, admin: [SocketAddress]) {
        client = HTTPClient(on: loop, settings: configuration.settings(admin: admin))
    }

    var counts: HTTPClientCounts { client.counts }

    /// Sends a request; throws when it cannot be sent.
    /// - Parameter ended: takes the response, or the reason why there is none.
    func send(
        _ wanted: ScriptRequest, ended: @escaping (WaitAnswer) -> Void
    ) throws(HTTPRequestMistake) -> RequestID {
        client.start(try HTTPClientRequest(wanted)) { result in
            switch result {
            case .success(let response): ended(.response(ScriptResponse(response)))
            case .failure(let error): ended(.requestFailed(error.reason.rawValue, detail: error.detail))
            }
        }
    }

    func cancel(_ id: RequestID) { _ = client.cancel(id) }
}

extension Configuration.HTTPClient {
    /// The settings of the client.
    /// - Parameter admin: where the admin API listens.
    fileprivate func settings(admin: [SocketAddress]) -> HTTPClientSettings {
        var settings = HTTPClientSettings()
        settings.concurrent = concurrent
        settings.queued = queued
        settings.lookups = lookups
        settings.connectTimeout = connectTimeout.milliseconds
        settings.timeout = timeout.milliseconds
        settings.responseBody = maxBody
        settings.responseHead = maxHead
        settings.idleConnections = idleConnections
        if !caFile.isEmpty { settings.authorities = caFile }
        settings.addresses = AddressRules(allowed: allow, denied: deny, own: allowAdmin ? [] : admin)
        settings.userAgent = "Perigee/\(PerigeeVersion.text)"
        return settings
    }
}

extension HTTPClientRequest {
    fileprivate init(_ request: ScriptRequest) throws(HTTPRequestMistake) {
        guard let method = Method(rawValue: request.method) else {
            let known = Method.allCases.map(\.rawValue).joined(separator: ", ")
            throw HTTPRequestMistake("there is no method '\(request.method)'; use one of \(known)")
        }
        try self.init(method, request.url)
        try addQuery(request.query)
        for field in request.headers { try addField(field.name, field.value) }
        if let body = request.body { try setBody(body) }
        if request.isJSON, !hasField("content-type") { try addField("Content-Type", "application/json") }
        timeout = request.timeout.map { UInt64(max(1, ($0 * 1000).rounded(.up))) }
        responseBody = request.maxBytes
        redirects = request.redirects
    }
}

extension ScriptResponse {
    fileprivate init(_ response: HTTPClientResponse) {
        self.init(
            status: response.status, headers: JoinedFields(response.fields.lazy.map { ($0.name, $0.value) }).fields,
            body: response.body)
    }
}
