// How a subscription went.

/// What became of `conn:subscribe`: in Lua `true`, or `false` and the reason.
public enum SubscribeResult: Sendable {
    /// The connection now receives what is published to the channel.
    case subscribed
    /// It did already.
    case alreadySubscribed
    /// The connection is closed or closing.
    case closed
    /// The channel's name breaks the rules for names.
    case invalidName
    /// The connection has as many channels as it may.
    case tooMany
}
