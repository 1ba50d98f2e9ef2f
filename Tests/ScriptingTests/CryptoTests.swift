import Testing

@testable import Scripting

@Suite("crypto", .bounded)
struct CryptoTests {
    private func run(_ body: String) throws -> [String] { try Stage().run(body) }

    @Test(
        "digests are those of FIPS 180, in hexadecimal digits or raw",
        arguments: [
            ("sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "sha384",
                "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"
            ),
            (
                "sha512",
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                    + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
            ),
        ])
    func digests(name: String, expected: String) throws {
        let shown = try run(
            "show(crypto.\(name)('abc')) show(crypto.\(name)('abc', {raw = true}) == crypto.fromHex('\(expected)'))")
        #expect(shown == [expected, "true"])
    }

    @Test(
        "hmac is that of RFC 4231 and RFC 2202",
        arguments: [
            ("sha1", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            ("sha256", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (
                "sha384",
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"
            ),
            (
                "sha512",
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
                    + "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
            ),
        ])
    func hmac(algorithm: String, expected: String) throws {
        let call = "crypto.hmac('\(algorithm)', 'Jefe', 'what do ya want for nothing?'"
        #expect(
            try run("show(\(call))) show(\(call), {raw = true}) == crypto.fromHex('\(expected)'))") == [
                expected, "true",
            ])
    }

    @Test(
        "Base64 and hexadecimal digits are those of RFC 4648",
        arguments: [
            ("", "", "", ""), ("f", "Zg==", "Zg", "66"), ("fo", "Zm8=", "Zm8", "666f"),
            ("foo", "Zm9v", "Zm9v", "666f6f"), ("foob", "Zm9vYg==", "Zm9vYg", "666f6f62"),
            ("fooba", "Zm9vYmE=", "Zm9vYmE", "666f6f6261"), ("foobar", "Zm9vYmFy", "Zm9vYmFy", "666f6f626172"),
            (#"\xfb\xff\xfe"#, "+//+", "-__-", "fbfffe"),
        ])
    func encodings(text: String, base64: String, base64url: String, hex: String) throws {
        let shown = try run(
            """
            local s = "\(text)"
            show(crypto.base64(s), crypto.base64url(s), crypto.hex(s))
            show(crypto.fromBase64("\(base64)") == s, crypto.fromBase64url("\(base64url)") == s, crypto.fromHex("\(hex)") == s)
            """)
        #expect(shown == ["\(base64) \(base64url) \(hex)", "true true true"])
    }

    @Test("decoding returns the encoded bytes, for every byte and every length")
    func roundTrips() throws {
        let shown = try run(
            """
            local all = {} for i = 0, 255 do all[#all + 1] = string.char(i) end
            all = table.concat(all)
            for n = 0, #all do
                local s = all:sub(n + 1) .. crypto.random(n)
                assert(crypto.fromBase64(crypto.base64(s)) == s and crypto.fromBase64url(crypto.base64url(s)) == s)
                assert(crypto.fromBase64((crypto.base64(s):gsub("=", ""))) == s and crypto.fromHex(crypto.hex(s)) == s)
            end
            show(crypto.fromHex("aBcD") == "\\xab\\xcd")
            """)
        #expect(shown == ["true"])
    }

    @Test(
        "a text that nothing encodes to is nil and a reason",
        arguments: [
            ("fromBase64", "Zg=", "invalid Base64"), ("fromBase64", "Z", "invalid Base64"),
            ("fromBase64", "Zh==", "invalid Base64"), ("fromBase64", "Zm8h=", "invalid Base64"),
            ("fromBase64", "Zm9v====", "invalid Base64"), ("fromBase64", "====", "invalid Base64"),
            ("fromBase64", "=", "invalid Base64"), ("fromBase64", "Zm 9v", "invalid Base64"),
            ("fromBase64", "-__-", "invalid Base64"), ("fromBase64url", "+//+", "invalid Base64"),
            ("fromBase64url", "Zm9=", "invalid Base64"), ("fromHex", "0", "invalid hexadecimal digits"),
            ("fromHex", "0g", "invalid hexadecimal digits"), ("fromHex", "0x00", "invalid hexadecimal digits"),
            ("fromHex", "@@", "invalid hexadecimal digits"),
        ])
    func undecodable(function: String, text: String, reason: String) throws {
        #expect(try run("show(crypto.\(function)('\(text)'))") == ["nil \(reason)"])
    }

    @Test("random bytes have the requested number and differ")
    func random() throws {
        let shown = try run(
            "show(#crypto.random(0), #crypto.random(65536), crypto.random(16) ~= crypto.random(16))")
        #expect(shown == ["0 65536 true"])
    }

    /// One of version 7 sorts by time.
    @Test("a UUID has its version and variant")
    func uuid() throws {
        let shown = try run(
            """
            local form = "^%x%x%x%x%x%x%x%x%-%x%x%x%x%-([47])%x%x%x%-[89ab]%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$"
            for i = 1, 100 do assert(crypto.uuid():match(form) == "4" and crypto.uuid(7):match(form) == "7") end
            local ms = tonumber((crypto.uuid(7):gsub("-", ""):sub(1, 12)), 16)
            show(math.abs(ms / 1000 - time.now()) < 5, crypto.uuid() ~= crypto.uuid())
            """)
        #expect(shown == ["true true"])
    }

    @Test("equal is true for equal strings alone")
    func equal() throws {
        #expect(
            try run(
                "show(crypto.equal('', ''), crypto.equal('ab', 'ab'), crypto.equal('ab', 'ac'), crypto.equal('a', 'ab'))"
            )
                == ["true true false false"])
    }

    @Test(
        "mistakes raise and name the function",
        arguments: [
            ("crypto.sha256()", "crypto.sha256: the data must be a string, not no value"),
            ("crypto.sha1({})", "crypto.sha1: the data must be a string, not table"),
            ("crypto.sha256('', {hex = true})", "crypto.sha256: there is no option 'hex'"),
            (
                "crypto.hmac('md5', 'k', 'd')",
                "crypto.hmac: there is no algorithm 'md5'; take sha256, sha384, sha512 or sha1"
            ),
            ("crypto.hmac('sha256', nil, 'd')", "crypto.hmac: the key must be a string, not nil"),
            ("crypto.random(-1)", "crypto.random: expected a number of bytes from 0 to 65536, not -1"),
            ("crypto.random(65537)", "crypto.random: expected a number of bytes from 0 to 65536, not 65537"),
            ("crypto.random(1.5)", "crypto.random: expected a number of bytes from 0 to 65536, not 1.5"),
            ("crypto.uuid(5)", "crypto.uuid: the version is 4 or 7, not 5"),
            ("crypto.equal('a')", "crypto.equal: the second value must be a string, not no value"),
            ("crypto.md5('a')", "crypto has no field 'md5'"),
        ])
    func mistakes(call: String, message: String) throws {
        #expect(try Stage().failure(call).message == message)
    }

    @Test("long texts are digested and encoded as short ones are")
    func long() throws {
        let shown = try Stage().run(
            """
            local million = ("a"):rep(1000000)
            show(crypto.sha256(million))
            show(crypto.sha1(million))
            show(crypto.sha512(million))
            for _, algorithm in ipairs{"sha256", "sha1", "sha384", "sha512"} do
              show(crypto.hmac(algorithm, ("k"):rep(100000), ("d"):rep(200000)))
            end
            show(crypto.hmac("sha256", ("k"):rep(20), ("d"):rep(200000)):sub(1, 20))
            local all = {} for i = 0, 255 do all[i + 1] = string.char(i) end
            all = table.concat(all):rep(1000)
            show(crypto.sha256(crypto.base64(all)))
            show(crypto.sha256(crypto.hex(all)))
            for cut = 0, 5 do
              local bytes = all:sub(1, -1 - cut)
              show(crypto.fromBase64(crypto.base64(bytes)) == bytes, crypto.fromBase64url(crypto.base64url(bytes)) == bytes,
                crypto.fromHex(crypto.hex(bytes)) == bytes, crypto.equal(bytes, bytes:sub(1)), crypto.equal(bytes, all))
            end
            local text = crypto.base64(all)
            for _, place in ipairs{49152, 49151, 98304, 100000} do
              show(crypto.fromBase64(text:sub(1, place - 1) .. "=" .. text:sub(place + 1)))
            end
            show(crypto.equal(all, all:sub(1, 200000) .. "x" .. all:sub(200002)))
            """)
        let digests = [
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
            "34aa973cd4c4daa4f61eeb2bdbad27316534016f",
            "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
                + "de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b",
            "6c5868be1b4f5a4ce27050e1c3df9e80b7756e99c81eb8bcd987ee60c8aac947",
            "f8e87629db3aed9369da55dc1b30a22ca7fe81f6",
            "c565f612707bc506afd843ff5253871cf698068dd018a95c36c13f30f3995db85a626f7252433dd2c02d8319336a3ba8",
            "cc9bf2f02119b5f670d5d91c183889b11023039f9d47bd4bead1bf7e0d96dfef"
                + "389a1136c1c12b4f06363624655476761c4616642cecde452151bd321c8f53de",
            "b97a726472e9e796ee97", "5fe9af8f95ad829a7e4c43dfd3ff07d521f3c5170b2dd9bd627e5e0bbb4564ab",
            "bd2ce11ff96de5df4c01184e56e32f0ff1a43158ac98402216c4294af1fd7bb2",
        ]
        let trips = (0...5).map { "true true true true \($0 == 0)" }
        #expect(shown == digests + trips + Array(repeating: "nil invalid Base64", count: 4) + ["false"])
    }
}
