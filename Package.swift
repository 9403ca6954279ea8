// swift-tools-version: 6.1
import PackageDescription

/// Shown by `--version`. A checkout with changes says so.
let commit = Context.gitInformation.map { String($0.currentCommit.prefix(10)) + ($0.hasUncommittedChanges ? "+" : "") } ?? "unknown"

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

// The floors of the house, lowest first: a target imports only targets above it in this list (README.md, "A tour of the house").
let floors: [Target] = [
    // Floor 0
    .target(name: "CKernels"),
    .target(name: "CVersion", cSettings: [.define("SWIFTWATER_COMMIT", to: "\"\(commit)\"")]),  // Alone: whoever imports it is built anew with each commit.
    .systemLibrary(name: "CLibcrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CYaml", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "AWS", dependencies: [
        "CKernels", "CLibcrypto", "CZlib",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
    ]),
    .target(name: "Columnar"),
    .target(name: "DashboardFiles", exclude: ["web"]),
    .target(name: "Meters"),
    .target(name: "Settings", dependencies: ["CYaml"]),
    // Floor 1
    .target(name: "Expressions", dependencies: ["Columnar"]),
    .target(name: "Storage", dependencies: ["AWS", .product(name: "NIOCore", package: "swift-nio")]),
    // Floor 2
    .target(name: "Dataflow", dependencies: ["Columnar", "Expressions"]),
    // Floor 3
    .target(name: "SQL", dependencies: ["Columnar", "Expressions", "Dataflow", "Settings"]),
    .target(name: "Wire", dependencies: ["Columnar", "Dataflow"]),
    .target(name: "State", dependencies: ["CKernels", "Columnar", "Dataflow"]),
    .target(name: "Connectors", dependencies: ["AWS", "CKernels", "CZlib", "Columnar", "Expressions", "Dataflow"]),
    // Floor 4
    .target(name: "Operators", dependencies: ["Columnar", "Expressions", "Dataflow", "State"]),
    .target(name: "JobControl", dependencies: ["CKernels", "Dataflow", "Wire"]),
    .target(name: "Transport", dependencies: [
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
    ]),
    // Floor 5
    .target(name: "TaskRuntime", dependencies: ["Columnar", "Expressions", "Dataflow", "Wire", "Operators"]),
    // Floor 6
    .target(name: "Simulator", dependencies: [
        "AWS", "Columnar", "Expressions", "Dataflow", "Wire", "State", "Connectors", "JobControl", "TaskRuntime",
    ]),
    .target(name: "Hosts", dependencies: [
        "AWS", "CKernels", "CVersion", "Columnar", "Settings", "Expressions", "Storage", "Dataflow", "SQL", "Wire", "State", "JobControl", "Transport",
        "TaskRuntime", "Meters",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
    ]),
    // Floor 7
    .target(name: "REST", dependencies: [
        "DashboardFiles", "Meters", "Dataflow", "Wire", "Hosts", "JobControl", "Settings", "SQL",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HummingbirdTLS", package: "hummingbird"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "Logging", package: "swift-log"),
    ]),
    // Floor 8: the executables
    .executableTarget(name: "jobmanager", dependencies: [
        "AWS", "Connectors", "Dataflow", "Hosts", "JobControl", "REST", "Settings", "SQL", argumentParser,
    ]),
    .executableTarget(name: "taskmanager", dependencies: ["AWS", "Connectors", "Dataflow", "Hosts", "Settings", argumentParser]),
    .executableTarget(name: "swiftwater", dependencies: [
        "AWS", "Columnar", "Connectors", "Dataflow", "Expressions", "Hosts", "JobControl", "REST", "Settings", "SQL", argumentParser,
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Histogram", package: "hdrhistogram-swift"),
    ]),
    .executableTarget(name: "simulate", dependencies: ["Dataflow", "Simulator", argumentParser]),
]

let tests: [Target] = [
    .testTarget(name: "AWSTests", dependencies: [
        "AWS", .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
    ]),
    .testTarget(name: "ColumnarTests", dependencies: ["Columnar"]),
    .testTarget(name: "MetersTests", dependencies: ["Meters"]),
    .testTarget(name: "SettingsTests", dependencies: ["Settings"]),
    .testTarget(name: "ExpressionsTests", dependencies: ["Columnar", "Expressions"]),
    .testTarget(name: "StorageTests", dependencies: ["AWS", "Storage", .product(name: "NIOCore", package: "swift-nio")]),
    .testTarget(name: "SQLTests", dependencies: ["Columnar", "Expressions", "Dataflow", "Settings", "SQL"]),
    .testTarget(name: "WireTests", dependencies: ["Columnar", "Dataflow", "Wire"]),
    .testTarget(name: "StateTests", dependencies: ["CKernels", "Columnar", "Dataflow", "State"]),
    .testTarget(name: "ConnectorsTests", dependencies: [
        "AWS", "CKernels", "Columnar", "Dataflow", "Connectors", .product(name: "NIOCore", package: "swift-nio"),
    ]),
    .testTarget(name: "OperatorsTests", dependencies: ["Columnar", "Expressions", "Dataflow", "State", "Operators"]),
    .testTarget(name: "JobControlTests", dependencies: ["Columnar", "Dataflow", "Wire", "JobControl"]),
    .testTarget(name: "TransportTests", dependencies: [
        "Transport", .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
    ]),
    .testTarget(name: "TaskRuntimeTests", dependencies: [
        "Columnar", "Expressions", "Dataflow", "Wire", "State", "Operators", "TaskRuntime",
    ]),
    .testTarget(name: "SimulationTests", dependencies: ["Dataflow", "JobControl", "Simulator"]),
    .testTarget(name: "HostsTests", dependencies: [
        "AWS", "Columnar", "Dataflow", "Hosts", "Settings", "TaskRuntime", "Transport", "Wire", .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
    ]),
    .testTarget(name: "RESTTests", dependencies: [
        "CKernels", "Columnar", "Dataflow", "Hosts", "JobControl", "REST", "Settings", "Wire", .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "HTTPTypes", package: "swift-http-types"), .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
    ]),
    .testTarget(name: "SQLGoldenTests", dependencies: [
        "Columnar", "Expressions", "Dataflow", "Settings", "SQL", "Connectors", "JobControl", "Hosts",
    ]),
]

let package = Package(
    name: "swiftwater",
    products: ["jobmanager", "taskmanager", "swiftwater", "simulate"].map { .executable(name: $0, targets: [$0]) },
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        // Without its traits: they link all of Foundation.
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", exact: "0.2.0"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    ],
    targets: floors + tests
)
