// The description of a failure. It is read without running any code of the script: no metamethod is called and nothing
// is allocated, so it also works when memory is exhausted.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "running.h"

enum { traceback_levels = 20 };

// Forgets the last result. Never raises.
void failure_clear(Bridge *b)
{
    b->result = (BridgeResult){.outcome = BridgeOutcomeDone};
}

static BridgeOutcome finish(Bridge *b, size_t message_count)
{
    size_t kept = message_count < sizeof b->message ? message_count : sizeof b->message - 1;
    b->result.outcome = BridgeOutcomeFailed;
    b->result.message = b->message;
    b->result.messageCount = kept;
    return BridgeOutcomeFailed;
}

// Sets a failure of the bridge itself. Never raises.
BridgeOutcome failure_set(Bridge *b, const char *message)
{
    failure_clear(b);
    return finish(b, (size_t)snprintf(b->message, sizeof b->message, "%s", message));
}

static size_t describe_frame(lua_State *co, lua_Debug *frame, char *line, size_t size)
{
    lua_getinfo(co, "Slnt", frame);
    char place[LUA_IDSIZE + 16];
    if (frame->currentline > 0) {
        snprintf(place, sizeof place, "%s:%d:", frame->short_src, frame->currentline);
    } else {
        snprintf(place, sizeof place, "%s:", frame->short_src);
    }
    int count;
    if (*frame->namewhat != '\0') {
        count = snprintf(line, size, "%s in %s '%s'", place, frame->namewhat, frame->name);
    } else if (*frame->what == 'm') {
        count = snprintf(line, size, "%s in main chunk", place);
    } else if (*frame->what == 'C') {
        count = snprintf(line, size, "%s in ?", place);
    } else {
        count = snprintf(line, size, "%s in function <%s:%d>", place, frame->short_src, frame->linedefined);
    }
    return count < 0 ? 0 : (size_t)count < size ? (size_t)count : size - 1;
}

// Writes the frames of a coroutine from a level on, innermost first, without the bridge's own at the bottom. Returns
// the number of bytes. [...] -> [...], never raises
size_t write_traceback(lua_State *co, int level, char *text, size_t size)
{
    lua_Debug frame;
    lua_Debug below;
    size_t used = 0;
    int last = level + traceback_levels;
    bool more = lua_getstack(co, level, &frame) != 0;
    for (; more; level++) {
        more = lua_getstack(co, level + 1, &below) != 0;
        char line[512];
        size_t count = describe_frame(co, &frame, line, sizeof line);
        bool is_bottom = !more && *frame.what == 'C';
        bool is_last = level == last;
        if (is_last) {
            count = (size_t)snprintf(line, sizeof line, "...");
        }
        if (is_bottom || used + count + 2 > size) {
            break;
        }
        if (used > 0) {
            text[used++] = '\n';
        }
        memcpy(text + used, line, count);
        used += count;
        if (is_last) {
            break;
        }
        frame = below;
    }
    text[used] = '\0';
    return used;
}

static void keep_traceback(Bridge *b)
{
    b->result.traceback = b->traceback;
    b->result.tracebackCount = b->noted;
}

// Notes the place of an event that fails or is being killed, before it is unwound. [...] -> [...], never raises
void note_place(Bridge *b, lua_State *L, int level)
{
    size_t count = write_traceback(L, level, b->traceback, sizeof b->traceback);
    if (L != b->base && b->base != NULL && count + 2 < sizeof b->traceback) {
        if (count > 0) {
            b->traceback[count++] = '\n';
        }
        count += write_traceback(b->base, 0, b->traceback + count, sizeof b->traceback - count);
    }
    b->noted = count;
}

// The failure of an event that was killed; its traceback was noted when it was killed. Never raises.
static BridgeOutcome failure_of_kill(Bridge *b)
{
    static const char *const reasons[] = {
        [BridgeKillNone] = "",
        [BridgeKillBudget] = "killed: it used more than its %g ms of CPU",
        [BridgeKillLoad] = "the scripts took more than %g s to load",
        [BridgeKillTimeout] = "killed: its time was up, and it waited again",
        [BridgeKillClosed] = "cancelled: its connection is closed, and it waited again",
    };
    BridgeKill reason = (BridgeKill)b->killed;
    double limit = reason == BridgeKillLoad ? b->load_budget : b->event_budget * 1000;
    char message[128];
    snprintf(message, sizeof message, reasons[reason], limit);
    failure_set(b, message);
    keep_traceback(b);
    b->result.killed = reason;
    return BridgeOutcomeFailed;
}

