// Replaces the scripts while the server runs: check off the workers' threads, prepare on every worker, vote, commit on all or on
// none. An error at any step leaves the live scripts as they are, and is reported as file, line and message. When states change
// their form, there is a second vote: the workers stand still from their migrations until all have voted.
//
// Runs on: its own thread, the one that may block on files.
// Read next: Reloader+Plans.swift, ../Files/FileWatcher.swift.

import EventLoop
import Gateway
import Glibc
import Logging
import Scripting
import Settings

/// The reload's state machine.
final class Reloader {
    private enum State {
        case idle
        case preparing(ReloadPlan, awaited: Set<UInt8>, errors: [ScriptError], needsMigration: Bool)
        case migrating(ReloadPlan, awaited: Set<UInt8>, errors: [ScriptError], decisions: [Inbox<Bool>])
        case committing(ReloadPlan, awaited: Set<UInt8>)
    }

    /// How long all workers have for their migrations, in milliseconds; those that are done wait meanwhile.
    private static let migrationTime: UInt64 = 2_000

    let loop = EventLoop()
    let node: Node
    private(set) var history: BundleHistory
    private var state = State.idle
    /// The requests for the reload that runs.
    private var current: [ReloadRequest] = []
    /// The requests since then: they get a reload of their own, because the files may have changed meanwhile.
    private var waiting: [ReloadRequest] = []
    private var watcher: FileWatcher?
    private let certificates: CertificateReloader
    /// Ends the stage that runs.
    private var deadline: TimerID?
    /// Counts the reloads that workers were asked about: a late answer about an earlier reload is no vote on this one.
    private var round: UInt64 = 0

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
                quiet: node.configuration.scripts.debounce.milliseconds, on: loop,
                isBlind: { [log = node.log] in
                    log.warning(
                        "some scripts are not watched: after a change there, reload", metadata: ["first": "\($0)"])
                }
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
        case .prepared(let worker, let round, let errors, let needsMigration):
            if round == self.round { takePrepared(worker, errors, needsMigration) }
        case .migrated(let worker, let round, let errors):
            if round == self.round { takeMigrated(worker, errors) }
        case .committed(let worker, let round):
            takeCommitted(worker, round)
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

    private var everyWorker: Set<UInt8> { Set((0..<node.workers.count).map { UInt8($0) }) }

    private func prepare(_ plan: ReloadPlan) {
        round += 1
        state = .preparing(plan, awaited: everyWorker, errors: [], needsMigration: false)
        let scripts = node.configuration.scripts
        setDeadline((scripts.reloadTimeout + scripts.loadBudget).milliseconds)
        node.workers.tellAll { [round, bundle = plan.bundle] in $0.reload.prepare(bundle, round: round) }
    }

    // MARK: Deadlines

    private func setDeadline(_ milliseconds: UInt64?) {
        if let deadline { loop.cancel(deadline) }
        deadline = milliseconds.map { milliseconds in
            loop.schedule(after: milliseconds) { [unowned self] in
                deadline = nil
                stageIsOver(milliseconds)
            }
        }
    }

    /// The stage has taken its time, and some workers have not answered.
    private func stageIsOver(_ milliseconds: UInt64) {
        switch state {
        case .idle: break
        case .preparing(let plan, let awaited, let errors, _):
            drop(plan, report(errors, late: awaited, "did not load the scripts within \(milliseconds) ms"))
        case .migrating(let plan, let awaited, let errors, let decisions):
            let report = report(errors, late: awaited, "did not migrate its states within \(milliseconds) ms")
            abandon(plan, decisions, report)
        case .committing(let plan, let awaited):
            complete(plan, late: awaited)
        }
    }

    private func report(_ errors: [ScriptError], late: Set<UInt8>, _ failing: String) -> ReloadReport {
        guard errors.isEmpty else { return .failed(errors) }
        return .refused(.workerLate(describe(late, failing).joined(separator: "; ")))
    }

