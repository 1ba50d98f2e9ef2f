// The host functions of `http`.
//
// Runs on: the worker's thread, called from C while a script runs. Allocates: for each request and response.

import LuaBridge

@c @implementation
func scriptHostRequest(
    _ host: UnsafeMutableRawPointer, _ ticket: BridgeTicket, _ request: UnsafePointer<BridgeRequestHTTP>,
    _ why: UnsafeMutablePointer<BridgeText>
) -> Bool {
    HostLink.with(host) { link in
        guard var mistake = link.host.request(WaitTicket(ticket), ScriptRequest(request.pointee)) else { return true }
        mistake.withUTF8 { bridgeTextSet(why, $0.baseAddress, $0.count) }
        return false
    }
}

@c @implementation
func scriptHostResponse(_ host: UnsafeMutableRawPointer, _ answer: OpaquePointer) -> Int32 {
    HostLink.with(host) { link in
        var answer = ScriptStrings(answer)
        switch link.answer {
        case .response(let response):
            answer.append(response.body)
            for field in response.headers { answer.append(name: field.name, value: field.value) }
            return Int32(clamping: response.status)
        case .requestFailed(_, let detail):
            answer.append(detail)
            return 0
        case .done, .failed:
            return 0
        }
    }
}
