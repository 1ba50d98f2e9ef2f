import FuzzTargets
import SeededGenerator
import Testing

@Suite("The seeds of the fuzz targets", .serialized, .bounded)
struct ReplayTests {
    /// How long mutations of a target's seeds are played.
    private static let time = Duration.milliseconds(700)

    @Test("every seed and its mutations keep the rules of their target", arguments: FuzzTarget.all)
    func replay(_ target: FuzzTarget) throws {
        let seeds = try FuzzCorpus.seeds(of: target)
        #expect(seeds.count >= target.seeds, "\(target) has \(seeds.count) seeds")
        let taken = seeds.count { target.check($0.bytes) }
        #expect(taken >= target.taken, "the reader takes \(taken) of \(seeds.count) seeds of \(target)")
        target.check([])

        var generator = SeededGenerator(seed: 9)
        let end = ContinuousClock.now + Self.time
        var count = 0
        // A slow target is played a few times whatever the time.
        while count < 20 || ContinuousClock.now < end {
            target.check(mutation(of: seeds.map(\.bytes), &generator))
            count += 1
        }
    }

    @Test("each folder of seeds belongs to a target")
    func folders() throws {
        let names = FuzzTarget.all.map(\.name)
        #expect(Set(names).count == names.count && names.count >= 28)
        #expect(try FuzzCorpus.names() == Set(names))
    }

    /// A seed, or the beginning of one and the end of another, with a few bytes that are changed, doubled or left out.
    private func mutation(of seeds: [[UInt8]], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = seeds.randomElement(using: &generator) ?? []
        if generator.oneIn(4), let other = seeds.randomElement(using: &generator) {
            bytes =
                Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &generator)))
                + other.suffix(Int.random(in: 0...other.count, using: &generator))
        }
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 2: bytes.remove(at: place)
            case 3: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: place)
            default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 20)], at: place)
            }
        }
        return Array(bytes.prefix(4096))
    }
}
