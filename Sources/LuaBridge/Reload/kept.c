// server.state: tables that outlive the code that fills them. A file declares a state with its name and a version; the
// table is the same in every generation that declares the same version. When the version is new, the state gets a new
// table, filled by `create`, or by `migrate` from a copy of the old one. Everything that can fail is done before the
// workers vote; the commit only records the table of each state.
//
// A state that the live scripts do not declare is kept for five more versions, so that a rollback finds it.
#include "candidate.h"
#include "Events/events.h"
#include "Sandbox/sandbox.h"
#include "Watchdog/watchdog.h"

// Fields of a declaration. The function is `create` or `migrate`, absent if there is nothing to do; `from` is the
// version that is migrated.
enum { record_table = 1, record_version, record_function, record_from, record_name, record_owner };

// Fields of a state: its table, its version, and its age, the number of versions that did not declare it.
enum { state_table = 1, state_version, state_age };

enum { state_memory = 5 };

// Raises, because the state's table must not be used yet. The candidate fails even if its code catches the error. The
// upvalue is its name. [...] -> never returns
static int refuse_use(lua_State *L)
{
    const Generation *candidate = bridge_of(L)->candidate;
    luaL_where(L, 1);
    lua_pushfstring(
        L, "%sserver.state: '%s' is filled when the scripts go live; use it in handlers, not while the script loads",
        lua_tostring(L, -1), lua_tostring(L, lua_upvalueindex(1)));
    if (candidate != NULL) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, candidate->table);
        lua_pushvalue(L, -2);
        lua_setfield(L, -2, "misuse");
        lua_pop(L, 1);
    }
    return lua_error(L);
}

// Raises the error again with which the use of a state was refused, if there was one. [] -> []
static void check_misuse(lua_State *L)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, bridge_of(L)->candidate->table);
    if (lua_getfield(L, -1, "misuse") != LUA_TNIL) {
        lua_error(L);
    }
    lua_pop(L, 2);
}

// The metatable of a table that no script can use yet. [name ...] -> [name ... metatable]
static void push_refusals(lua_State *L)
{
    static const char *const events[] = {"__index", "__newindex", "__pairs", "__len"};
    lua_createtable(L, 0, LENGTH(events) + 1);
    for (int i = 0; i < LENGTH(events); i++) {
        lua_pushvalue(L, 1);
        lua_pushcclosure(L, refuse_use, 1);
        lua_setfield(L, -2, events[i]);
    }
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
}

// [name version create migrate?] -> the same, four values
static lua_Integer check_declaration(lua_State *L)
{
    check_lasting_name(L, 1, "server.state");
    int is_integer;
    lua_Integer version = lua_tointegerx(L, 2, &is_integer);
    if (!is_integer || version < 1 || lua_type(L, 2) != LUA_TNUMBER) {
        luaL_error(L, "server.state: the version must be a whole number from 1, not %s", push_as_text(L, 2, NULL));
    }
    if (!lua_isfunction(L, 3)) {
        luaL_error(L, "server.state: expected a function that creates the state, not %s", luaL_typename(L, 3));
    }
    if (!lua_isnoneornil(L, 4) && !lua_isfunction(L, 4)) {
        luaL_error(L, "server.state: expected a function that migrates the state, not %s", luaL_typename(L, 4));
    }
    lua_settop(L, 4);
    if (!bridge_of(L)->declaring) {
        luaL_error(L, "server.state is called while a script loads, not in a handler");
    }
    return version;
}

