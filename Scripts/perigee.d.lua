---@meta perigee

-- Perigee's script API: completion for editors with the Lua language server, and the reference for people.
--
-- A script is a Lua file that defines handlers. `Scripts/chat.lua` serves `/chat`, `Scripts/games/chess.lua` serves
-- `/games/chess`, `Scripts/main.lua` every other path; `Scripts/lib/util.lua` is found by `require "util"`, and
-- `Scripts/tests/` is run by `perigee test`. A saved file is live at once; nobody is disconnected.
--
-- THE WORKER BOUNDARY. A server has several workers, each a thread with a Lua state of its own, and a connection lives on
-- one of them. A Lua table, a file's local and a `conn` therefore belong to one worker: only the connections of that worker see
-- the values of a table. The server has objects that cross connections:
--
--     to reach other connections     conn:subscribe and server.publish, server.send, server.broadcast
--     to share values                kv (and its atomic incr and swap)
--     to do something once           a named timer, which runs on one worker only
--
-- RULES. An expected failure (a closed connection, a full queue, invalid JSON) is answered with `nil` or
-- `false` and the reason. A mistake in the script (a wrong type, an unknown option) raises an error that names the
-- function; the event ends, the error is in the log with its traceback, the connection stays open.
-- `error { code = 4001, reason = "no" }` in a handler closes the connection with that code. A name that nothing defines is
-- an error. A table given as text is sent as JSON. Only functions marked `---@async` wait.
--
-- TIMES are seconds, with fractions. SIZES are bytes.

-- The handlers of a script, all optional. A script defines them as functions, or returns a table of them.

--- A client asks to connect. `true` accepts it; a table does, too, and becomes `conn.data` (its field `subprotocol` chooses one
--- of `request.subprotocols`); `false` refuses with an HTTP status from 300 to 599 (403 if absent) and a body.
---@alias onUpgrade fun(request: perigee.Request): (boolean | table), integer?, string?

--- A connection is open: the client has its 101.
---@alias onOpen fun(conn: perigee.Conn)

--- A message has come. Text is valid UTF-8. Events of one connection run one at a time, in their order.
---@alias onMessage fun(conn: perigee.Conn, message: string, binary: boolean)

--- The connection is closed: exactly once for every onOpen. 1006 says that it broke. Nothing can be sent any more, but its
--- fields and channels are still there.
---@alias onClose fun(conn: perigee.Conn, code: integer, reason: string)

--- Called when a client subscribes, by protocols in which clients do: `false` and the reason refuse.
---@alias onSubscribe fun(conn: perigee.Conn, channel: string): boolean, string?

--- In main.lua: every push that comes through the admin API passes here. `true` lets it pass, a table changes it, `false` and why
--- refuse it, which the API answers as 422.
---@alias onPublish fun(publication: perigee.Publication): (boolean | table), string?

--- A backend asks: `/v1/call/NAME` of the admin API. Answers with an HTTP status from 200 to 599, a body (a table is
--- sent as JSON) and headers.
---@alias onRequest fun(request: perigee.Call): integer, (string | table)?, table<string, string>?

--- A client that was slow to read has read all that waited for it.
---@alias onDrain fun(conn: perigee.Conn)

--- The scripts have been loaded for the first time, once on each worker.
---@alias onStart fun()

--- The scripts have been replaced; the version that ran before.
---@alias onReload fun(previousVersion: integer)

--- The server stops.
---@alias onStop fun()

--- The head of an upgrade request.
---@class perigee.Request
---@field path string The path without the query.
---@field ip string The client's address, behind trusted proxies the one they tell of.
---@field query table<string | integer, any> The first value of each name; in its sequence every `{ name =, value = }` in order.
---@field headers table<string, string> By name in lower case; repeated ones joined with ", ".
---@field cookies table<string, string> The first value of each name.
---@field subprotocols string[] The client's offers, in order.
---@field certificate string? The subject of the client's certificate, where TLS asks for one.

