// The errors that an operator gets: all of them, at once, with their places.

import Glibc
import Testing

@testable import Settings

@Suite("Problems of a configuration", .bounded)
struct ConfigurationProblemsTests {
    @Test(
        "an unknown key names the nearest known one",
        arguments: [
            ("admin: {lisen: x}", "1:9: unknown key 'admin.lisen'; did you mean 'admin.listen'?"),
            ("admin: {MAXBODY: x}", "1:9: unknown key 'admin.MAXBODY'; did you mean 'admin.maxBody'?"),
            ("lisen: x", "1:1: unknown key 'lisen'; did you mean 'listen'?"),
            ("maxMessage: 1", "1:1: unknown key 'maxMessage'; did you mean 'websocket.maxMessage'?"),
            ("websockets: {}", "1:1: unknown key 'websockets'; did you mean 'websocket'?"),
            ("kv: {color: x}", "1:6: unknown key 'kv.color'; known in 'kv': memory"),
            ("frobnicate: x", "1:1: unknown key 'frobnicate'; known: listen, workers, demo, channels"),
            ("a.b.c.d.e.f: x", "1:1: unknown key 'a.b.c.d.e.f'"),
            ("\"a\\u001b[31m\": x", "1:1: unknown key 'a\\u001b[31m'; known: listen, workers, demo, channels"),
        ])
    func unknownKey(yaml: String, problem: String) {
        #expect(configurationProblems(yaml) == ["perigee.yaml:" + problem])
    }

