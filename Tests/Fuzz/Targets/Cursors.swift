// Cursors of the admin API's lists: those of a page before, and those that anybody else may write instead.

import PubSub

@testable import Admin

@Sendable func checkCursors(_ input: [UInt8]) {
    let text = String(decoding: input, as: UTF8.self)
    if let cursor = ConnectionCursor(text) {
        taken()
        expect(cursor.text == text, "a cursor has one form")
    }
    var generator = generator(for: input)
    let cursor = ConnectionCursor(
        worker: Int.random(in: 0...1023, using: &generator), slot: UInt32.random(in: 0...UInt32.max, using: &generator))
    expect(ConnectionCursor(cursor.text) == cursor, "a page's cursor is read on the next one: \(cursor.text)")
    if let channel = Channel(text) { expect(Channel(channel.name) == channel, "a channel is its own cursor") }
}
