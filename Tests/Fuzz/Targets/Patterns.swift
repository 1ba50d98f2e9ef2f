// Patterns: the sandbox's find, match, gmatch and gsub against those of Lua as it comes. Besides the input itself, which is
// one case, each run makes eight random ones.

nonisolated(unsafe) private let twins: TwinScript = {
    do { return try TwinScript(PatternCases.source) } catch { fatalError("\(error)") }
}()

@Sendable func checkPatterns(_ input: [UInt8]) {
    if isShort(input) { compare(input) }
    var generator = generator(for: input)
    compare(Array("random \(UInt32.random(in: 0...UInt32.max, using: &generator)) 8".utf8))
}

/// Whether Lua as it comes, which nothing stops, is through with the case soon.
private func isShort(_ input: [UInt8]) -> Bool {
    let pattern = input.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }
    let repeats = pattern.count { "*+-?".utf8.contains($0) }
    return repeats <= 3 && pattern.count <= 64 && input.count - pattern.count <= 67 || repeats == 0
}

private func compare(_ text: [UInt8]) {
    let (stock, sandbox) = twins.answers(text)
    if !stock.isEmpty, !stock.hasPrefix("raised") { taken() }
    expect(stock == sandbox, "Lua: \(stock)\nsandbox: \(sandbox)")
}
