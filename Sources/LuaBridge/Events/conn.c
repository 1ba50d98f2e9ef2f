// The script's object of a connection: a userdata with the connection's handle, and the script's own data as its user
// value. It is made at the connection's first event and kept in a table by slot; when the connection is gone the table
// forgets the object. An object that a script still holds then answers "closed", because the slot's generation has
// changed.
//
// Allocates: one userdata per connection that has had an event, a table when `data` is first touched.
#include <limits.h>

#include "running.h"

enum Field { field_data, field_is_open, field_queued, field_query, field_headers, field_texts };

static const char *const text_properties[] = {
    [BridgePropertyId] = "id",
    [BridgePropertyUser] = "user",
    [BridgePropertyIp] = "ip",
    [BridgePropertyPath] = "path",
    [BridgePropertySubprotocol] = "subprotocol",
    [BridgePropertyCertificate] = "certificate",
};

// Makes the object and remembers it. [connections] -> [connections conn]
static void make_conn(lua_State *L, Bridge *b, BridgeConnection connection)
{
    Conn *conn = lua_newuserdatauv(L, sizeof(Conn), 1);
    conn->connection = connection;
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->references.conn_metatable);
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, (lua_Integer)connection.slot + 1);
}

// [] -> [conn]
void push_conn(lua_State *L, Bridge *b, BridgeConnection connection)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->references.connections);
    lua_rawgeti(L, -1, (lua_Integer)connection.slot + 1);
    const Conn *conn = lua_touserdata(L, -1);
    if (conn == NULL || conn->connection.generation != connection.generation) {
        lua_pop(L, 1);
        make_conn(L, b, connection);
    }
    lua_remove(L, -2);
}

void bridgeForget(Bridge *b, BridgeConnection connection)
{
    lua_State *L = b->main;
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->references.connections);
    lua_rawgeti(L, -1, (lua_Integer)connection.slot + 1);
    const Conn *conn = lua_touserdata(L, -1);
    if (conn != NULL && conn->connection.generation == connection.generation) {
        lua_pushnil(L); // the key exists, so this allocates nothing
        lua_rawseti(L, -3, (lua_Integer)connection.slot + 1);
    }
    lua_pop(L, 2);
}

// Whether the value is a conn. Never raises.
bool is_conn(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index)) {
        return false;
    }
    bool same = lua_topointer(L, -1) == bridge_of(L)->conn_metatable;
    lua_pop(L, 1);
    return same;
}

// The conn that a method was called on. [conn ...] -> [conn ...]
Conn *check_conn(lua_State *L, const char *method)
{
    if (!is_conn(L, 1)) {
        luaL_error(L, "conn:%s must be called with a colon: conn:%s(...)", method, method);
    }
    return lua_touserdata(L, 1);
}

// The script's own table, made when it is first asked for. [conn ...] -> [conn ... data]
static int push_data(lua_State *L)
{
    if (lua_getiuservalue(L, 1, 1) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setiuservalue(L, 1, 1);
    }
    return 1;
}

// [...] -> [... string | nil]
static int push_text(lua_State *L, Bridge *b, const Conn *conn, BridgeProperty property)
{
    strings_reset(&b->answer);
    bool found = scriptHostText(b->host, conn->connection, property, &b->answer);
    strings_check(L, &b->answer);
    size_t offset = 0;
    size_t count;
    const char *bytes = found ? bridgeStringsNext(&b->answer, &offset, &count) : NULL;
    if (bytes == NULL) {
        lua_pushnil(L);
    } else {
        lua_pushlstring(L, bytes, count);
    }
    return 1;
}

// [...] -> [... table]
static int push_pairs(lua_State *L, Bridge *b, const Conn *conn, BridgePairs pairs)
{
    strings_reset(&b->answer);
    scriptHostPairs(b->host, conn->connection, pairs, &b->answer);
    strings_check(L, &b->answer);
    size_t offset = 0;
    if (pairs == BridgePairsQuery) {
        push_query(L, &b->answer, &offset, INT_MAX);
    } else {
        push_headers(L, &b->answer, &offset, INT_MAX);
    }
    return 1;
}

// [conn key] -> [conn key value]
static int push_field(lua_State *L, Bridge *b, lua_Integer field)
{
    const Conn *conn = lua_touserdata(L, 1);
    switch (field) {
    case field_data:
        return push_data(L);
    case field_is_open:
        lua_pushboolean(L, scriptHostIsOpen(b->host, conn->connection));
        return 1;
    case field_queued:
        lua_pushinteger(L, scriptHostQueued(b->host, conn->connection));
        return 1;
    case field_query:
        return push_pairs(L, b, conn, BridgePairsQuery);
    case field_headers:
        return push_pairs(L, b, conn, BridgePairsHeaders);
    default:
        return push_text(L, b, conn, (BridgeProperty)(field - field_texts));
    }
}

// conn.x. The upvalue maps a method's name to its function and a property's to its number. [conn key] -> [... value]
static int conn_index(lua_State *L)
{
    lua_pushvalue(L, 2);
    switch (lua_rawget(L, lua_upvalueindex(1))) {
    case LUA_TFUNCTION:
        return 1;
    case LUA_TNUMBER:
        if (!is_conn(L, 1)) {
            return luaL_error(L, "this is not a conn");
        }
        return push_field(L, bridge_of(L), lua_tointeger(L, -1));
    default:
        return luaL_error(L, "conn has no field '%s'", push_as_text(L, 2, NULL));
    }
}

// conn.x = value. [conn key value] -> []
static int conn_newindex(lua_State *L)
{
    const char *key = push_as_text(L, 2, NULL);
    lua_pushliteral(L, "data");
    if (!lua_rawequal(L, 2, -1)) {
        return luaL_error(L, "conn.%s cannot be set; keep your own values in conn.data", key);
    }
    if (!is_conn(L, 1)) {
        return luaL_error(L, "this is not a conn");
    }
    lua_pushvalue(L, 3);
    lua_setiuservalue(L, 1, 1);
    return 0;
}

// [table] -> [table]
static void set_property(lua_State *L, const char *name, lua_Integer field)
{
    lua_pushinteger(L, field);
    lua_setfield(L, -2, name);
}

// Builds the metatable and the table of connections. [] -> []
void conn_open(lua_State *L)
{
    Bridge *b = bridge_of(L);
    lua_newtable(L);
    b->references.connections = luaL_ref(L, LUA_REGISTRYINDEX);

    lua_newtable(L);
    lua_newtable(L);
    luaL_setfuncs(L, conn_methods, 0);
    set_property(L, "data", field_data);
    set_property(L, "isOpen", field_is_open);
    set_property(L, "queued", field_queued);
    set_property(L, "query", field_query);
    set_property(L, "headers", field_headers);
    for (int i = 0; i < LENGTH(text_properties); i++) {
        set_property(L, text_properties[i], field_texts + i);
    }
    lua_pushcclosure(L, conn_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, conn_newindex);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_pushliteral(L, "conn");
    lua_setfield(L, -2, "__name");
    b->conn_metatable = lua_topointer(L, -1);
    b->references.conn_metatable = luaL_ref(L, LUA_REGISTRYINDEX);
}
