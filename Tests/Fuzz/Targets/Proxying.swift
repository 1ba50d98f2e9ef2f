// Statements of proxies about their clients, and of browsers about their pages: the PROXY protocol, Forwarded and
// X-Forwarded-For, networks, origins, and the patterns of channel names, which are matched here a second time by a slower rule.

import EventLoop
import PubSub

@testable import Proxies

@Sendable func checkProxyHeader(_ input: [UInt8]) {
    let whole = read(input)
    for count in 0..<min(input.count, 400) {
        let part = read(Array(input[..<count]))
        switch (part, whole) {
        case (.needMore, _): break
        case (.header(let source, let length), .header(let wholeSource, let wholeLength)):
            expect(source == wholeSource && length == wholeLength, "more bytes change nothing about a header")
            expect(length <= count, "a header is there to its end")
        case (.failure, .failure): break
        default: expect(false, "a decision stays, \(part) and \(whole)")
        }
    }
    switch whole {
    case .needMore: expect(input.count < ProxyHeader.longest, "nobody is waited for beyond the longest header")
    case .header(_, let length):
        taken()
        expect((8...ProxyHeader.longest).contains(length) && length <= input.count, "a length")
    case .failure: break
    }
}

private func read(_ bytes: [UInt8]) -> ProxyHeader.Outcome {
    // In memory of exactly their size, so that a byte too far is noticed.
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { buffer.deallocate() }
    buffer.copyBytes(from: bytes)
    return ProxyHeader.read(UnsafeRawBufferPointer(buffer))
}

@Sendable func checkForwarded(_ input: [UInt8]) {
    let text = String(decoding: input, as: UTF8.self)
    let trusted = ["10.0.0.0/8", "127.0.0.1", "fd00::/8"].compactMap { IPNetwork($0) }
    let peer = SocketAddress(ipv4: 0x7F00_0001, port: 1)
    let stranger = SocketAddress(ipv4: 0xC633_6407, port: 1)
    for (field, element) in [(ForwardedChain.Field.xForwardedFor, "198.51.100.9"), (.forwarded, "for=198.51.100.9")] {
        let chain = ForwardedChain(text, field: field)
        let client = chain.client(behind: peer, trusted: trusted)
        if client != peer { taken() }
        expect(chain.client(behind: stranger, trusted: trusted) == stranger, "a stranger speaks only for itself")
        expect(chain.client(behind: peer, trusted: trusted) == client, "the same list names the same client")
        let longer = ForwardedChain(text + "," + element, field: field).client(behind: peer, trusted: trusted)
        expect(longer.host == "198.51.100.9", "nothing further left changes who the last proxy saw, not \(longer)")
    }
}

/// Three lines: an origin or rule, a host, a name.
@Sendable func checkOrigins(_ input: [UInt8]) {
    let text = String(decoding: input, as: UTF8.self)
    let lines = text.split(separator: "\n", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
    let (first, second) = (lines[0], lines.count > 1 ? lines[1] : "")
    if let network = IPNetwork(first) {
        taken()
        expect(IPNetwork(network.description) == network, "a network written again is the same: \(network)")
    }
    if let origin = Origin(first) {
        expect(Origin(origin.description) == origin, "an origin written again is the same: \(origin)")
    }
    let rule = OriginRule(first)
    if let rule {
        taken()
        expect(OriginRule(rule.description) == rule, "a rule written again is the same: \(rule)")
    }
    let isAllowed = OriginRule.allow(origins: [second], host: first, rules: rule.map { [$0] } ?? [])
    switch rule {
    case .any: expect(isAllowed, "* allows everything")
    case .exact(let origin): expect(isAllowed == (Origin(second) == origin), "an origin allows itself")
    case .null: expect(isAllowed == (second == "null"), "null allows null")
    case .sameOrigin, .subdomains, nil: expect(!isAllowed || Origin(second) != nil, "only origins are allowed")
    }
    if let pattern = ChannelPattern(first), let channel = Channel(second), first.utf8.count + second.utf8.count < 60 {
        let expected = matches(Array(first.utf8)[...], Array(second.utf8)[...])
        if expected { taken() }
        expect(pattern.matches(channel) == expected, "\(first) matches \(second): \(expected)")
    }
}

/// Whether a pattern with stars matches, by trying every length for every star.
private func matches(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
    var reachable = Set([name.startIndex])
    for byte in pattern {
        if byte == UInt8(ascii: "*") {
            reachable = Set(reachable.min().map { Array($0...name.endIndex) } ?? [])
        } else {
            reachable = Set(reachable.filter { $0 < name.endIndex && name[$0] == byte }.map { $0 + 1 })
        }
    }
    return reachable.contains(name.endIndex)
}