// Chooses the state's table and the function that fills it. Returns whether the table is a live one. Slots: 5 is the
// record, 6 the stored state. [name version create migrate record stored] -> the same
static bool declare(lua_State *L, lua_Integer version)
{
    const char *name = lua_tostring(L, 1);
    lua_Integer stored = 0;
    if (lua_istable(L, 6)) {
        lua_rawgeti(L, 6, state_version);
        stored = lua_tointeger(L, -1);
        lua_pop(L, 1);
    }
    if (stored == version) {
        lua_rawgeti(L, 6, state_table);
        lua_rawseti(L, 5, record_table);
        return true;
    }
    if (stored > version) {
        luaL_error(
            L, "server.state: '%s' is at version %I and this script declares version %I; to go back, load this script "
            "with a version above %I and a migrate function that makes its form from version %I", name,
            (LUAI_UACINT)stored, (LUAI_UACINT)version, (LUAI_UACINT)stored, (LUAI_UACINT)stored);
    }
    if (stored > 0 && lua_isnil(L, 4)) {
        luaL_error(
            L, "server.state: '%s' is at version %I; a migrate function has to bring it to version %I", name,
            (LUAI_UACINT)stored, (LUAI_UACINT)version);
    }
    lua_newtable(L);
    push_refusals(L);
    lua_setmetatable(L, -2);
    lua_rawseti(L, 5, record_table);
    lua_pushvalue(L, stored > 0 ? 4 : 3);
    lua_rawseti(L, 5, record_function);
    if (stored > 0) {
        lua_pushinteger(L, stored);
        lua_rawseti(L, 5, record_from);
        bridge_of(L)->candidate->migrations += 1;
    }
    return false;
}

// server.state(name, version, create, migrate). [name version create migrate] -> [... table]
static int server_state(lua_State *L)
{
    Bridge *b = bridge_of(L);
    lua_Integer version = check_declaration(L);
    lua_createtable(L, 6, 0);
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->references.states);
    lua_pushvalue(L, 1);
    lua_rawget(L, -2);
    lua_remove(L, -2); // [name version create migrate record stored]
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->candidate->table);
    lua_getfield(L, 7, "states"); // [... generation states]
    lua_pushvalue(L, 1);
    if (lua_rawget(L, 8) != LUA_TNIL) {
        return luaL_error(L, "server.state: there are two states named '%s'", lua_tostring(L, 1));
    }
    lua_settop(L, 8);
    bool is_live = declare(L, version);
    lua_pushinteger(L, version);
    lua_rawseti(L, 5, record_version);
    lua_pushvalue(L, 1);
    lua_rawseti(L, 5, record_name);
    luaL_where(L, 1);
    lua_pushfstring(L, "%sserver.state '%s'", lua_tostring(L, -1), lua_tostring(L, 1));
    lua_rawseti(L, 5, record_owner);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 5);
    lua_rawset(L, 8);
    lua_pushvalue(L, 5);
    lua_rawseti(L, 8, (lua_Integer)lua_rawlen(L, 8) + 1);
    lua_rawgeti(L, 5, record_table);
    if (is_live) { // last: a script that catches an error cannot declare the name again, and no table is shielded twice
        lua_pushvalue(L, -1);
        push_refusals(L);
        shield(L);
    }
    return 1;
}

const luaL_Reg state_functions[] = {{"state", server_state}, {NULL, NULL}};

// Moves the fields of a table that a script has made into the state's table, if they are plain.
// [record made] -> [record]
static void fill(lua_State *L, const char *owner, const char *function)
{
    int record = lua_gettop(L) - 1;
    if (!lua_istable(L, -1)) {
        lua_pushfstring(L, "%s: %s must return a table, not %s", owner, function, luaL_typename(L, -1));
        lua_error(L);
    }
    check_plain(L, owner);
    lua_rawgeti(L, record, record_table); // [record made table]
    lua_pushnil(L);
    lua_setmetatable(L, -2);
    for (lua_pushnil(L); lua_next(L, record + 1) != 0;) {
        check_killed(L);
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, record + 2);
    }
    if (lua_getmetatable(L, record + 1)) {
        set_metatable_unarmed(L, record + 2);
    }
    lua_pushnil(L);
    lua_rawseti(L, record, record_function);
    lua_settop(L, record);
}

// [...] -> [...]
static int done(lua_State *L, int status, lua_KContext context)
{
    (void)context;
    return status == LUA_OK ? 0 : lua_error(L);
}