    private func describe(_ late: Set<UInt8>, _ failing: String) -> [String] {
        late.sorted().map { "worker \($0) \(failing); it began \(node.activities[Int($0)].text)" }
    }

    // MARK: Votes

    private func takePrepared(_ worker: UInt8, _ vote: [ScriptError], _ migrates: Bool) {
        guard case .preparing(let plan, var awaited, let before, let migratesElsewhere) = state else { return }
        let errors = Self.add(vote, to: before)
        let needsMigration = migrates || migratesElsewhere
        awaited.remove(worker)
        guard awaited.isEmpty else {
            state = .preparing(plan, awaited: awaited, errors: errors, needsMigration: needsMigration)
            return
        }
        guard errors.isEmpty else { return drop(plan, .failed(errors)) }
        if needsMigration { return migrate(plan) }
        if let refusal = publish(plan) { return drop(plan, .refused(refusal)) }
        commit(plan)
        node.workers.tellAll { [round] in $0.reload.commit(round: round) }
    }

    private func commit(_ plan: ReloadPlan) {
        state = .committing(plan, awaited: everyWorker)
        setDeadline(node.configuration.scripts.reloadTimeout.milliseconds)
    }

    private func migrate(_ plan: ReloadPlan) {
        let decisions = (0..<node.workers.count).map { _ in Inbox<Bool>() }
        state = .migrating(plan, awaited: everyWorker, errors: [], decisions: decisions)
        setDeadline(Self.migrationTime)
        for (worker, decision) in decisions.enumerated() {
            node.workers.tell(worker) { [round] in $0.reload.migrate(decision, round: round) }
        }
    }

    private func takeMigrated(_ worker: UInt8, _ vote: [ScriptError]) {
        guard case .migrating(let plan, var awaited, let before, let decisions) = state else { return }
        let errors = Self.add(vote, to: before)
        awaited.remove(worker)
        guard awaited.isEmpty else {
            state = .migrating(plan, awaited: awaited, errors: errors, decisions: decisions)
            return
        }
        guard errors.isEmpty else { return abandon(plan, decisions, .failed(errors)) }
        if let refusal = publish(plan) {
            decide(false, decisions)
            return finish(.refused(refusal))
        }
        commit(plan)
        decide(true, decisions)
    }

    private func abandon(_ plan: ReloadPlan, _ decisions: [Inbox<Bool>], _ report: ReloadReport) {
        decide(false, decisions)
        plan.upload?.discard()
        finish(report)
    }

    private func decide(_ isGo: Bool, _ decisions: [Inbox<Bool>]) {
        for decision in decisions { decision.post(isGo) }
    }

    private func drop(_ plan: ReloadPlan, _ report: ReloadReport) {
        node.workers.tellAll { $0.reload.discard() }
        plan.upload?.discard()
        finish(report)
    }

    private func takeCommitted(_ worker: UInt8, _ round: UInt64) {
        guard round == self.round, case .committing(let plan, var awaited) = state else {
            return node.log.notice("a late worker has swapped its scripts", metadata: ["worker": "\(worker)"])
        }
        awaited.remove(worker)
        if awaited.isEmpty { complete(plan, late: []) } else { state = .committing(plan, awaited: awaited) }
    }

    /// Every worker has voted for the bundle and most run it, so it is the live one, also for those that come to it later.
    private func complete(_ plan: ReloadPlan, late: Set<UInt8>) {
        let changed = plan.bundle.changes(since: history.live.bundle)
        history.push(plan.bundle, loadedAt: time(nil))
        node.setLive(history)
        let time = node.configuration.scripts.reloadTimeout.milliseconds
        finish(
            .swapped(
                version: plan.bundle.version, changed: changed, rolledBackTo: plan.rolledBackTo,
                late: describe(late, "did not swap its scripts within \(time) ms, and will as soon as it can")))
    }

    // MARK: Ends

    /// - Parameter report: nil when there was nothing to do and nothing to say.
    private func finish(_ report: ReloadReport?) {
        setDeadline(nil)
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
