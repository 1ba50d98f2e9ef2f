// Replaces the scripts while the server runs: check off the workers' threads, prepare on every worker, vote, commit on all or on
// none. An error at any step leaves what is live as it is, and is reported as file, line and message. Where states change their
// form, there is a second vote: the workers stand still from their migrations until all have voted.
//
// Runs on: its own thread, the one that may block on files.
// Read next: Reloader+Plans.swift, FileWatcher.swift.

import EventLoop
import Glibc
import Logging
import Scripting

/// The reload's state machine.
final class Reloader {
    private enum State {
        case idle
        case preparing(ReloadPlan, awaited: Int, errors: [ScriptError], needsMigration: Bool)
        case migrating(ReloadPlan, awaited: Int, errors: [ScriptError], decisions: [Inbox<Bool>])
        case committing(ReloadPlan, awaited: Int)
    }

    /// How long all workers have for their migrations, in milliseconds; those that are done wait meanwhile.
    private static let patience: UInt64 = 2_000

    let loop = EventLoop()
    let node: Node
    private(set) var history: BundleHistory
    private var state = State.idle
    /// Whoever asked for the reload that runs.
    private var current: [ReloadRequest] = []
    /// Whoever asked since: they get a reload of their own, because the files may have changed meanwhile.
    private var waiting: [ReloadRequest] = []
    private var watcher: FileWatcher?
    private let certificates: CertificateReloader
    private var timer: TimerID?

    /// - Parameter live: the bundle that the workers have started with.
    init(node: Node, live: ScriptBundle) {
        self.node = node
        history = BundleHistory(live: live, loadedAt: time(nil))
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
            ) { [unowned self] in
                request(ReloadRequest(kind: .folder, cause: ReloadRequest.fileChange, ticket: nil))
            }
        } catch {
            node.log.warning("scripts are not watched", metadata: ["reason": "\(error.message)"])
        }
    }

    private func handle(_ message: ReloadMessage) {
        switch message {
        case .request(let asked): request(asked)
        case .reloadCertificates(let cause): certificates.reload(cause: cause)
        case .prepared(_, let errors, let needsMigration): takePrepared(errors, needsMigration)
        case .migrated(_, let errors): takeMigrated(errors)
        case .committed: takeCommitted()
        case .stop: stop()
        }
    }

    // MARK: Requests

    private func request(_ request: ReloadRequest) {
        waiting.append(request)
        if case .idle = state { begin() }
    }

    /// Takes the next request, and with one for the folder all that follow it and want the same.
    private func begin() {
        while case .idle = state, !waiting.isEmpty {
            current = [waiting.removeFirst()]
            while current[0].kind.isFolder, waiting.first?.kind.isFolder == true {
                current.append(waiting.removeFirst())
            }
            switch plan(current) {
            case .plan(let plan): prepare(plan)
            case .end(let report): finish(report)
            }
        }
    }

    private func prepare(_ plan: ReloadPlan) {
        state = .preparing(plan, awaited: node.workers.count, errors: [], needsMigration: false)
        node.workers.postToAll(.prepare(plan.bundle))
    }

    // MARK: Votes

    private func takePrepared(_ vote: [ScriptError], _ migrates: Bool) {
        guard case .preparing(let plan, let awaited, let before, let migratesElsewhere) = state else { return }
        let errors = Self.add(vote, to: before)
        let needsMigration = migrates || migratesElsewhere
        guard awaited == 1 else {
            state = .preparing(plan, awaited: awaited - 1, errors: errors, needsMigration: needsMigration)
            return
        }
        guard errors.isEmpty else { return drop(plan, .failed(errors)) }
        if needsMigration { return migrate(plan) }
        if let refusal = publish(plan) { return drop(plan, .refused(refusal)) }
        state = .committing(plan, awaited: node.workers.count)
        node.workers.postToAll(.commit)
    }

    private func migrate(_ plan: ReloadPlan) {
        let decisions = (0..<node.workers.count).map { _ in Inbox<Bool>() }
        state = .migrating(plan, awaited: decisions.count, errors: [], decisions: decisions)
        for (worker, decision) in decisions.enumerated() { node.workers[worker].post(.migrate(decision)) }
        timer = loop.schedule(after: Self.patience) { [unowned self] in
            guard case .migrating(let plan, _, let errors, let decisions) = state else { return }
            let late = ScriptError(
                file: "", message: "a worker did not migrate its states within \(Self.patience / 1_000) s",
                version: plan.bundle.version)
            abandon(plan, decisions, errors + [late])
        }
    }

    private func takeMigrated(_ vote: [ScriptError]) {
        guard case .migrating(let plan, let awaited, let before, let decisions) = state else { return }
        let errors = Self.add(vote, to: before)
        guard awaited == 1 else {
            state = .migrating(plan, awaited: awaited - 1, errors: errors, decisions: decisions)
            return
        }
        guard errors.isEmpty else { return abandon(plan, decisions, errors) }
        if let refusal = publish(plan) {
            decide(false, decisions)
            return finish(.refused(refusal))
        }
        state = .committing(plan, awaited: decisions.count)
        decide(true, decisions)
    }

    private func abandon(_ plan: ReloadPlan, _ decisions: [Inbox<Bool>], _ errors: [ScriptError]) {
        decide(false, decisions)
        plan.upload?.discard()
        finish(.failed(errors))
    }

    private func decide(_ isGo: Bool, _ decisions: [Inbox<Bool>]) {
        if let timer { loop.cancel(timer) }
        timer = nil
        for decision in decisions { decision.post(isGo) }
    }

    private func drop(_ plan: ReloadPlan, _ report: ReloadReport) {
        node.workers.postToAll(.discard)
        plan.upload?.discard()
        finish(report)
    }

    private func takeCommitted() {
        guard case .committing(let plan, let awaited) = state else { return }
        guard awaited == 1 else {
            state = .committing(plan, awaited: awaited - 1)
            return
        }
        let changed = plan.bundle.changes(since: history.live.bundle)
        history.push(plan.bundle, loadedAt: time(nil))
        node.setLive(history)
        finish(.swapped(version: plan.bundle.version, changed: changed, rolledBackTo: plan.rolledBackTo))
    }

    // MARK: Ends

    /// - Parameter report: nil when there was nothing to do and nothing to say.
    private func finish(_ report: ReloadReport?) {
        state = .idle
        if let report {
            tell(report, cause: current[0].cause)
            for request in current {
                if let ticket = request.ticket { node.admin.post(.reloaded(ticket: ticket, report)) }
                if request.cause == ReloadRequest.signal { node.lifecycle.post(.reloaded) }
            }
        }
        current = []
        begin()
    }

    private func stop() {
        if case .migrating(let plan, _, _, let decisions) = state {
            decide(false, decisions)
            plan.upload?.discard()
        } else if case .preparing(let plan, _, _, _) = state {
            plan.upload?.discard()
        }
        loop.stop()
    }

    private static func add(_ vote: [ScriptError], to errors: [ScriptError]) -> [ScriptError] {
        errors + vote.filter { error in !errors.contains { $0.summary == error.summary } }
    }
}
