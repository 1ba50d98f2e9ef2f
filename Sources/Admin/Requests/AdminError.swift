// Every error that the admin API answers with: status, stable code, message, and a hint where one helps. Clients may compare
// codes; messages are for people.

import Gateway
import HTTP1
import JSON
import PubSub

/// A refused request.
struct AdminError: Error, Sendable {
    let status: Int
    let code: String
    var message: String
    var hint: String?
    /// Further members of the error object, as JSON text.
    var details: [(name: String, json: String)] = []
    /// Seconds after which another attempt makes sense: the `Retry-After` of an answer 503.
    var retryAfter = 1

    static let badRequest = AdminError(status: 400, code: "bad_request", message: "the request is malformed")
    static let channelNameInvalid = AdminError(
        status: 400, code: "channel_name_invalid",
        message: "a channel name has 1 to 255 bytes of UTF-8 and no control characters",
        hint: "percent-encode every byte but letters, digits, '-', '.', '_' and '~'")
    static let textNotUTF8 = AdminError(
        status: 400, code: "text_not_utf8", message: "the body is pushed as a text message and is not UTF-8",
        hint: "send bytes with 'Content-Type: application/octet-stream'")
    static let jsonInvalid = AdminError(
        status: 400, code: "json_invalid", message: "the body is not the JSON that is expected")
    static let parameterInvalid = AdminError(
        status: 400, code: "parameter_invalid", message: "a query parameter has a value that is not allowed")
    static let cursorInvalid = parameterInvalid.saying("cursor is the 'next' of the page before")
    static let closeCodeInvalid = AdminError(
        status: 400, code: "close_code_invalid", message: "a close code is 1000 to 1003, 1007 to 1014, or 3000 to 4999",
        hint: "the reason may have at most 123 bytes")
    static let keyMissing = AdminError(
        status: 401, code: "key_missing", message: "this API needs a key",
        hint: "send 'Authorization: Bearer KEY' or 'X-API-Key: KEY'")
    static let keyUnknown = AdminError(status: 401, code: "key_unknown", message: "the key is not one of this server's")
    static let scopeMissing = AdminError(
        status: 403, code: "scope_missing", message: "the key lacks the scope that this request needs")
    static let hostNotAllowed = AdminError(
        status: 403, code: "host_not_allowed",
        message: "without keys, the API answers only requests for this machine by name",
        hint: "use http://127.0.0.1:PORT or http://localhost:PORT, or configure admin.keys")
    static let originNotAllowed = AdminError(
        status: 403, code: "origin_not_allowed", message: "requests from pages of other origins are refused",
        hint: "call the API from a backend, or configure admin.keys")
    static let notFound = AdminError(
        status: 404, code: "not_found", message: "there is nothing at this path",
        hint: "the documentation's page 'Admin API' lists the paths")
    static let connectionNotFound = AdminError(
        status: 404, code: "connection_not_found", message: "no open connection has this id")
    static let methodNotAllowed = AdminError(
        status: 405, code: "method_not_allowed", message: "this path does not take this method")
    static let requestTimeout = AdminError(
        status: 408, code: "request_timeout", message: "the request was not complete in time")
    static let bodyTooLarge = AdminError(
        status: 413, code: "body_too_large", message: "the body is larger than this API takes",
        hint: "admin.maxBody is the limit")
    static let publicationTooLarge = AdminError(
        status: 413, code: "publication_too_large", message: "the message is larger than its channel takes",
        hint: "maxSize in the configuration's channels is the limit")
    static let targetTooLong = AdminError(status: 414, code: "target_too_long", message: "the request line is too long")
    static let expectationFailed = AdminError(
        status: 417, code: "expectation_failed", message: "the only expectation that is met is 100-continue")
    static let scriptsInvalid = AdminError(
        status: 422, code: "scripts_invalid", message: "the scripts do not load; the version that was live goes on",
        hint: "'errors' says where; nothing has changed")
    static let scriptNotFound = AdminError(
        status: 404, code: "script_not_found", message: "the live version has no script or module of this name",
        hint: "GET /v1/scripts lists them; a slash in a name is written %2F, a module is lib%2FNAME")
    static let scriptNameInvalid = AdminError(
        status: 400, code: "script_name_invalid",
        message: "a script's name has letters, digits, '_' and '-', and %2F between folders; tests are not part of it")
    static let uploadOff = AdminError(
        status: 403, code: "upload_off", message: "this server takes no scripts through the API",
        hint: "scripts.upload: true in the configuration allows it")
    static let scriptNotWritten = AdminError(
        status: 500, code: "script_not_written", message: "the file cannot be written; nothing has changed")
    static let versionNotKept = AdminError(
        status: 404, code: "script_version_unknown", message: "this version of the scripts is not kept",
        hint: "GET /v1/scripts lists the previous versions")
    static let noPreviousVersion = AdminError(
        status: 409, code: "no_previous_version", message: "there is no previous version of the scripts to go back to")
    static let upgradeRunning = AdminError(
        status: 409, code: "upgrade_running", message: "an upgrade is under way already")
    static let upgradeFailed = AdminError(
        status: 500, code: "upgrade_failed", message: "the new process did not serve; the old one goes on")
    static let refusedByScript = AdminError(
        status: 422, code: "refused_by_script", message: "onPublish has refused the publication")
    static let scriptFailed = AdminError(
        status: 500, code: "script_failed", message: "the script's handler failed",
        hint: "the log and GET /v1/scripts/errors say where")
    static let scriptTimeout = AdminError(
        status: 504, code: "script_timeout", message: "the script's handler did not answer in time",
        hint: "scripts.eventTimeout is the limit")
    static let handlerNotFound = AdminError(
        status: 404, code: "handler_not_found", message: "no script of this name has an onRequest")
    static let headTooLarge = AdminError(
        status: 431, code: "head_too_large", message: "the header fields are too many or too large",
        hint: "http.maxHead and http.maxFields are the limits")
    static let versionNotSupported = AdminError(
        status: 505, code: "http_version_not_supported", message: "this API speaks HTTP/1.1")
    static let overloaded = AdminError(
        status: 503, code: "overloaded", message: "the workers do not keep up; the message was not taken",
        hint: "try again in a moment")
    static let brokerUnavailable = AdminError(
        status: 503, code: "broker_unavailable", message: "the broker is out of reach; the message was not taken",
        hint: "Retry-After says when to try again")
    static let publishOutcomeUnknown = AdminError(
        status: 503, code: "publish_outcome_unknown",
        message: "the broker has taken the message and did not answer in time; it may have been published")
    static let workerLate = AdminError(
        status: 503, code: "worker_late", message: "a worker did not answer in time; the version that was live goes on",
        hint: "scripts.reloadTimeout is the limit; try again when the worker is free")
    static let stopping = AdminError(status: 503, code: "stopping", message: "the server stops")

