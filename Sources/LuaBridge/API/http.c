// http: requests to other servers. A call checks its options, hands the request to the host and waits. It returns the
// response as a table, or nil and the reason.
//
// Options are read without metamethods, so that no code of the script runs while the request is built. Read next:
// ../Events/wait.c.
#include <limits.h>

#include "api.h"
#include "Events/events.h"
#include "Watchdog/watchdog.h"

enum {
    get_options = 5,
    post_options = 7,
    request_options = 9,
    most_seconds = 3600,
    most_bytes = 16 << 20,
    most_redirects = 20,
    longest_url = 1 << 16,
    longest_list = 1 << 20, // bytes of all names and values of a request
};

// Each function takes the first so many of them.
static const char *const option_names[request_options] = {
    "headers", "query", "timeout", "maxBytes", "redirects", "body", "json", "method", "url",
};

// False, and nothing pushed, when the option is absent. [...] -> [... | ... value]
static bool push_option(lua_State *L, int options, const char *name)
{
    if (lua_isnoneornil(L, options)) {
        return false;
    }
    lua_pushstring(L, name);
    if (lua_rawget(L, options) == LUA_TNIL) {
        lua_pop(L, 1);
        return false;
    }
    return true;
}

// Adds the name and the value on top to a list. [... name value] -> [... name value]
static void add_pair(lua_State *L, const char *option, BridgeStrings *list, const char *function)
{
    if (lua_type(L, -2) != LUA_TSTRING) {
        luaL_error(L, "%s: the names in %s must be strings, not %s", function, option, luaL_typename(L, -2));
    }
    if (!lua_isstring(L, -1) && !lua_isboolean(L, -1)) {
        luaL_error(
            L, "%s: '%s' in %s must be a string, a number or a boolean, not %s", function, lua_tostring(L, -2), option,
            luaL_typename(L, -1));
    }
    size_t count;
    size_t value_count;
    const char *name = lua_tolstring(L, -2, &count);
    const char *value = push_as_text(L, -1, &value_count);
    size_t room = list->count < longest_list ? longest_list - list->count : 0;
    if (count > room || value_count > room - count) {
        luaL_error(L, "%s: query and headers have more than %d bytes", function, longest_list);
    }
    if (!is_utf8(name, count) || !is_utf8(value, value_count)) {
        luaL_error(L, "%s: names and values in %s must be valid UTF-8", function, option);
    }
    bridgeStringsAppend(list, name, count);
    bridgeStringsAppend(list, value, value_count);
    lua_pop(L, 1);
}

// Adds the names and values of an option to a list; returns their number. [...] -> [...]
static int32_t add_pairs(lua_State *L, int options, const char *option, BridgeStrings *list, const char *function)
{
    int32_t pairs = 0;
    if (!push_option(L, options, option)) {
        return 0;
    }
    if (!lua_istable(L, -1)) {
        luaL_error(L, "%s: %s must be a table, not %s", function, option, luaL_typename(L, -1));
    }
    read_through(L, -1);
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
        check_killed(L);
        add_pair(L, option, list, function);
        pairs++;
    }
    lua_pop(L, 1);
    return pairs;
}

// [...] -> [...]
static int64_t integer_option(
    lua_State *L, int options, const char *option, int64_t most, int64_t absent, const char *function)
{
    if (!push_option(L, options, option)) {
        return absent;
    }
    int is_integer;
    lua_Integer value = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer || value < 0 || value > most) {
        luaL_error(L, "%s: %s must be an integer from 0 to %I", function, option, (LUAI_UACINT)most);
    }
    lua_pop(L, 1);
    return value;
}

// The timeout in seconds, 0 for the server's setting. [...] -> [...]
static double timeout_option(lua_State *L, int options, const char *function)
{
    if (!push_option(L, options, "timeout")) {
        return 0;
    }
    int is_number;
    double seconds = lua_tonumberx(L, -1, &is_number);
    if (!is_number || !(seconds > 0) || seconds > most_seconds) {
        luaL_error(L, "%s: timeout must be a number of seconds, more than 0 and at most %d", function, most_seconds);
    }
    lua_pop(L, 1);
    return seconds;
}

// The body's bytes belong to the bridge, or to the string that is left on the stack. [...] -> [... | ... body]
static void read_body(lua_State *L, int options, BridgeRequestHTTP *request, const char *function)
{
    if (push_option(L, options, "json")) {
        BridgeStrings *text = &bridge_of(L)->text;
        json_encode(L, lua_gettop(L), text);
        request->body = (BridgeBytes){text->count == 0 ? "" : text->bytes, text->count};
        request->isJSON = true;
        lua_pop(L, 1);
    }
    if (!push_option(L, options, "body")) {
        return;
    }
    if (request->isJSON) {
        luaL_error(L, "%s: give either body or json", function);
    }
    request->body = check_bytes(L, -1, function, "body");
}

