// The answers to offers of permessage-deflate (RFC 7692, 7.1).

import Testing

@testable import WebSocket

@Suite(.bounded) struct DeflateNegotiationTests {
    private static let none = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

    /// An offer, and the answers of a server without and with context takeover.
    struct Row: CustomTestStringConvertible, Sendable {
        let offer: String
        let answer: String?
        let takeover: String?

        init(_ offer: String, _ answer: String?, takeover: String?) {
            (self.offer, self.answer, self.takeover) = (offer, answer, takeover)
        }

        var testDescription: String { offer }
    }

    private static let accepted = [
        Row("permessage-deflate", none, takeover: "permessage-deflate"),
        Row("permessage-deflate; client_max_window_bits", none, takeover: "permessage-deflate"),
        Row("permessage-deflate; client_max_window_bits=15", none, takeover: "permessage-deflate"),
        Row(
            "permessage-deflate; client_max_window_bits=10", none + "; client_max_window_bits=10",
            takeover: "permessage-deflate; client_max_window_bits=10"),
        Row(
            "permessage-deflate; client_max_window_bits=8", none + "; client_max_window_bits=8",
            takeover: "permessage-deflate; client_max_window_bits=8"),
        Row(
            "permessage-deflate; server_max_window_bits=15", none + "; server_max_window_bits=15",
            takeover: "permessage-deflate; server_max_window_bits=15"),
        Row(
            #"permessage-deflate; server_max_window_bits="9""#, none + "; server_max_window_bits=9",
            takeover: "permessage-deflate; server_max_window_bits=9"),
        Row(
            "permessage-deflate; server_no_context_takeover", none,
            takeover: "permessage-deflate; server_no_context_takeover"),
        Row(
            "permessage-deflate; client_no_context_takeover", none,
            takeover: "permessage-deflate; client_no_context_takeover"),
        Row(
            """
            permessage-deflate; client_max_window_bits=12; server_no_context_takeover; server_max_window_bits=11; \
            client_no_context_takeover
            """, none + "; server_max_window_bits=11; client_max_window_bits=12",
            takeover: none + "; server_max_window_bits=11; client_max_window_bits=12"),
    ]

    private static let declined = [
        "", "permessage-bzip2", "Permessage-Deflate", "x-webkit-deflate-frame", "permessage-deflate; unknown",
        "permessage-deflate; server_max_window_bits", "permessage-deflate; server_max_window_bits=8",
        "permessage-deflate; server_max_window_bits=7", "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=010", "permessage-deflate; server_max_window_bits=+10",
        "permessage-deflate; server_max_window_bits=ten", "permessage-deflate; server_max_window_bits=99999999999999",
        "permessage-deflate; client_max_window_bits=7", "permessage-deflate; client_max_window_bits=16",
        "permessage-deflate; client_max_window_bits=08", "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_no_context_takeover=true",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
        "permessage-deflate; client_max_window_bits; client_max_window_bits=10",
    ].map { Row($0, nil, takeover: nil) }

    private static let several = [
        Row("permessage-deflate; server_max_window_bits=8, permessage-deflate", none, takeover: "permessage-deflate"),
        Row("first, permessage-deflate; unknown, permessage-deflate", none, takeover: "permessage-deflate"),
        Row(
            "permessage-deflate; client_max_window_bits=9, permessage-deflate", none + "; client_max_window_bits=9",
            takeover: "permessage-deflate; client_max_window_bits=9"),
    ]

    @Test(
        "answers the first offer that it can serve, as RFC 7692, 7.1, asks", arguments: accepted + declined + several)
    func answers(_ row: Row) throws {
        let offers = try #require(ExtensionOffer.read(row.offer.isEmpty ? [] : [row.offer]))
        #expect(DeflateAgreement.negotiate(offers, DeflatePolicy())?.response == row.answer)
        #expect(DeflateAgreement.negotiate(offers, Self.takeover)?.response == row.takeover)
    }

    @Test("never answers with a larger window than the policy's or the offer's", arguments: 9...15, 9...15)
    func windows(_ policyBits: Int, _ offeredBits: Int) throws {
        var policy = Self.takeover
        policy.windowBits = policyBits
        let text = "permessage-deflate; server_max_window_bits=\(offeredBits); client_max_window_bits=\(offeredBits)"
        let offers = try #require(ExtensionOffer.read([text]))
        let agreement = try #require(DeflateAgreement.negotiate(offers, policy))
        let least = UInt8(min(policyBits, offeredBits))
        #expect(agreement.parameters.serverWindowBits == least)
        #expect(agreement.parameters.clientWindowBits == least)
        #expect(agreement.response.contains("; server_max_window_bits=\(least)"))
        #expect(agreement.response.contains("; client_max_window_bits=\(least)") == (least < 15))
    }

    @Test("names its own smaller window unasked, but does not limit the client's")
    func unasked() throws {
        var policy = DeflatePolicy()
        policy.windowBits = 10
        let offers = try #require(ExtensionOffer.read(["permessage-deflate"]))
        let agreement = try #require(DeflateAgreement.negotiate(offers, policy))
        #expect(agreement.response == Self.none + "; server_max_window_bits=10")
        #expect(agreement.parameters.clientWindowBits == 15)
    }

    @Test("takes four bytes in a connection")
    func size() {
        #expect(MemoryLayout<DeflateParameters?>.size == 4)
    }

    private static let takeover: DeflatePolicy = {
        var policy = DeflatePolicy()
        (policy.serverContextTakeover, policy.clientContextTakeover) = (true, true)
        return policy
    }()
}
