import Forensics
import Tables
import Testing

/// What leaves a case: each form is what its reader expects, holds nothing that people rejected, and says what it left
/// out.
@Suite struct CaseExportTests {
    private func export(_ form: CaseExport.Form, _ change: (inout CaseFile) throws -> Void = { _ in }) throws
        -> CaseExport
    {
        var file = try CaseTests.bill.get()
        try change(&file)
        return CaseExport.make(file, as: form) { "report of \($0.id)" }
    }

    private func json(_ form: CaseExport.Form, _ change: (inout CaseFile) throws -> Void = { _ in }) throws -> JSON {
        try JSON(parsing: try #require(try export(form, change).files.first).text)
    }

    /// A case of a few rows written by hand.
    static func small(_ rows: [(JSON, Claim.Kind)]) -> CaseFile {
        var file = CaseFile(id: "small", opened: EstateScript.time(0))
        for (i, (row, kind)) in rows.enumerated() {
            let digest = Digest.hex(row)
            file.add(
                .row, id: digest, body: ["table": "DeviceNetworkEvents", "row": row], now: 0, actor: "t", action: "take"
            )
            let claim = Claim(
                kind, subject: "desk\(i % 2).fenwick.example", object: "act-\(i)", techniques: ["T1071"],
                time: EstateScript.time(Double(i)), because: "", supports: [digest])
            file.add(.claim, id: claim.id, body: claim.json, now: 0, actor: "t", action: "state")
        }
        return file
    }

    private static func row(_ i: Int, _ cells: [(String, JSON)]) -> JSON {
        let fixed: [(String, JSON)] = [
            ("Timestamp", .string(DateTime.format(EstateScript.time(Double(i))))), ("ReportId", .integer(Int64(i))),
            ("DeviceId", "d"),
        ]
        return .object(JSON.Members(fixed + cells))
    }

    @Test(arguments: CaseExport.Form.allCases)
    func theSameCaseGivesTheSameBytes(_ form: CaseExport.Form) throws {
        let first = try export(form).files.map(\.text)
        #expect(first == (try export(form).files.map(\.text)) && first.allSatisfy { !$0.isEmpty })
    }

    @Test(arguments: CaseExport.Form.allCases)
    func whatWasRejectedIsToldOrLeftOut(_ form: CaseExport.Form) throws {
        let statements = try CaseTests.bill.get().statements
        let claim = try #require(statements.first { $0.kind == .harm })
        let export = try export(form) { file in
            _ = file.judge(claim.id, .rejected, reason: "an agreed test", now: 9, actor: "wren")
        }
        switch form {
        case .evidence, .json:
            #expect(export.files[0].text.contains("an agreed test"))
        case .csv:
            #expect(export.files[0].text.contains(",rejected,an agreed test,"))
        case .html: #expect(export.files[0].text == "report of bill")
        case .timesketch, .navigator, .attackFlow, .afb, .stix, .misp:
            #expect(export.leftOut[.rejected] == 1)
            #expect(export.omission?.contains("1 claims that people rejected") == true)
            // The file itself says so, too: it is read without the message of the command.
            #expect(export.files[0].text.contains("1 claims that people rejected"), "\(form)")
        }
    }

    @Test func timesketch() throws {
        let file = try CaseTests.bill.get()
        let lines = try export(.timesketch).files[0].text.split(separator: "\n").map { try JSON(parsing: $0) }
        #expect(lines.count == file.claims.count)
        for line in lines {
            let time = try #require(line["datetime"]?.string.flatMap { DateTime.parse($0) })
            #expect(line["timestamp"]?.integer == (time - DateTime.unixEpoch) / 10)
        }
    }

    @Test func navigator() throws {
        let layer = try json(.navigator)
        #expect(layer["techniques"]?.array?.contains { $0["techniqueID"]?.string == "T1486" } == true)
        #expect(layer["versions"]?["layer"]?.string == "4.5")
    }

    /// Everything that an object of a bundle names is in the bundle, but for what its publisher defines.
    @Test(arguments: [CaseExport.Form.attackFlow, .stix])
    func bundlesAreWhole(_ form: CaseExport.Form) throws {
        let objects = try #require(try json(form)["objects"]?.array)
        let ids = objects.compactMap { $0["id"]?.string }
        #expect(ids.count == objects.count && Set(ids).count == ids.count)
        let names = [
            "start_refs", "effect_refs", "asset_refs", "on_true_refs", "object_refs", "sighting_of_ref",
            "created_by_ref",
        ]
        for object in objects {
            for name in names {
                let referred = object[name]?.array?.compactMap(\.string) ?? [object[name]?.string].compactMap { $0 }
                #expect(referred.allSatisfy(ids.contains), "\(name) of \(object["type"]?.string ?? "?")")
            }
            let id = try #require(object["id"]?.string)
            #expect(id.hasPrefix("\(object["type"]?.string ?? "?")--"))
        }
    }

    @Test func anAttackFlowHasActsGapsAndAssets() throws {
        let objects = try #require(try json(.attackFlow)["objects"]?.array)
        func count(_ type: String) -> Int { objects.count { $0["type"]?.string == type } }
        #expect(count("attack-flow") == 1 && count("attack-action") > 5 && count("attack-asset") >= 2)
        #expect(count("attack-condition") >= 1)
        let actions = objects.filter { $0["type"]?.string == "attack-action" }
        // Lists that are there are not empty (minItems 1).
        for action in actions { #expect(action["effect_refs"]?.array?.isEmpty != true) }
    }

    /// Both ends of each line lie on an anchor of a block: that is what an edge is in the builder.
    @Test func theBuildersFileKeepsItsEdges() throws {
        let document = try json(.afb)
        #expect(document["schema"]?.string == "attack_flow_v2")
        let objects = try #require(document["objects"]?.array)
        let instances = objects.compactMap { $0["instance"]?.string }
        #expect(Set(instances).count == objects.count)
        let blocks = objects.filter { ["action", "asset"].contains($0["id"]?.string ?? "") }
        var owner: [String: String] = [:]
        for block in blocks {
            for anchor in block["anchors"]?.members?.values ?? [] {
                let held = objects.first { $0["instance"] == anchor }?["latches"]?.array ?? []
                for latch in held { owner[latch.string ?? ""] = block["instance"]?.string }
            }
            #expect(document["layout"]?[block["instance"]?.string ?? ""]?.array?.count == 2)
        }
        let lines = objects.filter { $0["id"]?.string == "dynamic_line" }
        #expect(lines.count > 5)
        for line in lines {
            let from = try #require(line["source"]?.string.flatMap { owner[$0] })
            let to = try #require(line["target"]?.string.flatMap { owner[$0] })
            #expect(from != to)
        }
        let children = try #require(objects.first?["objects"]?.array)
        #expect(Set(children.compactMap(\.string)) == Set((lines + blocks).compactMap { $0["instance"]?.string }))
    }

    /// Own addresses, own names and files of the system are no indicators; what is left out is counted.
    @Test func indicatorsAreOfTheIntruder() throws {
        let hash = String(repeating: "ab", count: 32)
        let file = Self.small([
            (Self.row(1, [("RemoteIP", "10.1.1.1"), ("RemoteUrl", "files.fenwick.example")]), .technique),
            (Self.row(2, [("RemoteIP", "::ffff:198.51.100.7"), ("RemoteIPType", "Public")]), .technique),
            (Self.row(3, [("RemoteUrl", "http://drop.bad-host.net:8080/a.bin")]), .entry),
            (Self.row(4, [("SHA256", .string(hash)), ("FolderPath", #"C:\Windows\System32\cmd.exe"#)]), .technique),
            (Self.row(5, [("SHA256", .string(hash)), ("FolderPath", #"C:\PerfLogs\e.exe"#)]), .harm),
            (Self.row(6, [("RemoteUrl", "bill.docm"), ("RemoteIP", "fe80::1")]), .technique),
        ])
        let export = CaseExport.make(file, as: .stix) { _ in "" }
        let patterns = try JSON(parsing: export.files[0].text)["objects"]?.array?.compactMap { $0["pattern"]?.string }
        #expect(
            Set(patterns ?? []) == [
                "[ipv4-addr:value = '198.51.100.7']", "[domain-name:value = 'drop.bad-host.net']",
                "[url:value = 'http://drop.bad-host.net:8080/a.bin']", "[file:hashes.'SHA-256' = '\(hash)']",
            ])
        #expect(export.leftOut[.systemFile] == 1 && export.leftOut[.noIndicator] == 3)
        #expect(export.leftOut[.ownAddress] == 4)
    }

    @Test func misp() throws {
        let file = Self.small([
            (Self.row(1, [("RemoteIP", "198.51.100.77"), ("RemoteIPType", "Public")]), .technique),
            (Self.row(2, [("RemoteIP", "10.1.1.1")]), .harm),
        ])
        let text = try #require(CaseExport.make(file, as: .misp) { _ in "" }.files.first).text
        let event = try JSON(parsing: text)["Event"]
        let attributes = try #require(event?["Attribute"]?.array)
        let address = try #require(attributes.first { $0["value"]?.string == "198.51.100.77" })
        #expect(address["type"]?.string == "ip-dst" && address["to_ids"]?.bool == true)
        #expect(event?["published"]?.bool == false)
        #expect(attributes.last?["type"]?.string == "comment")
    }

    /// A set of tables: no cell is a way to the intruder's server, and none is worked out.
    @Test func tables() throws {
        let file = Self.small([
            (Self.row(1, [("RemoteIP", "198.51.100.7"), ("RemoteIPType", "Public")]), .technique),
            (Self.row(2, [("RemoteUrl", "https://drop.bad-host.net/a.bin")]), .harm),
        ])
        let export = CaseExport.make(file, as: .csv) { _ in "" }
        let tables = Dictionary(uniqueKeysWithValues: export.files.map { ($0.name, $0.text) })
        #expect(tables.keys.contains("small-left-out.csv") && tables.count == 7)
        let indicators = try #require(tables["small-indicators.csv"])
        for text in ["198[.]51[.]100[.]7", "hxxps://drop[.]bad-host[.]net/a.bin", "drop[.]bad-host[.]net"] {
            #expect(indicators.contains(text), "\(text)")
        }
        #expect(!indicators.contains("https://") && !indicators.contains("198.51"))
        let records = CSV.records(Array(try #require(tables["small-timeline.csv"]).utf8))
        #expect(records.count == 3 && records.allSatisfy { $0.count == records[0].count })
    }

    @Test(arguments: [
        ("curl http://a.b.example/x?y=1 10.2.3.4 v1.2", "curl hxxp://a[.]b[.]example/x?y=1 10[.]2[.]3[.]4 v1.2"),
        ("FTP://h.net/f", "fxp://h[.]net/f"), ("evil.com", "evil[.]com"), ("e.exe", "e.exe"),
        ("999.1.1.1", "999.1.1.1"), ("no address", "no address"),
    ])
    func addressesAreDefanged(_ text: String, _ safe: String) { #expect(Defang.text(text) == safe) }
}