// Reads a raw field of the table on top. [table] -> [table value], never raises
static int raw_field(lua_State *L, int key)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, key);
    return lua_rawget(L, -2);
}

// The integer in the field `code` of the table on top, -1 for none. [table] -> [table], never raises
static lua_Integer code_of(Bridge *b, lua_State *L)
{
    int is_integer = 0;
    lua_Integer code = -1;
    if (raw_field(L, b->references.code) == LUA_TNUMBER) {
        code = lua_tointegerx(L, -1, &is_integer);
    }
    lua_pop(L, 1);
    return is_integer ? code : -1;
}

// error{code = 4001, reason = "no"}: true when the table on top asks for a close, or in onUpgrade for a refusal.
// [table] -> [table], never raises
static bool read_close_request(Bridge *b, lua_State *L)
{
    lua_Integer code = code_of(b, L);
    if (!is_close_code(code) && (code < 400 || code > 599)) {
        return false;
    }
    size_t count = 0;
    const char *reason = "";
    if (raw_field(L, b->references.reason) == LUA_TSTRING) {
        reason = lua_tolstring(L, -1, &count);
    }
    size_t kept = count < sizeof b->message ? count : sizeof b->message - 1;
    memcpy(b->message, reason, kept);
    lua_pop(L, 1);
    b->result = (BridgeResult){
        .outcome = BridgeOutcomeCloseRequested,
        .code = (int32_t)code,
        .text = b->message,
        .textCount = kept,
    };
    return true;
}

// Writes the limit that left no memory, if it is not the limit on all memory. Never raises.
static size_t write_refusal(Bridge *b)
{
    if (b->refusal == refusal_coroutines) {
        return (size_t)snprintf(
            b->message, sizeof b->message, "not enough memory: there are %u coroutines (scripts.coroutines)",
            b->coroutines.count);
    }
    return (size_t)snprintf(
        b->message, sizeof b->message,
        "not enough memory: a block of %zu bytes is over the limit of %zu (scripts.largestBlock)", b->refused_size,
        b->block_limit);
}

// Describes the error object on top. [error] -> [error], never raises
static size_t write_message(Bridge *b, lua_State *L)
{
    size_t count;
    const char *text;
    lua_Integer code = -1;
    switch (lua_type(L, -1)) {
    case LUA_TSTRING:
        text = lua_tolstring(L, -1, &count);
        if (strcmp(text, "not enough memory") == 0 && b->refusal != refusal_memory) {
            return write_refusal(b);
        }
        count = count < sizeof b->message ? count : sizeof b->message - 1;
        memcpy(b->message, text, count);
        return count;
    case LUA_TNUMBER:
        return (size_t)snprintf(b->message, sizeof b->message, LUA_NUMBER_FMT, lua_tonumber(L, -1));
    case LUA_TBOOLEAN:
        return (size_t)snprintf(b->message, sizeof b->message, "%s", lua_toboolean(L, -1) ? "true" : "false");
    case LUA_TTABLE:
        code = code_of(b, L);
        break;
    default:
        break;
    }
    if (code >= 0) {
        static const char format[] = "error{code = " LUA_INTEGER_FMT "}: not a close code";
        return (size_t)snprintf(b->message, sizeof b->message, format, code);
    }
    text = luaL_typename(L, -1);
    return (size_t)snprintf(b->message, sizeof b->message, "the error is a %s value, not a message", text);
}

// Reads the failure of a coroutine that did not end well. co: [... error] -> [...], never raises
BridgeOutcome failure_read(Bridge *b, lua_State *co, int status)
{
    if (b->killed) {
        return failure_of_kill(b);
    }
    failure_clear(b);
    if (b->noted == 0) {
        note_place(b, co, 0);
    }
    keep_traceback(b);
    if (status == LUA_YIELD) {
        const char *what = b->loading ? "a script cannot yield while it loads" : "a handler cannot yield by itself";
        return finish(b, (size_t)snprintf(b->message, sizeof b->message, "coroutine.yield: %s", what));
    }
    lua_xmove(co, b->main, 1);
    read_through(b->main, -1);
    if (lua_type(b->main, -1) == LUA_TTABLE && !b->loading && read_close_request(b, b->main)) {
        lua_pop(b->main, 1);
        return BridgeOutcomeCloseRequested;
    }
    size_t count = write_message(b, b->main);
    lua_pop(b->main, 1);
    return finish(b, count);
}
