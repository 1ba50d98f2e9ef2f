// The libraries that scripts give texts from outside to: tokens, Base64 and times. The rules are written in Lua; an
// error is a broken rule.

@testable import Scripting

/// A script sends something to its connection when it took the input.
final class TakingHost: SilentHost {
    func send(_ connection: ConnectionHandle, _ payload: UnsafeRawBufferPointer, binary: Bool) -> SendResult {
        taken()
        return .closed
    }
}

extension ScriptOptions {
    /// For a handler of this program, which ends by itself: how long it takes says nothing of the input, and a sanitizer makes it
    /// many times slower.
    static var ownRules: ScriptOptions {
        var options = ScriptOptions(memoryLimit: 64 << 20)
        options.budget = 0
        return options
    }
}

/// An engine whose handler holds each message to its rules.
private final class RuleEngine {
    private let host = TakingHost()
    private let engine: ScriptEngine
    private let script: ScriptID

    init(_ rules: String) {
        do {
            engine = try ScriptEngine(host: host, options: .ownRules)
            let source = "function onMessage(conn, message)\n\(rules)\nend"
            try engine.prepare(try ScriptBundle(version: 1, scripts: ["main": source])).get()
        } catch {
            fatalError("\(error)")
        }
        engine.commit()
        script = engine.intern("main")
    }

    func check(_ input: [UInt8]) {
        let connection = ConnectionHandle(slot: 1, generation: 1)
        let outcome = input.withUnsafeBytes { engine.onMessage(script, connection, $0, binary: true) }
        if case .failed(let error) = outcome { expect(false, "\(error)") }
    }
}

private let ecKey = """
    -----BEGIN PUBLIC KEY-----
    MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7
    6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==
    -----END PUBLIC KEY-----
    """

private let edKey = """
    -----BEGIN PUBLIC KEY-----
    MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
    -----END PUBLIC KEY-----
    """

// The message as a token; and as a header and claims that are signed as they should be, so that the code behind the signature
// is reached.
nonisolated(unsafe) private let tokens = RuleEngine(
    """
    local function check(token, key, alg)
        local claims, why = jwt.verify(token, key, {alg = alg, leeway = 1e9, iss = "joe"})
        assert(type(claims) == "table" or claims == nil and type(why) == "string" and #why < 30)
        if claims then conn:send("") end
        return claims
    end
    check(message, "secret", "HS256")
    check(message, [[\(ecKey)]], {"ES256", "RS256"})
    check(message, [[\(edKey)]], "EdDSA")
    check(message, message, {"HS256", "RS256", "ES256", "EdDSA"})
    local header, payload = message:match("^(.-)\\n(.*)$")
    if header then
        local data = crypto.base64url(header) .. "." .. crypto.base64url(payload)
        local signature = crypto.base64url(crypto.hmac("sha256", "secret", data, {raw = true}))
        local claims = check(data .. "." .. signature, "secret", "HS256")
        if claims then assert(claims.iss == "joe" and #json.encode(claims) > 0) end
    end
    """)

nonisolated(unsafe) private let texts = RuleEngine(
    """
    local function bare(text) return (text:gsub("=+$", "")) end
    local bytes = crypto.fromBase64(message)
    if bytes then assert(bare(crypto.base64(bytes)) == bare(message)) end
    bytes = crypto.fromBase64url(message)
    if bytes then assert(crypto.base64url(bytes) == bare(message)) end
    bytes = crypto.fromHex(message)
    if bytes then assert(crypto.hex(bytes) == message:lower()) conn:send("") end
    assert(crypto.fromBase64(crypto.base64(message)) == message)
    local seconds, why = time.parse(message)
    assert(seconds or type(why) == "string")
    if seconds then conn:send("") end
    if seconds and seconds >= -62167219200 and seconds < 253402300799 then
        assert(math.abs(time.parse(time.iso(seconds)) - seconds) <= 0.0006, message)
    end
    """)

@Sendable func checkTokens(_ input: [UInt8]) { tokens.check(input) }

@Sendable func checkTexts(_ input: [UInt8]) { texts.check(input) }