--- A push of a backend. It is for a channel, a user or a connection.
---@class perigee.Publication
---@field channel string?
---@field user string?
---@field connection string?
---@field path string?
---@field data string
---@field binary boolean
---@field key string? As in `perigee.PublishOptions`.
---@field exclude string? The id of a connection that does not get it.

--- A call of a backend.
---@class perigee.Call
---@field method string "POST"
---@field path string
---@field name string The script's.
---@field ip string The backend's address.
---@field query table<string | integer, any> As in `perigee.Request`.
---@field headers table<string, string> As in `perigee.Request`; the keys of the admin API are not among them.
---@field body string

--- A connection. It is the same object in all its events, and knows when it is closed: its methods then answer
--- `false, "closed"`.
---@class perigee.Conn
---@field id string Names the connection in the whole server: for `server.send`, the log and the admin API.
---@field user string? The user set by `conn:identify`.
---@field ip string The client's address.
---@field path string The path it connected to.
---@field query table<string | integer, any> As in `perigee.Request`.
---@field headers table<string, string> As in `perigee.Request`.
---@field subprotocol string? The one that was agreed.
---@field certificate string? The subject of the client's certificate.
---@field isOpen boolean Whether messages can be sent.
---@field queued integer Bytes that wait for the client to read them.
---@field data table Yours: plain values, kept across reloads. The only field that can be set.
local Conn = {}

--- Sends text, or with `binary` the bytes as a binary message; a table is sent as JSON.
--- `false, "slow"` when the client's queue is full, and the message is dropped.
---@param value string | number | table
---@param binary? boolean
---@return boolean sent
---@return "closed" | "slow" | nil why
function Conn:send(value, binary) end

--- Sends a binary message.
---@param bytes string
---@return boolean sent
---@return "closed" | "slow" | nil why
function Conn:sendBinary(bytes) end

--- Begins the close handshake. `false, "closed"` when that has happened already.
---@param code? integer 1000 if absent, or from 3000 to 4999; other codes of RFC 6455 that an endpoint may send.
---@param reason? string At most 123 bytes of UTF-8.
---@return boolean closed
---@return "closed" | nil why
function Conn:close(code, reason) end

--- Subscribes to a channel: 1 to 255 bytes of UTF-8 without control characters.
---@param channel string
---@return boolean subscribed
---@return "already subscribed" | "closed" | "invalid channel name" | "too many channels" | nil why
function Conn:subscribe(channel) end

--- Ends a subscription.
---@param channel string
---@return boolean unsubscribed
---@return "not subscribed" | nil why
function Conn:unsubscribe(channel) end

--- The channels that it is subscribed to.
---@return string[]
function Conn:channels() end

--- Names the user of the connection: `conn.user`, also in the admin API. `nil` for nobody. Bytes that are not UTF-8 are an
--- error.
---@param user string?
---@return boolean identified
---@return "closed" | nil why
function Conn:identify(user) end

--- The functions of a script beyond one connection. Not while the file loads, except where it says so.
---@class perigee.Server
---@field version integer The version of the scripts that runs.
server = {}

---@class perigee.PublishOptions
---@field except? perigee.Conn The connection that does not get it.
---@field binary? boolean As a binary message.
---@field key? string For slow clients: a newer message with the same key takes the place of one that waits. At most 255 bytes.

--- Publishes to all subscribers of a channel, on all workers.
---@param channel string
---@param value string | number | table
---@param options? perigee.PublishOptions
---@return boolean published
---@return (integer | string)? offset In a channel with history the message's place, or why not: "invalid channel name", "overloaded", "too large".
function server.publish(channel, value, options) end

---@class perigee.SendOptions
---@field binary? boolean As a binary message.

--- Sends to one connection, on any worker. `true` says that it was accepted for delivery.
---@param id string `conn.id` of the receiver.
---@param value string | number | table
---@param options? perigee.SendOptions
---@return boolean sent
---@return "not found" | nil why
function server.send(id, value, options) end

