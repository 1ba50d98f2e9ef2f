// Scripts' requests to other servers: each is an operation of the worker's loop, whose end goes on with the handler that waits.
//
// Read next: Worker+Waiting.swift, HTTPClient/HTTPClient.swift

import EventLoop
import HTTPClient
import Proxies
package import Scripting
import Settings

extension Worker {
    /// Sends a request; answers what is wrong with it, if it cannot be sent.
    package func request(_ ticket: WaitTicket, _ wanted: ScriptRequest) -> String? {
        let request: HTTPClientRequest
        do throws(HTTPRequestMistake) {
            request = try HTTPClientRequest(wanted)
        } catch {
            return error.description
        }
        let id = http.start(request) { [unowned self] result in
            switch result {
            case .success(let response): finish(ticket, with: .response(ScriptResponse(response)))
            case .failure(let error):
                finish(ticket, with: .requestFailed(error.reason.rawValue, detail: error.detail))
            }
        }
        waiting.begin(.request(id), of: ticket)
        return nil
    }
}

extension Configuration.HTTPClient {
    /// What the client is made with.
    /// - Parameter admin: where the admin API listens.
    func settings(admin: [SocketAddress]) -> HTTPClientSettings {
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
