// The program that fuzzes: `perigee-fuzz TARGET [what libFuzzer takes]`. Without a target it lists them.
//
// A target gets one input and holds the code to its rules; `expect` ends the program when one is broken, and libFuzzer
// writes the input to a file. The input is the plain text of what is read, so that seeds can be written by hand; where
// it is cut, or which limits hold, is drawn from a hash of it.
// Read next: FuzzTarget.swift

import Glibc

/// libFuzzer's entry point.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ target: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// The target of this run; a C function cannot capture it.
nonisolated(unsafe) private var chosen: FuzzTarget?

guard CommandLine.arguments.count > 1 else {
    print(FuzzTarget.all.map(\.name).joined(separator: "\n"))
    exit(0)
}
guard let named = FuzzTarget.all.first(where: { $0.name == CommandLine.arguments[1] }) else {
    print("there is no target \(CommandLine.arguments[1])")
    exit(2)
}
chosen = named
private var count = CommandLine.argc - 1
private var arguments = CommandLine.unsafeArgv + 1
exit(
    runDriver(&count, &arguments) { bytes, count in
        chosen?.check([UInt8](UnsafeBufferPointer(start: bytes, count: count)))
        return 0
    })
