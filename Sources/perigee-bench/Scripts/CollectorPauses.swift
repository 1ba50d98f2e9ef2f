// How long the collector holds one event up, at worst, while 25 MB live and messages make garbage.

import Scripting

struct CollectorPauses {
    private static let source = """
        local live = {}
        function onOpen(conn)
            for i = 1, 100000 do live[i] = { id = i, name = "user" .. i, tags = { i, i + 1 } } end
        end
        function onMessage(conn, message)
            local list = {}
            for i = 1, 20 do list[i] = { n = i, text = message .. i } end
            conn.data.last = list
        end
        """

    func report() throws {
        let bench = try BenchEngine(Self.source, message: "hello", memory: 64 << 20)
        try bench.open(0)
        var times: [UInt64] = []
        times.reserveCapacity(400_000)
        for _ in 0..<400_000 {
            let start = threadNanoseconds()
            try bench.message()
            times.append(threadNanoseconds() - start)
        }
        times.sort()
        print("the collector under 400,000 messages, \(bench.engine.memoryInUse >> 20) MB in use, cap 64 MB")
        reportLine("an event, median, us", (Double(times[times.count / 2]) / 1e3).short)
        reportLine("an event, 99.9 %, us", (Double(times[times.count * 999 / 1000]) / 1e3).short)
        reportLine("an event, worst, us", (Double(times[times.count - 1]) / 1e3).short)
    }
}
