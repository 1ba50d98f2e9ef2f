// How long a reload holds a worker up with 10,000 connections whose data lives on.

import Scripting

struct ReloadCosts {
    private static let handlers = """
        local util = require "util"
        local state = server.state("rooms", 1, function() return { count = 0 } end)
        function onOpen(conn) conn.data.name = util.name(conn) conn.data.seen = {} end
        function onMessage(conn, m) conn.data.seen[#conn.data.seen % 10 + 1] = m conn:send(conn.data.name) end
        function onClose(conn) end
        """

    private static let other = "function onMessage(conn, m) conn:send(require('util').name(conn)) end"

    let rounds: Int

    func report() throws {
        let bench = try BenchEngine(Self.handlers.replacingRequire, message: "hello")
        for slot in 0..<UInt32(10_000) { try bench.open(slot) }
        var prepares: [Double] = []
        var commits: [Double] = []
        for version in 2..<UInt64(2 + rounds * 20) {
            let bundle = try ScriptBundle(
                version: version, scripts: ["main": Self.handlers, "other": Self.other],
                modules: ["util": "return { name = function(conn) return 'somebody' end }"])
            let start = threadNanoseconds()
            try bench.engine.prepare(bundle).get()
            let prepared = threadNanoseconds()
            bench.engine.commit()
            commits.append(Double(threadNanoseconds() - prepared) / 1e3)
            prepares.append(Double(prepared - start) / 1e3)
            for slot in 0..<UInt32(1000) { try bench.message(slot) }
        }
        print("a reload of three files with 10,000 connections, us (median / worst of \(prepares.count))")
        reportLine("prepare", "\(prepares.sorted()[prepares.count / 2].short) / \((prepares.max() ?? 0).short)")
        reportLine("commit", "\(commits.sorted()[commits.count / 2].short) / \((commits.max() ?? 0).short)")
    }
}

extension String {
    /// The same script before it had a module.
    fileprivate var replacingRequire: String {
        "local util = { name = function() return 'nobody' end }\n"
            + split(separator: "\n").dropFirst().joined(separator: "\n")
    }
}
