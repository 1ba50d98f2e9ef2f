// The host functions of `kv`.
//
// Runs on: the worker's thread, called from C while a script runs. Allocates: the copy of a key, and of a string value.

import LuaBridge

@c @implementation
func scriptHostStoreRead(
    _ host: UnsafeMutableRawPointer, _ key: BridgeBytes, _ value: UnsafeMutablePointer<BridgeValue>,
    _ answer: OpaquePointer
) {
    HostLink.with(host) { $0.store.value(of: Array(key.buffer))?.write(to: &value.pointee, answer) }
}

@c @implementation
func scriptHostStoreWrite(
    _ host: UnsafeMutableRawPointer, _ key: BridgeBytes, _ value: UnsafePointer<BridgeValue>, _ lifetime: Double
) -> BridgeStoreResult {
    HostLink.with(host) { link in
        let kept = link.store.set(
            Array(key.buffer), to: KeyValue(value.pointee), lifetime: lifetime > 0 ? lifetime : nil)
        return kept ? .done : .full
    }
}

@c @implementation
func scriptHostStoreAdd(
    _ host: UnsafeMutableRawPointer, _ key: BridgeBytes, _ value: UnsafeMutablePointer<BridgeValue>,
    _ lifetime: Double
) -> BridgeStoreResult {
    guard let amount = KeyValue(value.pointee) else { return .notANumber }
    return HostLink.with(host) { link in
        switch link.store.add(amount, to: Array(key.buffer), lifetime: lifetime > 0 ? lifetime : nil) {
        case .value(let sum):
            value.pointee.set(sum)
            return .done
        case .notANumber:
            return .notANumber
        case .full:
            return .full
        }
    }
}

@c @implementation
func scriptHostStoreSwap(
    _ host: UnsafeMutableRawPointer, _ key: BridgeBytes, _ expected: UnsafePointer<BridgeValue>,
    _ value: UnsafeMutablePointer<BridgeValue>, _ lifetime: Double, _ answer: OpaquePointer
) -> BridgeStoreResult {
    HostLink.with(host) { link in
        let result = link.store.swap(
            Array(key.buffer), expected: KeyValue(expected.pointee), for: KeyValue(value.pointee),
            lifetime: lifetime > 0 ? lifetime : nil)
        switch result {
        case .swapped:
            return .done
        case .full:
            return .full
        case .mismatch(let current):
            value.pointee.kind = .nil
            current?.write(to: &value.pointee, answer)
            return .mismatch
        }
    }
}

@c @implementation
func scriptHostStoreDelete(_ host: UnsafeMutableRawPointer, _ key: BridgeBytes) -> Bool {
    HostLink.with(host) { $0.store.delete(Array(key.buffer)) }
}

extension KeyValue {
    init?(_ value: BridgeValue) {
        switch value.kind {
        case .nil: return nil
        case .boolean: self = .boolean(value.boolean)
        case .integer: self = .integer(value.integer)
        case .number: self = .number(value.number)
        case .string: self = .string(Array(value.string.buffer))
        }
    }

    /// Writes the value; a string goes into the list, from which the bridge takes it.
    func write(to value: inout BridgeValue, _ answer: OpaquePointer) {
        value.set(self)
        if case .string(let bytes) = self {
            bytes.withUnsafeBytes { bridgeStringsAppend(answer, $0.baseAddress, $0.count) }
        }
    }
}

extension BridgeValue {
    mutating func set(_ value: KeyValue) {
        switch value {
        case .boolean(let boolean):
            kind = .boolean
            self.boolean = boolean
        case .integer(let integer):
            kind = .integer
            self.integer = integer
        case .number(let number):
            kind = .number
            self.number = number
        case .string:
            kind = .string
        }
    }
}
