// The HTTP client of scripts: URLs that a script makes of clients' texts; targets of a server's redirects; the head of a
// response, which comes from a server that may be anybody's.

@testable import HTTPClient

/// The URL, a name and a value of its query, each on a line.
@Sendable func checkClientURL(_ input: [UInt8]) {
    let lines = String(decoding: input, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    guard let url = try? RequestURL(String(lines[0])) else { return }
    taken()
    check(url)
    guard lines.count > 2, let longer = try? url.addingQuery([(name: String(lines[1]), value: String(lines[2]))]) else {
        return
    }
    check(longer)
    expect(longer.hasOrigin(of: url), "a longer query does not lead elsewhere")
    expect(longer.isSecure == url.isSecure, "nor in another way")
}

private func check(_ url: RequestURL) {
    let text = url.text
    // By bytes: a combining mark behind the last slash is one character with it.
    expect(
        text.utf8.starts(with: (url.isSecure ? "https://" : "http://").utf8), "a URL is one of http or https: \(text)")
    expect(text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }, "a URL does not end the line that it is sent in: \(text)")
    guard let again = try? RequestURL(text) else { return expect(false, "a URL is one again: \(text)") }
    expect(
        again.hasOrigin(of: url) && again.isSecure == url.isSecure, "written again, it leads to the same place: \(text)"
    )
    expect(again.text == text, "and is written alike: \(text), \(again.text)")
}

/// The method and status, the URL and the Location, each on a line.
@Sendable func checkRedirect(_ input: [UInt8]) {
    let lines = input.split(separator: UInt8(ascii: "\n"), maxSplits: 2, omittingEmptySubsequences: false)
        .map { String(decoding: $0, as: UTF8.self) }
    guard lines.count == 3 else { return }
    let words = lines[0].split(separator: " ")
    guard let method = words.first.flatMap({ HTTPClientRequest.Method(rawValue: String($0)) }),
        let status = words.last.flatMap({ Int($0) }), HTTPClientRequest.isRedirect(status),
        var request = try? HTTPClientRequest(method, lines[1])
    else { return }
    for (name, value) in [("Authorization", "secret"), ("Cookie", "a=b"), ("Accept", "*/*"), ("Content-Type", "x/y")] {
        try? request.addField(name, value)
    }
    if method != .head { try? request.setBody([1, 2, 3]) }
    request.redirects = 2
    let response = HTTPClientResponse(
        status: status, fields: [.init(name: "location", value: Array(lines[2].utf8))], body: [])
    guard let next = try? request.redirected(by: response) else { return }
    taken()
    check(next.url)
    expect(next.redirects == 1, "each redirect is counted")
    expect(next.url.isSecure || !request.url.isSecure, "nothing leads from https to http")
    let isSame = next.url.hasOrigin(of: request.url)
    expect(
        next.hasField("authorization") == isSame && next.hasField("cookie") == isSame, "secrets stay at their origin")
    expect(next.hasField("accept"), "fields that describe the request go along")
    let becomesGet = status == 303 && method != .head || status < 303 && method == .post
    expect(next.method == (becomesGet ? .get : method), "the method is what RFC 9110 says")
    expect((next.body == nil) == (becomesGet || method == .head), "and so is the body")
    expect(next.hasField("content-type") == !becomesGet, "a body that is gone is not described")
}

/// Each line is one that libcurl hands over.
@Sendable func checkResponseHead(_ input: [UInt8]) {
    var head = ResponseHead()
    var count = 0
    for line in input.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
        let bytes = Array(line) + [UInt8(ascii: "\n")]
        let (before, wasComplete) = (head.fields.count, head.isComplete)
        add(bytes, to: &head)
        count += bytes.count
        let isStart = bytes.starts(with: "HTTP/".utf8)
        expect(!isStart || head.fields.isEmpty && !head.isComplete, "a status line begins a new head")
        expect(isStart || !wasComplete || head.fields.count == before, "nothing comes behind the end of a head")
        expect(head.fields.count <= before + 1, "a line is one field at most")
    }
    expect(head.byteCount == count, "every byte is counted")
    if !head.fields.isEmpty { taken() }
    for field in head.fields {
        expect(field.name == field.name.lowercased() && !field.name.contains(":"), "a name is in lower case")
        expect(!field.value.contains(0x0A), "a value is one line")
        for end in [field.value.first, field.value.last] {
            expect(end.map { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D } ?? true, "without the space around it")
        }
    }
}

/// The line in memory of exactly its size.
private func add(_ bytes: [UInt8], to head: inout ResponseHead) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { buffer.deallocate() }
    buffer.copyBytes(from: bytes)
    head.add(UnsafeRawBufferPointer(buffer))
}
