// Requests of backends to the admin API: JSON objects, against Foundation's reader; targets, against the route table; and
// the lines of batches, against a plain split.

import Foundation
import HTTP1
import JSON
import PubSub

@testable import Admin
@testable import Gateway

@Sendable func checkAdminJSON(_ input: [UInt8]) {
    let reference = object(input)
    let members: JSONReader.Members
    do throws(JSONError) {
        members = try JSONReader.members(of: input)
    } catch {
        // Foundation goes deeper, takes a name twice, and takes a comma behind the last element (RFC 8259 does not).
        let isOwnRule =
            error.message.hasSuffix("is there twice") || depth(of: input) > JSONReader.maxDepth
            || hasCommaAtEnd(input)
        return expect(reference == nil || isOwnRule, "JSON objects are accepted: \(error.message)")
    }
    taken()
    let rewritten = "{" + members.map { "\(JSONQuoting.quoted($0.key)): \($0.value.json)" }.joined(separator: ",") + "}"
    let again = try? JSONReader.members(of: Array(rewritten.utf8))
    expect(again?.mapValues(\.json) == members.mapValues(\.json), "members written again are the same members")
    guard let reference else { return expect(holdsHugeNumber(input), "only JSON is accepted") }
    expect(reference.count == members.count, "each member is there once")
    for (name, member) in members {
        switch member.value {
        case .string(let text): expect(reference[name] as? String == text, "a string means what it says")
        case .strings(let texts): expect(reference[name] as? [String] == texts, "and so does a list of them")
        case .other(let text): expect(String(text) == member.json, "all else is as it was written")
        }
    }
    if case .string(let text)? = members["dataBase64"]?.value, let bytes = Base64.decode(text) {
        expect(bytes.count <= text.utf8.count / 4 * 3, "Base64 does not grow")
    }
}

/// The lines of a batch, against a plain split of the whole input.
@Sendable func checkBatchLines(_ input: [UInt8]) {
    var generator = generator(for: input)
    let longest = Int.random(in: 1...64, using: &generator)
    var lines = BatchLines(longest: longest)
    var found: [[UInt8]?] = []
    func take() {
        while true {
            switch lines.next() {
            case .line(let range): found.append(Array(lines.bytes[range]))
            case .tooLong: found.append(nil)
            case .needMore: return
            }
        }
    }
    for piece in pieces(of: input, &generator) {
        piece.withUnsafeBytes { lines.append($0) }
        take()
        expect(lines.bytes.count <= longest + piece.count + 1, "no more than a line and a piece is kept")
    }
    lines.end()
    take()
    var expected = input.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(Array.init)
    if expected.last?.isEmpty == true { expected.removeLast() }
    expect(found == expected.map { $0.count > longest ? nil : $0 }, "the lines are those of a plain split")
    if found.contains(where: { $0 != nil }) { taken() }
}

/// The object as Foundation reads it, which takes other encodings as well.
private func object(_ input: [UInt8]) -> [String: Any]? {
    guard let text = String(validating: input, as: UTF8.self), text.unicodeScalars.first != "\u{FEFF}",
        !input.contains(0)
    else { return nil }
    return try? JSONSerialization.jsonObject(with: Data(input)) as? [String: Any]
}

/// Whether a comma stands before a closing bracket, with blanks between at most.
private func hasCommaAtEnd(_ input: [UInt8]) -> Bool {
    var last = UInt8(ascii: " ")
    for byte in input where !" \t\r\n".utf8.contains(byte) {
        if last == UInt8(ascii: ","), byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}") { return true }
        last = byte
    }
    return false
}

/// The most brackets that are open at once, those within strings included: never less than the nesting.
private func depth(of input: [UInt8]) -> Int {
    var (depth, deepest) = (0, 0)
    for byte in input {
        if byte == UInt8(ascii: "[") || byte == UInt8(ascii: "{") { depth += 1 }
        if byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}") { depth -= 1 }
        deepest = max(deepest, depth)
    }
    return deepest + 1
}

/// Whether there may be a number that a double cannot hold, which only Foundation refuses.
private func holdsHugeNumber(_ input: [UInt8]) -> Bool {
    input.contains(UInt8(ascii: "e")) || input.contains(UInt8(ascii: "E")) || input.count > 300
}

@Sendable func checkAdminRoutes(_ input: [UInt8]) {
    let target = String(decoding: input, as: UTF8.self)
    let path = target.prefix { $0 != "?" }
    for route in AdminRoute.all {
        guard let parameters = route.match(Array(path.utf8)[...]) else { continue }
        taken()
        expect(route.path.count { $0 == "{" } == parameters.all.count, "each open part is filled")
        for value in parameters.all.map(\.value) {
            if let channel = Channel(value) { expect(channel.name == value, "a channel is called what it is called") }
            if let id = ConnectionID(value) { expect(id.text == value, "an id has one form") }
        }
    }
    let query = QueryString(target.dropFirst(path.count + 1), maxPairs: 100)
    expect(query.pairs.count <= 100, "a query has at most as many pairs as allowed")
    for pair in query.pairs { expect(query.first(pair.name) != nil, "each pair is found by its name") }
}
