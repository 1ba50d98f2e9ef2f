// The command line's HTTP client: one request to the admin API of the server that runs with a configuration, by libcurl, over TCP
// or a UNIX socket, with or without TLS.
//
// Runs on: the main thread, which waits.
// Read next: AdminCommands.swift.

import ArgumentParser
import CCurl
import Glibc
import Settings

/// The way of a command to the admin API, besides the address that the configuration has.
struct AdminOptions: ParsableArguments {
    /// The seconds that an answer may take.
    private static let patience = 0.05...3_600

    @Flag(help: "Speak TLS to the admin API, also where the configuration does not have admin.tls.")
    var tls = false

    @Option(help: "Speak TLS, and trust the authorities in this PEM file. (default: $CURL_CA_BUNDLE, or the system's)")
    var caFile: String?

    @Option(help: "Speak TLS, and expect a certificate for this name. (default: the address, or localhost)")
    var serverName: String?

    @Option(help: "The seconds that the answer may take, 0.05 to 3600. (default: 30, and longer for an upgrade)")
    var timeout: Double?

    func validate() throws {
        if let timeout, !Self.patience.contains(timeout) { throw ValidationError("--timeout is from 0.05 to 3600.") }
        if let serverName, serverName.wholeMatch(of: #/[A-Za-z0-9._-]+/#) == nil {
            throw ValidationError("'\(serverName)' is no name of a server.")
        }
    }

    /// Whether an option asks for TLS.
    fileprivate var wantsTLS: Bool { tls || caFile != nil || serverName != nil }

    /// The file of the authorities to trust; nil for the system's.
    fileprivate var authorities: String? {
        if let caFile { return caFile }
        guard let variable = getenv("CURL_CA_BUNDLE"), variable.pointee != 0 else { return nil }
        return String(cString: variable)
    }
}

/// Why a request got no answer.
struct AdminFailure: Error {
    let message: String
    /// 1 when the server does not answer, 2 when the configuration or a certificate is wrong.
    let exitCode: Int32
}

/// A client of one running server.
struct AdminClient {
    /// The server's place as texts show it.
    private let place: String
    private let base: String
    private let socketPath: String?
    /// The address to use in place of the URL's host, as libcurl takes it.
    private let connectTo: String?
    private let key: String?
    private let authorities: String?
    private let patience: Duration

    private var isSecure: Bool { base.hasPrefix("https:") }

    /// A client with the first of the configuration's keys that may manage.
    /// - Parameter patience: the time that an answer may take, if the options do not say it.
    init(_ configuration: Configuration, _ options: AdminOptions, patience: Duration) throws(AdminFailure) {
        let address = configuration.admin.listen
        place = "\(address) (admin.listen)"
        guard address.unixPath != nil || address.port != 0 else {
            throw AdminFailure(
                message: "admin.listen is \(address); give --admin the port that the server has announced", exitCode: 2)
        }
        let scheme = configuration.admin.tls || options.wantsTLS ? "https" : "http"
        let host = Self.host(of: address)
        socketPath = address.unixPath
        if address.unixPath != nil {
            base = "\(scheme)://\(options.serverName ?? host)"
            connectTo = nil
        } else {
            base = "\(scheme)://\(options.serverName ?? host):\(address.port)"
            connectTo = options.serverName.map { _ in "::\(host):\(address.port)" }
        }
        key = configuration.admin.keys.first { $0.scopes.contains(.manage) }?.key
        authorities = options.authorities
        self.patience = options.timeout.map { .seconds($0) } ?? patience
    }

    /// The host of the URL at which this machine reaches the address.
    private static func host(of address: ListenAddress) -> String {
        if address.unixPath != nil { return "localhost" }
        let host = address.isWildcard ? (address.isIPv6 ? "::1" : "127.0.0.1") : address.host
        return address.isIPv6 ? "[\(host)]" : host
    }

    /// Sends `POST path` with an empty body.
    /// - Returns: the status, and the body as text.
    func post(_ path: String) throws(AdminFailure) -> (status: Int, body: String) {
        let transfer = CurlTransfer()
        setBounds(of: transfer)
        setRequest(of: transfer, path)
        setTLS(of: transfer)
        let code = transfer.run()
        guard code == CURLE_OK else { throw failure(code, transfer) }
        return (transfer.status, String(decoding: transfer.body, as: UTF8.self))
    }

    private func setBounds(of transfer: CurlTransfer) {
        transfer.set(CURLOPT_PROTOCOLS_STR, "http,https")
        // No proxy, even if the environment names one, and no redirect: the key is for this server alone.
        transfer.set(CURLOPT_PROXY, "")
        transfer.set(CURLOPT_NOPROXY, "*")
        transfer.set(CURLOPT_FOLLOWLOCATION, 0)
        // 0 would mean no bound.
        transfer.set(CURLOPT_TIMEOUT_MS, max(1, Int(patience / .milliseconds(1))))
    }

