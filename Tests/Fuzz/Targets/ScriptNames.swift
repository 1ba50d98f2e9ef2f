// Names of scripts, as operators upload them and as paths choose them; and cookies, which scripts read.

@testable import Scripting

@Sendable func checkScriptPath(_ input: [UInt8]) {
    let text = String(decoding: input, as: UTF8.self)
    guard let path = ScriptPath(text) else { return }
    taken()
    expect(path.name == text || path.file == text, "a name is what was given, not \(path.name)")
    expect(ScriptPath(path.name) == path && ScriptPath(path.file) == path, "with and without its ending")
    expect(path.name.utf8.count <= 200 && path.file.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }, "short and plain")
    let parts = path.file.split(separator: "/", omittingEmptySubsequences: false)
    for part in parts { expect(!part.isEmpty && !part.hasPrefix("."), "no part leads out of the folder or is hidden") }
    expect(parts.allSatisfy { !$0.contains("\\") } && parts.count <= 1 + FolderWalk.deepest, "nor is it too deep")
}

/// Each line is one Cookie field.
@Sendable func checkCookies(_ input: [UInt8]) {
    let lines = input.split(separator: UInt8(ascii: "\n")).prefix(20).map { Array($0) }
    let fields = lines.map { (name: "cookie", value: $0) } + [(name: "x-cookie", value: Array("none=1".utf8))]
    let request = UpgradeRequest(path: "/", ip: "::1", headers: fields)
    let cookies = request.cookies.map { ($0.name, $0.value) }
    let expected = reference(lines)
    if !expected.isEmpty { taken() }
    expect(cookies.elementsEqual(expected, by: ==), "cookies are read as RFC 6265 has them: \(cookies), \(expected)")
}

/// The same once more, byte by byte.
private func reference(_ lines: [[UInt8]]) -> [([UInt8], [UInt8])] {
    var found: [([UInt8], [UInt8])] = []
    for line in lines {
        for pair in line.split(separator: UInt8(ascii: ";")) {
            guard let equals = pair.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let (name, value) = (trimmed(pair[..<equals]), trimmed(pair[(equals + 1)...]))
            if !name.isEmpty, !found.contains(where: { $0.0 == name }) { found.append((name, value)) }
        }
    }
    return found
}

private func trimmed(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
    return Array(bytes.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
}
