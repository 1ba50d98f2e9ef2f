// The set of workers compared with a Set.

import PubSub
import SeededGenerator
import Testing

@Suite("WorkerSet", .bounded)
struct WorkerSetTests {
    @Test("holds every worker from 0 to 255, each once")
    func all() {
        var set = WorkerSet()
        #expect(set.isEmpty)
        for worker in UInt8.min...UInt8.max {
            #expect(!set.contains(worker))
            set.insert(worker)
            set.insert(worker)
            #expect(set.contains(worker))
            #expect(set.count == Int(worker) + 1)
        }
        #expect(members(set) == Array(0...255))
        for worker in UInt8.min...UInt8.max { set.remove(worker) }
        #expect(set.isEmpty)
        #expect(set == WorkerSet())
    }

    @Test("agrees with a Set over random changes and lists its members in order")
    func fuzz() {
        var generator = SeededGenerator(seed: 1)
        var set = WorkerSet()
        var model: Set<UInt8> = []
        for _ in 0..<5_000 {
            let worker = UInt8.random(in: 0...255, using: &generator)
            let before = set
            if generator.oneIn(2) {
                set.insert(worker)
                let isNew = model.insert(worker).inserted
                #expect((set != before) == isNew)
            } else {
                set.remove(worker)
                let wasMember = model.remove(worker) != nil
                #expect((set != before) == wasMember)
            }
            #expect(set.count == model.count)
            #expect(set.isEmpty == model.isEmpty)
        }
        #expect(members(set) == model.sorted())
    }

    private func members(_ set: WorkerSet) -> [UInt8] {
        var members: [UInt8] = []
        set.forEach { members.append($0) }
        return members
    }
}
