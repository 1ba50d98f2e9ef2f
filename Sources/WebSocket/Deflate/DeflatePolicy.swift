// What a server grants of permessage-deflate, as its operator has decided: the half of a negotiation that is ours.
// Read next: DeflateAgreement+Negotiation.swift.

/// How the server compresses, and how much memory it spends on a connection that asks for it.
public struct DeflatePolicy: Equatable, Sendable {
    /// How hard to compress, 1 (fast) to 9 (small).
    public var level = 3
    /// Messages of fewer bytes are sent as they are.
    public var threshold = 1 << 10
    /// The base-2 logarithm of the largest LZ77 window, 9 to 15.
    public var windowBits = 15
    /// Whether what the server compresses may refer to earlier messages, which costs a compressor for each connection.
    public var serverContextTakeover = false
    /// Whether what clients compress may refer to earlier messages, which costs a window for each connection.
    public var clientContextTakeover = false

    public init() {}
}
