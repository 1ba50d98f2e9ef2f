// The list of targets, and their common parts.
//
// A target gets one input and holds the code to its rules; `expect` ends the program when one is broken, and libFuzzer
// writes the input to a file. The input is plain text as the reader gets it, so that seeds can be written by hand; its split
// and the limits are drawn from a hash of it.
// Runs on: one thread for each target, and one target at a time.

import SeededGenerator

/// One reader of bytes from outside, and the rules it is held to.
public struct FuzzTarget: Sendable, CustomStringConvertible {
    public let name: String
    /// The least number of files in the folder of its seeds.
    public let seeds: Int
    /// The least number of those that the reader takes; half of them where nothing else is said.
    public let taken: Int
    private let rules: @Sendable ([UInt8]) -> Void

    public var description: String { name }

    private init(_ name: String, seeds: Int, taken: Int? = nil, _ rules: @escaping @Sendable ([UInt8]) -> Void) {
        self.name = name
        self.seeds = seeds
        self.taken = taken ?? (seeds + 1) / 2
        self.rules = rules
    }

    /// Reads the input, and ends the program when a rule is broken. Answers whether the reader took the input, or a part of
    /// it, for good: a target whose seeds are all refused proves little.
    @discardableResult
    public func check(_ input: [UInt8]) -> Bool {
        Play.current = Play(target: name, input: input)
        rules(input)
        return Play.current.isTaken
    }

    public static let all: [FuzzTarget] = [
        FuzzTarget("http", seeds: 4, checkRequests),
        FuzzTarget("handshake", seeds: 2, checkHandshake),
        FuzzTarget("frames", seeds: 4, checkFrames),
        FuzzTarget("extensions", seeds: 3, checkExtensions),
        FuzzTarget("inflate", seeds: 5, checkInflating),
        FuzzTarget("deflate", seeds: 2, checkDeflating),
        FuzzTarget("proxy", seeds: 7, checkProxyHeader),
        FuzzTarget("forwarded", seeds: 2, checkForwarded),
        FuzzTarget("origins", seeds: 5, checkOrigins),
        FuzzTarget("cookies", seeds: 4, checkCookies),
        FuzzTarget("admin-json", seeds: 2, checkAdminJSON),
        FuzzTarget("admin-routes", seeds: 4, checkAdminRoutes),
        FuzzTarget("batch-lines", seeds: 3, checkBatchLines),
        FuzzTarget("cursors", seeds: 3, checkCursors),
        FuzzTarget("configuration", seeds: 2, taken: 1, checkConfiguration),
        FuzzTarget("settings", seeds: 2, taken: 1, checkSettings),
        FuzzTarget("durations", seeds: 4, checkDurations),
        FuzzTarget("names", seeds: 5, checkNames),
        FuzzTarget("script-paths", seeds: 5, checkScriptPath),
        FuzzTarget("scripts", seeds: 4, taken: 1, checkScript),
        FuzzTarget("script-json", seeds: 2, checkScriptJSON),
        FuzzTarget("tokens", seeds: 4, checkTokens),
        FuzzTarget("texts", seeds: 5, checkTexts),
        FuzzTarget("patterns", seeds: 4, checkPatterns),
        FuzzTarget("cron", seeds: 5, checkCron),
        FuzzTarget("chunks", seeds: 4, checkChunk),
        FuzzTarget("client-urls", seeds: 5, checkClientURL),
        FuzzTarget("redirects", seeds: 5, checkRedirect),
        FuzzTarget("response-heads", seeds: 4, checkResponseHead),
    ]
}

/// The input that is being read just now.
private struct Play {
    var target = ""
    var input: [UInt8] = []
    var isTaken = false

    nonisolated(unsafe) static var current = Play()

    /// The input as printf(1) takes it.
    var escaped: String {
        input.map { byte in
            switch byte {
            case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "%"), 0...0x1F, 0x7F...:
                "\\x" + String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
            default: String(UnicodeScalar(byte))
            }
        }.joined()
    }
}

/// Says that the reader took the input, or a part of it, for good.
func taken() { Play.current.isTaken = true }

/// Ends the program, which libFuzzer notices, when a rule does not hold.
func expect(_ condition: @autoclosure () -> Bool, _ rule: @autoclosure () -> String) {
    guard condition() else {
        fatalError(
            "broken: \(rule()); play it with: perigee-fuzz \(Play.current.target) <(printf '\(Play.current.escaped)')")
    }
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
