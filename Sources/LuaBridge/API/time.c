// The table `time`: the clock, and times as text (RFC 3339). The calendar is the Gregorian one, also before it was
// introduced; years 0000 to 9999; always UTC when written.
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "tables.h"
#include "Events/events.h"

enum {
    seconds_per_day = 86400,
    days_per_era = 146097, // 400 years
    days_before_1970 = 719468, // since 0000-03-01
    longest_text = 256,        // bytes of a time
};

static const double earliest = -62167219200.0; // 0000-01-01T00:00:00Z
static const double latest = 253402300800.0;   // 10000-01-01T00:00:00Z

typedef struct Date {
    int64_t year;
    int month;
    int day;
} Date;

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

double time_now(const Bridge *b)
{
    return b->set_time > 0 ? b->set_time : seconds_of(CLOCK_REALTIME);
}

void bridgeSetTime(Bridge *b, double seconds)
{
    b->set_time = seconds;
}

// Days since 1970. A year begins in March here, so that the leap day is its last.
static int64_t days_of(Date date)
{
    int64_t year = date.year - (date.month <= 2);
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * ((date.month + 9) % 12) + 2) / 5 + date.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * days_per_era + day_of_era - days_before_1970;
}

static Date date_of(int64_t days)
{
    days += days_before_1970;
    int64_t era = (days >= 0 ? days : days - (days_per_era - 1)) / days_per_era;
    int64_t day_of_era = days - era * days_per_era;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    Date date = {
        .year = year_of_era + era * 400,
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
    };
    date.year += date.month <= 2;
    return date;
}

static int days_in_month(int64_t year, int month)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return lengths[month - 1] + (month == 2 && is_leap);
}

// --- reading ---

// Reads exactly `count` digits; negative if there are fewer.
static int take_digits(const char **next, const char *end, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        if (*next == end || **next < '0' || **next > '9') {
            return -1;
        }
        value = value * 10 + (*(*next)++ - '0');
    }
    return value;
}

// Reads one of these characters; false if the next one is another.
static bool take_one(const char **next, const char *end, const char *characters)
{
    for (; *next < end && *characters != '\0'; characters++) {
        if (**next == *characters) {
            (*next)++;
            return true;
        }
    }
    return false;
}

// Reads an optional ".123" as a part of a second; negative if no digit follows the dot.
static double take_fraction(const char **next, const char *end)
{
    if (!take_one(next, end, ".")) {
        return 0;
    }
    const char *start = *next;
    double value = 0;
    double scale = 1;
    while (*next < end && **next >= '0' && **next <= '9') {
        if (*next - start < 15) {
            value = value * 10 + (**next - '0');
            scale *= 10;
        }
        (*next)++;
    }
    return *next == start ? -1 : value / scale;
}

// Reads "Z" or "+01:00" as seconds east of UTC; false for anything else.
static bool take_zone(const char **next, const char *end, int *east)
{
    *east = 0;
    if (take_one(next, end, "Zz")) {
        return true;
    }
    bool is_west = *next < end && **next == '-';
    if (!take_one(next, end, "+-")) {
        return false;
    }
    int hours = take_digits(next, end, 2);
    bool has_colon = take_one(next, end, ":");
    int minutes = take_digits(next, end, 2);
    *east = (hours * 60 + minutes) * (is_west ? -60 : 60);
    return has_colon && hours >= 0 && hours <= 23 && minutes >= 0 && minutes <= 59;
}

