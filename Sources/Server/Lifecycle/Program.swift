// The program that this process runs, as a path that leads to its next version once that is installed: /proc/self/exe names the
// file that is running, which by then may be deleted, or be the old version beside the new one.

import Glibc

/// A program file and its command line.
struct Program: Sendable {
    let path: String
    /// With the program's own name first.
    let arguments: [String]

    /// What this process was started as. Asked for at the start, before the file is replaced or the folder changes.
    static var current: Program {
        let running = link("/proc/self/exe")
        let called = located(CommandLine.arguments.first ?? "").flatMap { resolved($0) == running ? $0 : nil }
        return Program(path: called ?? running, arguments: CommandLine.arguments)
    }

    /// The file that a shell would start for the word, symbolic links as they are.
    private static func located(_ word: String) -> String? {
        if word.hasPrefix("/") { return word }
        if word.contains("/") { return link("/proc/self/cwd") + "/" + word }
        let folders = HostProcess.variable("PATH")?.split(separator: ":") ?? []
        return folders.map { "\($0)/\(word)" }.first { $0.hasPrefix("/") && access($0, X_OK) == 0 }
    }

    private static func resolved(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func link(_ path: String) -> String {
        withUnsafeTemporaryAllocation(byteCount: Int(PATH_MAX), alignment: 1) { target in
            let count = readlink(path, target.baseAddress!, target.count)
            return String(decoding: target.prefix(max(0, count)), as: UTF8.self)
        }
    }
}
