// The small texts that have a form of their own: names of channels and connections, escapes, Base64, addresses.

import HTTP1
import JSON
import PubSub
import Settings

@testable import Gateway

@Sendable func checkNames(_ input: [UInt8]) {
    let text = String(decoding: input, as: UTF8.self)
    checkChannel(input, text)
    if let id = ConnectionID(text) { expect(id.text == text, "an id has one form") }

    expect(Percent.decode(Percent.encode(text), plusAsSpace: true) == text, "an encoded text decodes again")
    if let decoded = Percent.decode(text) {
        expect(Percent.decode(Percent.encode(decoded)) == decoded, "and a decoded text encodes again")
    }
    let pairs = QueryString(text, maxPairs: 20).pairs
    let form = pairs.map { Percent.encode($0.name) + "=" + Percent.encode($0.value) }.joined(separator: "&")
    expect(QueryString(form).pairs.elementsEqual(pairs, by: ==), "a form written again is the same form")

    if let bytes = Base64.decode(text) { expect(base64(bytes) == text, "Base64 has one form") }
    if let address = ListenAddress(text) {
        expect(ListenAddress(address.description) == address, "an address written again is the same address")
    }
    let quoted = Array("{\"a\":\(JSONQuoting.quoted(text))}".utf8)
    guard case .string(text)? = (try? JSONReader.members(of: quoted))?["a"]?.value else {
        return expect(false, "quoted text is a JSON string")
    }
}

private func checkChannel(_ input: [UInt8], _ text: String) {
    let channel = input.withUnsafeBytes { Channel($0) }
    let isText = String(validating: input, as: UTF8.self) != nil
    expect(channel == (isText ? Channel(text) : nil), "bytes and text name the same channel")
    guard let channel else { return }
    taken()
    expect(Array(channel.name.utf8) == input && (1...Channel.maxCount).contains(input.count), "a name is its bytes")
    expect(!channel.name.unicodeScalars.contains { $0.properties.generalCategory == .control }, "without controls")
}

private func base64(_ bytes: [UInt8]) -> String {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let group = bytes[start...].prefix(3)
        let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
        for digit in 0..<4 {
            text.append(digit <= group.count ? digits[bits >> (18 - 6 * digit) & 63] : UInt8(ascii: "="))
        }
    }
    return String(decoding: text, as: UTF8.self)
}