// [...] -> [... response | ... nil why detail]
static int http_woken(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    Bridge *b = bridge_of(L);
    const BridgeAnswer *answer = wait_answer(L, context);
    strings_reset(&b->answer);
    int32_t code = scriptHostResponse(b->host, &b->answer);
    strings_check(L, &b->answer);
    size_t offset = 0;
    size_t count = 0;
    const char *bytes = bridgeStringsNext(&b->answer, &offset, &count);
    if (answer->failed) {
        push_wait_failure(L, answer);
        if (bytes == NULL) {
            return 2;
        }
        lua_pushlstring(L, bytes, count);
        return 3;
    }
    lua_createtable(L, 0, 3);
    lua_pushlstring(L, bytes == NULL ? "" : bytes, count);
    lua_setfield(L, -2, "body");
    push_headers(L, &b->answer, &offset, INT_MAX);
    lua_setfield(L, -2, "headers");
    lua_pushinteger(L, code);
    lua_setfield(L, -2, "status");
    strings_trim(&b->answer);
    return 1;
}

// Sends the request of the options and waits. Method and URL are the first two strings of the list.
// [...] -> [... response | ... nil why detail]
static int send_request(lua_State *L, int options, const char *function)
{
    Bridge *b = bridge_of(L);
    BridgeRequestHTTP request = {.strings = &b->answer};
    request.timeout = timeout_option(L, options, function);
    request.maxBytes = integer_option(L, options, "maxBytes", most_bytes, -1, function);
    request.redirects = (int32_t)integer_option(L, options, "redirects", most_redirects, 0, function);
    request.queryCount = add_pairs(L, options, "query", &b->answer, function);
    add_pairs(L, options, "headers", &b->answer, function);
    strings_check(L, &b->answer);
    read_body(L, options, &request, function);
    BridgeTicket ticket;
    if (!wait_begin(L, function, &ticket)) {
        return 2;
    }
    BridgeText why = {.count = 0};
    if (!scriptHostRequest(b->host, ticket, &request, &why)) {
        lua_pushlstring(L, (const char *)why.bytes, (size_t)why.count);
        return luaL_error(L, "%s: %s", function, lua_tostring(L, -1));
    }
    return wait_yield(L, ticket, http_woken);
}

// Begins the list of a request. [...] -> [...]
static void begin_list(lua_State *L, BridgeBytes method, BridgeBytes url)
{
    BridgeStrings *list = &bridge_of(L)->answer;
    strings_reset(list);
    bridgeStringsAppend(list, method.bytes, method.count);
    bridgeStringsAppend(list, url.bytes, url.count);
}

// [url options] -> [... response | ... nil why detail]
static int short_form(lua_State *L, BridgeBytes method, int options, const char *function)
{
    BridgeBytes url = check_text(L, 1, longest_url, function, "the URL");
    check_options(L, 2, option_names, options, function);
    lua_settop(L, 2);
    begin_list(L, method, url);
    return send_request(L, 2, function);
}

// http.get(url, options). [url options] -> [... response | ... nil why detail]
static int http_get(lua_State *L)
{
    return short_form(L, (BridgeBytes){"GET", 3}, get_options, "http.get");
}

// http.post(url, options). [url options] -> [... response | ... nil why detail]
static int http_post(lua_State *L)
{
    return short_form(L, (BridgeBytes){"POST", 4}, post_options, "http.post");
}

// http.request(options). [options] -> [... response | ... nil why detail]
static int http_request(lua_State *L)
{
    const char *function = "http.request";
    if (!lua_istable(L, 1)) {
        return luaL_error(L, "%s: expected a table of options, not %s", function, luaL_typename(L, 1));
    }
    check_options(L, 1, option_names, request_options, function);
    lua_settop(L, 1);
    if (!push_option(L, 1, "url")) {
        return luaL_error(L, "%s: the option url is missing", function);
    }
    BridgeBytes url = check_text(L, 2, longest_url, function, "url");
    BridgeBytes method = {"GET", 3};
    if (push_option(L, 1, "method")) {
        method = check_text(L, 3, name_limit, function, "method");
    }
    begin_list(L, method, url);
    return send_request(L, 1, function);
}

static const luaL_Reg functions[] = {
    {"get", http_get},
    {"post", http_post},
    {"request", http_request},
    {NULL, NULL},
};

// [] -> [table]
void push_http(lua_State *L)
{
    luaL_newlib(L, functions);
    push_readonly(L, "http", true);
}
