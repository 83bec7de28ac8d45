import Foundation
import TestKit
import Testing

/// What the program is built of and how it is run: pinned, named, and without privileges.
@Suite struct SupplyTests {
    private struct Resolved: Decodable {
        struct Pin: Decodable {
            struct State: Decodable {
                let revision: String
                let version: String?
            }
            let identity: String
            let location: String
            let state: State
        }
        let pins: [Pin]
    }

    private static func text(_ name: String) throws -> String {
        try String(contentsOfFile: Repository.root + "/" + name, encoding: .utf8)
    }

    private static func pins() throws -> [Resolved.Pin] {
        try JSONDecoder().decode(Resolved.self, from: Data(try text("Package.resolved").utf8)).pins
    }

    @Test func everyPackageIsPinnedToAPublicVersion() throws {
        let pins = try Self.pins()
        #expect(pins.count > 20)
        for pin in pins {
            #expect(pin.location.hasPrefix("https://github.com/"), "\(pin.identity): \(pin.location)")
            #expect(pin.state.version != nil && pin.state.revision.count == 40, "\(pin.identity)")
        }
        let manifest = try Self.text("Package.swift")
        for dependency in manifest.matches(of: /\.package\(url: "([^"]+)", ([a-z]+): "([^"]+)"\)/) {
            #expect(dependency.output.2 == "exact", "\(dependency.output.1)")
            let pin = pins.first {
                $0.location.replacing(".git", with: "") == dependency.output.1.replacing(".git", with: "")
            }
            #expect(pin?.state.version == String(dependency.output.3), "\(dependency.output.1)")
        }
        // It is part of the repository, and no build passes it over.
        #expect(try !Self.text(".gitignore").contains("Package.resolved"))
        for name in ["Makefile", "Packaging/package.sh", "Packaging/Containerfile"] {
            #expect(try Self.text(name).contains("--only-use-versions-from-resolved-file"), "\(name)")
        }
    }

    @Test func everyPackageIsNamedWithItsLicence() throws {
        struct Terms: Decodable {
            let licence: String
            let copyright: String
        }
        let pins = try Self.pins()
        let terms = try JSONDecoder().decode(
            [String: Terms].self, from: Data(try Self.text("Packaging/licences.json").utf8))
        #expect(Set(terms.keys) == Set(pins.map(\.identity)))
        let allowed: Set = ["MIT", "Apache-2.0", "Apache-2.0 WITH Swift-exception"]
        for (name, one) in terms {
            #expect(allowed.contains(one.licence) && one.copyright.hasPrefix("Copyright"), "\(name)")
        }
        let notice = try Self.text("NOTICE")
        for pin in pins {
            #expect(
                notice.contains("\n\(pin.identity) \(pin.state.version ?? "?")\n"),
                "\(pin.identity): Packaging/sbom.py --notice > NOTICE")
        }
    }

    private static func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, text: String)? {
        guard
            let path = ["/usr/bin/", "/bin/", "/usr/local/bin/", "/opt/homebrew/bin/"].map({ $0 + program }).first(
                where: {
                    FileManager.default.isExecutableFile(atPath: $0)
                })
        else { return nil }
        let process = Process()
        let out = Pipe()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: Repository.root)
        process.standardOutput = out
        process.standardError = out
        try process.run()
        let data = out.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    @Test func theBillOfMaterialsIsTheSameEveryTime() throws {
        guard let first = try Self.run("python3", ["Packaging/sbom.py"]) else { return }
        #expect(first.status == 0, "\(first.text)")
        #expect(try Self.run("python3", ["Packaging/sbom.py"])?.text == first.text)
        #expect(try Self.run("python3", ["Packaging/sbom.py", "--check"])?.status == 0)
        let bill = try #require(try JSONSerialization.jsonObject(with: Data(first.text.utf8)) as? [String: Any])
        #expect(bill["bomFormat"] as? String == "CycloneDX" && bill["specVersion"] as? String == "1.6")
        let names = Set((bill["components"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String })
        #expect(try names.isSuperset(of: Self.pins().map(\.identity)) && names.contains("sqlite3"))
    }

    @Test(arguments: ["vestige", "vestige-serve"]) func theUnitsAreHardened(_ name: String) throws {
        let unit = try Self.text("Packaging/\(name).service")
        for line in [
            "User=vestige", "UMask=0077", "NoNewPrivileges=yes", "CapabilityBoundingSet=", "ProtectSystem=strict",
            "LimitCORE=0",
            "SystemCallFilter=@system-service", "MemoryMax=4G",
        ] {
            #expect(unit.split(separator: "\n").contains { $0 == line }, "\(line)")
        }
        // A secret in a unit could be read by everybody: systemctl show.
        #expect(!unit.contains("Environment=") && !unit.contains("SetCredential="))
        let path = "Packaging/\(name).service"
        guard
            let found = try Self.run(
                "systemd-analyze", ["security", "--offline=true", "--no-pager", Repository.root + "/" + path])
        else { return }
        let exposure = found.text.firstMatch(of: /Overall exposure level for [^:]+: ([0-9.]+)/).flatMap {
            Double($0.output.1)
        }
        #expect(try #require(exposure, "\(found.text)") <= 2.0, "\(found.text)")
    }

    @Test func theImageHasNoRootAndNothingBesides() throws {
        let file = try Self.text("Packaging/Containerfile")
        #expect(file.contains("\nUSER 10001:10001\n") && file.contains("\nHEALTHCHECK "))
        for base in file.matches(of: /\nARG [A-Z]+=([^\n]+)/) {
            #expect(base.output.1.contains("@sha256:") || base.output.1.contains(/:[0-9]+\.[0-9]+/), "\(base.output.1)")
        }
        for from in file.matches(of: /\nFROM ([^\n ]+)/) { #expect(from.output.1.hasPrefix("${"), "\(from.output.1)") }
        // All is left out but what is named.
        let ignored = try Self.text(".dockerignore").split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(ignored.first == "*")
        for name in ["!Sources", "!Content", "!Package.resolved"] {
            #expect(ignored.contains { $0 == name }, "\(name)")
        }
        #expect(!ignored.contains { $0.hasPrefix("!.") || $0 == "!*" })
    }

    /// Each promise names the suites that hold it, and they are there.
    @Test func promisesAreHeldByTests() throws {
        let names = try #require(FileManager.default.enumerator(atPath: Repository.root + "/Tests")).compactMap {
            $0 as? String
        }
        let suites = Set(
            try names.filter { $0.hasSuffix(".swift") }.flatMap { name in
                try Self.text("Tests/" + name).matches(of: /@Suite[^\n]*struct ([A-Za-z]+)/).map { String($0.output.1) }
            })
        let promises = try Self.text("SECURITY.md").components(separatedBy: "\n- ").dropFirst()
        #expect(promises.count >= 10)
        for promise in promises {
            let held = promise.matches(of: /`([A-Z][A-Za-z]+Tests)`/).map { String($0.output.1) }
            #expect(!held.isEmpty, "\(promise.prefix(60))")
            for suite in held { #expect(suites.contains(suite), "\(suite) in: \(promise.prefix(60))") }
        }
    }
}
