// One script in two worlds: in Lua as it comes, and in the sandbox. Both must answer the same.

@testable import Scripting
import StockLua

/// A script that defines `local function answer(text)`, which gives a string of ASCII characters.
final class TwinScript {
    private let stock: OpaquePointer
    private let host = RecordingHost()
    private let engine: ScriptEngine
    private let script: ScriptID

    init(_ source: String) throws {
        guard let opened = stockLuaOpen() else { throw TwinError(message: "not enough memory") }
        stock = opened
        var options = ScriptOptions(memoryLimit: 0)
        options.budget = 0
        options.largestBlock = 0
        engine = try ScriptEngine(host: host, options: options)
        let handler = "function onMessage(conn, text) conn:send(answer(text)) end"
        try engine.prepare(try ScriptBundle(version: 1, scripts: ["main": "\(source)\n\(handler)"])).get()
        engine.commit()
        script = engine.intern("main")
        var returning = source + "\nreturn answer"
        if let problem = returning.withUTF8({ text in
            text.withMemoryRebound(to: CChar.self) { stockLuaLoad(stock, $0.baseAddress!, $0.count) }
        }) {
            throw TwinError(message: String(cString: problem))
        }
    }

    deinit {
        stockLuaClose(stock)
    }

    /// The answers of Lua and of the sandbox.
    func answers(_ bytes: [UInt8]) -> (stock: String, sandbox: String) {
        (stockAnswer(bytes), sandboxAnswer(bytes))
    }

    private func stockAnswer(_ bytes: [UInt8]) -> String {
        var count = 0
        var failed = false
        let answer = (bytes + [0]).withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                stockLuaCall(stock, $0.baseAddress!, $0.count - 1, &count, &failed)
            }
        }
        let text = String(decoding: UnsafeRawBufferPointer(start: answer, count: count), as: UTF8.self)
        return failed ? "raised " + text : text
    }

    private func sandboxAnswer(_ bytes: [UInt8]) -> String {
        host.calls = []
        let connection = ConnectionHandle(slot: 1, generation: 1)
        let outcome = bytes.withUnsafeBytes { engine.onMessage(script, connection, $0, binary: true) }
        if case .failed(let error) = outcome { return "raised \(error.summary)" }
        return host.sent.last ?? "nothing"
    }
}

struct TwinError: Error {
    let message: String
}
