import Testing

@testable import Scripting

@Suite("jwt", .bounded)
struct JWTTests {
    typealias Vectors = TokenVectors

    /// The beginning of each script: `K` with the keys, and `verify` with enough leeway for the RFCs' old tokens.
    static let keys = """
        local K = {
            secret = crypto.fromBase64url("\(Vectors.secret)"),
            rsaPublic = [[\(Vectors.rsaPublic)]], rsaPrivate = [[\(Vectors.rsaPrivate)]],
            ecPublic = [[\(Vectors.ecPublic)]], ecPrivate = [[\(Vectors.ecPrivate)]],
            edPublic = [[\(Vectors.edPublic)]], edPrivate = [[\(Vectors.edPrivate)]],
            p384Public = [[\(Vectors.p384Public)]], shortRSAPublic = [[\(Vectors.shortRSAPublic)]],
        }
        local PAIRS = {
            HS256 = {K.secret, K.secret}, RS256 = {K.rsaPrivate, K.rsaPublic}, ES256 = {K.ecPrivate, K.ecPublic},
            EdDSA = {K.edPrivate, K.edPublic},
        }
        local function verify(token, key, alg) return jwt.verify(token, key, {alg = alg, leeway = 1e9}) end

        """

    /// Runs `body` with ``keys``.
    private func run(_ body: String, message: String = "") throws -> [String] {
        try Stage().run(Self.keys + body, message: message)
    }

    @Test(
        "the examples of RFC 7515 are valid with the public and the private key",
        arguments: [
            ("HS256", Vectors.hs256, "secret"), ("RS256", Vectors.rs256, "rsaPublic"),
            ("RS256", Vectors.rs256, "rsaPrivate"), ("ES256", Vectors.es256, "ecPublic"),
            ("ES256", Vectors.es256, "ecPrivate"),
        ])
    func examples(algorithm: String, token: String, key: String) throws {
        let shown = try run(
            "local c = verify(message, K.\(key), '\(algorithm)') show(c.iss, c.exp, c['http://example.com/is_root'])",
            message: token)
        #expect(shown == ["joe 1300819380 true"])
    }

    @Test("the example of RFC 8037 is refused for its content alone")
    func edDSA() throws {
        let body = "show(verify(message, K.edPublic, 'EdDSA'))"
        #expect(try run(body, message: Vectors.edDSA) == ["nil malformed"])
        #expect(try run(body, message: Vectors.edDSA.replacing(".hgyY", with: ".hgyZ")) == ["nil signature"])
    }

    @Test(
        "jwt.verify accepts jwt.sign's tokens and returns the same claims",
        arguments: ["HS256", "RS256", "ES256", "EdDSA"])
    func signing(algorithm: String) throws {
        let shown = try run(
            """
            local pair = PAIRS["\(algorithm)"]
            local token = jwt.sign({sub = "ä", iss = "me", aud = {"a", "b"}, n = {1.5, false}}, pair[1],
                {alg = "\(algorithm)", kid = 'k"1', expiresIn = 60})
            local c, why = jwt.verify(token, pair[2], {alg = {"\(algorithm)"}, iss = {"you", "me"}, aud = "b"})
            show(c.sub, c.n[1], c.n[2], c.exp - c.iat, math.abs(c.iat - time.now()) < 5)
            local header = json.decode(crypto.fromBase64url(token:match("^[^.]*")))
            show(header.alg, header.typ, header.kid)
            """)
        #expect(shown == ["ä 1.5 false 60 true", "\(algorithm) JWT k\"1"])
    }

