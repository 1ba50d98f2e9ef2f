// Threads of a test's own, because tasks may all be given the same one.

import Glibc

enum Threads {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Runs `body` on so many threads at the same time, and returns when all of them are done.
    static func run(_ count: Int, _ body: @escaping @Sendable () -> Void) {
        let threads = (0..<count).map { _ in
            var thread = pthread_t()
            pthread_create(
                &thread, nil,
                { body in
                    Unmanaged<Body>.fromOpaque(body!).takeRetainedValue().run()
                    return nil
                }, Unmanaged.passRetained(Body(body)).toOpaque())
            return thread
        }
        for thread in threads { pthread_join(thread, nil) }
    }
}
