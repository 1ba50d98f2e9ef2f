// The options of a transfer. libcurl has defaults for nearly all of them, from environment variables to redirects; here
// each one that affects a script's request is set.

import CCurl
import EventLoop

extension Transfer {
    func setOptions() {
        setBounds()
        setRequest()
        setTLS()
        setAddresses()
        let this = Unmanaged.passUnretained(self).toOpaque()
        _ = perigee_easy_set_pointer(easy, CURLOPT_PRIVATE, this)
        _ = perigee_easy_set_pointer(easy, CURLOPT_ERRORBUFFER, detail)
        _ = perigee_easy_on_receive(easy, curlReceivedLine, curlReceivedBody, this)
        _ = perigee_easy_on_open_socket(easy, curlOpensSocket, this)
        _ = perigee_easy_on_resolve(easy, curlResolves, this)
    }

    private func setBounds() {
        _ = perigee_easy_set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https")
        // No proxy, even if the environment names one.
        _ = perigee_easy_set_text(easy, CURLOPT_PROXY, "")
        _ = perigee_easy_set_text(easy, CURLOPT_NOPROXY, "*")
        // Redirects are followed by the client, which looks at each of them.
        _ = perigee_easy_set_number(easy, CURLOPT_FOLLOWLOCATION, 0)
        // No signals for timeouts.
        _ = perigee_easy_set_number(easy, CURLOPT_NOSIGNAL, 1)
        _ = perigee_easy_set_number(easy, CURLOPT_CONNECTTIMEOUT_MS, Int(clamping: connectTime))
        // A body whose announced length is too large need not be received. The answer to HEAD has none.
        if request.method != .head { _ = perigee_easy_set_number(easy, CURLOPT_MAXFILESIZE, bodyLimit) }
    }

    /// Gives libcurl the addresses of the host, so that it need not look up the name.
    private func setAddresses() {
        guard let addresses else { return }
        let list = addresses.map { $0.isIPv4 ? $0.host : "[\($0.host)]" }.joined(separator: ",")
        // The plus sign makes the entry expire, like the result of a look-up.
        addressList = curl_slist_append(nil, "+\(request.url.host):\(request.url.port):\(list)")
        _ = perigee_easy_set_pointer(easy, CURLOPT_RESOLVE, addressList)
    }

    private func setTLS() {
        _ = perigee_easy_set_number(easy, CURLOPT_SSL_VERIFYPEER, 1)
        _ = perigee_easy_set_number(easy, CURLOPT_SSL_VERIFYHOST, 2)
        _ = perigee_easy_set_number(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
        _ = perigee_easy_set_text(easy, CURLOPT_CAINFO, settings.authorities)
        // Without a directory libcurl caches the file; otherwise it would read all of it for each connection.
        _ = perigee_easy_set_text(easy, CURLOPT_CAPATH, nil)
        _ = perigee_easy_set_number(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS)
    }

    private func setRequest() {
        _ = perigee_easy_set_url(easy, request.url.handle)
        if let body = request.body {
            _ = body.withUnsafeBytes {
                perigee_easy_set_body(easy, $0.baseAddress ?? UnsafeRawPointer(detail), $0.count)
            }
        } else if request.method == .post {
            _ = perigee_easy_set_body(easy, detail, 0)
        } else if request.method == .head {
            _ = perigee_easy_set_number(easy, CURLOPT_NOBODY, 1)
        }
        if request.method != .head { _ = perigee_easy_set_text(easy, CURLOPT_CUSTOMREQUEST, request.method.rawValue) }
        setFields()
    }

    private func setFields() {
        // A field without a value removes one that libcurl would add by itself.
        add("Expect:")
        if !request.hasField("content-type") { add("Content-Type:") }
        if !request.hasField("user-agent") { add("User-Agent: \(settings.userAgent)") }
        for field in request.fields {
            add(field.value.allSatisfy { $0 == " " || $0 == "\t" } ? "\(field.name);" : "\(field.name): \(field.value)")
        }
        _ = perigee_easy_set_pointer(easy, CURLOPT_HTTPHEADER, fieldList)
    }

    private func add(_ line: String) {
        // NULL means that there is no memory; the list is as it was.
        fieldList = curl_slist_append(fieldList, line) ?? fieldList
    }
}

private func transfer(_ context: UnsafeMutableRawPointer?) -> Transfer {
    Unmanaged<Transfer>.fromOpaque(context!).takeUnretainedValue()
}

private func curlReceivedLine(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    let count = size * count
    return transfer(context).received(line: UnsafeRawBufferPointer(start: bytes, count: count)) ? count : count + 1
}

private func curlReceivedBody(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    let count = size * count
    return transfer(context).received(UnsafeRawBufferPointer(start: bytes, count: count)) ? count : count + 1
}

private func curlOpensSocket(
    _ context: UnsafeMutableRawPointer?, _ purpose: curlsocktype, _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
    transfer(context).openSocket(address!)
}

private func curlResolves(
    _ state: UnsafeMutableRawPointer?, _ reserved: UnsafeMutableRawPointer?, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    transfer(context!).mayResolve ? 0 : 1
}
