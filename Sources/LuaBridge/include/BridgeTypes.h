// The plain values that pass between Swift and the bridge. None of them owns memory.
#ifndef PERIGEE_BRIDGE_TYPES_H
#define PERIGEE_BRIDGE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BRIDGE_CLOSED_ENUM __attribute__((enum_extensibility(closed)))

#pragma clang assume_nonnull begin

// A Lua state with all that belongs to it.
typedef struct Bridge Bridge;

// A list of byte strings that passes between Swift and Lua. The bridge keeps it, so that an error in Lua cannot leak
// it.
typedef struct BridgeStrings BridgeStrings;

// A connection: a slot of its worker's table, and the generation of the slot.
typedef struct BridgeConnection {
    uint32_t slot;
    uint32_t generation;
} BridgeConnection;

// A short text that contains its memory, so that it can live on a C stack.
typedef struct BridgeText {
    uint8_t bytes[248];
    int32_t count;
} BridgeText;

typedef struct BridgeOptions {
    void *host;                     // passed to every function of ScriptHost.h
    size_t memoryLimit;             // bytes; 0 for none
    size_t largestBlock;            // bytes; 0 for no limit
    int32_t coroutines;             // that scripts may have at once; 0 for no limit
    double loadBudget;              // seconds of CPU for the top level of all files of a bundle
    double budget;                  // seconds of CPU for a handler, from one wait to the next; 0 for no end
    double warning;                 // seconds of CPU after which a handler is reported as slow; 0 for never
    double stuckAfter;              // seconds of CPU after which a handler that cannot be killed is reported; 0 for never
    int32_t waitLimit;              // handlers that may wait at once
    bool abortsWhenStuck;           // end the process then
    int32_t metricSeries;           // most series of `metrics`
    const char *_Nullable settings; // JSON object for `config`
    size_t settingsCount;
} BridgeOptions;

// One file of a bundle. `script` is its number, or -1 for a module.
typedef struct BridgeSource {
    int32_t script;
    const char *file; // "chat.lua", as in messages
    const char *name; // "chat"
    const char *bytes;
    size_t count;
} BridgeSource;

// The head of an upgrade, as a list: path, ip, then `queryCount` names and values, `headerCount` and `cookieCount`
// likewise, then the subprotocols, then the subject of the client's certificate if it has one.
typedef struct BridgeRequest {
    const BridgeStrings *_Nullable strings;
    int32_t queryCount;
    int32_t headerCount;
    int32_t cookieCount;
    int32_t subprotocolCount;
    bool hasCertificate;
} BridgeRequest;

// A question of a backend, as a list: `fieldCount` names and values, then `queryCount` and `headerCount` likewise.
typedef struct BridgeQuestion {
    const BridgeStrings *_Nullable strings;
    int32_t fieldCount;
    int32_t queryCount;
    int32_t headerCount;
    bool binary; // the publication is
} BridgeQuestion;

typedef enum BRIDGE_CLOSED_ENUM BridgeEvent : int32_t {
    BridgeEventUpgrade,
    BridgeEventOpen,
    BridgeEventMessage,
    BridgeEventClose,
    BridgeEventStart,
    BridgeEventReload,
    BridgeEventStop,
    BridgeEventDrain,
    BridgeEventSubscribe,
    BridgeEventPublish,
    BridgeEventRequest,
} BridgeEvent;

enum { bridgeEventCount = 11 };

// The reasons for which an event was ended from outside.
typedef enum BRIDGE_CLOSED_ENUM BridgeKill : int32_t {
    BridgeKillNone,
    BridgeKillBudget,  // it has used up its CPU time
    BridgeKillLoad,    // loading took too long
    BridgeKillTimeout, // it waited again after its time was up
    BridgeKillClosed,  // it waited again after its connection was closed
} BridgeKill;

// A wait: the event's number, and the serial number of the wait.
typedef struct BridgeTicket {
    uint32_t task;
    uint32_t serial;
} BridgeTicket;

typedef enum BRIDGE_CLOSED_ENUM BridgeOutcome : int32_t {
    BridgeOutcomeDone,
    BridgeOutcomeWaiting,        // the handler waits: task is set
    BridgeOutcomeAbsent,         // the script has no handler for it
    BridgeOutcomeCloseRequested, // error{code = …, reason = …}: code and text are set
    BridgeOutcomeRefused,        // onUpgrade said no: code is the status, text the body
    BridgeOutcomeFailed,         // message and traceback are set
} BridgeOutcome;

// The result of an event. The pointers are valid until the next entry point.
typedef struct BridgeResult {
    BridgeOutcome outcome;
    BridgeKill killed;
    uint32_t task;
    int32_t code;
    const char *_Nullable text; // close reason, response body, or the subprotocol that onUpgrade chose
    size_t textCount;
    const BridgeStrings *_Nullable list; // the answer of onPublish, onRequest or onSubscribe, when there is more than yes
    const char *_Nullable message;
    size_t messageCount;
    const char *_Nullable traceback;
    size_t tracebackCount;
} BridgeResult;

// The answer to a wait: done, or the reason for a failure.
typedef struct BridgeAnswer {
    bool failed;
    const char *_Nullable text; // why it failed
    size_t textCount;
} BridgeAnswer;

