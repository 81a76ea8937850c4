// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "meta",
    products: [.executable(name: "meta", targets: ["meta"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/attaswift/BigInt", exact: "6.0.1"),
    ],
    targets: [
        .target(
            name: "Language",
            dependencies: [
                .product(name: "BigInt", package: "BigInt"),
                .product(name: "OrderedCollections", package: "swift-collections"),
            ]
        ),
        .target(
            name: "Evaluator",
            dependencies: ["Language", .product(name: "BigInt", package: "BigInt")],
            // The machine checks exclusive access by its design (one thread, no call back into a property in use);
            // checking it again at run time costs a tenth of a call.
            swiftSettings: [
                .unsafeFlags(
                    ["-enforce-exclusivity=unchecked", "-Xfrontend", "-assume-single-threaded"],
                    .when(configuration: .release))
            ]
        ),
        .target(name: "Wire", dependencies: ["Language"]),
        .target(name: "CKernels", exclude: ["files"]),
        .target(name: "Kernels", dependencies: ["CKernels"]),
        .target(name: "CSystem"),
        .target(name: "Sessions", dependencies: ["Wire", "Kernels", "CSystem"]),
        .target(
            name: "Buffers", dependencies: ["Language", "CSystem", .product(name: "BigInt", package: "BigInt")]),
        // Linked in: five shared libraries fewer to find at each start (docs/adr/0008-start.md).
        .systemLibrary(name: "CLibedit", providers: [.apt(["libedit-dev"])]),
        .systemLibrary(name: "CPCRE2", providers: [.apt(["libpcre2-dev"])]),
        .target(name: "Patterns", dependencies: ["CPCRE2"], linkerSettings: [.linkedLibrary(":libpcre2-8.a")]),
        .target(
            name: "CEditLine",
            dependencies: ["CLibedit"],
            linkerSettings: [
                .linkedLibrary(":libedit.a"), .linkedLibrary(":libtinfo.a"), .linkedLibrary(":libbsd.a"),
                .linkedLibrary(":libmd.a"),
            ]
        ),
        .target(name: "LineEditor", dependencies: ["CEditLine"]),
        .target(
            name: "REPL",
            dependencies: [
                "Language", "Evaluator", "Wire", "Kernels", "Sessions", "Buffers", "Patterns", "LineEditor", "CSystem",
                .product(name: "BigInt", package: "BigInt"),
            ]
        ),
        .target(name: "Properties"),
        .target(
            name: "Conformance",
            dependencies: ["Language", "Wire", "Sessions", "Properties", .product(name: "BigInt", package: "BigInt")]),
        .executableTarget(
            name: "meta",
            dependencies: [
                "Language", "Sessions", "REPL", "Conformance",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            // docs/adr/0008-start.md
            linkerSettings: [
                .unsafeFlags(
                    ["-Xclang-linker", "-no-pie", "-Xlinker", "--gc-sections"], .when(configuration: .release))
            ]
        ),
        .testTarget(name: "LanguageTests", dependencies: ["Language", "Properties"]),
        .testTarget(name: "EvaluatorTests", dependencies: ["Evaluator"]),
        .testTarget(
            name: "BuffersTests",
            dependencies: ["Buffers", "Language", "CSystem", "Properties", .product(name: "BigInt", package: "BigInt")]),
        .testTarget(name: "LineEditorTests", dependencies: ["LineEditor"]),
        .testTarget(
            name: "REPLTests", dependencies: ["REPL", "Wire", "Language"]),
        .testTarget(
            name: "SessionsTests", dependencies: ["Sessions", "Wire", "Language", "CSystem"], exclude: ["Fixtures"]),
    ],
    swiftLanguageModes: [.v6]
)
