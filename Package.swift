// swift-tools-version:6.1

import PackageDescription

let swift: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny")
]

/// Debian keeps libraries on the compiler's own paths; Homebrew does not.
func homebrew(_ package: String) -> String? {
    #if os(macOS)
        package
    #else
        nil
    #endif
}

/// For the targets whose loops run over every row: the checks of exclusive access at run time cost a fifth there. Tests run with them.
let hot: [SwiftSetting] = swift + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

/// The targets are listed in the order of the layers: a target imports only what stands above it here.
let package = Package(
    name: "vestige",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "vestige", targets: ["vestige"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-certificates", exact: "1.21.1"),
        .package(url: "https://github.com/apple/swift-asn1", exact: "1.7.4"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/vapor/jwt-kit", exact: "5.7.1"),
    ],
    targets: [
        // Shims over system libraries.
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .systemLibrary(
            name: "CDeflate", pkgConfig: homebrew("libdeflate"),
            providers: [.apt(["libdeflate-dev"]), .brew(["libdeflate"])]),
        .systemLibrary(
            name: "CMaxMindDB", pkgConfig: homebrew("libmaxminddb"),
            providers: [.apt(["libmaxminddb-dev"]), .brew(["libmaxminddb"])]),
        .systemLibrary(
            name: "CRE2System", pkgConfig: homebrew("re2"), providers: [.apt(["libre2-dev"]), .brew(["re2"])]),
        .target(name: "CRE2", dependencies: ["CRE2System"], linkerSettings: [.linkedLibrary("re2")]),

        // Values and the language.
        .target(name: "CQueryGuard"),
        .target(
            name: "Tables",
            dependencies: [
                "CZlib", "CDeflate", "CQueryGuard", .product(name: "OrderedCollections", package: "swift-collections"),
            ],
            swiftSettings: hot),
        .target(name: "KQL", dependencies: ["Tables", "CQueryGuard"], swiftSettings: swift),
        .target(
            name: "KQLEngine",
            dependencies: [
                "KQL", "Tables", "CRE2", "CMaxMindDB", "CQueryGuard", .product(name: "Crypto", package: "swift-crypto"),
            ], swiftSettings: hot),

        // What the product stands on.
        .target(
            name: "Content",
            dependencies: ["KQL", "Tables", .product(name: "Yams", package: "Yams")],
            swiftSettings: swift),
        .target(
            name: "Workspace",
            dependencies: [
                "KQLEngine", "KQL", "Tables", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Crypto", package: "swift-crypto"),
            ], swiftSettings: hot),
        .target(
            name: "Azure",
            dependencies: [
                "Tables", .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"), .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "Crypto", package: "swift-crypto"),
            ], swiftSettings: swift),

        // What the product does.
        .target(
            name: "Pipeline",
            dependencies: [
                "Azure", "Workspace", "KQLEngine", "KQL", "Content", "Tables",
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Crypto", package: "swift-crypto"),
            ], swiftSettings: hot),
        .target(
            name: "Forensics",
            dependencies: [
                "Workspace", "KQLEngine", "KQL", "Content", "Tables", .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
            ], swiftSettings: swift),
        .target(
            name: "Workbooks",
            dependencies: ["KQLEngine", "KQL", "Content", "Tables", .product(name: "Crypto", package: "swift-crypto")],
            resources: [
                .embedInCode("Assets/workbook.css"), .embedInCode("Assets/workbook.js"),
                .embedInCode("Assets/theme.js"), .embedInCode("Assets/report.css"),
                .embedInCode("Assets/investigation.css"),
            ], swiftSettings: swift),

        // The HTTP servers, and the door that they share.
        .target(
            name: "Serving",
            dependencies: [
                "Tables", .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ], swiftSettings: swift),
        .target(
            name: "Workbench",
            dependencies: [
                "Serving", "Forensics", "Workbooks", "Pipeline", "Azure", "Workspace", "KQLEngine", "KQL", "Content",
                "Tables",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"), .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "_CryptoExtras", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ], swiftSettings: swift),
        .target(
            name: "Lab",
            dependencies: [
                "Serving", "KQLEngine", "KQL", "Tables",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "_CryptoExtras", package: "swift-crypto"),
                .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ], resources: [.embedInCode("Assets/controls.csv"), .embedInCode("Assets/vulnerabilities.csv")],
            swiftSettings: swift),

        // The program.
        .executableTarget(
            name: "vestige",
            dependencies: [
                "Workbench", "Lab", "Serving", "Forensics", "Workbooks", "Pipeline", "Azure", "Workspace", "Content",
                "KQLEngine",
                "KQL", "Tables",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ], swiftSettings: swift,
            // All relocations at the start, and read-only from then on.
            linkerSettings: [
                .unsafeFlags(
                    ["-Xlinker", "-z", "-Xlinker", "relro", "-Xlinker", "-z", "-Xlinker", "now"],
                    .when(platforms: [.linux], configuration: .release))
            ]),

        // Tests. TestKit never ships.
        .target(
            name: "TestKit",
            dependencies: [
                "Lab", "Pipeline", "Azure", "Workspace", "Content", "Tables",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ], path: "Tests/TestKit", swiftSettings: swift),
        .testTarget(name: "TablesTests", dependencies: ["Tables", "TestKit"], swiftSettings: swift),
        .testTarget(name: "KQLTests", dependencies: ["KQL", "Tables"], swiftSettings: swift),
        .testTarget(name: "KQLEngineTests", dependencies: ["KQLEngine", "KQL", "Tables"], swiftSettings: swift),
        .testTarget(name: "ContentTests", dependencies: ["Content", "TestKit"], swiftSettings: swift),
        .testTarget(
            name: "WorkspaceTests",
            dependencies: [
                "Workspace", "KQLEngine", "KQL", "Tables", "TestKit", .product(name: "GRDB", package: "GRDB.swift"),
            ], exclude: ["Formats"], swiftSettings: swift),
        .testTarget(
            name: "AzureTests",
            dependencies: [
                "Azure", "Content", "Tables", "TestKit",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: swift),
        .testTarget(
            name: "LabTests",
            dependencies: [
                "Lab", "Azure", "Content", "KQLEngine", "KQL", "Tables", "TestKit",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: swift),
        .testTarget(
            name: "PipelineTests",
            dependencies: [
                "Pipeline", "Azure", "Workspace", "KQLEngine", "Content", "Tables", "TestKit",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swift),
        .testTarget(
            name: "ForensicsTests",
            dependencies: ["Forensics", "Pipeline", "Workspace", "KQLEngine", "KQL", "Content", "Tables", "TestKit"],
            swiftSettings: swift),
        .testTarget(
            name: "WorkbooksTests",
            dependencies: [
                "Workbooks", "KQLEngine", "Content", "Tables", "TestKit",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            exclude: ["Fixture", "Golden"],
            swiftSettings: swift),
        .testTarget(
            name: "ServingTests",
            dependencies: [
                "Serving", "TestKit", .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ], swiftSettings: swift),
        .testTarget(
            name: "WorkbenchTests",
            dependencies: [
                "Workbench", "Forensics", "Workbooks", "Lab", "Pipeline", "Azure", "Workspace", "KQLEngine", "Content",
                "Tables", "TestKit",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "JWTKit", package: "jwt-kit"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ], swiftSettings: swift),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "vestige", "Pipeline", "Workspace", "KQLEngine", "KQL", "Tables", "TestKit",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swift),
        .testTarget(name: "TidyTests", dependencies: ["TestKit"], swiftSettings: swift),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)

// The fuzzer's target is there only when it is asked for: it needs clang's runtime (Tests/Fuzz/run.sh).
if Context.environment["VESTIGE_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "fuzz-kql", dependencies: ["KQLEngine", "KQL", "Tables"], path: "Tests/Fuzz",
            exclude: ["corpus", "kql.dict", "run.sh"],
            swiftSettings: swift))
}