--- Sends to all connections of a user, on every worker: those for which `conn:identify(user)` was called.
---@param user string
---@param value string | number | table
---@param options? perigee.SendOptions
---@return true
function server.sendUser(user, value, options) end

--- Sends to every connection.
---@param value string | number | table
---@param options? perigee.SendOptions
---@return true
function server.broadcast(value, options) end

--- Closes a connection, on any worker, or all connections of a user.
---@param id string A `conn.id`, or the user of `conn:identify`.
---@param code? integer As `conn:close`.
---@param reason? string
---@return boolean closed
---@return "not found" | nil why
function server.disconnect(id, code, reason) end

--- Calls a function once, on this worker. At most 10,000 timers run on a worker.
---@param seconds number From 0 to 1e9.
---@param f fun()
---@return integer timer For `server.cancel`.
function server.after(seconds, f) end

--- Calls a function again and again, on one worker of all. Call it while the file loads: then a reload runs the new code in
--- the same phase if the period is the same, and cancels the timer if the new version does not have it. A timer that a
--- handler starts (this one, `server.after` or `server.cron`) goes on across reloads, in the code that started it, until
--- it is cancelled or its name is taken by another. While the function waits (`server.sleep`, `http.get`), it is not called
--- again: those times are passed by.
---@param name string 1 to 1,024 bytes.
---@param seconds number From 0.001 to 1e9.
---@param f fun()
---@return integer | true timer
function server.every(name, seconds, f) end

--- Calls a function by the calendar, in UTC, on one worker of all; in all else as `server.every`. Five fields: minute (0-59), hour
--- (0-23), day (1-31), month (1-12 or jan-dec), weekday (0-7 or sun-sat; 0 and 7 are Sunday), each a list of `*`, `5`,
--- `1-5`, with a step as `*/15`, `9-17/2` or `5/15`. If neither day nor weekday begins with `*`, either will do. Or `@hourly`,
--- `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly`, `@annually`. Calls that are missed while the server is down are not
--- made up for.
---@param name string 1 to 1,024 bytes.
---@param expression string "*/5 9-17 * * mon-fri"
---@param f fun()
---@return integer | true timer
function server.cron(name, expression, f) end

--- Cancels a timer, by its number or its name. `false` when there is none.
---@param timer integer | string
---@return boolean cancelled
function server.cancel(timer) end

--- Waits, while the worker goes on with other connections; later events of this connection queue behind. `nil, "timeout"` when
--- the event's time (`scripts.eventTimeout`) is up, `nil, "closed"` when its connection is: a second wait then ends the event.
---@async
---@param seconds number From 0 to 1e9.
---@return true?
---@return "timeout" | "closed" | nil why
function server.sleep(seconds) end

--- Calls a function with these arguments after the running event, on its own: it may wait, and nothing waits for it.
---@param f fun(...: any)
---@param ... any At most 199.
function server.spawn(f, ...) end

--- A table that survives reloads, one in each worker. Only while the file loads; use the table in handlers. The same name and
--- version give the same table. A new one is filled by `create`; when the version is higher than that of the table which
--- is there, `migrate` gets a copy of it with its version and returns what is to be kept; if it fails on any worker, nothing
--- changes on any. Until the new version is live, its code cannot read or write a state. A lower version is refused, in a
--- rollback, too: to go back, give the old code a version above that of the table, and a `migrate` that makes the old form from
--- the newer one. A state that no file declares is kept for five more versions.
---
--- Plain values: nil, booleans, numbers, strings, conns, and tables of these up to 64 deep, whose metatables are classes of
--- `server.class`. That is checked when a state is created and when it is migrated.
---@param name string 1 to 1,024 bytes.
---@param version integer From 1.
---@param create fun(): table
---@param migrate? fun(old: table, version: integer): table
---@return table
function server.state(name, version, create, migrate) end

--- The same table in every version of the scripts, empty when the file loads, to be filled with methods: an object whose
--- metatable it is, in `conn.data` or in a state, has the methods of the new code after a reload. Its `__index` is the class
--- itself, unless the file sets another. Only while the file loads.
---@param name string 1 to 1,024 bytes.
---@return table
function server.class(name) end

