// The border between Swift and Lua, as Swift sees it. No lua_State and no Lua header crosses it: Swift holds an opaque
// Bridge, calls the entry points below, and implements the functions of ScriptHost.h. Every entry point runs Lua code
// protected, and none lets a Lua error out. Names that cross the border are written as Swift writes names; inside the
// bridge, names are written as C writes them.
//
// Runs on: the one thread that opened the bridge. Nothing here is safe to call from a host function, save
// bridgeStringsAppend.
// Read next: BridgeTypes.h, ScriptHost.h, then Events/event.c.
#ifndef PERIGEE_LUA_BRIDGE_H
#define PERIGEE_LUA_BRIDGE_H

#include "BridgeTypes.h"
#include "ScriptHost.h"

#pragma clang assume_nonnull begin

// --- a Lua state from birth to death ---

// Opens a state with the scripts' environment in it. NULL if that fails; `failure` then has the reason.
Bridge *_Nullable bridgeOpen(const BridgeOptions *options, BridgeText *failure);

// Closes the state and frees everything that belongs to it.
void bridgeClose(Bridge *bridge);

// The result of the last entry point, valid until the next one.
const BridgeResult *bridgeResult(const Bridge *bridge);

// The caller has read the result's list and text: frees the memory of large ones.
void bridgeResultRead(Bridge *bridge);

// The linked Lua library, as "Lua 5.4.4".
void bridgeLuaVersion(BridgeText *version);

// --- generations: see generation.c ---

// Starts an empty candidate generation with room for `scriptCount` scripts, and its budget of CPU time. There must be
// none.
bool bridgeBegin(Bridge *bridge, uint64_t version, int32_t scriptCount);

// Compiles one file into the candidate. `name` is the name by which `require` finds a module ("util", "game/board"); it
// is not used for a script.
bool bridgeCompile(Bridge *bridge, const BridgeSource *source);

// Runs the top level of a compiled script and keeps its handlers.
bool bridgeRun(Bridge *bridge, int32_t script);

// Call it when all scripts have run: fills the new states and restores the classes of the live generation. From here on
// the live generation may run events again.
bool bridgeSeal(Bridge *bridge);

// Whether the candidate declares states in a newer version than the stored one. Then bridgeMigrate must come before the
// commit, and no event may run between the two.
bool bridgeNeedsMigration(const Bridge *bridge);

// Runs the candidate's migrations on copies of the states.
bool bridgeMigrate(Bridge *bridge);

// Makes the candidate the live generation; the old one becomes garbage.
void bridgeCommit(Bridge *bridge);

// Drops the candidate, if there is one.
void bridgeDiscard(Bridge *bridge);

// True when the live generation's script has a handler for the event.
bool bridgeDefines(const Bridge *bridge, int32_t script, BridgeEvent event);

// --- events: each runs one handler of the live generation; BridgeOutcomeAbsent when the script has none ---

BridgeOutcome bridgeOnUpgrade(
    Bridge *bridge, int32_t script, BridgeConnection connection, const BridgeRequest *request);
// An empty list to fill with a request's strings.
BridgeStrings *bridgeRequestStrings(Bridge *bridge);

BridgeOutcome bridgeOnOpen(Bridge *bridge, int32_t script, BridgeConnection connection);
BridgeOutcome bridgeOnDrain(Bridge *bridge, int32_t script, BridgeConnection connection);
BridgeOutcome bridgeOnMessage(
    Bridge *bridge, int32_t script, BridgeConnection connection, const void *_Nullable bytes, size_t count,
    bool binary);
BridgeOutcome bridgeOnClose(
    Bridge *bridge, int32_t script, BridgeConnection connection, int32_t code, const void *_Nullable reason,
    size_t count);

// Questions to a script. After BridgeOutcomeRefused the list in the result is the reason alone. onPublish leaves no
// list if the publication is unchanged, else names and values of the changed fields ("channel", "key", "data"), and as
// code whether it is binary. onRequest leaves the status as code, and as a list the body, its type, and the names and
// values of header fields.
BridgeOutcome bridgeOnPublish(Bridge *bridge, int32_t script, const BridgeQuestion *question);
BridgeOutcome bridgeOnRequest(Bridge *bridge, int32_t script, const BridgeQuestion *question);
BridgeOutcome bridgeOnSubscribe(Bridge *bridge, int32_t script, BridgeConnection connection, BridgeBytes channel);

