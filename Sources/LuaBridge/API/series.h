// The measurements of one worker's scripts: counters, gauges and histograms by name and labels. No Lua: nothing here
// can raise. Bounded in number, so plain memory outside the scripts' limit.
#ifndef PERIGEE_BRIDGE_SERIES_H
#define PERIGEE_BRIDGE_SERIES_H

#include "BridgeTypes.h"

enum {
    longest_metric_name = 128,
    longest_label_name = 64,
    longest_label_value = 128,
    most_labels = 8,
    // name, "{", and of each label: name, equals sign, quotes, escaped value, comma
    longest_series = longest_metric_name + 1 + most_labels * (longest_label_name + 2 * longest_label_value + 4),
};

typedef struct SeriesTable SeriesTable;

// The name of a series: "name{label="value",…" in Prometheus's text format, labels in order, without the closing brace.
typedef struct SeriesName {
    const char *text;
    size_t count;
    size_t name_count; // of the name alone
} SeriesName;

typedef enum SeriesResult {
    SERIES_DONE,
    SERIES_TOO_MANY,
    SERIES_TAKEN, // the name, or one that a histogram makes of it, is of another kind
} SeriesResult;

// Frees a table; NULL is fine.
void series_free(SeriesTable *table);

// Adds to a counter, sets a gauge, or notes an observation. The table is made when it is first needed.
SeriesResult series_note(SeriesTable **table, int limit, BridgeMetricKind kind, SeriesName name, double value);

// The number of series, and the number of values that found no room.
int series_count(const SeriesTable *table);
uint64_t series_refused(const SeriesTable *table);

void series_read(const SeriesTable *table, int index, BridgeMetric *metric);

#endif