--- Values that all workers share, by key; gone when the server stops. Keys have at most 1,024 bytes. No call waits.
---@class perigee.KV
kv = {}

---@alias perigee.Plain string | number | boolean

--- The value, `nil` when there is none.
---@param key string
---@return perigee.Plain?
function kv.get(key) end

--- Sets a value, or deletes it with `nil`. A lifetime makes it go by itself.
---@param key string
---@param value perigee.Plain?
---@param lifetime? number Seconds.
---@return boolean set
---@return "kv is full" | nil why
function kv.set(key, value, lifetime) end

--- Adds to a number, 0 when there is none, and answers with the sum. The lifetime is that of a value which is new. Raises when
--- the value is no number.
---@param key string
---@param by? number 1 if absent.
---@param lifetime? number Seconds.
---@return number? sum
---@return "kv is full" | nil why
function kv.incr(key, by, lifetime) end

--- Sets the value if it is the expected one; `nil` is absence, on both sides.
---@param key string
---@param expected perigee.Plain?
---@param value perigee.Plain?
---@param lifetime? number Seconds.
---@return boolean swapped
---@return perigee.Plain? current The present value, or "kv is full".
function kv.swap(key, expected, value, lifetime) end

--- Deletes a value. `false` when there was none.
---@param key string
---@return boolean deleted
function kv.delete(key) end

--- Requests to other servers (http and https). The handler waits; others go on. Connections are kept and shared, certificates
--- are verified, and redirects are not followed unless asked for. Link-local, multicast and metadata addresses are refused.
---@class perigee.HTTP
http = {}

---@class perigee.HTTPOptions
---@field headers table<string, string | number | boolean>?
---@field query table<string, string | number | boolean>? Added to the URL's, percent-encoded.
---@field timeout number? Seconds for all of it; `httpClient.timeout` if absent.
---@field maxBytes integer? The largest body of a response; `httpClient.maxBody` if absent.
---@field redirects integer? How many are followed, up to 20; 0 if absent.

---@class perigee.HTTPPostOptions : perigee.HTTPOptions
---@field body string?
---@field json any In place of `body`: sent as JSON, with its content type.

---@class perigee.HTTPRequestOptions : perigee.HTTPPostOptions
---@field url string
---@field method "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" | nil GET if absent.

---@class perigee.HTTPResponse
---@field status integer
---@field headers table<string, string> By name in lower case; repeated ones joined with ", ".
---@field body string

---@alias perigee.HTTPFailure
---| "timeout" | "closed" | "too many requests" | "address refused" | "unknown host" | "cannot connect" | "tls" | "disconnected"
---| "invalid response" | "too large" | "too many redirects" | "redirect refused" | "failed"

--- Asks for a page. A response of any status is a response.
---@async
---@param url string
---@param options? perigee.HTTPOptions
---@return perigee.HTTPResponse? response
---@return perigee.HTTPFailure? why
---@return string? detail Details, for people.
function http.get(url, options) end

--- Sends a body.
---@async
---@param url string
---@param options? perigee.HTTPPostOptions
---@return perigee.HTTPResponse? response
---@return perigee.HTTPFailure? why
---@return string? detail
function http.post(url, options) end

--- Any other request.
---@async
---@param options perigee.HTTPRequestOptions
---@return perigee.HTTPResponse? response
---@return perigee.HTTPFailure? why
---@return string? detail
function http.request(options) end

---@class perigee.JSON
---@field null lightuserdata The JSON value `null`, where a table needs one.
json = {}

--- A value as JSON. A table whose keys are all positive integers is a list, with `null` in its gaps; an empty one and every
--- other is an object, whose numbers as keys become strings. Metatables do not matter. Integers keep all their digits, other
--- numbers as many as read back equal; a whole one below 2^53 has no point (`3.0` is `3`).
---
--- Raises for functions, for tables that contain themselves or are nested more than 64 deep, for a list of more than ten places
--- of which more than half are empty, for NaN and infinity, for strings that are not UTF-8, and beyond 16 MiB.
---@param value any
---@return string
function json.encode(value) end