    @Test("an unknown variable is a problem if it begins with PERIGEE_")
    func unknownVariable() {
        let environment = ["PERIGEE_ADMIN_LISEN": "x", "PERIGEE_": "", "PERIGEEX": "", "HOME": "/"]
        #expect(
            configurationProblems("", environment: environment) == [
                "PERIGEE_: unknown variable",
                "PERIGEE_ADMIN_LISEN: unknown variable; did you mean PERIGEE_ADMIN_LISTEN?",
            ])
    }

    @Test("variables of Kubernetes and Docker links are ignored")
    func linkVariables() throws {
        let service = [
            "PERIGEE_SERVICE_HOST": "10.0.0.7", "PERIGEE_SERVICE_PORT": "8080", "PERIGEE_SERVICE_PORT_HTTP": "8080",
            "PERIGEE_PORT": "tcp://10.0.0.7:8080", "PERIGEE_PORT_8080_TCP": "tcp://10.0.0.7:8080",
            "PERIGEE_PORT_8080_TCP_PROTO": "tcp", "PERIGEE_PORT_8080_TCP_PORT": "8080",
            "PERIGEE_PORT_8080_TCP_ADDR": "10.0.0.7", "PERIGEE_PORT_53_UDP_ADDR": "10.0.0.7",
            "PERIGEE_ADMIN_SERVICE_HOST": "10.0.0.8", "PERIGEE_ADMIN_SERVICE_PORT": "9080",
            "PERIGEE_ADMIN_PORT": "tcp://10.0.0.8:9080", "PERIGEE_ADMIN_PORT_9080_TCP_ADDR": "10.0.0.8",
            "PERIGEE_WEB_2_PORT_80_SCTP": "sctp://10.0.0.9:80",
            "PERIGEE_NAME": "/web/perigee", "PERIGEE_ENV_PATH": "/bin", "PERIGEE_ENV_LANG": "C",
        ]
        #expect(configurationProblems("", environment: service) == [])
        let beside = service.merging(["PERIGEE_ADMIN_LISTEN": "127.0.0.1:7000"]) { $1 }
        #expect(try loadConfiguration("", environment: beside).admin.listen.port == 7000)
        let mistakes = [
            "PERIGEE_PORT": "8080", "PERIGEE_ADMIN_PORT": "9080", "PERIGEE_SERVICE_PORT": "http", "PERIGEE_NAME": "/x",
            "PERIGEE_ENV_PATH": "/bin", "PERIGEE_PORT_TCP": "8080", "PERIGEE_PORT_8080": "x",
            "PERIGEE_PORT_8080_TCP_HOST": "x", "PERIGEE_LISTEN_SERVICE": "x",
        ]
        let problems = configurationProblems("", environment: mistakes)
        #expect(problems.count == mistakes.count, "\(problems)")
        #expect(problems.allSatisfy { $0.contains("unknown variable") })
    }

    @Test("the problems of all layers are reported at once with their sources")
    func allAtOnce() throws {
        let text = """
            listen: 8080
            workers: many
            admin:
              lisen: x
              maxBody: 16 MB
            log: loud
            """
        let error = #expect(throws: ConfigurationProblems.self) {
            try loadConfiguration(
                text, environment: ["PERIGEE_DEMO": "maybe"],
                flags: [("log.level", "all"), ("log.size", "1"), ("workers", "2")])
        }
        let size = "a size from 1 B to 1 GiB, in B, KiB, MiB or GiB"
        let address = "an address such as 127.0.0.1:8080, [::1]:8080 or unix:/run/a.sock; port 0 picks a free one"
        let problems = try #require(error).problems
        #expect(
            problems.map(\.description) == [
                "perigee.yaml:1:9: listen is \"8080\"; allowed: \(address)",
                "perigee.yaml:2:10: workers is \"many\"; allowed: a whole number from 0 to 256",
                "perigee.yaml:4:3: unknown key 'admin.lisen'; did you mean 'admin.listen'?",
                "perigee.yaml:5:12: admin.maxBody is \"16 MB\"; allowed: \(size)",
                "perigee.yaml:6:6: log is a text; allowed: a map of keys",
                "PERIGEE_DEMO: demo is \"maybe\"; allowed: true, false, loopback",
                "command line: log.level is \"all\"; allowed: trace, debug, info, notice, warning, error",
                "command line: unknown key 'log.size'; known in 'log': level, format, maxQueue",
            ])
        try #require(problems.count == 8)
        #expect(problems[0].source == .file(name: "perigee.yaml", line: 1, column: 9))
        #expect(problems[0].path == "listen" && problems[0].given == "\"8080\"" && problems[0].allowed == address)
        #expect(problems[5].source == .environment(name: "PERIGEE_DEMO"))
        #expect(problems[6].source == .flag)
    }

    @Test("more than 50 problems are counted, not told")
    func many() throws {
        let text = (1...70).map { "unknown\($0): x\n" }.joined()
        let lines = configurationProblems(text)
        #expect(lines.count == 51)
        #expect(lines.last == "and 20 more problems")
    }

    @Test("cuts long values and escapes text that could confuse a terminal")
    func shownValues() {
        let long = String(repeating: "x", count: 100)
        #expect(configurationProblems("demo: \(long)")[0].contains("\"\(long.prefix(59))…\";"))
        #expect(
            configurationProblems("demo: \"\\e[2J\\n\"") == [
                "perigee.yaml:1:7: demo is \"\\u001b[2J\\n\"; allowed: true, false, loopback"
            ])
        let endless = String(repeating: "k", count: 100_000)
        #expect(configurationProblems("\(endless): 1")[0].count < 600)
        #expect(configurationProblems("? \(endless)\n? \(endless)")[0].count < 600)
        #expect(configurationProblems("", flags: [("a\nb", "x")])[0].hasPrefix("command line: unknown key 'a\\u000ab'"))
    }

    @Test("an unreadable file is one problem with its cause")
    func unreadable() {
        let lines = { (file: String) in
            let error = #expect(throws: ConfigurationProblems.self) { try Configuration.load(file: file) }
            return error?.description
        }
        #expect(
            lines("/nonexistent/perigee.yaml") == "/nonexistent/perigee.yaml: cannot be read: No such file or directory"
        )
        #expect(lines("/") == "/: cannot be read: Is a directory")
        #expect(lines("/dev/zero") == "/dev/zero: is larger than 1 MiB")
    }

    @Test("a file is read whole and must be UTF-8")
    func wholeFile() throws {
        let comment = "# " + String(repeating: "ä", count: 200_000) + "\n"
        try withFile(Array((comment + "workers: 3\n").utf8)) { path in
            let configuration = try Configuration.load(file: path)
            #expect(configuration.workers == 3)
        }
        try withFile([0x23, 0xFF, 0x0A]) { path in
            let error = #expect(throws: ConfigurationProblems.self) { try Configuration.load(file: path) }
            #expect(error?.description == "\(path): is not UTF-8 text")
        }
    }

    @Test("a file has at most 1 MiB")
    func largest() throws {
        let largest = [UInt8](repeating: 0x0A, count: 1 << 20)
        try withFile(largest) { path in
            let configuration = try Configuration.load(file: path)
            #expect(configuration == Configuration())
        }
        try withFile(largest + [0x0A]) { path in
            let error = #expect(throws: ConfigurationProblems.self) { try Configuration.load(file: path) }
            #expect(error?.description == "\(path): is larger than 1 MiB")
        }
    }

    private func withFile(_ bytes: [UInt8], _ body: (String) throws -> Void) throws {
        var template = Array("/tmp/perigee-configuration-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        try #require(descriptor >= 0)
        let path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        defer { unlink(path) }
        #expect(write(descriptor, bytes, bytes.count) == bytes.count)
        close(descriptor)
        try body(path)
    }
}
