// Questions that a script answers: onPublish about a backend's push, onRequest for a backend's call, onSubscribe when a
// client asks for a channel. Each may wait, so nothing of the question is kept on the C stack: the values that the
// answer needs go into the context of the call. The answer is left in the bridge's result.
#include <string.h>

#include "running.h"
#include "API/api.h"
#include "Reload/reload.h"
#include "Watchdog/watchdog.h"

enum { longest_field_name = 256, longest_field_value = 1 << 16 };

typedef struct Question {
    int32_t script;
    BridgeEvent event;
    BridgeConnection connection;
    const BridgeQuestion *asked;
    BridgeBytes channel;
} Question;

static const char *const publication_fields[] = {
    "channel", "user", "connection", "path", "data", "binary", "key", "exclude",
};

// Header fields that only the server sets, because they frame the response.
static const char *const own_headers[] = {
    "connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "x-request-id",
};

// Adds a name and a value to the answer. Never raises: see strings_check.
static void add_pair(Bridge *b, const char *name, const char *bytes, size_t count)
{
    bridgeStringsAppend(&b->text, name, strlen(name));
    bridgeStringsAppend(&b->text, bytes, count);
}

// The answer is in the list. [] -> []
static void leave_list(lua_State *L)
{
    Bridge *b = bridge_of(L);
    strings_check(L, &b->text);
    b->result.list = &b->text;
}

// Keeps the reason of a refusal: the string on top, or a default. [reason] -> [reason]
static int leave_refusal(lua_State *L, const char *handler)
{
    Bridge *b = bridge_of(L);
    size_t count = 7;
    const char *reason = "refused";
    if (lua_type(L, -1) == LUA_TSTRING) {
        reason = lua_tolstring(L, -1, &count);
    } else if (!lua_isnil(L, -1)) {
        return luaL_error(L, "%s: the reason of a refusal must be a string, not %s", handler, luaL_typename(L, -1));
    }
    strings_reset(&b->text);
    bridgeStringsAppend(&b->text, reason, count);
    leave_list(L);
    b->result.outcome = BridgeOutcomeRefused;
    return 0;
}

// --- onSubscribe ---

// [... answer reason] -> [...]
static int subscribe_answered(lua_State *L, int status, lua_KContext context)
{
    (void)context;
    if (status != LUA_OK && status != LUA_YIELD) {
        return lua_error(L);
    }
    if (lua_isboolean(L, -2) && !lua_toboolean(L, -2)) {
        return leave_refusal(L, "onSubscribe");
    }
    if (!lua_isboolean(L, -2) && !lua_isnil(L, -2)) {
        return luaL_error(L, "onSubscribe must return true or false, not %s", luaL_typename(L, -2));
    }
    return 0;
}

// --- onPublish ---

// Adds a field of the changed publication on top, if it is there. [publication] -> [publication]
static void add_string(lua_State *L, const char *name)
{
    lua_pushstring(L, name);
    int type = lua_rawget(L, -2);
    if (type == LUA_TSTRING) {
        size_t count;
        const char *bytes = lua_tolstring(L, -1, &count);
        add_pair(bridge_of(L), name, bytes, count);
    } else if (type != LUA_TNIL) {
        luaL_error(L, "onPublish: %s must be a string, not %s", name, luaL_typename(L, -1));
    }
    lua_pop(L, 1);
}

// Whether the changed publication on top is binary: by its field, or as it came. [publication] -> [publication]
static bool is_binary(lua_State *L, bool was_binary)
{
    lua_pushliteral(L, "binary");
    int type = lua_rawget(L, -2);
    bool binary = type == LUA_TNIL ? was_binary : lua_toboolean(L, -1);
    lua_pop(L, 1);
    return binary;
}

// The message of the changed publication as a string; nil when it has none. [publication] -> [publication data]
static void push_data(lua_State *L, bool binary)
{
    Bridge *b = bridge_of(L);
    lua_pushliteral(L, "data");
    if (lua_rawget(L, -2) == LUA_TNIL) {
        return;
    }
    b->received = NULL;
    BridgePayload data = check_payload(L, lua_gettop(L), binary, "onPublish");
    if (lua_istable(L, -1)) {
        lua_pop(L, 1);
        lua_pushlstring(L, data.bytes, data.count);
    }
}

