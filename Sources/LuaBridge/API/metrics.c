// The table `metrics`: measurements of scripts, for Prometheus. Each worker has its own table of series, so a call
// takes no lock; a reader adds up the workers' values.
#include <math.h>
#include <string.h>

#include "api.h"
#include "series.h"
#include "Events/events.h"
#include "Watchdog/watchdog.h"

typedef struct Label {
    BridgeBytes name;
    BridgeBytes value;
} Label;

typedef struct Metric {
    const char *function;
    BridgeMetricKind kind;
} Metric;

static const Metric metrics[] = {
    {"metrics.count", BridgeMetricKindCounter},
    {"metrics.gauge", BridgeMetricKindGauge},
    {"metrics.observe", BridgeMetricKindHistogram},
};

static bool is_name(BridgeBytes text, bool may_have_colon)
{
    for (size_t i = 0; i < text.count; i++) {
        char c = text.bytes[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c == ':' && may_have_colon);
        if (!is_letter && (i == 0 || c < '0' || c > '9')) {
            return false;
        }
    }
    return text.count > 0;
}

static bool begins_with(BridgeBytes text, const char *prefix)
{
    size_t count = strlen(prefix);
    return text.count >= count && memcmp(text.bytes, prefix, count) == 0;
}

// [name ...] -> [name ...]
static BridgeBytes check_metric_name(lua_State *L, const char *function)
{
    BridgeBytes name = check_bytes(L, 1, function, "the name");
    if (name.count > longest_metric_name || !is_name(name, true)) {
        luaL_error(
            L, "%s: '%s' is not a metric's name: letters, digits, '_' and ':', at most %d, no digit first", function,
            name.bytes, longest_metric_name);
    }
    if (begins_with(name, "perigee_")) {
        luaL_error(L, "%s: names that begin with 'perigee_' are the server's own", function);
    }
    return name;
}

// The number to count by, set or observe; 1 if a counter is called without one. [...] -> [...]
static double check_number(lua_State *L, const Metric *metric)
{
    if (metric->kind == BridgeMetricKindCounter && lua_isnoneornil(L, 2)) {
        return 1;
    }
    int is_number;
    double value = lua_tonumberx(L, 2, &is_number);
    if (!is_number) {
        luaL_error(L, "%s: expected a number, not %s", metric->function, luaL_typename(L, 2));
    }
    if (!isfinite(value)) {
        luaL_error(L, "%s: the number must be finite", metric->function);
    }
    if (metric->kind == BridgeMetricKindCounter && value < 0) {
        luaL_error(L, "%s: a counter only goes up; take metrics.gauge", metric->function);
    }
    return value;
}

// Inserts a label among those before it, sorted by name.
static void insert_label(Label *labels, int count, Label label)
{
    int place = count;
    while (place > 0 && strcmp(labels[place - 1].name.bytes, label.name.bytes) > 0) {
        labels[place] = labels[place - 1];
        place--;
    }
    labels[place] = label;
}

// [... value] -> [... text]
static BridgeBytes check_label_value(lua_State *L, const char *function, const char *name)
{
    BridgeBytes value = {NULL, 0};
    if (lua_isboolean(L, -1)) {
        lua_pushstring(L, lua_toboolean(L, -1) ? "true" : "false");
        lua_replace(L, -2);
    }
    if (!lua_isstring(L, -1)) {
        luaL_error(L, "%s: the label '%s' must be a string, not %s", function, name, luaL_typename(L, -1));
    }
    value.bytes = lua_tolstring(L, -1, &value.count);
    if (value.count > longest_label_value || !is_utf8(value.bytes, value.count)) {
        luaL_error(L, "%s: the label '%s' must be UTF-8 of at most %d bytes", function, name, longest_label_value);
    }
    return value;
}

