// The compressor and the decompressor of one connection, where messages may refer to earlier ones. All other connections share
// those of the worker's `Compression`.

import WebSocket

/// A connection's own windows, each made for the first message that needs it.
final class OwnWindows {
    private var ownInflater: Inflater?
    private var ownDeflater: Deflater?

    func inflater(_ agreed: DeflateParameters) -> Inflater {
        if let ownInflater { return ownInflater }
        let made = Inflater(windowBits: Int(agreed.clientWindowBits), keepsContext: true)
        ownInflater = made
        return made
    }

    func deflater(_ agreed: DeflateParameters, _ policy: DeflatePolicy) -> Deflater {
        if let ownDeflater { return ownDeflater }
        let made = Deflater(level: policy.level, windowBits: Int(agreed.serverWindowBits), keepsContext: true)
        ownDeflater = made
        return made
    }
}
