// What Linux knows about a process: its CPU time and its memory.

import Glibc

/// A process on this machine, looked at from outside.
struct ServerProcess {
    let pid: Int32

    /// Time on a core, of all threads, in user and kernel mode, in seconds; nil when there is no such process. The
    /// kernel counts in hundredths of a second.
    var cpuSeconds: Double? {
        // The name, in parentheses, may itself hold anything; the fields are counted from behind it.
        guard let text = read("stat"), let name = text.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = text[(name + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 12, let user = number(fields[11]), let system = number(fields[12]) else { return nil }
        return Double(user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Bytes of memory in use and not swapped out; nil when there is no such process.
    var residentBytes: Int? {
        guard let text = read("status") else { return nil }
        for line in text.split(separator: UInt8(ascii: "\n")) where line.starts(with: "VmRSS:".utf8) {
            let digits = line.filter { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            return number(digits[...]).map { $0 << 10 }
        }
        return nil
    }

    private func number(_ digits: some Sequence<UInt8>) -> Int? { Int(String(decoding: Array(digits), as: UTF8.self)) }

    private func read(_ name: String) -> [UInt8]? {
        let descriptor = open("/proc/\(pid)/\(name)", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let bytes = [UInt8](unsafeUninitializedCapacity: 8_192) { buffer, count in
            count = max(0, Glibc.read(descriptor, buffer.baseAddress, buffer.count))
        }
        return bytes.isEmpty ? nil : bytes
    }
}