// The context says whether the publication was binary. [... answer reason] -> [...]
static int publish_answered(lua_State *L, int status, lua_KContext context)
{
    Bridge *b = bridge_of(L);
    if (status != LUA_OK && status != LUA_YIELD) {
        return lua_error(L);
    }
    int type = lua_type(L, -2);
    if (type == LUA_TNIL || (type == LUA_TBOOLEAN && lua_toboolean(L, -2))) {
        return 0;
    }
    if (type == LUA_TBOOLEAN) {
        return leave_refusal(L, "onPublish");
    }
    if (type != LUA_TTABLE) {
        return luaL_error(L, "onPublish must return true, false or a publication, not %s", lua_typename(L, type));
    }
    lua_pop(L, 1);
    check_options(L, lua_gettop(L), publication_fields, LENGTH(publication_fields), "onPublish");
    bool binary = is_binary(L, context != 0);
    push_data(L, binary); // [publication data]
    lua_insert(L, -2);
    strings_reset(&b->text);
    add_string(L, "channel");
    add_string(L, "key");
    if (!lua_isnil(L, -2)) {
        size_t count;
        const char *bytes = lua_tolstring(L, -2, &count);
        add_pair(b, "data", bytes, count);
    }
    leave_list(L);
    b->result.code = binary;
    return 0;
}

// --- onRequest ---

static bool is_token(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char c = bytes[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_letter && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL)) {
            return false;
        }
    }
    return count > 0;
}

static bool is_field_value(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if ((c < 0x20 && c != '\t') || c == 0x7F) {
            return false;
        }
    }
    return true;
}

static bool is_own_header(const char *name)
{
    char lower[32];
    size_t count = 0;
    for (; name[count] != '\0' && count + 1 < sizeof lower; count++) {
        bool is_upper = name[count] >= 'A' && name[count] <= 'Z';
        lower[count] = (char)(is_upper ? name[count] + 32 : name[count]);
    }
    lower[count] = '\0';
    for (int i = 0; i < LENGTH(own_headers); i++) {
        if (strcmp(lower, own_headers[i]) == 0) {
            return true;
        }
    }
    return false;
}

// Adds the header fields on top. [headers] -> [headers]
static void add_headers(lua_State *L)
{
    if (lua_isnil(L, -1)) {
        return;
    }
    if (!lua_istable(L, -1)) {
        luaL_error(L, "onRequest: the headers must be a table, not %s", luaL_typename(L, -1));
    }
    read_through(L, -1);
    int table = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
        check_killed(L);
        size_t name_count = 0;
        size_t count = 0;
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &name_count) : "";
        if (name_count > longest_field_name || !is_token(name, name_count)) {
            luaL_error(L, "onRequest: '%s' is not a header's name", name);
        }
        if (is_own_header(name)) {
            luaL_error(L, "onRequest: the header '%s' is the server's to write", name);
        }
        const char *value = lua_isstring(L, -1) ? lua_tolstring(L, -1, &count) : NULL;
        if (count > longest_field_value) {
            luaL_error(L, "onRequest: the header '%s' has more than %d bytes", name, longest_field_value);
        }
        if (value == NULL || !is_field_value(value, count)) {
            luaL_error(L, "onRequest: the header '%s' must be a string of one line", name);
        }
        add_pair(bridge_of(L), name, value, count);
    }
}