// Reads a text as seconds and a part of a second; a leap second counts as the second after it. Returns the mistake,
// NULL if there is none.
static const char *parse_text(const char *next, const char *end, int64_t *seconds, double *fraction)
{
    static const char *const wrong_form = "not a time such as 2026-11-22T22:30:00Z";
    Date date = {.year = take_digits(&next, end, 4)};
    bool is_formed = date.year >= 0 && take_one(&next, end, "-");
    date.month = take_digits(&next, end, 2);
    is_formed = is_formed && date.month >= 0 && take_one(&next, end, "-");
    date.day = take_digits(&next, end, 2);
    is_formed = is_formed && date.day >= 0 && take_one(&next, end, "Tt ");
    int hour = take_digits(&next, end, 2);
    is_formed = is_formed && hour >= 0 && take_one(&next, end, ":");
    int minute = take_digits(&next, end, 2);
    is_formed = is_formed && minute >= 0 && take_one(&next, end, ":");
    int second = take_digits(&next, end, 2);
    *fraction = take_fraction(&next, end);
    int east;
    if (!is_formed || second < 0 || *fraction < 0 || !take_zone(&next, end, &east) || next != end) {
        return wrong_form;
    }
    if (date.month < 1 || date.month > 12 || date.day < 1 || date.day > days_in_month(date.year, date.month)) {
        return "no such day";
    }
    if (hour > 23 || minute > 59 || second > 60) {
        return "no such time of day";
    }
    *seconds = days_of(date) * seconds_per_day + hour * 3600 + minute * 60 + second - east;
    bool is_after_midnight = *seconds % seconds_per_day == 0;
    return second == 60 && !is_after_midnight ? "no such time of day" : NULL;
}

// --- the table ---

// time.now(): seconds since 1970, with fractions. [] -> [seconds]
static int now(lua_State *L)
{
    lua_pushnumber(L, time_now(bridge_of(L)));
    return 1;
}

// time.monotonic(): seconds of a clock that is never set, for measuring. [] -> [seconds]
static int monotonic(lua_State *L)
{
    double set_time = bridge_of(L)->set_time;
    lua_pushnumber(L, set_time > 0 ? set_time : seconds_of(CLOCK_MONOTONIC));
    return 1;
}

// time.iso(seconds): the current time if absent; to the nearest millisecond. [seconds] -> [... text]
static int iso(lua_State *L)
{
    int is_number = true;
    double seconds = lua_isnoneornil(L, 1) ? time_now(bridge_of(L)) : lua_tonumberx(L, 1, &is_number);
    if (!is_number) {
        return luaL_error(L, "time.iso: seconds must be a number, not %s", luaL_typename(L, 1));
    }
    if (!(seconds >= earliest && seconds < latest - 0.0005)) {
        return luaL_error(L, "time.iso: %f is not in the years 0000 to 9999", seconds);
    }
    int64_t milliseconds = llround(seconds * 1000);
    int64_t day = milliseconds / (seconds_per_day * 1000LL);
    int64_t rest = milliseconds % (seconds_per_day * 1000LL);
    if (rest < 0) {
        day--;
        rest += seconds_per_day * 1000LL;
    }
    Date date = date_of(day);
    char text[64];
    int count = snprintf(
        text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (int)date.year, date.month, date.day,
        (int)(rest / 3600000), (int)(rest / 60000 % 60), (int)(rest / 1000 % 60), (int)(rest % 1000));
    lua_pushlstring(L, text, (size_t)count);
    return 1;
}

// time.parse(text): a whole number when the text has no fraction. [text] -> [... seconds | nil reason]
static int parse(lua_State *L)
{
    BridgeBytes text = check_bytes(L, 1, "time.parse", "the text");
    int64_t seconds;
    double fraction;
    text.count = text.count < longest_text ? text.count : longest_text; // which is no time
    const char *problem = parse_text(text.bytes, text.bytes + text.count, &seconds, &fraction);
    if (problem != NULL) {
        lua_pushnil(L);
        lua_pushstring(L, problem);
        return 2;
    }
    if (fraction == 0) {
        lua_pushinteger(L, seconds);
    } else {
        lua_pushnumber(L, (double)seconds + fraction);
    }
    return 1;
}

void push_time(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"now", now}, {"monotonic", monotonic}, {"iso", iso}, {"parse", parse}, {NULL, NULL},
    };
    luaL_newlib(L, functions);
    push_readonly(L, "time", true);
}
