// Renewal tools do not write certificates, they switch links: certbot the file's, Kubernetes that of a folder in between. A watch
// for a renewal must be on the folder of each link.

import Glibc

/// The symbolic links between a path and the file that it leads to.
enum LinkChain {
    /// Links that lead in a circle end here.
    private static let longest = 16

    /// The folders in which a change may make `path` another file: its own, that of each file it leads to, and those of the links
    /// among its folders.
    static func folders(of path: String) -> [String] {
        var folders: [String] = []
        follow(path, &folders)
        return folders
    }

    private static func follow(_ path: String, _ folders: inout [String]) {
        guard folders.count < longest else { return }
        let folder = folder(of: path)
        if !folders.contains(folder) { folders.append(folder) }
        if let target = target(of: path) { follow(resolve(target, in: folder), &folders) }
        var part = folder
        while folders.count < longest, part.contains("/"), part != "/" {
            if let target = target(of: part) { follow(resolve(target, in: self.folder(of: part)), &folders) }
            part = self.folder(of: part)
        }
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func resolve(_ target: String, in folder: String) -> String {
        target.hasPrefix("/") ? target : folder + "/" + target
    }

    private static func target(of path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink(path, &buffer, buffer.count)
        guard count > 0 else { return nil }
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
