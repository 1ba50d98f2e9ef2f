// The addresses to which no request goes, by URL, by a name's address or by a redirect.

import EventLoop
import HTTPClient
import Proxies
import SlowResolver
import Testing

@Suite("HTTP client: addresses", .serialized, .bounded)
struct AddressTests {
    @Test(
        "networks of backends are allowed, those of hosts and clouds are not",
        arguments: [
            ("127.0.0.1", true), ("10.1.2.3", true), ("192.168.0.1", true), ("172.16.0.9", true), ("8.8.8.8", true),
            ("::1", true), ("fd00::1", true), ("2001:db8::1", true), ("100.64.0.1", true),
            ("169.254.169.254", false), ("169.254.0.1", false), ("0.0.0.0", false), ("0.1.2.3", false),
            ("224.0.0.1", false), ("239.255.255.250", false), ("255.255.255.255", false), ("240.0.0.1", false),
            ("100.100.100.200", false), ("168.63.129.16", false),
            ("::", false), ("fe80::1", false), ("febf::1", false), ("ff02::1", false), ("fd00:ec2::254", false),
            ("::ffff:169.254.169.254", false), ("::ffff:127.0.0.1", true), ("64:ff9b::a9fe:a9fe", false),
            ("2002:a9fe:a9fe::1", false), ("64:ff9b::100.100.100.200", false), ("2002:6464:64c8::", false),
            ("64:ff9b::8.8.8.8", true), ("2002:808:808::1", true), ("64:ff9b::127.0.0.1", true),
            ("64:ff9b:1::169.254.169.254", false), ("64:ff9b:1::8.8.8.8", true), ("::169.254.169.254", false),
            ("::ffff:0:169.254.169.254", false), ("::8.8.8.8", true), ("2001::5601:5601", false),
            ("2001:0:808:808::f7f7:f7f7", true), ("fd00::5efe:169.254.169.254", false),
            ("2001:db8::200:5efe:168.63.129.16", false), ("fd00::5efe:10.0.0.1", true),
        ])
    func rules(host: String, isAllowed: Bool) {
        #expect(AddressRules().permit(SocketAddress(host: host, port: 80)!) == isAllowed)
    }

    /// Explicit allowing takes precedence.
    @Test("more networks may be denied")
    func lists() {
        let rules = AddressRules(
            allowed: [IPNetwork("169.254.7.0/24")!, IPNetwork("10.1.0.0/16")!], denied: [IPNetwork("10.0.0.0/8")!])
        func permits(_ host: String) -> Bool { rules.permit(SocketAddress(host: host, port: 80)!) }
        #expect(permits("169.254.7.9") && !permits("169.254.8.9"))
        #expect(permits("10.1.9.9") && !permits("10.2.9.9") && permits("11.0.0.1"))
    }

    @Test("an IPv4 network that is allowed or denied is so inside IPv6, too")
    func embedded() {
        let rules = AddressRules(
            allowed: [IPNetwork("169.254.7.0/24")!], denied: [IPNetwork("10.0.0.0/8")!])
        func permits(_ host: String) -> Bool { rules.permit(SocketAddress(host: host, port: 80)!) }
        let prefixes = [
            ("::ffff:", true), ("64:ff9b::", true), ("64:ff9b:1::", true), ("::", false), ("::ffff:0:", false),
            ("fd00::5efe:", false),
        ]
        for (prefix, mayAllow) in prefixes {
            #expect(permits("\(prefix)169.254.7.9") == mayAllow && !permits("\(prefix)169.254.8.9"), "\(prefix)")
            #expect(!permits("\(prefix)10.2.3.4") && permits("\(prefix)11.2.3.4"), "\(prefix)")
        }
        #expect(!permits("2002:a02:304::1") && permits("2002:b02:304::1"))
        #expect(permits("2002:a9fe:709::1") && !permits("2002:a9fe:809::1"))
    }

    @Test("an IPv6 address and its embedded IPv4 address may each be refused")
    func refusedByEither() {
        func permits(_ host: String, allowed: String, denied: String) -> Bool {
            AddressRules(allowed: [IPNetwork(allowed)!], denied: [IPNetwork(denied)!])
                .permit(SocketAddress(host: host, port: 80)!)
        }
        #expect(!permits("64:ff9b::10.0.0.1", allowed: "10.0.0.0/8", denied: "64:ff9b::/96"))
        #expect(!permits("64:ff9b::10.0.0.1", allowed: "64:ff9b::/96", denied: "10.0.0.0/8"))
        #expect(!permits("2002:a9fe:a9fe::1", allowed: "::/0", denied: "192.0.2.0/24"))
        #expect(!permits("fe80::5efe:8.8.8.8", allowed: "8.8.8.8", denied: "192.0.2.0/24"))
        #expect(permits("fe80::1", allowed: "fe80::1", denied: "192.0.2.0/24"))
    }

