// The table `server`: functions that are not about one connection.
#include "tables.h"
#include "Events/events.h"
#include "Reload/reload.h"

static const char *const publish_options[] = {"except", "binary", "key"};
static const char *const send_options[] = {"binary"};

// [...] -> [... value]
static int push_option(lua_State *L, int index, const char *name)
{
    lua_pushstring(L, name);
    return lua_rawget(L, index);
}

// Whether the options ask for a binary frame. [... options] -> [... options]
static bool wants_binary(lua_State *L, int index, const char *const *names, int count, const char *function)
{
    check_options(L, index, names, count, function);
    if (!lua_istable(L, index)) {
        return false;
    }
    push_option(L, index, "binary");
    bool binary = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return binary;
}

// Reads the connection that a publication skips; false if there is none. [... options] -> [... options]
static bool read_except(lua_State *L, int index, BridgeConnection *except)
{
    bool found = lua_istable(L, index) && push_option(L, index, "except") != LUA_TNIL;
    if (found) {
        if (!is_conn(L, -1)) {
            luaL_error(L, "server.publish: except must be a conn, not %s", luaL_typename(L, -1));
        }
        *except = ((const Conn *)lua_touserdata(L, -1))->connection;
    }
    return found;
}

enum { longest_key = 255 };

// Reads the key that conflation compares; it has no bytes if there is none. The key stays on the stack, which keeps it
// alive. [... options] -> [... options key?]
static BridgeBytes read_key(lua_State *L, int index)
{
    BridgeBytes key = {NULL, 0};
    if (lua_istable(L, index) && push_option(L, index, "key") != LUA_TNIL) {
        key = check_bytes(L, -1, "server.publish", "the key");
        if (key.count == 0 || key.count > longest_key || !is_utf8(key.bytes, key.count)) {
            luaL_error(L, "server.publish: the key must be UTF-8 of 1 to %d bytes", longest_key);
        }
    }
    return key;
}

// server.publish(channel, value, options). [channel value options] -> [... true offset | true | false why]
static int server_publish(lua_State *L)
{
    Bridge *b = bridge_of(L);
    forbid_while_loading(L, "server.publish");
    BridgeBytes channel = check_bytes(L, 1, "server.publish", "the channel");
    bool binary = wants_binary(L, 3, publish_options, LENGTH(publish_options), "server.publish");
    BridgeConnection except;
    bool has_except = read_except(L, 3, &except);
    BridgeBytes key = read_key(L, 3);
    BridgePayload payload = check_payload(L, 2, binary, "server.publish");
    BridgePublished published = {.offset = 0, .why.count = 0};
    BridgePublishResult result =
        scriptHostPublish(b->host, channel, payload, has_except ? &except : NULL, key, &published);
    strings_trim(&b->text);
    lua_pushboolean(L, result == BridgePublishResultPublished);
    switch (result) {
    case BridgePublishResultPublished:
        if (published.offset == 0) {
            return 1;
        }
        lua_pushinteger(L, (lua_Integer)published.offset);
        return 2;
    case BridgePublishResultInvalidName:
        lua_pushliteral(L, "invalid channel name");
        return 2;
    case BridgePublishResultRefused:
        lua_pushlstring(L, (const char *)published.why.bytes, (size_t)published.why.count);
        return 2;
    }
    return 1;
}

// [] -> [true | false why]
static int answer_found(lua_State *L, bool found)
{
    lua_pushboolean(L, found);
    if (found) {
        return 1;
    }
    lua_pushliteral(L, "not found");
    return 2;
}

// server.send(id, value, options). [id value options] -> [... true | false why]
static int server_send(lua_State *L)
{
    Bridge *b = bridge_of(L);
    forbid_while_loading(L, "server.send");
    BridgeBytes identifier = check_name(L, 1, "server.send", "the connection's id");
    bool binary = wants_binary(L, 3, send_options, LENGTH(send_options), "server.send");
    BridgePayload payload = check_payload(L, 2, binary, "server.send");
    bool found = scriptHostSendTo(b->host, identifier, payload);
    strings_trim(&b->text);
    return answer_found(L, found);
}

// server.sendUser(user, value, options). [user value options] -> [... true]
static int server_send_user(lua_State *L)
{
    Bridge *b = bridge_of(L);
    forbid_while_loading(L, "server.sendUser");
    BridgeBytes user = check_name(L, 1, "server.sendUser", "the user");
    bool binary = wants_binary(L, 3, send_options, LENGTH(send_options), "server.sendUser");
    scriptHostSendToUser(b->host, user, check_payload(L, 2, binary, "server.sendUser"));
    strings_trim(&b->text);
    lua_pushboolean(L, true);
    return 1;
}

// server.broadcast(value, options). [value options] -> [... true]
static int server_broadcast(lua_State *L)
{
    Bridge *b = bridge_of(L);
    forbid_while_loading(L, "server.broadcast");
    bool binary = wants_binary(L, 2, send_options, LENGTH(send_options), "server.broadcast");
    scriptHostBroadcast(b->host, check_payload(L, 1, binary, "server.broadcast"));
    strings_trim(&b->text);
    lua_pushboolean(L, true);
    return 1;
}

// server.disconnect(id, code, reason). [id code reason] -> [... true | false why]
static int server_disconnect(lua_State *L)
{
    forbid_while_loading(L, "server.disconnect");
    BridgeBytes identifier = check_name(L, 1, "server.disconnect", "the connection's id or the user");
    int32_t code = check_close_code(L, 2, "server.disconnect");
    BridgeBytes reason = check_close_reason(L, 3, "server.disconnect");
    return answer_found(L, scriptHostDisconnect(bridge_of(L)->host, identifier, code, reason));
}

// Fields of `server` that are not functions. [table key] -> [... value]
static int server_index(lua_State *L)
{
    Bridge *b = bridge_of(L);
    const char *key = push_as_text(L, 2, NULL);
    lua_pushliteral(L, "version");
    if (!lua_rawequal(L, 2, -1)) {
        return luaL_error(L, "server has no field '%s'", key);
    }
    const Generation *generation = b->loading || b->live == NULL ? b->candidate : b->live;
    lua_pushinteger(L, generation == NULL ? 0 : (lua_Integer)generation->version);
    return 1;
}

static const luaL_Reg server_functions[] = {
    {"publish", server_publish},
    {"send", server_send},
    {"sendUser", server_send_user},
    {"broadcast", server_broadcast},
    {"disconnect", server_disconnect},
    {NULL, NULL},
};

void push_server(lua_State *L)
{
    luaL_newlib(L, server_functions);
    luaL_setfuncs(L, timer_functions, 0);
    luaL_setfuncs(L, wait_functions, 0);
    luaL_setfuncs(L, state_functions, 0);
    luaL_setfuncs(L, class_functions, 0);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, server_index);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    push_readonly(L, "server", false);
}
