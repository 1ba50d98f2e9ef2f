// swift-tools-version: 6.2
import PackageDescription

// One program, perigee-fuzz, with a fuzzing target for every reader of bytes from outside. A package of its own, so that no
// other build knows of it; `Sources` is a link to the server's. Built and run by ./run, which says how.
//
// Everything is instrumented, the C below the server as well: libFuzzer sees which branches an input takes, and
// AddressSanitizer every access that is out of bounds.

let sanitizers = ["-sanitize=fuzzer,address"]

let swift: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    // Optimised for speed, with the checks of the debug build for what the server's own code must not do.
    .unsafeFlags(sanitizers + ["-enable-testing", "-assert-config", "Debug"]),
]
let c: [CSetting] = [.unsafeFlags(["-fsanitize=fuzzer-no-link,address", "-fno-omit-frame-pointer"])]

let package = Package(
    name: "perigee-fuzz",
    dependencies: [
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .executableTarget(
            name: "perigee-fuzz",
            dependencies: [
                "Server", "Scripting", "PubSub", "WebSocket", "HTTP1", "Proxies", "EventLoop", "PerigeeTestKit",
                "StockLua",
            ],
            path: "Targets", swiftSettings: swift,
            // The gold linker fails on the sanitizers' line tables.
            linkerSettings: [.unsafeFlags(sanitizers + ["-use-ld=lld"])]),
        .target(
            name: "Server",
            dependencies: [
                "Scripting", "PubSub", "WebSocket", "HTTP1", "Proxies", "EventLoop", "CLinux",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Yams", package: "Yams"),
            ],
            path: "Sources/Server",
            resources: [
                .embedInCode("Page/demo.html"), .embedInCode("ScriptTests/kit.lua"),
                .embedInCode("NewProject/handler.lua"), .embedInCode("NewProject/handler-test.lua"),
                .embedInCode("NewProject/perigee.yaml"), .embedInCode("NewProject/perigee.d.lua"),
                .embedInCode("NewProject/luarc.json"),
            ],
            swiftSettings: swift),
        .target(name: "Scripting", dependencies: ["LuaBridge"], path: "Sources/Scripting", swiftSettings: swift),
        .target(
            name: "LuaBridge", path: "Sources/LuaBridge", cSettings: c,
            linkerSettings: [.linkedLibrary("lua5.4"), .linkedLibrary("crypto")]),
        .target(name: "StockLua", path: "StockLua", cSettings: c, linkerSettings: [.linkedLibrary("lua5.4")]),
        .target(name: "PubSub", dependencies: ["WebSocket"], path: "Sources/PubSub", swiftSettings: swift),
        .target(
            name: "WebSocket", dependencies: ["COpenSSL", "CZlib"], path: "Sources/WebSocket", swiftSettings: swift),
        .target(name: "Proxies", dependencies: ["EventLoop"], path: "Sources/Proxies", swiftSettings: swift),
        .target(name: "HTTP1", path: "Sources/HTTP1", swiftSettings: swift),
        .target(
            name: "EventLoop",
            dependencies: ["CLinux", "COpenSSL", .product(name: "DequeModule", package: "swift-collections")],
            path: "Sources/EventLoop", swiftSettings: swift),
        .target(name: "CLinux", path: "Sources/CLinux", cSettings: c),
        .systemLibrary(name: "COpenSSL", path: "Sources/COpenSSL"),
        .systemLibrary(name: "CZlib", path: "Sources/CZlib"),
        .target(
            name: "PerigeeTestKit",
            dependencies: ["Server", "CLinux", "COpenSSL", "CZlib", .product(name: "Logging", package: "swift-log")],
            path: "Sources/PerigeeTestKit", swiftSettings: swift),
    ]
)
