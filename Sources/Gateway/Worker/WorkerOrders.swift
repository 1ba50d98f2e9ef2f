// Orders and questions of other threads for a worker: closures that run on its thread. The part of the gateway that all threads
// share carries them and does not know the type of a worker.
//
// Runs on: any thread; the closures run on the worker's.
// Read next: ../Node/WorkerInboxes.swift, Worker+Inbox.swift.

extension WorkerInboxes {
    /// Has the worker do something on its thread, unless it has ended by then.
    package func tell(_ worker: Int, _ order: @escaping @Sendable (Worker) -> Void) {
        post(.order(order), to: worker)
    }

    /// Has every worker do something.
    package func tellAll(_ order: @escaping @Sendable (Worker) -> Void) {
        for worker in 0..<count { tell(worker, order) }
    }

    /// Asks the scripts of a worker something. The closure, or the event that it begins, answers to `reply` in any case.
    package func ask<Answer>(
        _ worker: Int, _ reply: Reply<Answer>, _ question: @escaping @Sendable (Worker, Reply<Answer>) -> Void
    ) {
        post(.question { question(unsafeDowncast($0, to: Worker.self), reply) }, to: worker)
    }
}

extension WorkerMessage {
    /// Work for a worker. An inbox hands its messages to its own worker only.
    static func order(_ body: @escaping @Sendable (Worker) -> Void) -> WorkerMessage {
        .work { body(unsafeDowncast($0, to: Worker.self)) }
    }
}
