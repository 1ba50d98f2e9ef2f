// The functions of the server that a script can call: declared here, implemented in Swift. The bridge checks every
// argument before it calls. A function returns a code or fills its out parameters. If Lua needs an error, the bridge
// raises it after Swift has returned, so no longjmp ever crosses a Swift frame. A host function must not call back into
// the bridge, save bridgeStringsAppend and bridgeTextSet.
#ifndef PERIGEE_SCRIPT_HOST_H
#define PERIGEE_SCRIPT_HOST_H

#include "BridgeTypes.h"

#pragma clang assume_nonnull begin

// --- one connection ---
BridgeSendResult scriptHostSend(void *host, BridgeConnection connection, BridgePayload payload);
bool scriptHostClose(void *host, BridgeConnection connection, int32_t code, BridgeBytes reason);
BridgeSubscribeResult scriptHostSubscribe(void *host, BridgeConnection connection, BridgeBytes channel);
bool scriptHostUnsubscribe(void *host, BridgeConnection connection, BridgeBytes channel);
bool scriptHostIdentify(void *host, BridgeConnection connection, BridgeBytes user);
bool scriptHostIsOpen(void *host, BridgeConnection connection);
int64_t scriptHostQueued(void *host, BridgeConnection connection);
bool scriptHostText(void *host, BridgeConnection connection, BridgeProperty property, BridgeStrings *answer);
void scriptHostPairs(void *host, BridgeConnection connection, BridgePairs pairs, BridgeStrings *answer);
void scriptHostChannels(void *host, BridgeConnection connection, BridgeStrings *answer);

// --- the server: a publication's `key` has no bytes (NULL) when the script gave none ---
BridgePublishResult scriptHostPublish(
    void *host, BridgeBytes channel, BridgePayload payload, const BridgeConnection *_Nullable except, BridgeBytes key,
    BridgePublished *published);
bool scriptHostSendTo(void *host, BridgeBytes identifier, BridgePayload payload);
void scriptHostSendToUser(void *host, BridgeBytes user, BridgePayload payload);
void scriptHostBroadcast(void *host, BridgePayload payload);
bool scriptHostDisconnect(void *host, BridgeBytes identifier, int32_t code, BridgeBytes reason);

// --- timers: `function` is the bridge's number of the Lua function ---
BridgeTimerResult scriptHostStartTimer(void *host, int32_t function, BridgeTimer timer, BridgeStartedTimer *started);
// The function number of the timer that was cancelled, 0 when there was none. By name when `name` has bytes, else by
// number.
int32_t scriptHostCancelTimer(void *host, int64_t timer, BridgeBytes name);

// --- waiting: the host answers with bridgeResume, later ---
void scriptHostSleep(void *host, BridgeTicket ticket, double seconds);
// `function` must be called with bridgeOnTimer when the running event has ended. False if too many functions wait.
bool scriptHostSpawn(void *host, int32_t function);

// --- http: see http.c --- Sends a request and answers with bridgeResume, later. False, with the reason, if it cannot
// be sent.
bool scriptHostRequest(
    void *host, BridgeTicket ticket, const BridgeRequestHTTP *request, BridgeText *why);
// The response for the handler that is being resumed: the status, with the body and then names and values in `answer`;
// 0, with details of the failure, if there is no response.
int32_t scriptHostResponse(void *host, BridgeStrings *answer);

// --- the watchdog --- A handler took more CPU than its warning allows. Called when it has ended.
void scriptHostSlow(void *host, BridgeBytes traceback);
// A handler does not end although it was killed. Called on the watchdog's thread.
void scriptHostStuck(void *host, BridgeBytes place, double seconds);

// --- kv ---
void scriptHostStoreRead(void *host, BridgeBytes key, BridgeValue *value, BridgeStrings *answer);
BridgeStoreResult scriptHostStoreWrite(void *host, BridgeBytes key, const BridgeValue *value, double lifetime);
BridgeStoreResult scriptHostStoreAdd(void *host, BridgeBytes key, BridgeValue *value, double lifetime);
BridgeStoreResult scriptHostStoreSwap(
    void *host, BridgeBytes key, const BridgeValue *expected, BridgeValue *value, double lifetime,
    BridgeStrings *answer);
bool scriptHostStoreDelete(void *host, BridgeBytes key);

// --- log: `fields` is a list of names and values ---
void scriptHostLog(
    void *host, BridgeLogLevel level, BridgeBytes message, const BridgeStrings *fields, const char *file, int32_t line);

// --- tests: a command of `t` as a list of strings; false if the first string of the answer is an error ---
bool scriptHostTest(void *host, const BridgeStrings *arguments, BridgeStrings *answer);

#pragma clang assume_nonnull end

#endif