--- The value of a JSON text; `nil` and the error: "invalid JSON: line 3, byte 41: expected ':'", both from 1. `null` is
--- `json.null`. Whole numbers are integers (`3.0` and `1e3`, too) while 64 bits hold them, larger ones floats. Of members with
--- the same name the last one counts. Refused are more than 64 levels, numbers beyond all floats, halves of surrogate pairs,
--- byte order marks, and text that is not UTF-8.
---@param text string
---@return any
---@return string? why
function json.decode(text) end

--- The server's log. Fields are named values: tables are written as JSON.
---@class perigee.Log
log = {}

---@param message any
---@param fields? table<string, any>
function log.debug(message, fields) end

---@param message any
---@param fields? table<string, any>
function log.info(message, fields) end

---@param message any
---@param fields? table<string, any>
function log.warn(message, fields) end

---@param message any
---@param fields? table<string, any>
function log.error(message, fields) end

---@class perigee.Time
time = {}

--- Seconds since 1970, with fractions.
---@return number
function time.now() end

--- Seconds of a clock that nobody sets: for measuring.
---@return number
function time.monotonic() end

--- A time as text, to the millisecond, in UTC: "2026-11-22T22:30:00.000Z" (RFC 3339).
---@param seconds? number Now if absent. Years 0000 to 9999.
---@return string
function time.iso(seconds) end

--- The seconds that such a text stands for, with any offset; `nil` and the error.
---@param text string
---@return number?
---@return string? why
function time.parse(text) end

--- Digests, random bytes and encodings.
---@class perigee.Crypto
crypto = {}

---@class perigee.DigestOptions
---@field raw? boolean As bytes instead of hexadecimal digits.

--- A digest, as lower-case hexadecimal digits.
---@param data string
---@param options? perigee.DigestOptions
---@return string
function crypto.sha256(data, options) end

--- As `crypto.sha256`; for old protocols only.
---@param data string
---@param options? perigee.DigestOptions
---@return string
function crypto.sha1(data, options) end

--- As `crypto.sha256`.
---@param data string
---@param options? perigee.DigestOptions
---@return string
function crypto.sha384(data, options) end

--- As `crypto.sha256`.
---@param data string
---@param options? perigee.DigestOptions
---@return string
function crypto.sha512(data, options) end

--- The keyed digest of RFC 2104, as hexadecimal digits.
---@param algorithm "sha256" | "sha1" | "sha384" | "sha512"
---@param key string
---@param data string
---@param options? perigee.DigestOptions
---@return string
function crypto.hmac(algorithm, key, data, options) end

--- Random bytes, fit for secrets.
---@param count integer From 0 to 65,536.
---@return string
function crypto.random(count) end

--- A new UUID (RFC 9562): 4 is all random, 7 begins with the time and so sorts by it.
---@param version? 4 | 7 4 if absent.
---@return string
function crypto.uuid(version) end

--- Whether two secrets are equal, in a time that does not tell how much of them is.
---@param a string
---@param b string
---@return boolean
function crypto.equal(a, b) end

--- Base64 (RFC 4648, 4), with padding.
---@param data string
---@return string
function crypto.base64(data) end

--- The bytes that a Base64 text stands for; `nil` and the reason.
---@param text string
---@return string?
---@return "invalid Base64" | nil why
function crypto.fromBase64(text) end

--- Base64 for URLs (RFC 4648, 5), without padding.
---@param data string
---@return string
function crypto.base64url(data) end

--- The bytes that such a text stands for; `nil` and the reason.
---@param text string
---@return string?
---@return "invalid Base64" | nil why
function crypto.fromBase64url(text) end

--- Hexadecimal digits, in lower case.
---@param data string
---@return string
function crypto.hex(data) end