// Reads the labels in order; a label with an empty value counts as absent. Their texts stay on the stack.
// [name value labels] -> [name value labels texts...]
static int check_labels(lua_State *L, const char *function, Label *labels)
{
    if (lua_isnoneornil(L, 3)) {
        return 0;
    }
    if (!lua_istable(L, 3)) {
        luaL_error(L, "%s: labels must be a table, not %s", function, luaL_typename(L, 3));
    }
    read_through(L, 3);
    int count = 0;
    for (lua_pushnil(L); lua_next(L, 3) != 0;) { // [... texts key value]
        check_killed(L);
        BridgeBytes name = {"", 0};
        if (lua_type(L, -2) == LUA_TSTRING) {
            name.bytes = lua_tolstring(L, -2, &name.count);
        }
        bool is_reserved = begins_with(name, "__") || (name.count == 2 && begins_with(name, "le"));
        if (name.count > longest_label_name || !is_name(name, false) || is_reserved) {
            luaL_error(L, "%s: '%s' is not a label's name", function, name.bytes);
        }
        Label label = {.name = name, .value = check_label_value(L, function, name.bytes)};
        if (label.value.count == 0) {
            lua_pop(L, 1);
            continue;
        }
        if (count == most_labels) {
            luaL_error(L, "%s: more than %d labels", function, most_labels);
        }
        insert_label(labels, count++, label);
        lua_insert(L, -2);
    }
    return count;
}

// Appends bytes; with `escapes`, escaped as a label's value in the text format.
static char *append(char *end, BridgeBytes bytes, bool escapes)
{
    for (size_t i = 0; i < bytes.count; i++) {
        char c = bytes.bytes[i];
        if (escapes && (c == '\\' || c == '"' || c == '\n')) {
            *end++ = '\\';
            c = c == '\n' ? 'n' : c;
        }
        *end++ = c;
    }
    return end;
}

static SeriesName write_name(char *text, BridgeBytes name, const Label *labels, int count)
{
    char *end = append(text, name, false);
    for (int i = 0; i < count; i++) {
        *end++ = i == 0 ? '{' : ',';
        end = append(end, labels[i].name, false);
        *end++ = '=';
        *end++ = '"';
        end = append(end, labels[i].value, true);
        *end++ = '"';
    }
    return (SeriesName){.text = text, .count = (size_t)(end - text), .name_count = name.count};
}

// metrics.count(name, by, labels), metrics.gauge(name, value, labels), metrics.observe(name, value, labels); the
// upvalue says which. [name value labels] -> [... true | false reason]
static int note(lua_State *L)
{
    Bridge *b = bridge_of(L);
    const Metric *metric = &metrics[lua_tointeger(L, lua_upvalueindex(1))];
    lua_settop(L, 3);
    forbid_while_loading(L, metric->function);
    BridgeBytes name = check_metric_name(L, metric->function);
    double value = check_number(L, metric);
    Label labels[most_labels];
    int count = check_labels(L, metric->function, labels);
    char text[longest_series];
    SeriesResult result =
        series_note(&b->series, b->series_limit, metric->kind, write_name(text, name, labels, count), value);
    if (result == SERIES_TAKEN) {
        return luaL_error(L, "%s: the name '%s' is used for another kind of metric", metric->function, name.bytes);
    }
    lua_pushboolean(L, result == SERIES_DONE);
    if (result == SERIES_DONE) {
        return 1;
    }
    lua_pushliteral(L, "too many series");
    return 2;
}

void push_metrics(lua_State *L)
{
    static const char *const names[] = {"count", "gauge", "observe"};
    lua_createtable(L, 0, LENGTH(metrics));
    for (int i = 0; i < LENGTH(metrics); i++) {
        lua_pushinteger(L, i);
        lua_pushcclosure(L, note, 1);
        lua_setfield(L, -2, names[i]);
    }
    push_readonly(L, "metrics", true);
}

int32_t bridgeMetricCount(const Bridge *b)
{
    return series_count(b->series);
}

uint64_t bridgeMetricsRefused(const Bridge *b)
{
    return series_refused(b->series);
}

void bridgeMetricAt(const Bridge *b, int32_t index, BridgeMetric *metric)
{
    series_read(b->series, index, metric);
}