    static let idempotencyKeyInvalid = AdminError(
        status: 400, code: "idempotency_key_invalid", message: "an Idempotency-Key has 1 to 128 bytes",
        hint: "it is sent once, as a header or as the member idempotencyKey; items of a batch have the member")
    static let idempotencyKeyReused = AdminError(
        status: 409, code: "idempotency_key_reused",
        message: "the key was used for another message; nothing was pushed",
        hint: "use a new key for each message, and the same one only to send that message again")
    static let batchTooLong = AdminError(
        status: 413, code: "batch_too_long", message: "an array has at most 10000 items; nothing was pushed",
        hint: "send lines, one object each: they may go on for as long as you like")

    static let all: [AdminError] = [
        badRequest, channelNameInvalid, textNotUTF8, jsonInvalid, parameterInvalid, closeCodeInvalid, keyMissing,
        keyUnknown, scopeMissing, hostNotAllowed, originNotAllowed, notFound, connectionNotFound, methodNotAllowed,
        requestTimeout, bodyTooLarge, publicationTooLarge, targetTooLong, expectationFailed, scriptsInvalid,
        headTooLarge,
        versionNotSupported, overloaded, brokerUnavailable, publishOutcomeUnknown, workerLate, stopping,
        upgradeRunning, upgradeFailed, refusedByScript, scriptFailed, scriptTimeout, handlerNotFound, scriptNotFound,
        scriptNameInvalid, uploadOff, scriptNotWritten, versionNotKept, noPreviousVersion,
        idempotencyKeyInvalid, idempotencyKeyReused, batchTooLong,
    ]

    /// The same error with a message for this case.
    func saying(_ message: String) -> AdminError {
        var copy = self
        copy.message = message
        return copy
    }

    /// `{"error":{"code":…,"message":…,"hint":…}}`
    var json: JSONOutput {
        JSONOutput.object { write(to: &$0) }
    }

    /// Adds the error to an answer.
    func write(to answer: inout JSONOutput.Members) {
        answer.member("error") { members in
            members.add("code", code)
            members.add("message", message)
            if let hint { members.add("hint", hint) }
            for detail in details { members.addJSON(detail.name, detail.json) }
        }
    }
}

extension AdminError {
    /// The answer to a request that cannot be read.
    init(_ error: HTTPError) {
        self =
            switch error {
            case .badRequestLine, .badField, .bareLineFeed, .bareCarriageReturn, .controlByte, .obsoleteFolding,
                .missingHost, .severalHosts, .badHost, .badContentLength, .conflictingLength,
                .unsupportedTransferEncoding, .badChunk:
                AdminError.badRequest.saying(error.reason)
            case .bodyTooLarge: .bodyTooLarge
            case .uriTooLong: .targetTooLong
            case .expectationFailed: .expectationFailed
            case .headTooLarge, .tooManyFields: .headTooLarge
            case .versionNotSupported: .versionNotSupported
            }
    }

    /// The answer, without the request's id.
    var response: Response {
        var response = Response(status: status, fields: [("Content-Type", "application/json")], body: json.bytes)
        switch status {
        case 401: response.fields.append(("WWW-Authenticate", "Bearer"))
        case 503: response.fields.append(("Retry-After", "\(retryAfter)"))
        default: break
        }
        return response
    }

    /// The answer to a publication that the broker did not make.
    init(_ failure: BrokerFailure) {
        switch failure {
        case .overloaded: self = .overloaded
        case .tooLarge: self = .publicationTooLarge
        case .unavailable(let retryAfter):
            self = .brokerUnavailable
            self.retryAfter = retryAfter
        }
    }

    /// The answer to a reload that was not tried.
    init(_ refusal: ReloadReport.Refusal) {
        self =
            switch refusal {
            case .workerLate: .workerLate.saying(refusal.message)
            case .notWritten: .scriptNotWritten.saying(refusal.message)
            case .versionNotKept: .versionNotKept.saying(refusal.message)
            case .noPreviousVersion: .noPreviousVersion
            }
    }
}
