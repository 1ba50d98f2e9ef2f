// How the kernel finds a file: name by name, each in the folder that the names before have led to, and through symbolic links. A
// change of any of these names may make the path another file.

import Glibc

/// One look-up on the way of a path.
struct PathStep: Equatable {
    /// A path without links, but for the part below the working folder.
    let folder: String
    let name: String

    /// As many links as the kernel follows.
    private static let mostLinks = 40

    /// Every look-up on the way of a path; it ends where the path does.
    static func steps(of path: String) -> [PathStep] {
        var steps: [PathStep] = []
        var folder = path.hasPrefix("/") ? "/" : "."
        var names = [Substring](path.split(separator: "/").reversed())
        var links = 0
        while let name = names.popLast() {
            let place = folder == "/" ? "/" + name : folder + "/" + name
            if name == "." { continue }
            if name == ".." {
                folder = place
                continue
            }
            steps.append(PathStep(folder: folder, name: String(name)))
            guard links < mostLinks, let target = target(of: place) else {
                folder = place
                continue
            }
            links += 1
            if target.hasPrefix("/") { folder = "/" }
            names += target.split(separator: "/").reversed()
        }
        return steps
    }

    /// Where a symbolic link leads; nil for anything else.
    private static func target(of path: String) -> String? {
        withUnsafeTemporaryAllocation(byteCount: Int(PATH_MAX), alignment: 1) { target in
            let count = readlink(path, target.baseAddress!, target.count)
            return count > 0 ? String(decoding: target.prefix(count), as: UTF8.self) : nil
        }
    }
}