    @Test("a token with any bit of any byte flipped is refused", arguments: ["HS256", "RS256", "ES256", "EdDSA"])
    func flips(algorithm: String) throws {
        let stage = try Stage()
        let sign = "show(jwt.sign({sub = 'u', exp = 4e9}, PAIRS['\(algorithm)'][1], {alg = '\(algorithm)', kid = 'k'}))"
        let token = try #require(try stage.run(Self.keys + sign).first)
        try stage.load(
            [
                "main": Stage.script(
                    "message = crypto.fromHex(message)\n" + Self.keys
                        + "local c, why = jwt.verify(message, PAIRS['\(algorithm)'][2], {alg = '\(algorithm)'}) show(c and c.sub or why)"
                )
            ], version: 9)
        let bytes = Array(token.utf8)
        let reasons: Set = ["malformed", "algorithm", "signature", "critical extension"]
        stage.host.calls = []
        stage.message(hex(bytes))
        #expect(stage.host.sent == ["u"])
        stage.host.calls = []
        for index in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[index] ^= 1 << bit
                #expect(stage.message(hex(changed)).isDone)
            }
        }
        #expect(stage.host.sent.count == 8 * bytes.count)
        #expect(stage.host.sent.allSatisfy { reasons.contains($0) })
    }

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test("a token cut or lengthened anywhere is refused")
    func cuts() throws {
        let shown = try run(
            """
            local token, bad = jwt.sign({sub = "u"}, "secret", {alg = "HS256"}), 0
            for i = 0, #token - 1 do
                assert(not jwt.verify(token:sub(1, i), "secret", {alg = "HS256"}))
                assert(not jwt.verify(token:sub(1, i) .. "A" .. token:sub(i + 1), "secret", {alg = "HS256"}))
            end
            show(jwt.verify(token .. "=", "secret", {alg = "HS256"}))
            show(jwt.verify(token .. ".", "secret", {alg = "HS256"}))
            """)
        #expect(shown == ["nil signature", "nil malformed"])
    }

    @Test(
        "the key must fit the pinned algorithm: a public key is no secret",
        arguments: [
            ("Vectors.hs256", "K.rsaPublic", "{'HS256', 'RS256'}", "key"), ("hs256", "''", "'HS256'", "key"),
            ("hs256", "'other'", "'HS256'", "signature"), ("rs256", "K.ecPublic", "'RS256'", "key"),
            ("rs256", "K.edPublic", "'RS256'", "key"), ("rs256", "K.secret", "{'RS256', 'HS256'}", "key"),
            ("rs256", "K.shortRSAPublic", "'RS256'", "key"), ("es256", "K.p384Public", "'ES256'", "key"),
            ("es256", "K.rsaPublic", "'ES256'", "key"), ("rs256", "'-----BEGIN PUBLIC KEY-----'", "'RS256'", "key"),
            ("hs256", "K.secret", "'RS256'", "algorithm"), ("rs256", "K.rsaPublic", "{'ES256', 'HS256'}", "algorithm"),
        ])
    func confusion(token: String, key: String, algorithms: String, reason: String) throws {
        let text = token == "rs256" ? Vectors.rs256 : token == "es256" ? Vectors.es256 : Vectors.hs256
        #expect(try run("show(verify(message, \(key), \(algorithms)))", message: text) == ["nil \(reason)"])
    }

    @Test("a token that is signed with a public key as the secret is refused")
    func confusedSignature() throws {
        let shown = try run(
            """
            local head = crypto.base64url('{"alg":"HS256"}') .. "." .. crypto.base64url('{"sub":"root"}')
            local token = head .. "." .. crypto.base64url(crypto.hmac("sha256", K.rsaPublic, head, {raw = true}))
            show(jwt.verify(token, K.rsaPublic, {alg = {"RS256", "HS256"}}))
            show(jwt.sign({sub = "root"}, K.rsaPublic, {alg = "HS256"}))
            """)
        #expect(shown == ["nil key", "nil key"])
    }

    @Test(
        "a header that asks for something else is refused, with any signature",
        arguments: [
            (#"{"alg":"none"}"#, "algorithm"), (#"{"alg":"None"}"#, "algorithm"), (#"{"alg":["HS256"]}"#, "algorithm"),
            ("{}", "algorithm"), (#"{"alg":"hs256"}"#, "algorithm"),
            (#"{"alg":"HS256","crit":["b64"]}"#, "critical extension"),
            (#"{"alg":"HS512"}"#, "algorithm"), (#"["HS256"]"#, "malformed"), ("", "malformed"), ("7", "malformed"),
            (#"{"alg":"HS256""#, "malformed"),
        ])
    func headers(header: String, reason: String) throws {
        let shown = try run(
            """
            local head = crypto.base64url(message) .. "." .. crypto.base64url('{"sub":"u"}')
            local signature = crypto.base64url(crypto.hmac("sha256", K.secret, head, {raw = true}))
            show(jwt.verify(head .. "." .. signature, K.secret, {alg = "HS256"}))
            show(jwt.verify(head .. ".", K.secret, {alg = "HS256"}))
            """, message: header)
        #expect(shown == ["nil \(reason)", "nil \(reason)"])
    }

    @Test(
        "exp, nbf and iat are held against the clock, with the leeway",
        arguments: [
            ("exp = now + 60", "", "true"), ("exp = now - 3", "", "true"), ("exp = now - 10", "", "expired"),
            ("exp = now - 3", "leeway = 0", "expired"), ("exp = now - 50", "leeway = 60", "true"),
            ("nbf = now + 60", "", "not yet valid"), ("nbf = now + 50", "leeway = 60", "true"),
            ("iat = now + 60", "", "issued in the future"), ("iat = now - 1e6", "", "true"),
            ("exp = 'never'", "", "malformed"), ("exp = json.null", "", "malformed"), ("iat = {}", "", "malformed"),
            ("nbf = true", "", "malformed"), ("sub = 1", "", "true"),
        ])
    func times(claim: String, option: String, result: String) throws {
        let shown = try run(
            """
            local now = time.now()
            local token = jwt.sign({\(claim)}, K.secret, {alg = "HS256"})
            local c, why = jwt.verify(token, K.secret, {alg = "HS256", \(option)})
            show(c and true or why)
            """)
        #expect(shown == [result])
    }

    @Test(
        "iss and aud must equal the caller's options",
        arguments: [
            ("iss = 'a'", "iss = 'a'", "true"), ("iss = 'a'", "iss = {'b', 'a'}", "true"),
            ("iss = 'a'", "iss = 'b'", "issuer"), ("", "iss = 'a'", "issuer"), ("iss = {'a'}", "iss = 'a'", "issuer"),
            ("iss = 1", "iss = '1'", "issuer"), ("aud = 'a'", "aud = 'a'", "true"),
            ("aud = {'x', 'a'}", "aud = 'a'", "true"),
            ("aud = {'x'}", "aud = {'a', 'b'}", "audience"), ("", "aud = 'a'", "audience"),
            ("aud = {a = 'a'}", "aud = 'a'", "audience"), ("aud = {1, false}", "aud = '1'", "audience"),
            ("iss = 'a', aud = 'a'", "", "true"),
        ])
    func names(claim: String, option: String, result: String) throws {
        let shown = try run(
            """
            local c, why = jwt.verify(jwt.sign({\(claim)}, "s", {alg = "HS256"}), "s", {alg = "HS256", \(option)})
            show(c and true or why)
            """)
        #expect(shown == [result])
    }

    @Test("a token that is missing or too long is refused, not a mistake")
    func sizes() throws {
        let shown = try run(
            """
            show(jwt.verify(nil, "s", {alg = "HS256"}))
            show(jwt.verify(("a"):rep(16385), "s", {alg = "HS256"}))
            show(jwt.verify(("a"):rep(16384), "s", {alg = "HS256"}))
            show(jwt.verify("a.b." .. ("A"):rep(2000), "s", {alg = "HS256"}))
            """)
        #expect(shown == ["nil missing", "nil too long", "nil malformed", "nil malformed"])
    }

    @Test(
        "mistakes of the script raise and name the function",
        arguments: [
            (
                "jwt.verify('', 's')",
                #"jwt.verify: alg must be "HS256", "RS256", "ES256" or "EdDSA", or a list of these"#
            ),
            (
                "jwt.verify('', 's', {alg = 'none'})",
                #"jwt.verify: alg must be "HS256", "RS256", "ES256" or "EdDSA", or a list of these"#
            ),
            ("jwt.verify('', 's', {alg = {}})", "jwt.verify: alg is an empty list"),
            ("jwt.verify('', nil, {alg = 'HS256'})", "jwt.verify: the key must be a string, not nil"),
            ("jwt.verify({}, 's', {alg = 'HS256'})", "jwt.verify: the token must be a string, not table"),
            ("jwt.verify('', 's', {alg = 'HS256', issuer = 'a'})", "jwt.verify: there is no option 'issuer'"),
            (
                "jwt.verify('', 's', {alg = 'HS256', aud = {}})",
                "jwt.verify: aud must be a string, or a list of 1 to 32 strings"
            ),
            (
                "jwt.verify('', 's', {alg = 'HS256', iss = 7})",
                "jwt.verify: iss must be a string, or a list of 1 to 32 strings"
            ),
            (
                "jwt.verify('', 's', {alg = 'HS256', leeway = -1})",
                "jwt.verify: seconds must be from 0 to 1e9, not -1.0"
            ),
            ("jwt.sign({}, 's', {})", #"jwt.sign: alg must be "HS256", "RS256", "ES256" or "EdDSA""#),
            ("jwt.sign('x', 's', {alg = 'HS256'})", "jwt.sign: the claims must be a table, not string"),
            ("jwt.sign({1}, 's', {alg = 'HS256'})", "jwt.sign: the claims must be a table with names, not a list"),
            (
                "jwt.sign({exp = 1}, 's', {alg = 'HS256', expiresIn = 5})",
                "jwt.sign: the claims have 'exp' already; leave out expiresIn"
            ),
            ("jwt.sign({}, 's', {alg = 'HS256', expiresIn = 0})", "jwt.sign: expiresIn must be at least 1 second"),
            ("jwt.sign({}, 's', {alg = 'HS256', kid = 7})", "jwt.sign: kid must be a string of at most 255 bytes"),
            (
                "jwt.sign({a = ('x'):rep(16000)}, 's', {alg = 'HS256'})",
                "jwt.sign: the claims are too long for a token of 16384 bytes"
            ),
        ])
    func mistakes(call: String, message: String) throws {
        #expect(try Stage().failure(call).message == message)
    }

    @Test("a public key cannot sign", arguments: ["RS256", "ES256", "EdDSA"])
    func publicKeys(algorithm: String) throws {
        #expect(
            try run("show(jwt.sign({}, PAIRS['\(algorithm)'][2], {alg = '\(algorithm)'}))") == ["nil key"])
    }

    @Test("a key is the same after more keys than are kept were used")
    func manyKeys() throws {
        let shown = try run(
            """
            local token = jwt.sign({sub = "u"}, K.ecPrivate, {alg = "ES256"})
            local good = 0
            for round = 1, 40 do
                -- Text around the PEM makes it another key for a cache that keeps keys by their text.
                local key = K.ecPublic .. "\\n" .. (round % 20)
                if jwt.verify(token, key, {alg = "ES256"}) then good = good + 1 end
                if not jwt.verify(token, K.edPublic .. round, {alg = "ES256"}) then good = good + 1 end
            end
            show(good)
            """)
        #expect(shown == ["80"])
    }

    @Test("5,000 random tokens with every algorithm are refused without an error")
    func fuzz() throws {
        let stage = try Stage()
        try stage.load(
            [
                "main": Stage.script(
                    "message = crypto.fromHex(message)\n" + Self.keys
                        + """
                        for alg, pair in pairs(PAIRS) do
                            local c, why = jwt.verify(message, pair[2], {alg = alg})
                            assert(c == nil and type(why) == "string")
                        end
                        """)
            ])
        var random = SplitMix(seed: 7)
        let seeds = [Vectors.hs256, Vectors.rs256, Vectors.es256, Vectors.edDSA].map { Array($0.utf8) }
        for _ in 0..<5_000 {
            var token = seeds[Int(random.next() % 4)]
            for _ in 0...(random.next() % 6) {
                let place = Int(random.next() % UInt64(token.count))
                switch random.next() % 4 {
                case 0: token[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: token.insert(UInt8(ascii: "."), at: place)
                case 2: token.removeSubrange(place..<min(token.count - 1, place + Int(random.next() % 40)))
                default: token.insert(contentsOf: token.prefix(place), at: place)
                }
            }
            let outcome = stage.message(hex(token))
            #expect(outcome.error?.message == nil)
        }
    }
}
