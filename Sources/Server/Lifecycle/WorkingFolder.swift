// The working folder as whoever started the process named it. The kernel knows only where the name led at that time: where a link on
// the way is swapped for a new release, a relative path would lead to the old one for ever.
//
// Runs on: the main thread, before any other is started.

import Glibc

/// The name of the working folder.
enum WorkingFolder {
    /// What the shell calls the folder (`PWD`), if that is its name.
    ///
    /// A successor inherits the name after its predecessor has checked it, and by then the name may lead elsewhere on purpose. A
    /// name that is wrong is taken out of the environment, so that no successor believes it.
    static func named(isSuccessor: Bool) -> String? {
        guard let name = HostProcess.variable("PWD"), name.hasPrefix("/"), let there = Identity(of: name),
            isSuccessor || there == Identity(of: ".")
        else {
            unsetenv("PWD")
            return nil
        }
        return name
    }

    private struct Identity: Equatable {
        let device: UInt64
        let inode: UInt64

        init?(of path: String) {
            var status = stat()
            guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return nil }
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
        }
    }
}