// Puts the body on top as a string, a table as JSON; returns its media type. [... body] -> [... string]
static const char *push_body(lua_State *L)
{
    Bridge *b = bridge_of(L);
    switch (lua_type(L, -1)) {
    case LUA_TNIL:
        lua_pop(L, 1);
        lua_pushliteral(L, "");
        return "";
    case LUA_TTABLE:
        json_encode(L, lua_gettop(L), &b->text);
        lua_pop(L, 1);
        lua_pushlstring(L, b->text.bytes, b->text.count);
        return "application/json";
    case LUA_TSTRING:
    case LUA_TNUMBER: {
        size_t count;
        const char *bytes = lua_tolstring(L, -1, &count);
        return is_utf8_text(L, bytes, count) ? "text/plain; charset=utf-8" : "application/octet-stream";
    }
    default:
        luaL_error(L, "onRequest: the body must be a string or a table, not %s", luaL_typename(L, -1));
        return "";
    }
}

// The answer is the body, its media type, and then names and values of header fields.
// [... status body headers] -> [...]
static int request_answered(lua_State *L, int status, lua_KContext context)
{
    (void)context;
    Bridge *b = bridge_of(L);
    if (status != LUA_OK && status != LUA_YIELD) {
        return lua_error(L);
    }
    int is_integer = true;
    lua_Integer code = lua_isnil(L, -3) ? 204 : lua_tointegerx(L, -3, &is_integer);
    if (!is_integer || code < 200 || code > 599) {
        const char *given = push_as_text(L, -3, NULL);
        return luaL_error(L, "onRequest must return a status from 200 to 599, then a body, not %s", given);
    }
    lua_insert(L, -2); // [... status headers body]
    const char *type = push_body(L);
    size_t count;
    const char *body = lua_tolstring(L, -1, &count);
    strings_reset(&b->text);
    add_pair(b, "body", body, count);
    add_pair(b, "type", type, strlen(type));
    lua_insert(L, -2);
    add_headers(L);
    leave_list(L);
    b->result.code = (int32_t)code;
    return 0;
}

// --- asking ---

// The question as a table. [] -> [table]
static void push_question(lua_State *L, const Question *question)
{
    const BridgeQuestion *asked = question->asked;
    size_t offset = 0;
    push_headers(L, asked->strings, &offset, asked->fieldCount);
    if (question->event == BridgeEventPublish) {
        lua_pushboolean(L, asked->binary);
        lua_setfield(L, -2, "binary");
        return;
    }
    push_query(L, asked->strings, &offset, asked->queryCount);
    lua_setfield(L, -2, "query");
    push_headers(L, asked->strings, &offset, asked->headerCount);
    lua_setfield(L, -2, "headers");
}

// [question] -> []
static int question_body(lua_State *L)
{
    Bridge *b = bridge_of(L);
    const Question *question = lua_touserdata(L, 1);
    strings_check(L, &b->answer);
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->live->handlers[question->script * bridgeEventCount + question->event]);
    switch (question->event) {
    case BridgeEventSubscribe:
        push_conn(L, b, question->connection);
        lua_pushlstring(L, question->channel.bytes, question->channel.count);
        return call_noted(L, 2, 2, 0, subscribe_answered);
    case BridgeEventPublish:
        push_question(L, question);
        return call_noted(L, 1, 2, question->asked->binary, publish_answered);
    default:
        push_question(L, question);
        return call_noted(L, 1, 3, 0, request_answered);
    }
}

static BridgeOutcome ask(Bridge *b, Question *question)
{
    failure_clear(b);
    if (!bridgeDefines(b, question->script, question->event)) {
        return BridgeOutcomeAbsent;
    }
    return run_protected(b, question_body, question, b->event_budget);
}

BridgeOutcome bridgeOnPublish(Bridge *b, int32_t script, const BridgeQuestion *asked)
{
    Question question = {.script = script, .event = BridgeEventPublish, .asked = asked};
    return ask(b, &question);
}

BridgeOutcome bridgeOnRequest(Bridge *b, int32_t script, const BridgeQuestion *asked)
{
    Question question = {.script = script, .event = BridgeEventRequest, .asked = asked};
    return ask(b, &question);
}

BridgeOutcome bridgeOnSubscribe(Bridge *b, int32_t script, BridgeConnection connection, BridgeBytes channel)
{
    Question question = {
        .script = script, .event = BridgeEventSubscribe, .connection = connection, .channel = channel,
    };
    return ask(b, &question);
}
