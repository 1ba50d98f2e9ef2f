// Loads certificates anew when they change or somebody asks: for new connections, while those that there are go on as they began.
// A mistake in any file is a line in the log, and the old certificates stay. Scripts are another matter: neither waits for the other.
//
// Runs on: the reloader's thread, the one that may block on files.

import EventLoop
import Gateway
import Glibc
import Logging
import Settings

/// Keeps the live certificates up to date.
final class CertificateReloader {
    private let node: Node
    private unowned let loop: EventLoop
    private var watchers: [FileWatcher] = []
    private var watchedFolders: [String] = []
    /// The last mistake; logged once, however often the files are looked at.
    private var lastMistake: TLSError?

    init(node: Node, on loop: EventLoop) {
        self.node = node
        self.loop = loop
        if node.configuration.tls.watch { watch() }
    }

    /// Reads the files again, and uses them if they have no mistake.
    /// - Parameter isWatched: whether nobody asked; an outcome that is as before is then not logged.
    func reload(cause: String, isWatched: Bool = false) {
        guard !node.configuration.tls.certificates.isEmpty else { return }
        do throws(TLSError) {
            guard let settings = try Certificates.read(node.configuration.tls) else { return }
            if isWatched && settings == node.certificates.current?.settings {
                lastMistake = nil
                return
            }
            let certificates = try Certificates(
                settings, admin: node.configuration.admin.tls, node.certificates.ticketKeys)
            node.certificates.replace(with: certificates)
            lastMistake = nil
            tell(certificates, cause)
        } catch {
            guard !isWatched || error != lastMistake else { return }
            lastMistake = error
            node.log.error("certificates not reloaded, the old ones go on: \(error)", metadata: ["cause": "\(cause)"])
        }
    }

    private func tell(_ certificates: Certificates, _ cause: String) {
        let names = certificates.clients.names.joined(separator: " ")
        node.log.notice("certificates reloaded", metadata: ["cause": "\(cause)", "names": "\(names)"])
        for warning in certificates.clients.warnings { node.log.warning("\(warning)") }
    }

    /// Watches the folders in which a change of the files would show. The set changes with the files, where they are links.
    private func watch() {
        let tls = node.configuration.tls
        guard !tls.certificates.isEmpty else { return }
        let paths =
            tls.certificates.flatMap { [$0.certificate, $0.key] } + (tls.clientCA.isEmpty ? [] : [tls.clientCA])
        let folders = Set(paths.flatMap(LinkChain.folders)).sorted()
        guard folders != watchedFolders else { return }
        watchedFolders = folders
        watchers.forEach(loop.remove)
        watchers = folders.compactMap(watcher)
    }

    private func watcher(of folder: String) -> FileWatcher? {
        do throws(FileWatcher.Failure) {
            return try FileWatcher(
                folder: folder, isRecursive: false, quiet: node.configuration.scripts.debounce.milliseconds, on: loop,
                isBlind: { [log = node.log] in
                    log.warning("a folder on the way to certificates is not watched", metadata: ["folder": "\($0)"])
                }
            ) { [unowned self] in
                reload(cause: "file change", isWatched: true)
                loop.atEndOfTurn { [self] in watch() }
            }
        } catch {
            node.log.warning("certificates are not watched", metadata: ["reason": "\(error.message)"])
            return nil
        }
    }
}
