// permessage-deflate with the peer that matters most: a real browser.

import JSON
import PerigeeTestKit
import Server
import Settings
import Testing

@Suite("Compression in a browser", .serialized, .bounded)
struct BrowserCompressionTests {
    /// Text and bytes come back unchanged.
    @Test("Chromium agrees on permessage-deflate", arguments: [false, true])
    func echo(_ takeover: Bool) throws {
        try withServer(configure: { $0.compression.contextTakeover = takeover }) { server in
            let browser = try Chromium.start()
            let page = try browser.open("\(server.server.pageURL)/")
            let answer = try page.evaluate(
                """
                new Promise((resolve, reject) => {
                  const socket = new WebSocket('\(server.server.clientURL)/echo')
                  socket.binaryType = 'arraybuffer'
                  const text = JSON.stringify(Array.from({length: 2000}, (_, i) => ({symbol: 'S' + i % 50, price: i})))
                  const sent = [text, '', 'short', text, new TextEncoder().encode(text).buffer]
                  const plain = value => typeof value == 'string' ? value : new TextDecoder().decode(value)
                  const wrong = []
                  let count = 0
                  socket.onopen = () => sent.forEach(value => socket.send(value))
                  socket.onclose = event => reject(new Error('closed with ' + event.code))
                  socket.onmessage = event => {
                    if (plain(event.data) != plain(sent[count])) wrong.push(count)
                    if (typeof event.data != typeof sent[count]) wrong.push(count)
                    if (++count == sent.length) resolve({extensions: socket.extensions, wrong: wrong})
                  }
                })
                """)
            #expect(answer["extensions"]?.string?.hasPrefix("permessage-deflate") == true, "\(answer)")
            #expect(answer["wrong"] == [])
            let node = try server.nodeState()
            #expect((node["messagesInflated"]?.int ?? 0) >= 3, "the browser compresses what it sends")
            #expect(node["messagesDeflated"] == 3)
            #expect(try page.faults() == [])
        }
    }
}
