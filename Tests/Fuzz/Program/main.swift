// The program that fuzzes: `perigee-fuzz TARGET [what libFuzzer takes]`. Without a target it lists them. `Tests/Fuzz/run` builds
// it with libFuzzer. Built like any other product, it only plays given files: `perigee-fuzz TARGET FILE…`.
//
// Read next: FuzzTarget.swift

import FuzzTargets
import Glibc

guard CommandLine.arguments.count > 1 else {
    print(FuzzTarget.all.map(\.name).joined(separator: "\n"))
    exit(0)
}
guard let target = FuzzTarget.all.first(where: { $0.name == CommandLine.arguments[1] }) else {
    print("there is no target \(CommandLine.arguments[1])")
    exit(2)
}

#if FUZZING
    /// libFuzzer's entry point.
    @_silgen_name("LLVMFuzzerRunDriver")
    private func runDriver(
        _ count: UnsafeMutablePointer<Int32>,
        _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
        _ target: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
    ) -> Int32

    /// The target of this run; a C function cannot capture it.
    nonisolated(unsafe) private var chosen = target

    /// The linker takes libFuzzer's own `main` along, which names this function, and then the entry point of this file.
    @_cdecl("LLVMFuzzerTestOneInput")
    func check(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
        chosen.check([UInt8](UnsafeBufferPointer(start: bytes, count: count)))
        return 0
    }

    private var count = CommandLine.argc - 1
    private var arguments = CommandLine.unsafeArgv + 1
    exit(runDriver(&count, &arguments, check))
#else
    for path in CommandLine.arguments.dropFirst(2) {
        target.check(try FuzzCorpus.bytes(at: path))
        print("\(target.name): \(path)")
    }
#endif
