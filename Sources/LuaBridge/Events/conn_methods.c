// The methods of a conn. An expected failure returns false and the reason; a mistake raises.
#include "running.h"

// [] -> [true | false why]
static int answer(lua_State *L, bool done, const char *why)
{
    lua_pushboolean(L, done);
    if (done) {
        return 1;
    }
    lua_pushstring(L, why);
    return 2;
}

static const char *why_not_sent(BridgeSendResult result)
{
    switch (result) {
    case BridgeSendResultSlow:
        return "slow";
    case BridgeSendResultUnsupported:
        return "unsupported";
    default:
        return "closed";
    }
}

// [] -> [true | false why]
static int send_payload(lua_State *L, const Conn *conn, BridgePayload payload)
{
    Bridge *b = bridge_of(L);
    BridgeSendResult result = scriptHostSend(b->host, conn->connection, payload);
    if (payload.bytes == b->text.bytes) {
        strings_trim(&b->text);
    }
    return answer(L, result == BridgeSendResultSent, why_not_sent(result));
}

// conn:send(value, binary). [conn value binary] -> [... true | false why]
static int conn_send(lua_State *L)
{
    const Conn *conn = check_conn(L, "send");
    return send_payload(L, conn, check_payload(L, 2, lua_toboolean(L, 3), "conn:send"));
}

// conn:sendBinary(bytes). [conn bytes] -> [... true | false why]
static int conn_send_binary(lua_State *L)
{
    const Conn *conn = check_conn(L, "sendBinary");
    BridgeBytes bytes = check_bytes(L, 2, "conn:sendBinary", "the message");
    return send_payload(L, conn, (BridgePayload){bytes.bytes, bytes.count, true});
}

// conn:close(code, reason). [conn code reason] -> [... true | false why]
static int conn_close(lua_State *L)
{
    const Conn *conn = check_conn(L, "close");
    int32_t code = check_close_code(L, 2, "conn:close");
    BridgeBytes reason = check_close_reason(L, 3, "conn:close");
    return answer(L, scriptHostClose(bridge_of(L)->host, conn->connection, code, reason), "closed");
}

// conn:subscribe(channel). [conn channel options] -> [... true | false why]
static int conn_subscribe(lua_State *L)
{
    const Conn *conn = check_conn(L, "subscribe");
    BridgeBytes channel = check_bytes(L, 2, "conn:subscribe", "the channel");
    check_options(L, 3, NULL, 0, "conn:subscribe");
    switch (scriptHostSubscribe(bridge_of(L)->host, conn->connection, channel)) {
    case BridgeSubscribeResultSubscribed:
        return answer(L, true, NULL);
    case BridgeSubscribeResultAlready:
        return answer(L, false, "already subscribed");
    case BridgeSubscribeResultClosed:
        return answer(L, false, "closed");
    case BridgeSubscribeResultInvalidName:
        return answer(L, false, "invalid channel name");
    case BridgeSubscribeResultTooMany:
        return answer(L, false, "too many channels");
    }
    return answer(L, false, "closed");
}

// conn:unsubscribe(channel). [conn channel] -> [... true | false why]
static int conn_unsubscribe(lua_State *L)
{
    const Conn *conn = check_conn(L, "unsubscribe");
    BridgeBytes channel = check_bytes(L, 2, "conn:unsubscribe", "the channel");
    return answer(L, scriptHostUnsubscribe(bridge_of(L)->host, conn->connection, channel), "not subscribed");
}

// conn:channels(). [conn] -> [... list]
static int conn_channels(lua_State *L)
{
    Bridge *b = bridge_of(L);
    const Conn *conn = check_conn(L, "channels");
    strings_reset(&b->answer);
    scriptHostChannels(b->host, conn->connection, &b->answer);
    strings_check(L, &b->answer);
    lua_newtable(L);
    size_t offset = 0;
    size_t count;
    const char *name;
    for (lua_Integer i = 1; (name = bridgeStringsNext(&b->answer, &offset, &count)) != NULL; i++) {
        lua_pushlstring(L, name, count);
        lua_rawseti(L, -2, i);
    }
    return 1;
}

// conn:identify(user); nil removes the user. [conn user] -> [... true | false why]
static int conn_identify(lua_State *L)
{
    const Conn *conn = check_conn(L, "identify");
    BridgeBytes user = {NULL, 0};
    if (!lua_isnil(L, 2)) {
        user = check_name(L, 2, "conn:identify", "the user");
    }
    return answer(L, scriptHostIdentify(bridge_of(L)->host, conn->connection, user), "closed");
}

const luaL_Reg conn_methods[] = {
    {"send", conn_send},           {"sendBinary", conn_send_binary},  {"close", conn_close},
    {"subscribe", conn_subscribe}, {"unsubscribe", conn_unsubscribe}, {"channels", conn_channels},
    {"identify", conn_identify},   {NULL, NULL},
};