// onStart, onStop, and onReload with the version that ran before.
BridgeOutcome bridgeOnLife(Bridge *bridge, int32_t script, BridgeEvent event, uint64_t previousVersion);

// Runs a timer's function; with `once` the bridge forgets it first.
BridgeOutcome bridgeOnTimer(Bridge *bridge, int32_t function, bool once);

// Drops a timer's function.
void bridgeForgetTimer(Bridge *bridge, int32_t function);

// --- waiting: see wait.c ---

// Resumes a handler that waits. BridgeOutcomeAbsent if that wait is over already.
BridgeOutcome bridgeResume(Bridge *bridge, BridgeTicket ticket, const BridgeAnswer *answer);

// Ends the current wait of a task with nil and a word for the reason, BridgeKillTimeout or BridgeKillClosed; its next
// wait ends the event. BridgeOutcomeAbsent when there is no such task.
BridgeOutcome bridgeInterrupt(Bridge *bridge, uint32_t task, BridgeKill reason);

// While set, events that begin are about a closed connection: their first wait returns "closed" at once, and a second
// wait ends the event.
void bridgeSetClosed(Bridge *bridge, bool closed);

// The handlers that wait.
uint32_t bridgeWaiting(const Bridge *bridge);

// How often a wait was refused because too many handlers waited.
uint64_t bridgeWaitsRefused(const Bridge *bridge);

// The place at which the function begins that bridgeOnTimer called last, as "chat.lua:12".
void bridgeFunctionPlace(const Bridge *bridge, BridgeText *place);

// Kills each event after `count` instructions, as the watchdog would; negative kills none. For tests.
void bridgeKillAfter(Bridge *bridge, int32_t count);

// Drops the script's object of a connection that is gone. Objects that a script still holds answer "closed".
void bridgeForget(Bridge *bridge, BridgeConnection connection);

// --- the state of test files: see testing.c ---

// Gives the table `t`, which the Lua source makes, to all files that are loaded from now on.
bool bridgeInstallTestKit(Bridge *bridge, BridgeBytes source);

// Stops the clocks that scripts see, at this time in seconds since 1970; 0 lets them go again. Safe to call from a host
// function.
void bridgeSetTime(Bridge *bridge, double seconds);

// --- the check of scripts: see listing.c ---

// Compiles one file without keeping it, and returns its compiled form, which is valid until the next entry point.
bool bridgeDump(Bridge *bridge, const BridgeSource *source, BridgeBytes *compiled);

// Every name that scripts can use: "print()", "server", "server.publish()", "server.version", "conn.id". NULL if there
// is no memory.
const BridgeStrings *_Nullable bridgeVocabulary(Bridge *bridge);

// --- answers of host functions ---

// Adds one string to a list that a host function was given to fill.
void bridgeStringsAppend(BridgeStrings *strings, const void *_Nullable bytes, size_t count);

// The string at `*offset` of a list, moving the offset behind it; NULL at the end.
const char *_Nullable bridgeStringsNext(const BridgeStrings *strings, size_t *offset, size_t *count);

// Sets a fixed text, cut to its capacity.
void bridgeTextSet(BridgeText *text, const void *_Nullable bytes, size_t count);

// --- measurements of scripts: see metrics.c ---

int32_t bridgeMetricCount(const Bridge *bridge);
void bridgeMetricAt(const Bridge *bridge, int32_t index, BridgeMetric *metric);

// Values that were dropped because there were too many series.
uint64_t bridgeMetricsRefused(const Bridge *bridge);

// The upper bound of a histogram's bucket, infinity for the last.
double bridgeBucketBound(int32_t bucket);

// --- memory ---

// Bytes in use by the state.
size_t bridgeMemory(const Bridge *bridge);

// Coroutines that scripts have made and that are not collected yet.
uint32_t bridgeCoroutines(const Bridge *bridge);

// Allocations of the state, including moves of blocks.
uint64_t bridgeAllocations(const Bridge *bridge);

// Full collections after events that were killed or found no memory.
uint64_t bridgeCollections(const Bridge *bridge);

// Generations that something still refers to, the live one included.
uint32_t bridgeGenerationsAlive(const Bridge *bridge);

// A full collection: for tests, never for a working server.
void bridgeCollect(Bridge *bridge);

// Refuses every allocation after the next `count` of them; negative refuses none. For tests.
void bridgeRefuseAllocations(Bridge *bridge, int64_t count);

#pragma clang assume_nonnull end

#endif