    private func setRequest(of transfer: CurlTransfer, _ path: String) {
        transfer.set(CURLOPT_URL, base + path)
        transfer.set(CURLOPT_UNIX_SOCKET_PATH, socketPath)
        if let connectTo { transfer.set(CURLOPT_CONNECT_TO, [connectTo]) }
        transfer.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        transfer.setEmptyBody()
        // An API without keys answers only to a host that names this machine. A field without a value stays away.
        let fields = ["Host: localhost", "Content-Type:", "Accept:"] + (key.map { ["X-API-Key: \($0)"] } ?? [])
        transfer.set(CURLOPT_HTTPHEADER, fields)
    }

    private func setTLS(of transfer: CurlTransfer) {
        transfer.set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        guard let authorities else { return }
        transfer.set(CURLOPT_CAINFO, authorities)
        // libcurl would trust the system's directory besides.
        transfer.set(CURLOPT_CAPATH, nil as String?)
    }

    private func failure(_ code: CURLcode, _ transfer: CurlTransfer) -> AdminFailure {
        func answerless(_ message: String) -> AdminFailure { AdminFailure(message: message, exitCode: 1) }
        func untrusted(_ message: String) -> AdminFailure { AdminFailure(message: message, exitCode: 2) }
        let detail = transfer.detail(of: code)
        switch code {
        case CURLE_COULDNT_CONNECT:
            return answerless("no server answers at \(place): \(transfer.systemError ?? detail)")
        case CURLE_OPERATION_TIMEDOUT:
            return answerless("the admin API at \(place) did not answer within \(patience)")
        case CURLE_PEER_FAILED_VERIFICATION:
            return untrusted(
                """
                the certificate of the admin API at \(place) is refused: \(detail)
                --ca-file names the file of its authority, --server-name the name in it
                """)
        case CURLE_SSL_CACERT_BADFILE:
            return untrusted("the authorities in \(authorities ?? "the system's file") cannot be used: \(detail)")
        case CURLE_WRITE_ERROR:
            return answerless("the admin API at \(place) answers with more than \(CurlTransfer.longestBody) bytes")
        default:
            let hint = isSecure ? "does it speak TLS (admin.tls)?" : "if it speaks TLS, give --tls or --ca-file"
            return answerless("the admin API at \(place) gives no answer: \(detail); \(hint)")
        }
    }
}

/// One request of libcurl's easy interface, with the objects to which its options point.
private final class CurlTransfer {
    /// The most bytes of a body that are taken.
    static let longestBody = 1 << 20

    private let easy: UnsafeMutableRawPointer
    private let words = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    private var lists: [UnsafeMutablePointer<curl_slist>?] = []
    private(set) var body: [UInt8] = []

    init() {
        easy = curl_easy_init()!
        words.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        _ = perigee_easy_set_pointer(easy, CURLOPT_ERRORBUFFER, words)
    }

    deinit {
        curl_easy_cleanup(easy)
        for list in lists { curl_slist_free_all(list) }
        words.deallocate()
    }

    func set(_ option: CURLoption, _ value: Int) { _ = perigee_easy_set_number(easy, option, value) }
    func set(_ option: CURLoption, _ value: String?) { _ = perigee_easy_set_text(easy, option, value) }

    func set(_ option: CURLoption, _ lines: [String]) {
        let list = lines.reduce(nil as UnsafeMutablePointer<curl_slist>?) { curl_slist_append($0, $1) ?? $0 }
        lists.append(list)
        _ = perigee_easy_set_pointer(easy, option, list)
    }

    /// Makes it a POST of nothing.
    func setEmptyBody() { _ = perigee_easy_set_body(easy, words, 0) }

    /// Sends the request and waits for the end of its answer.
    func run() -> CURLcode {
        let this = Unmanaged.passUnretained(self).toOpaque()
        _ = perigee_easy_on_receive(easy, { _, size, count, _ in size * count }, curlReceivedBody, this)
        return withExtendedLifetime(self) { curl_easy_perform(easy) }
    }

    /// Takes a piece of the body; false when it is too long.
    fileprivate func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
        body += bytes
        return body.count <= Self.longestBody
    }

    var status: Int { perigee_easy_number(easy, CURLINFO_RESPONSE_CODE) }

    /// The system's error when it failed to connect.
    var systemError: String? {
        let code = perigee_easy_number(easy, CURLINFO_OS_ERRNO)
        return code == 0 ? nil : String(cString: strerror(Int32(code)))
    }

    /// The words of libcurl about a failure.
    func detail(of code: CURLcode) -> String {
        String(cString: words.pointee == 0 ? curl_easy_strerror(code) : UnsafePointer(words))
    }
}

private func curlReceivedBody(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    let transfer = Unmanaged<CurlTransfer>.fromOpaque(context!).takeUnretainedValue()
    let count = size * count
    return transfer.receive(UnsafeRawBufferPointer(start: bytes, count: count)) ? count : count + 1
}