    @Test(
        "the process's own address is refused at its port, in every spelling"
    )
    func own() {
        func permits(_ host: String, _ port: UInt16, own: String, allowed: [IPNetwork] = []) -> Bool {
            AddressRules(allowed: allowed, own: [SocketAddress(host: own, port: 9080)!])
                .permit(SocketAddress(host: host, port: port)!)
        }
        for host in [
            "127.0.0.1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::127.0.0.1", "2002:7f00:1::",
        ] {
            #expect(
                !permits(host, 9080, own: "127.0.0.1") && permits(host, 9081, own: "127.0.0.1"), "\(host)")
            #expect(
                !permits(
                    host, 9080, own: "127.0.0.1", allowed: [IPNetwork("127.0.0.1")!, IPNetwork("::/0")!]))
            #expect(!permits(host, 9080, own: "0.0.0.0") && !permits(host, 9080, own: "::"), "\(host)")
        }
        #expect(
            permits("127.0.0.2", 9080, own: "127.0.0.1") && !permits("127.0.0.2", 9080, own: "0.0.0.0"))
        #expect(
            !permits("::1", 9080, own: "::1") && !permits("::1", 9080, own: "::")
                && permits("::1", 9080, own: "127.0.0.1"))
        // 192.0.2.0/24 and 2001:db8::/32 belong to nobody.
        #expect(permits("192.0.2.1", 9080, own: "0.0.0.0") && permits("2001:db8::1", 9080, own: "::"))
        // The kernel connects 0.0.0.0 to this machine.
        #expect(!permits("0.0.0.0", 9080, own: "127.0.0.1", allowed: [IPNetwork("0.0.0.0/8")!]))
        #expect(!permits("::", 9080, own: "::1", allowed: [IPNetwork("::/0")!]))
    }

    @Test("names and redirects to the process itself are refused on connecting")
    func ownByName() throws {
        let own = try Stage()
        var settings = HTTPClientSettings()
        settings.addresses.own = [SocketAddress(host: "127.0.0.1", port: own.backend.port)!]
        let stage = try Stage(settings: settings)
        resolver_move("127.0.0.1")
        #expect(try stage.get(own.backend.url("/", host: "moves.test"))?.reason == .addressRefused)
        stage.backend.answer = { $0.reply("302 Found", ["Location: \(own.backend.url())"], $1.path) }
        #expect(try stage.get(redirects: 3)?.reason == .addressRefused)
        #expect(own.backend.connections.isEmpty)
    }

    @Test(
        "an address is refused in every spelling",
        arguments: [
            "http://169.254.169.254/latest", "http://2852039166/", "http://0xa9fea9fe/", "http://0251.0376.0251.0376/",
            "http://169.254.43518/", "http://[::ffff:169.254.169.254]/", "http://[fe80::1]/", "http://0.0.0.0/",
            "http://0/",
            "http://[::]/", "http://224.0.0.1/",
        ])
    func spellings(url: String) throws {
        let stage = try Stage()
        #expect(try stage.get(url)?.reason == .addressRefused)
        #expect(stage.client.counts.refused == 1)
    }

    @Test("the address that counts is the one at the time of connecting")
    func rebinding() throws {
        let stage = try Stage()
        resolver_move("169.254.169.254")
        #expect(try stage.get("http://moves.test/")?.reason == .addressRefused)
        resolver_move("127.0.0.1")
        let other = try Stage()
        #expect(try other.get(other.backend.url("/", host: "moves.test"))?.text == "/")
        // The name moves while a connection is in use, then the connection goes.
        resolver_move("169.254.169.254")
        other.client.close()
        #expect(try other.get(other.backend.url("/", host: "moves.test"))?.reason == .addressRefused)
        #expect(other.backend.requests.count == 1)
    }

    @Test("a look-up that hangs delays no request, time limit, cancel or close")
    func hangingLookup() throws {
        let stage = try Stage()
        let before = resolver_blocked()
        var slow = try HTTPClientRequest(.get, "http://hangs.test/")
        slow.timeout = 60
        var answers: [HTTPClientError.Reason?] = []
        stage.client.start(slow) { answers.append($0.reason) }
        slow.timeout = 60_000
        let cancelled = stage.client.start(slow) { _ in Issue.record("was cancelled") }
        stage.client.start(slow) { _ in Issue.record("was closed") }
        // One look-up is enough for all three.
        stage.turn { resolver_blocked() == before + 1 }
        #expect(try stage.get()?.text == "/")
        stage.turn { !answers.isEmpty }
        #expect(answers == [.timeout])
        #expect(stage.client.cancel(cancelled))
        stage.client.close()
        // After all of that the look-up still hangs.
        #expect(resolver_blocked() == before + 1)
        resolver_release(1)
        stage.turn { resolver_blocked() == before }
    }
}
