// `perigee-bench`: the usual set.

import ArgumentParser
import CLinux

struct All: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "All of it at its usual sizes (the default).")

    @OptionGroup var target: TargetOptions

    func run() throws {
        var scenarios: [any Scenario] = [
            EchoScenario(connections: 200, inFlight: 1, size: 64, path: "/echo"),
            EchoScenario(connections: 50, inFlight: 16, size: 64, path: "/echo"),
            EchoScenario(connections: 50, inFlight: 1, size: 16 << 10, path: "/echo"),
        ]
        if target.listen == nil || target.admin != nil {
            scenarios += [1_000, 100, 1].map {
                FanoutScenario(subscribers: $0, inFlight: 1, size: 64, path: "/") as any Scenario
            }
        }
        scenarios.append(HandshakeScenario(parallel: 50, path: "/echo"))
        let descriptors = Int(clamping: clinux_raise_descriptor_limit())
        let idle = max(1, min(10_000, descriptors - IdleScenario.spareDescriptors))
        scenarios.append(IdleScenario(connections: idle, path: "/echo"))
        try Session(target).run(scenarios)
    }
}
