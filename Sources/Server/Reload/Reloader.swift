// Replaces the scripts while the server runs: check off the workers' threads, prepare on every worker, vote, commit on all or on
// none. An error at any step leaves what is live as it is, and is reported as file, line and message.
//
// Runs on: its own thread, the one that may block on files.
// Read next: FileWatcher.swift.

import EventLoop
import Glibc
import Logging
import Scripting

/// The reload's state machine.
final class Reloader {
    private struct Request {
        let cause: String
        let ticket: UInt64?
    }

    private enum State {
        case idle
        case preparing(ScriptBundle, awaited: Int, errors: [ScriptError])
        case committing(ScriptBundle, awaited: Int)
    }

    let loop = EventLoop()
    private let node: Node
    private var state = State.idle
    /// Whoever asked for the reload that runs.
    private var current: [Request] = []
    /// Whoever asked since: they get a reload of their own, because the files may have changed meanwhile.
    private var waiting: [Request] = []
    private var lastVersion: UInt64
    private var live: ScriptBundle
    private var watcher: FileWatcher?
    private let certificates: CertificateReloader

    /// - Parameter live: the bundle that the workers have started with.
    init(node: Node, live: ScriptBundle) {
        self.node = node
        self.live = live
        lastVersion = live.version
        certificates = CertificateReloader(node: node, on: loop)
        loop.attach(node.reloader) { [unowned self] message in handle(message) }
        if node.configuration.scripts.watch { watch() }
    }

    func run() { loop.run() }

    private func watch() {
        do throws(FileWatcher.Failure) {
            watcher = try FileWatcher(
                folder: node.configuration.scripts.folder,
                quiet: node.configuration.scripts.debounce.milliseconds, on: loop
            ) { [unowned self] in request(Request(cause: "file change", ticket: nil)) }
        } catch {
            node.log.warning("scripts are not watched", metadata: ["reason": "\(error.message)"])
        }
    }

    private func handle(_ message: ReloadMessage) {
        switch message {
        case .reload(let cause, let ticket): request(Request(cause: cause, ticket: ticket))
        case .reloadCertificates(let cause): certificates.reload(cause: cause)
        case .prepared(_, let errors): take(vote: errors)
        case .committed: takeCommitted()
        case .stop: loop.stop()
        }
    }

    private func request(_ request: Request) {
        guard case .idle = state else { return waiting.append(request) }
        begin([request])
    }

    private func begin(_ requests: [Request]) {
        current = requests
        lastVersion += 1
        let bundle: ScriptBundle
        do throws(ScriptErrors) {
            bundle = try ScriptBundle.load(
                folder: node.configuration.scripts.folder, version: lastVersion,
                routes: node.configuration.scripts.routes)
        } catch {
            return finish(.failed(error.errors))
        }
        let isWatched = requests.allSatisfy { $0.ticket == nil && $0.cause == "file change" }
        if isWatched && bundle.hash == live.hash {
            // An editor touched a file without changing it.
            lastVersion -= 1
            return finish(nil)
        }
        let errors = ScriptEngine.check(bundle, options: node.scriptOptions)
        guard errors.isEmpty else { return finish(.failed(errors)) }
        state = .preparing(bundle, awaited: node.workers.count, errors: [])
        node.workers.postToAll(.prepare(bundle))
    }

    private func take(vote: [ScriptError]) {
        guard case .preparing(let bundle, let awaited, var errors) = state else { return }
        for error in vote where !errors.contains(where: { $0.summary == error.summary }) {
            errors.append(error)
        }
        guard awaited == 1 else {
            state = .preparing(bundle, awaited: awaited - 1, errors: errors)
            return
        }
        guard errors.isEmpty else {
            node.workers.postToAll(.discard)
            return finish(.failed(errors))
        }
        state = .committing(bundle, awaited: node.workers.count)
        node.workers.postToAll(.commit)
    }

    private func takeCommitted() {
        guard case .committing(let bundle, let awaited) = state else { return }
        guard awaited == 1 else {
            state = .committing(bundle, awaited: awaited - 1)
            return
        }
        let changed = bundle.changes(since: live)
        live = bundle
        node.setLive(bundle)
        finish(.swapped(version: bundle.version, changed: changed))
    }

    /// - Parameter report: nil when there was nothing to do and nothing to say.
    private func finish(_ report: ReloadReport?) {
        state = .idle
        if let report {
            tell(report)
            for request in current {
                if let ticket = request.ticket { node.admin.post(.reloaded(ticket: ticket, report)) }
                if request.cause == "signal" { node.lifecycle.post(.reloaded) }
            }
        }
        current = []
        guard !waiting.isEmpty else { return }
        let requests = waiting
        waiting = []
        begin(requests)
    }

    private func tell(_ report: ReloadReport) {
        let cause = current.first?.cause ?? ""
        switch report {
        case .swapped(let version, let changed):
            node.log.notice(
                "scripts reloaded",
                metadata: [
                    "version": "\(version)", "changed": "\(changed.joined(separator: " "))", "cause": "\(cause)",
                ])
        case .failed(let errors):
            for error in errors {
                node.log.error(
                    "scripts not reloaded, version \(live.version) goes on: \(error.summary)",
                    metadata: error.metadata.merging(["cause": "\(cause)"]) { $1 })
            }
        }
    }
}
