// The allocations of decoding and encoding.

import AllocationCounter
import Testing
import WebSocket

@Suite(.enabled(if: allocations_are_counted(), "a sanitizer brings an allocator of its own"), .bounded)
struct AllocationTests {
    @Test("allocates nothing for 10,000 small messages that arrive whole")
    func wholeMessages() {
        let batch = (0..<100).flatMap { _ in ClientFrame.text("sixteen bytes ok") + ClientFrame.ping([1]) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: batch.count, alignment: 16)
        defer { buffer.deallocate() }
        var decoder = MessageDecoder()
        var messages = 0
        let allocations = count {
            for _ in 0..<100 {
                batch.withUnsafeBytes { buffer.copyMemory(from: $0) }
                var input = buffer
                messages += readMessages(&input, &decoder)
            }
        }
        #expect(allocations == 0)
        #expect(messages == 10_000)
    }

    @Test("allocates only an assembly and its bytes for a cut frame")
    func cutFrame() {
        var decoder = MessageDecoder()
        var bytes = ClientFrame.text("cut here")
        bytes.withUnsafeMutableBytes { bytes in
            var head = UnsafeMutableRawBufferPointer(rebasing: bytes[..<9])
            var tail = UnsafeMutableRawBufferPointer(rebasing: bytes[9...])
            #expect(count { _ = readMessages(&head, &decoder) } == 2)
            var messages = 0
            #expect(count { messages = readMessages(&tail, &decoder) } == 0)
            #expect(messages == 1)
        }
    }

    @Test("grows a large message by doubling", arguments: [1, 7, 1000])
    func doubling(_ pieceSize: Int) {
        let stream = ClientFrame.binary([UInt8](repeating: 0, count: 60_000))
        var decoder = MessageDecoder()
        var bytes = stream
        let allocations = bytes.withUnsafeMutableBytes { bytes in
            count {
                var start = 0
                while start < bytes.count {
                    let end = min(start + pieceSize, bytes.count)
                    var piece = UnsafeMutableRawBufferPointer(rebasing: bytes[start..<end])
                    _ = readMessages(&piece, &decoder)
                    start = end
                }
            }
        }
        // The assembly, 64 bytes, and ten doublings up to 60,000 bytes.
        #expect(allocations <= 12)
    }

    @Test("allocates once for a frame, however large", arguments: [0, 100, 100_000])
    func frame(_ size: Int) {
        let payload = [UInt8](repeating: 1, count: size)
        var frame: Frame?
        #expect(count { frame = .binary(payload) } == 1)
        #expect(frame?.payloadCount == size)
    }

    /// The allocations of this thread while `body` runs.
    private func count(_ body: () -> Void) -> Int {
        warmUp()
        let before = allocations_of_thread()
        body()
        return allocations_of_thread() - before
    }

    /// Uses each type once, because Swift allocates the metadata of a type at its first use.
    private func warmUp() {
        var decoder = MessageDecoder()
        for byte in ClientFrame.text("warm", fin: false) {
            var byte = [byte]
            byte.withUnsafeMutableBytes { bytes in
                var input = bytes
                _ = readMessages(&input, &decoder)
            }
        }
        _ = Frame.binary([])
    }

    /// Reads all of the input and returns the number of messages in it.
    private func readMessages(_ input: inout UnsafeMutableRawBufferPointer, _ decoder: inout MessageDecoder) -> Int {
        var messages = 0
        while true {
            switch decoder.next(&input, maxMessage: 100_000) {
            case .message, .compressed: messages += 1
            case .ping: continue
            case .needMore, .pong, .close, .failure: return messages
            }
        }
    }
}
