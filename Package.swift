// swift-tools-version: 6.2
import PackageDescription

// Every Swift target is built alike: Swift 6 language mode, warnings are errors, and imports say what they are for.
let swift: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    // One thread owns each object, so the release build leaves out the run-time check for overlapping accesses; debug keeps it.
    // Generic code of one target (the inbox, above all) is specialised where another uses it.
    .unsafeFlags(["-enforce-exclusivity=unchecked", "-cross-module-optimization"], .when(configuration: .release)),
]

let package = Package(
    name: "perigee",
    products: [
        .executable(name: "perigee", targets: ["perigee"]),
        .executable(name: "perigee-bench", targets: ["perigee-bench"]),
        // Needs a debug build: `make fuzz` adds libFuzzer, AddressSanitizer and the optimiser to one of its own.
        .executable(name: "perigee-fuzz", targets: ["perigee-fuzz"]),
    ],
    dependencies: [
        // The command line: the ecosystem's own parser, with help and completion scripts.
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // Log levels, metadata and handlers, in the words other Swift servers use.
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        // Deque: the queue of a slow client.
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        // YAML with line marks, so that a mistake in config/perigee.yaml is reported with its line and its key path.
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // --- the server, top to bottom: each target may depend only on those below it ---
        .executableTarget(
            name: "perigee",
            dependencies: [
                "Server", "Admin", "ScriptTesting", "Settings", "LineLog", "PubSub", "CLinux", "CCurl",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: swift),
        .target(
            name: "Server",
            dependencies: [
                "Admin", "Gateway", "Settings", "LineLog", "Scripting", "PubSub", "WebSocket", "EventLoop", "CLinux",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swift),
        .target(
            name: "Admin",
            dependencies: [
                "Gateway", "Settings", "Scripting", "PubSub", "WebSocket", "HTTP1", "Proxies", "JSON", "EventLoop",
                "CLinux",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: swift),
        .target(
            name: "Gateway",
            dependencies: [
                "Settings", "LineLog", "Scripting", "ClientProtocols", "PubSub", "WebSocket", "HTTP1", "HTTPClient",
                "Proxies", "EventLoop", "CLinux",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            resources: [.embedInCode("Page/demo.html")],
            swiftSettings: swift),
        .target(
            name: "ScriptTesting",
            dependencies: ["Settings", "Scripting", "PubSub"],
            resources: [
                .embedInCode("kit.lua"),
                .embedInCode("NewProject/handler.lua"), .embedInCode("NewProject/handler-test.lua"),
                .embedInCode("NewProject/perigee.yaml"), .embedInCode("NewProject/perigee.d.lua"),
                .embedInCode("NewProject/luarc.json"),
            ],
            swiftSettings: swift),
        .target(
            name: "Settings",
            dependencies: [
                "LineLog", "Scripting", "PubSub", "WebSocket", "Proxies", "JSON", "EventLoop",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: swift),
        .target(
            name: "LineLog",
            dependencies: [
                "JSON", "EventLoop", "CLinux", .product(name: "Logging", package: "swift-log"),
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: swift),
        .target(name: "Scripting", dependencies: ["LuaBridge", "CNearestName"], swiftSettings: swift),
        .target(
            name: "LuaBridge",
            dependencies: ["LuaWatchdog", "CNearestName", "CLinux"],
            exclude: ["Watchdog/slice.c", "Watchdog/watchdog.c"],
            // ThreadSanitizer does not see how the distribution's Lua leaves these functions by longjmp (__longjmp_chk), and
            // its record of calls would overflow; it has nothing to find in code that only one thread runs.
            cSettings: [
                .headerSearchPath("."),
                .unsafeFlags(["-Wall", "-Wextra", "-Werror", "-fno-omit-frame-pointer", "-fno-sanitize=thread"]),
            ],
            linkerSettings: [.linkedLibrary("lua5.4"), .linkedLibrary("crypto")]),
        // A part of the bridge, built apart: the watchdog's thread, and a worker's reports to it. No function of it is
        // left by longjmp, so ThreadSanitizer watches it.
        .target(
            name: "LuaWatchdog",
            dependencies: ["CLinux"],
            path: "Sources/LuaBridge/Watchdog",
            sources: ["slice.c", "watchdog.c"],
            publicHeadersPath: "include",
            cSettings: [
                .headerSearchPath(".."), .headerSearchPath("../include"),
                .unsafeFlags(["-Wall", "-Wextra", "-Werror", "-fno-omit-frame-pointer"]),
            ]),
        .target(name: "CNearestName", cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
        .target(name: "ClientProtocols", dependencies: ["PubSub", "WebSocket"], swiftSettings: swift),
        .target(name: "History", dependencies: ["EventLoop", "CLinux", "CSQLite"], swiftSettings: swift),
        .target(
            name: "PubSub",
            dependencies: ["WebSocket", .product(name: "DequeModule", package: "swift-collections")],
            swiftSettings: swift),
        .target(name: "WebSocket", dependencies: ["CLinux", "COpenSSL", "CZlib"], swiftSettings: swift),
        .target(name: "HTTP1", swiftSettings: swift),
        .target(name: "JSON", swiftSettings: swift),
        .target(
            name: "HTTPClient",
            dependencies: [
                "Proxies", "EventLoop", "CLinux", "CCurl", .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: swift),
        .target(name: "Proxies", dependencies: ["EventLoop"], swiftSettings: swift),
        .target(
            name: "EventLoop",
            dependencies: ["CLinux", "COpenSSL", .product(name: "DequeModule", package: "swift-collections")],
            swiftSettings: swift),
        .target(name: "CLinux"),
        .systemLibrary(name: "COpenSSL", providers: [.apt(["libssl-dev"])]),
        // permessage-deflate (RFC 7692) is defined by DEFLATE, and zlib is the library that every distribution patches.
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        // Scripts' requests to other servers, and the command line's to the admin API: HTTP/1.1 and HTTP/2 as the world speaks
        // them, TLS, pooling, and a name lookup that does not block the loop. The distribution patches it.
        .systemLibrary(name: "CCurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        // Durable history: a file that survives kill -9 and power failures, with group commits, and that every tool reads. The
        // distribution patches it.
        .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),

        // --- beside the server ---
        .target(
            name: "PerigeeTestKit",
            dependencies: [
                "Server", "Settings", "PubSub", "JSON", "CLinux", "COpenSSL", "CZlib",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swift),
        .executableTarget(
            name: "perigee-bench",
            dependencies: [
                "Scripting", "WebSocket", "JSON", "EventLoop", "CLinux",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: swift),

        // The floor of `make compare`: a bare epoll server in C.
        .executableTarget(
            name: "perigee-floor", path: "Tests/Floor",
            cSettings: [
                .unsafeFlags(["-Wall", "-Wextra", "-Werror"]), .unsafeFlags(["-O3"], .when(configuration: .release)),
            ]),

        // --- fuzzing: readers of bytes from outside and the rules they are held to. `make test` plays their seeds ---
        .target(
            name: "FuzzTargets",
            dependencies: [
                "Admin", "Gateway", "Settings", "Scripting", "HTTPClient", "PubSub", "WebSocket", "HTTP1", "Proxies",
                "JSON", "EventLoop", "PerigeeTestKit", "SeededGenerator", "StockLua",
            ],
            path: "Tests/Fuzz/Targets", swiftSettings: swift),
        .executableTarget(
            name: "perigee-fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Program", swiftSettings: swift),
        .testTarget(
            name: "FuzzTests", dependencies: ["TimeBound", "FuzzTargets", "SeededGenerator", "PerigeeTestKit"],
            path: "Tests/Fuzz/Replay", swiftSettings: swift),

        // --- tests mirror the sources ---
        .testTarget(
            name: "EventLoopTests",
            dependencies: ["TimeBound", "EventLoop", "CLinux", "COpenSSL", "SeededGenerator", "PerigeeTestKit"],
            swiftSettings: swift),
        .testTarget(
            name: "SettingsTests",
            dependencies: [
                "TimeBound", "Settings", "LineLog", "Proxies", .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swift),
        .testTarget(
            name: "LineLogTests",
            dependencies: [
                "TimeBound", "LineLog", "EventLoop", "SeededGenerator", "PerigeeTestKit",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swift),
        .testTarget(name: "JSONTests", dependencies: ["TimeBound", "JSON", "SeededGenerator"], swiftSettings: swift),
        .testTarget(name: "HTTP1Tests", dependencies: ["TimeBound", "HTTP1", "SeededGenerator"], swiftSettings: swift),
        .testTarget(
            name: "HTTPClientTests",
            dependencies: [
                "TimeBound",
                "HTTPClient", "EventLoop", "Proxies", "CLinux", "COpenSSL", "PerigeeTestKit", "SlowResolver",
            ],
            swiftSettings: swift),
        .testTarget(
            name: "ProxiesTests", dependencies: ["TimeBound", "Proxies", "EventLoop", "SeededGenerator"],
            swiftSettings: swift),
        .testTarget(
            name: "WebSocketTests",
            dependencies: ["TimeBound", "WebSocket", "CZlib", "AllocationCounter", "SeededGenerator"],
            swiftSettings: swift),
        .testTarget(
            name: "PubSubTests", dependencies: ["TimeBound", "PubSub", "WebSocket", "SeededGenerator"],
            swiftSettings: swift),
        .testTarget(
            name: "HistoryTests",
            dependencies: [
                "TimeBound", "History", "CSQLite", "EventLoop", "CLinux", "SeededGenerator", "perigee-history",
            ],
            swiftSettings: swift),
        .testTarget(
            name: "ScriptingTests",
            dependencies: ["TimeBound", "Scripting", "AllocationCounter", "SeededGenerator", "StockLua"],
            swiftSettings: swift),
        .testTarget(name: "PerigeeTestKitTests", dependencies: ["TimeBound", "PerigeeTestKit"], swiftSettings: swift),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "TimeBound", "Gateway", "Settings", "Scripting", "ClientProtocols", "PubSub", "WebSocket", "EventLoop",
                "PerigeeTestKit", "SeededGenerator", .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swift),
        .testTarget(
            name: "AdminTests",
            dependencies: [
                "TimeBound", "Admin", "HTTP1", "EventLoop", "PerigeeTestKit", "SeededGenerator",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swift),
        .testTarget(
            name: "ScriptTestingTests",
            dependencies: ["TimeBound", "ScriptTesting", "Scripting", "Settings", "PerigeeTestKit"],
            swiftSettings: swift),
        .testTarget(
            name: "ServerTests",
            dependencies: [
                "TimeBound",
                "Server", "Admin", "Gateway", "ScriptTesting", "Settings", "LineLog", "EventLoop", "Proxies", "HTTP1",
                "JSON", "WebSocket", "PubSub", "Scripting", "PerigeeTestKit", "CLinux", "SeededGenerator",
                "SlowResolver",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swift),
        // Writes durable history until it is killed, and measures it.
        .executableTarget(
            name: "perigee-history", dependencies: ["History", "CLinux"], path: "Tests/HistoryLoad",
            swiftSettings: swift),
        // The time limit of every suite.
        .target(name: "TimeBound", path: "Tests/TimeBound", swiftSettings: swift),
        // Random numbers that are the same in every run.
        .target(name: "SeededGenerator", path: "Tests/SeededGenerator", swiftSettings: swift),
        // Counts the calls of malloc on a thread: "no allocation per message" is a test, not a hope.
        .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
        // Stands before the system's name lookup: names that take long, and names that change their address.
        .target(name: "SlowResolver", path: "Tests/SlowResolver"),
        // Lua with its own libraries, and lua-cjson, which the sandbox's are held against.
        .target(
            name: "StockLua", path: "Tests/StockLua",
            linkerSettings: [.linkedLibrary("lua5.4"), .linkedLibrary("lua5.4-cjson")]),
    ]
)

// `make test-one` names the one test target that its filter is about. Then the package is that target and all that it needs, so
// that an edit in a low target is tested before everything above it is built again.
if let tests = Context.environment["PERIGEETEST_TARGET"], package.targets.contains(where: { $0.name == tests }) {
    var needed: Set<String> = []
    func add(_ name: String) {
        guard needed.insert(name).inserted else { return }
        for dependency in package.targets.first(where: { $0.name == name })?.dependencies ?? [] {
            if case .byNameItem(let name, _) = dependency { add(name) }
        }
    }
    add(tests)
    // The live tests start the programs, which no target depends on.
    if tests == "ServerTests" { ["perigee", "perigee-bench"].forEach(add) }
    package.targets.removeAll { !needed.contains($0.name) }
    package.products.removeAll { !needed.contains($0.name) }
}
