// The resources of a process, as the kernel sees them.

import Glibc
import PerigeeTestKit

/// The descriptors and the resident memory of a process.
struct ProcessFigures: CustomStringConvertible {
    let descriptors: Int
    let kibibytes: Int

    init(of process: Int32) throws {
        guard let folder = opendir("/proc/\(process)/fd") else {
            throw ClientError.system(call: "opendir /proc/\(process)/fd", code: errno)
        }
        defer { closedir(folder) }
        var entries = 0
        while readdir(folder) != nil { entries += 1 }
        descriptors = entries - 2  // without "." and ".."
        guard let file = fopen("/proc/\(process)/statm", "r") else {
            throw ClientError.system(call: "fopen /proc/\(process)/statm", code: errno)
        }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        fgets(&line, Int32(line.count), file)
        let fields = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let pages = fields.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        kibibytes = pages * sysconf(Int32(_SC_PAGESIZE)) >> 10
    }

    var description: String { "\(kibibytes) KiB and \(descriptors) descriptors" }
}
