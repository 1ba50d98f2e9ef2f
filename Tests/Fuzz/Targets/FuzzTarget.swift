// The list of targets, and what they have in common.

/// One reader of bytes from outside, and the rules it is held to.
struct FuzzTarget: Sendable {
    let name: String
    /// Reads the input, and ends the program when a rule is broken.
    let check: @Sendable ([UInt8]) -> Void

    static let all: [FuzzTarget] = [
        FuzzTarget(name: "http", check: checkRequests),
        FuzzTarget(name: "handshake", check: checkHandshake),
        FuzzTarget(name: "frames", check: checkFrames),
        FuzzTarget(name: "extensions", check: checkExtensions),
        FuzzTarget(name: "inflate", check: checkInflating),
        FuzzTarget(name: "deflate", check: checkDeflating),
        FuzzTarget(name: "proxy", check: checkProxyHeader),
        FuzzTarget(name: "forwarded", check: checkForwarded),
        FuzzTarget(name: "origins", check: checkOrigins),
        FuzzTarget(name: "admin-json", check: checkAdminJSON),
        FuzzTarget(name: "admin-routes", check: checkAdminRoutes),
        FuzzTarget(name: "configuration", check: checkConfiguration),
        FuzzTarget(name: "settings", check: checkSettings),
        FuzzTarget(name: "names", check: checkNames),
        FuzzTarget(name: "scripts", check: checkScript),
        FuzzTarget(name: "script-json", check: checkScriptJSON),
        FuzzTarget(name: "tokens", check: checkTokens),
        FuzzTarget(name: "texts", check: checkTexts),
        FuzzTarget(name: "patterns", check: checkPatterns),
    ]
}

/// Ends the program, which libFuzzer notices, when a rule does not hold.
func expect(_ condition: @autoclosure () -> Bool, _ rule: @autoclosure () -> String) {
    guard condition() else { fatalError("broken: \(rule())") }
}

/// Random numbers that depend on the input alone.
func generator(for input: [UInt8]) -> SeededGenerator {
    SeededGenerator(seed: input.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
}

/// The input in pieces, some of them empty, cut at places drawn from the generator.
func pieces(of input: [UInt8], _ generator: inout SeededGenerator) -> [[UInt8]] {
    var cuts = (0..<Int.random(in: 0...8, using: &generator)).map { _ in
        Int.random(in: 0...input.count, using: &generator)
    }
    cuts.sort()
    return zip([0] + cuts, cuts + [input.count]).map { Array(input[$0..<$1]) }
}
