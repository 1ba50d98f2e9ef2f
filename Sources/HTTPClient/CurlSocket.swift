// A descriptor that libcurl wants to have watched: a connection, or where the thread that looks up a name reports.

import EventLoop

/// A descriptor of libcurl's on the loop.
final class CurlSocket: Source {
    private unowned let multi: CurlMulti

    init(descriptor: Int32, multi: CurlMulti) {
        self.multi = multi
        super.init(descriptor: descriptor)
    }

    override func ready(_ readiness: Readiness) { multi.act(on: descriptor, readiness) }
}