// Calls a function of the script. [... f arguments] -> [... made]
static void call(lua_State *L, int arguments)
{
    call_noted(L, arguments, 1, 0, done);
    lua_remove(L, -2);
}

// Runs `create`. [record create] -> [record]
static void create(lua_State *L, const char *owner)
{
    call(L, 0);
    fill(L, owner, "create");
}

// Runs `migrate` on a copy of the state: the state itself must stay as it was if the migration fails, here or on
// another worker. [record migrate] -> [record]
static void migrate(lua_State *L, const char *owner)
{
    int record = lua_gettop(L) - 1;
    lua_rawgeti(L, LUA_REGISTRYINDEX, bridge_of(L)->references.states);
    lua_rawgeti(L, record, record_name);
    lua_rawget(L, -2);
    lua_rawgeti(L, -1, state_table);
    lua_replace(L, record + 2);
    lua_settop(L, record + 2); // [record migrate table]
    copy_plain(L, owner);
    lua_rawgeti(L, record, record_from);
    call(L, 2);
    fill(L, owner, "migrate");
}

// Fills the tables of the candidate's new states, or of those that must be migrated. [] -> []
void fill_states(lua_State *L, bool migrations)
{
    luaL_checkstack(L, 16, NULL);
    int top = lua_gettop(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, bridge_of(L)->candidate->table);
    lua_getfield(L, -1, "states");
    for (lua_Integer i = 1; lua_rawgeti(L, top + 2, i) == LUA_TTABLE; i++) {
        lua_rawgeti(L, top + 3, record_owner);
        lua_insert(L, top + 3); // [... owner record]
        bool is_migration = lua_rawgeti(L, -1, record_from) != LUA_TNIL;
        lua_pop(L, 1);
        if (lua_rawgeti(L, -1, record_function) != LUA_TNIL && is_migration == migrations) {
            (is_migration ? migrate : create)(L, lua_tostring(L, top + 3));
        }
        lua_settop(L, top + 2);
    }
    lua_settop(L, top);
    check_misuse(L);
}

// Forgets states that were not declared for more than five versions. [states declared] -> [states declared]
static void age_states(lua_State *L)
{
    int states = lua_gettop(L) - 1;
    for (lua_pushnil(L); lua_next(L, states) != 0;) { // [key state]
        lua_pushvalue(L, -2);
        if (lua_rawget(L, states + 1) == LUA_TNIL) {
            lua_rawgeti(L, -2, state_age);
            lua_Integer age = lua_tointeger(L, -1) + 1;
            lua_pushinteger(L, age);
            lua_rawseti(L, -4, state_age);
            lua_settop(L, states + 3);
            if (age > state_memory) {
                lua_pushvalue(L, -2);
                lua_pushnil(L);
                lua_rawset(L, states);
            }
        }
        lua_settop(L, states + 2);
    }
}

// Makes the candidate's states the stored ones. [] -> []
void commit_states(lua_State *L)
{
    luaL_checkstack(L, 12, NULL);
    int top = lua_gettop(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, bridge_of(L)->references.states);
    lua_rawgeti(L, LUA_REGISTRYINDEX, bridge_of(L)->candidate->table);
    lua_getfield(L, -1, "states");
    lua_remove(L, -2); // [states declared]
    age_states(L);
    for (lua_Integer i = 1; lua_rawgeti(L, top + 2, i) == LUA_TTABLE; i++) { // [states declared record]
        lua_rawgeti(L, top + 3, record_name);
        lua_createtable(L, 3, 0);
        lua_rawgeti(L, top + 3, record_table);
        lua_rawseti(L, -2, state_table);
        lua_rawgeti(L, top + 3, record_version);
        lua_rawseti(L, -2, state_version);
        lua_pushinteger(L, 0);
        lua_rawseti(L, -2, state_age);
        lua_rawset(L, top + 1);
        lua_settop(L, top + 2);
    }
    lua_settop(L, top);
}

void states_open(lua_State *L)
{
    lua_newtable(L);
    bridge_of(L)->references.states = luaL_ref(L, LUA_REGISTRYINDEX);
}
