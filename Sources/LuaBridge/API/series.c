// A table of series: an array in the order in which they came, and an index by hash.
#include "series.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct Series {
    BridgeMetricKind kind;
    uint32_t hash;
    uint32_t name_count;
    uint32_t count;
    char *text;
    double value;
    double set_at;
    uint64_t *buckets; // of a histogram
} Series;

struct SeriesTable {
    Series *items;
    int count;
    int capacity;
    int32_t *index; // item number + 1, 0 where there is none
    uint32_t mask;
    uint64_t refused;
};

// Upper bounds in seconds, because most observations are times: from a millisecond to a minute.
static const double bounds[bridgeBucketCount - 1] = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
};

double bridgeBucketBound(int32_t bucket)
{
    return bucket < bridgeBucketCount - 1 ? bounds[bucket] : __builtin_inf();
}

void series_free(SeriesTable *table)
{
    if (table == NULL) {
        return;
    }
    for (int i = 0; i < table->count; i++) {
        free(table->items[i].text);
        free(table->items[i].buckets);
    }
    free(table->items);
    free(table->index);
    free(table);
}

static uint32_t hash_of(const char *bytes, size_t count)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < count; i++) {
        hash = (hash ^ (uint8_t)bytes[i]) * 16777619u;
    }
    return hash ^ hash >> 15;
}

// An empty table whose index is at most half full; NULL without memory.
static SeriesTable *make_table(int limit)
{
    uint32_t size = 64;
    while (size < 2 * (uint32_t)limit) {
        size *= 2;
    }
    SeriesTable *table = calloc(1, sizeof *table);
    if (table != NULL && (table->index = calloc(size, sizeof *table->index)) == NULL) {
        free(table);
        return NULL;
    }
    if (table != NULL) {
        table->mask = size - 1;
    }
    return table;
}

// The place of the series in the index, or the place where it would be.
static uint32_t place_of(const SeriesTable *table, SeriesName name, uint32_t hash)
{
    uint32_t place = hash & table->mask;
    for (; table->index[place] != 0; place = (place + 1) & table->mask) {
        const Series *found = &table->items[table->index[place] - 1];
        if (found->hash == hash && found->count == name.count && memcmp(found->text, name.text, name.count) == 0) {
            break;
        }
    }
    return place;
}

// Whether the first name is the second one with an ending of a histogram's lines.
static bool extends(const char *longer, size_t longer_count, const char *name, size_t count)
{
    static const char *const endings[] = {"_bucket", "_sum", "_count"};
    for (int i = 0; i < 3; i++) {
        size_t ending = strlen(endings[i]);
        if (longer_count == count + ending && memcmp(longer, name, count) == 0
            && memcmp(longer + count, endings[i], ending) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_taken(const SeriesTable *table, BridgeMetricKind kind, SeriesName name)
{
    for (int i = 0; i < table->count; i++) {
        const Series *other = &table->items[i];
        bool is_same = other->name_count == name.name_count && memcmp(other->text, name.text, name.name_count) == 0;
        if ((is_same && other->kind != kind)
            || (kind == BridgeMetricKindHistogram
                && extends(other->text, other->name_count, name.text, name.name_count))
            || (other->kind == BridgeMetricKindHistogram
                && extends(name.text, name.name_count, other->text, other->name_count))) {
            return true;
        }
    }
    return false;
}

static bool make_room(SeriesTable *table, int limit)
{
    if (table->count < table->capacity) {
        return true;
    }
    int doubled = table->capacity == 0 ? 16 : table->capacity * 2;
    int capacity = doubled < limit ? doubled : limit;
    Series *moved = realloc(table->items, (size_t)capacity * sizeof *moved);
    if (moved == NULL) {
        return false;
    }
    table->items = moved;
    table->capacity = capacity;
    return true;
}

// A new series; NULL without memory.
static Series *add(SeriesTable *table, int limit, BridgeMetricKind kind, SeriesName name, uint32_t hash)
{
    if (!make_room(table, limit)) {
        return NULL;
    }
    Series series = {
        .kind = kind, .hash = hash, .name_count = (uint32_t)name.name_count, .count = (uint32_t)name.count,
        .text = malloc(name.count),
    };
    if (kind == BridgeMetricKindHistogram) {
        series.buckets = calloc(bridgeBucketCount, sizeof *series.buckets);
    }
    if (series.text == NULL || (kind == BridgeMetricKindHistogram && series.buckets == NULL)) {
        free(series.text);
        free(series.buckets);
        return NULL;
    }
    memcpy(series.text, name.text, name.count);
    table->items[table->count] = series;
    return &table->items[table->count++];
}

static void note(Series *series, double value)
{
    switch (series->kind) {
    case BridgeMetricKindCounter:
        series->value += value;
        return;
    case BridgeMetricKindGauge: {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        series->value = value;
        series->set_at = (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
        return;
    }
    case BridgeMetricKindHistogram: {
        int bucket = 0;
        while (bucket < bridgeBucketCount - 1 && value > bounds[bucket]) {
            bucket++;
        }
        series->buckets[bucket]++;
        series->value += value;
        return;
    }
    }
}

SeriesResult series_note(SeriesTable **held, int limit, BridgeMetricKind kind, SeriesName name, double value)
{
    if (*held == NULL && (*held = make_table(limit)) == NULL) {
        return SERIES_TOO_MANY;
    }
    SeriesTable *table = *held;
    uint32_t hash = hash_of(name.text, name.count);
    uint32_t place = place_of(table, name, hash);
    if (table->index[place] != 0) {
        Series *known = &table->items[table->index[place] - 1];
        if (known->kind != kind) {
            return SERIES_TAKEN;
        }
        note(known, value);
        return SERIES_DONE;
    }
    if (is_taken(table, kind, name)) {
        return SERIES_TAKEN;
    }
    Series *added = table->count < limit ? add(table, limit, kind, name, hash) : NULL;
    if (added == NULL) {
        table->refused++;
        return SERIES_TOO_MANY;
    }
    table->index[place] = table->count;
    note(added, value);
    return SERIES_DONE;
}

int series_count(const SeriesTable *table)
{
    return table == NULL ? 0 : table->count;
}

uint64_t series_refused(const SeriesTable *table)
{
    return table == NULL ? 0 : table->refused;
}

void series_read(const SeriesTable *table, int index, BridgeMetric *metric)
{
    const Series *series = &table->items[index];
    *metric = (BridgeMetric){
        .kind = series->kind,
        .name = {series->text, series->name_count},
        .labels = {series->text + series->name_count, series->count - series->name_count},
        .value = series->value,
        .setAt = series->set_at,
        .buckets = series->buckets,
    };
    if (metric->labels.count > 0) { // past the brace
        metric->labels.bytes++;
        metric->labels.count--;
    }
}