--- The bytes that hexadecimal digits stand for; `nil` and the reason.
---@param text string
---@return string?
---@return "invalid hexadecimal digits" | nil why
function crypto.fromHex(text) end

--- JSON Web Tokens (RFC 7519). The caller says which algorithms it takes; a token cannot choose.
---@class perigee.JWT
jwt = {}

---@alias perigee.JWTAlgorithm "HS256" | "RS256" | "ES256" | "EdDSA"

---@class perigee.VerifyOptions
---@field alg perigee.JWTAlgorithm | perigee.JWTAlgorithm[] The accepted algorithms; needed.
---@field iss? string | string[] The issuers that are accepted.
---@field aud? string | string[] One of these must be among the token's audiences.
---@field leeway? number Seconds by which clocks may differ; 5 if absent.

--- The claims of a valid token. `nil` and the reason when it is not: signature, `exp`, `nbf`, `iss` and `aud` are checked.
---@param token string? `nil` is "missing".
---@param key string The secret of HS256, else a public key as PEM.
---@param options perigee.VerifyOptions
---@return table? claims
---@return string? why
function jwt.verify(token, key, options) end

---@class perigee.SignOptions
---@field alg perigee.JWTAlgorithm
---@field expiresIn? number Sets `exp`, in seconds from now, at least 1.
---@field kid? string The key's name, for the header.

--- A signed token of these claims; with `expiresIn`, `iat` and `exp` are set.
---@param claims table
---@param key string The secret of HS256, else a private key as PEM.
---@param options perigee.SignOptions
---@return string? token
---@return string? why
function jwt.sign(claims, key, options) end

--- The scripts' own figures, for Prometheus at `/metrics`. Names have letters, digits, '_' and ':'; labels are named strings.
--- Each answers `false, "too many series"` when the worker's limit is reached.
---@class perigee.Metrics
metrics = {}

--- Adds to a counter, which only goes up.
---@param name string
---@param by? number 1 if absent, not negative.
---@param labels? table<string, string | number | boolean>
---@return boolean counted
---@return "too many series" | nil why
function metrics.count(name, by, labels) end

--- Sets a gauge.
---@param name string
---@param value number
---@param labels? table<string, string | number | boolean>
---@return boolean set
---@return "too many series" | nil why
function metrics.gauge(name, value, labels) end

--- Notes a value in a histogram, of seconds for example.
---@param name string
---@param value number
---@param labels? table<string, string | number | boolean>
---@return boolean noted
---@return "too many series" | nil why
function metrics.observe(name, value, labels) end

--- The section `scripts.settings` of the configuration, read-only.
---@type table<string, any>
config = {}

-- Of Lua's own library there are coroutine, math, string, table, utf8 and the basic functions, save load, loadfile, dofile,
-- collectgarbage (only "count"), and metamethods `__gc`. A table is as weak as its metatable's `__mode` says when setmetatable
-- takes it: "v", never "k". print writes to the log.

--- In test files, `Scripts/tests/*.lua`: loads scripts and plays the server and its clients. Nothing happens by itself.
---@class perigee.Test
t = {}

--- Runs a function as a test: it fails when the function raises, or leaves an error of a script untaken.
---@param name string
---@param f fun()
function t.test(name, f) end

--- Loads a script by its name ("chat", "games/chess"), or several; clients connect to the first.
---@param names string | string[]
---@param options? { settings: table } `config` of the scripts.
---@return perigee.App
function t.load(names, options) end

--- Fails unless the values are equal; tables are compared by their contents.
---@param actual any
---@param expected any
---@param what? string Said first when it fails.
function t.equal(actual, expected, what) end

--- Fails unless the value is true.
---@generic T
---@param value T
---@param what? string
---@return T
function t.ok(value, what) end

--- Fails unless the function raises an error, which matches the Lua pattern if there is one. Answers with the error.
---@param f fun()
---@param pattern? string
---@return any
function t.fails(f, pattern) end

