// One running request, as libcurl sees it: a handle with its options, and the response as far as it has arrived.
// Following a redirect is another transfer.
//
// libcurl calls back with a pointer to this object, so the client keeps the object until it has taken the handle out of
// `CurlMulti`.
//
// Read next: Transfer+Options.swift.

import CCurl
import CLinux
import EventLoop
import Glibc

/// A running transfer.
final class Transfer {
    let easy: UnsafeMutableRawPointer
    let id: RequestID
    let request: HTTPClientRequest
    let settings: HTTPClientSettings
    let bodyLimit: Int
    /// The addresses of the URL's host; nil if the host is an address itself.
    let addresses: [SocketAddress]?
    /// The time for connecting, in milliseconds.
    let connectTime: UInt64
    private(set) var head = ResponseHead()
    private(set) var body: [UInt8] = []
    /// The reason for which one of the functions below has stopped the transfer or refused a connection.
    private var refusal: HTTPClientError?
    var fieldList: UnsafeMutablePointer<curl_slist>?
    var addressList: UnsafeMutablePointer<curl_slist>?
    /// The buffer for libcurl's error text.
    let detail: UnsafeMutablePointer<CChar> = .allocate(capacity: Int(CURL_ERROR_SIZE))

    init(
        _ request: HTTPClientRequest, id: RequestID, settings: HTTPClientSettings, addresses: [SocketAddress]?,
        connectTime: UInt64
    ) {
        self.request = request
        self.addresses = addresses
        self.connectTime = connectTime
        self.id = id
        self.settings = settings
        bodyLimit = request.responseBody ?? settings.responseBody
        easy = curl_easy_init()!
        detail.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        setOptions()
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(fieldList)
        curl_slist_free_all(addressList)
        detail.deallocate()
    }

    /// The result of the transfer, which has ended with libcurl's `code`.
    func result(_ code: CURLcode) -> Result<HTTPClientResponse, HTTPClientError> {
        guard code == CURLE_OK else { return .failure(error(code)) }
        // libcurl also accepts the end of the stream as the end of the head.
        guard head.isComplete else { return .failure(HTTPClientError(.disconnected, "in the middle of a head")) }
        let status = perigee_easy_number(easy, CURLINFO_RESPONSE_CODE)
        return .success(HTTPClientResponse(status: status, fields: head.fields, body: body))
    }

    private func error(_ code: CURLcode) -> HTTPClientError {
        // If a host has several addresses, the refusal of one does not explain why another does not answer.
        if let refusal, refusal.reason != .addressRefused || code == CURLE_COULDNT_CONNECT { return refusal }
        return HTTPClientError(
            code, systemCode: perigee_easy_number(easy, CURLINFO_OS_ERRNO), isSecure: request.url.isSecure,
            detail: String(cString: detail))
    }

    // MARK: Called by libcurl

    /// A line of a head; false stops the transfer.
    func received(line: UnsafeRawBufferPointer) -> Bool {
        head.add(line)
        guard head.byteCount > settings.responseHead else { return true }
        refusal = HTTPClientError(.tooLarge, "the response's head is larger than \(settings.responseHead) bytes")
        return false
    }

    /// A piece of the body; false stops the transfer.
    func received(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count <= bodyLimit - body.count else {
            refusal = HTTPClientError(.tooLarge, "the response's body is larger than \(bodyLimit) bytes")
            return false
        }
        body.append(contentsOf: bytes)
        return true
    }

    /// Whether libcurl may resolve the host itself: never a name, because that would start a thread that is not
    /// counted.
    var mayResolve: Bool { addresses == nil }

    /// A socket for a connection to this address, or CURL_SOCKET_BAD.
    func openSocket(_ address: UnsafePointer<curl_sockaddr>) -> Int32 {
        let bytes = UnsafeRawBufferPointer(
            start: perigee_address_bytes(address), count: Int(address.pointee.addrlen))
        let target = SocketAddress(sockaddr: bytes).unmapped
        guard !target.isUnix, settings.addresses.permit(target) else {
            refusal = HTTPClientError(.addressRefused, target.host)
            return CURL_SOCKET_BAD
        }
        let type = address.pointee.socktype | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        return socket(address.pointee.family, type, address.pointee.protocol)
    }
}