typedef enum BRIDGE_CLOSED_ENUM BridgeSendResult : int32_t {
    BridgeSendResultSent,
    BridgeSendResultClosed,
    BridgeSendResultSlow,
    BridgeSendResultUnsupported,
} BridgeSendResult;

typedef enum BRIDGE_CLOSED_ENUM BridgeSubscribeResult : int32_t {
    BridgeSubscribeResultSubscribed,
    BridgeSubscribeResultAlready,
    BridgeSubscribeResultClosed,
    BridgeSubscribeResultInvalidName,
    BridgeSubscribeResultTooMany,
} BridgeSubscribeResult;

typedef enum BRIDGE_CLOSED_ENUM BridgeProperty : int32_t {
    BridgePropertyId,
    BridgePropertyUser,
    BridgePropertyIp,
    BridgePropertyPath,
    BridgePropertySubprotocol,
    BridgePropertyCertificate,
} BridgeProperty;

typedef enum BRIDGE_CLOSED_ENUM BridgePairs : int32_t {
    BridgePairsQuery,
    BridgePairsHeaders,
} BridgePairs;

// Bytes that the caller keeps alive during a call.
typedef struct BridgeBytes {
    const char *_Nullable bytes;
    size_t count;
} BridgeBytes;

// A script's request to another server: method and URL, then `queryCount` names and values, then header fields to the
// end.
typedef struct BridgeRequestHTTP {
    const BridgeStrings *strings;
    int32_t queryCount;
    int32_t redirects;
    BridgeBytes body; // no bytes: none
    bool isJSON;
    double timeout;   // seconds; 0 for the host's
    int64_t maxBytes; // negative for the host's
} BridgeRequestHTTP;

// A payload that a script sends: text or binary.
typedef struct BridgePayload {
    const char *_Nullable bytes;
    size_t count;
    bool binary;
} BridgePayload;

typedef enum BRIDGE_CLOSED_ENUM BridgePublishResult : int32_t {
    BridgePublishResultPublished, // offset is set; 0 where it is not known yet
    BridgePublishResultInvalidName,
    BridgePublishResultRefused, // why is set
} BridgePublishResult;

// The result of a publication, or the reason for its refusal.
typedef struct BridgePublished {
    uint64_t offset;
    BridgeText why;
} BridgePublished;

typedef enum BRIDGE_CLOSED_ENUM BridgeLogLevel : int32_t {
    BridgeLogLevelDebug,
    BridgeLogLevelInfo,
    BridgeLogLevelWarning,
    BridgeLogLevelError,
} BridgeLogLevel;

typedef enum BRIDGE_CLOSED_ENUM BridgeValueKind : int32_t {
    BridgeValueKindNil,
    BridgeValueKindBoolean,
    BridgeValueKindInteger,
    BridgeValueKindNumber,
    BridgeValueKindString,
} BridgeValueKind;

// A plain Lua value. On the way to Lua a string is not in `string` but is the first one in the list that comes with it.
typedef struct BridgeValue {
    BridgeValueKind kind;
    bool boolean;
    int64_t integer;
    double number;
    BridgeBytes string;
} BridgeValue;

typedef enum BRIDGE_CLOSED_ENUM BridgeStoreResult : int32_t {
    BridgeStoreResultDone,
    BridgeStoreResultMismatch, // swap: something else was there
    BridgeStoreResultFull,
    BridgeStoreResultNotANumber,
} BridgeStoreResult;

typedef enum BRIDGE_CLOSED_ENUM BridgeMetricKind : int32_t {
    BridgeMetricKindCounter,
    BridgeMetricKindGauge,
    BridgeMetricKindHistogram,
} BridgeMetricKind;

enum { bridgeBucketCount = 16 }; // of a histogram, the one without a bound included

// One series of the scripts' measurements. The pointers are valid until a script runs again.
typedef struct BridgeMetric {
    BridgeMetricKind kind;
    BridgeBytes name;
    BridgeBytes labels; // a="1",b="2": in order and escaped for the text format of Prometheus
    double value;       // of a histogram: the sum
    double setAt;       // of a gauge: the time, on a monotonic clock
    const uint64_t *_Nullable buckets; // of a histogram: observations in each bucket alone
} BridgeMetric;

// The times at which a timer is due. `period` is 0 for one that fires once; `name` is NULL unless the timer is named;
// `cron` is NULL unless it goes by the calendar.
typedef struct BridgeTimer {
    double after;
    double period;
    const char *_Nullable name;
    size_t nameCount;
    BridgeBytes cron;
} BridgeTimer;

// The result of starting a timer.
typedef enum BRIDGE_CLOSED_ENUM BridgeTimerResult : int32_t {
    BridgeTimerResultStarted,       // number is set
    BridgeTimerResultDeclared,      // starts when the bundle is committed
    BridgeTimerResultElsewhere,     // another worker runs the named timers
    BridgeTimerResultTooMany,       // the worker's limit is reached
    BridgeTimerResultDeclaredTwice, // two timers of one bundle have the same name
    BridgeTimerResultInvalid,       // the cron expression is malformed: why is set
} BridgeTimerResult;

typedef struct BridgeStartedTimer {
    int32_t number;   // by which scripts and the server know it
    int32_t replaced; // the function number of the timer whose name this one takes over, 0 for none
    BridgeText why;
} BridgeStartedTimer;

#pragma clang assume_nonnull end

#endif