--- Scripts under test, with a server around them.
---@class perigee.App
---@field metrics table<string, number | { sum: number, count: integer }> By name, with labels as `name{a="1"}`; the latter of histograms.
---@field kv { get: (fun(key: string): perigee.Plain?), set: fun(key: string, value: perigee.Plain?), delete: fun(key: string): boolean }
local App = {}

---@class perigee.ConnectOptions
---@field path? string The path of the script if absent.
---@field ip? string
---@field user? string
---@field query? table<string, any> A list as a value stands for repeated names.
---@field headers? table<string, any>
---@field cookies? table<string, string>
---@field subprotocols? string[]

--- A new client; `nil`, status and body when onUpgrade refuses it.
---@param options? perigee.ConnectOptions
---@return perigee.Client?
---@return integer? status
---@return string? body
function App:connect(options) end

--- Lets time pass: timers, waits and lifetimes in kv.
---@param seconds number
function App:advance(seconds) end

--- Publishes as a backend does through the admin API, by way of `onPublish`. `nil, "waiting"` when that waits.
---@param channel string
---@param value string | number | table
---@param options? { key?: string, binary?: boolean }
---@return boolean? published
---@return string? why
function App:push(channel, value, options) end

--- Calls a script's `onRequest` as a backend does. `nil, "absent"` when it has none, `nil, "waiting"` when that waits.
---@param name string
---@param request? { method?: string, query?: table, headers?: table, body?: string | table }
---@return integer? status
---@return any body A table if it is JSON.
---@return table<string, string>? headers
function App:call(name, request) end

--- The answer of a push, a call or a subscription whose handler has waited.
---@return any ...
function App:takeAnswer() end

--- Subscribes a client as a client protocol does, by way of `onSubscribe`. `nil, "absent"` when there is none.
---@param client perigee.Client
---@param channel string
---@return boolean? subscribed
---@return string? why
function App:subscribe(client, channel) end

---@class perigee.Reply
---@field url? string Of the request that it answers; any if absent.
---@field method? string
---@field status? integer 200 if absent.
---@field headers? table<string, any>
---@field body? string | table A table is JSON.
---@field error? perigee.HTTPFailure In place of a response.
---@field delay? number Seconds.

--- Answers one request of the scripts' `http`: the first that fits, now or when it comes.
---@param reply perigee.Reply
function App:httpReply(reply) end

--- The requests that scripts have made since the last call.
---@return { method: string, url: string, query: table<string, string>, headers: table<string, string>, body: string }[]
function App:httpRequests() end

--- Replaces scripts ("chat") and modules ("lib/util") by new text. The new version, or `nil` and the error.
---@param files table<string, string>
---@return integer?
---@return string? why
function App:reload(files) end

--- The lines that the scripts have logged since the last call.
---@return { level: string, message: string, fields: table<string, string> }[]
function App:logs() end

--- The first error that a script has raised and no test has taken.
---@return string?
function App:takeError() end

--- Runs onStop.
function App:stop() end

--- A client of a script under test.
---@class perigee.Client
---@field id string `conn.id`
---@field user string?
---@field subprotocol string?
---@field channels string[]
---@field isOpen boolean
---@field closed { code: integer, reason: string }? The end of the connection.
---@field refused { status: integer, body: string }? The refusal by an onUpgrade that waited.
local Client = {}

--- Sends text, a table as JSON.
---@param value string | number | table
function Client:send(value) end

--- Sends a binary message.
---@param bytes string
function Client:sendBinary(bytes) end

--- The next message: a table if it is JSON, else its text, and true if it was binary. `nil` when there is none.
---@return any message
---@return boolean? binary
function Client:take() end

--- All messages that have come.
---@return any[]
function Client:takeAll() end

--- Closes the connection, as the client or with 1006 as the network does.
---@param code? integer 1000 if absent.
---@param reason? string
function Client:close(code, reason) end

--- A slow client has its queue full: `conn:send` answers `false, "slow"`. When it no longer is, onDrain runs.
---@param isSlow boolean
function Client:setSlow(isSlow) end
