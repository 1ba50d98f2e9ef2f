// The bytes kept of a client that is held back.

import Testing

@testable import Gateway

@Suite("HeldInput", .bounded)
struct HeldInputTests {
    private func held(_ bytes: [UInt8]) -> HeldInput {
        var bytes = bytes
        return bytes.withUnsafeMutableBytes { HeldInput(copying: $0) }
    }

    private func append(_ bytes: [UInt8], to held: HeldInput) {
        var bytes = bytes
        bytes.withUnsafeMutableBytes { held.append($0) }
    }

    @Test("keeps a copy of unhandled bytes and appends the bytes that follow")
    func holding() {
        let held = held([1, 2, 3, 4])
        #expect(Array(held.rest) == [1, 2, 3, 4])
        held.keep(UnsafeMutableRawBufferPointer(rebasing: held.rest[2...]))
        #expect(Array(held.rest) == [3, 4])
        append([5, 6], to: held)
        #expect(Array(held.rest) == [3, 4, 5, 6])
    }

    @Test("holds a client back without a byte of it, when its bytes were too many")
    func holdingNothing() {
        let held = held([])
        #expect(held.rest.isEmpty)
        append([7], to: held)
        #expect(Array(held.rest) == [7])
    }
}
