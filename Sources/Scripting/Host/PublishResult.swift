// How a publication went.

/// What became of `server.publish`: in Lua `true, offset`, or `false` and the reason.
public enum PublishResult: Sendable {
    /// The publication has its place in the channel.
    case published(offset: UInt64)
    /// The channel's name breaks the rules for names.
    case invalidName
    /// The broker refused it; at most 248 bytes of the reason reach the script.
    case refused(String)
}
