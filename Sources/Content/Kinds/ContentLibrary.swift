import Foundation
import KQL
import Tables

/// A content file that cannot be used, with its place.
package struct ContentProblem: Error, Sendable {
    package let file: String
    package let message: String
    /// Whether nothing is wrong with what is read, and something else is there that is not.
    package let isNotice: Bool

    package init(_ file: String, _ message: String, isNotice: Bool = false) {
        self.file = file
        self.message = message
        self.isNotice = isNotice
    }

    package var description: String { "\(file): \(message)" }
}

/// Everything under the content folder.
package struct ContentLibrary: Sendable {
    package let folder: String
    /// Whether every file could be used: where one could not, what it defines is missing.
    package private(set) var isWhole = true
    package private(set) var tables: [String: TableDefinition] = [:]
    package private(set) var sources: [SourceDefinition] = []
    package private(set) var functions: [FunctionDefinition] = []
    package private(set) var workbooks: [WorkbookFile] = []
    /// The workbook that the site begins with, that of the last folder which names one.
    package private(set) var home: String?
    /// Functions that only a cloud service has data for: the service, by the function's name.
    package private(set) var cloudFunctions: [String: String] = [:]
    /// By alias.
    package private(set) var watchlists: [String: Watchlist] = [:]
    private let forensics: DeferredContent<ForensicContent>
    private let judging: DeferredContent<JudgingContent>
    private let lab: DeferredContent<LabContent>
    private let folders: [String]

    private init(folders: [String]) {
        folder = folders.first ?? "Content"
        self.folders = folders
        forensics = DeferredContent { ForensicContent(folders: folders) }
        judging = DeferredContent { JudgingContent(folders: folders) }
        lab = DeferredContent { LabContent(folders: folders) }
    }

    package var hunts: [HuntDefinition] { forensics.value.hunts }
    package var controls: [ControlDefinition] { forensics.value.controls }
    package var havoc: [HavocDefinition] { forensics.value.havoc }
    /// Decision tables, and how their points follow from rows.
    package var triage: TriageContent { judging.value.triage }
    /// Rules that look for trouble, by the names of their files.
    package var rules: [AnalyticsRule] { judging.value.rules }
    /// Whether there are rules, without reading them.
    package var hasRules: Bool { folders.contains { !ContentFolder.rules.files(in: $0).isEmpty } }
    /// Files of hunts, controls and categories of harm that cannot be used. They are read when they are asked for.
    package var forensicProblems: [ContentProblem] { forensics.value.problems }
    /// What the lab can play. They are read when they are asked for.
    package var scenarios: [ScenarioDefinition] { lab.value.scenarios }
    /// Files of scenarios that cannot be used.
    package var scenarioProblems: [ContentProblem] { lab.value.problems }
    /// Files of rules and decision tables that cannot be used. They are read when they are asked for.
    package var judgingProblems: [ContentProblem] { judging.value.problems }

    /// Reads a folder. Later folders overlay earlier ones: the same id replaces, a new one adds.
    ///
    /// - Returns: the library, and the files that were left out with the reason.
    package static func load(folders: [String]) -> (library: ContentLibrary, problems: [ContentProblem]) {
        var library = ContentLibrary(folders: folders)
        var problems: [ContentProblem] = []
        var expansion = SourceExpansion()
        for folder in folders {
            for file in ContentFolder.tables.files(in: folder) {
                ContentProblem.collecting(in: &problems) {
                    let t = try TableDefinition(yaml: try Fields(file: file), file: file)
                    library.tables[t.name] = t
                }
            }
            var read: [(file: String, yaml: Fields)] = []
            for file in ContentFolder.sources.files(in: folder) {
                ContentProblem.collecting(in: &problems) { read.append((file, try Fields(file: file))) }
            }
            for source in expansion.expand(read) {
                ContentProblem.collecting(in: &problems) {
                    let yaml = try source.get()
                    let s = try SourceDefinition(yaml: yaml, file: yaml.file)
                    library.sources.removeAll { $0.id == s.id }
                    library.sources.append(s)
                }
            }
            for file in ContentFolder.functions.files(in: folder) {
                ContentProblem.collecting(in: &problems) {
                    let f = try FunctionDefinition(text: try ContentText.read(file), file: file)
                    library.functions.removeAll { $0.name == f.name }
                    library.functions.append(f)
                }
            }
            for file in ContentFolder.watchlists.files(in: folder) {
                ContentProblem.collecting(in: &problems) {
                    let alias = ((file as NSString).lastPathComponent as NSString).deletingPathExtension
                    let changed = try? FileManager.default.attributesOfItem(atPath: file)[.modificationDate] as? Date
                    let updated =
                        changed.map {
                            DateTime.unixEpoch + Int64($0.timeIntervalSince1970 * Double(DateTime.ticksPerSecond))
                        } ?? DateTime.unixEpoch
                    library.watchlists[alias] = try Watchlist(
                        alias: alias, csv: Array(try ContentText.read(file).utf8), searchKey: nil, updated: updated,
                        file: file)
                }
            }
            library.loadWorkbooks(folder, &problems)
            let cloud = folder + "/" + ContentFolder.cloudFunctions
            if FileManager.default.fileExists(atPath: cloud) {
                ContentProblem.collecting(in: &problems) { try library.loadCloudFunctions(try Fields(file: cloud)) }
            }
        }
        library.isWhole = problems.isEmpty
        for folder in folders.dropFirst() { problems += ContentFolder.strays(in: folder, isOverlay: true) }
        if let first = folders.first { problems += ContentFolder.strays(in: first, isOverlay: false) }
        for i in library.sources.indices { library.sources[i].complete(with: library.tables) }
        library.sources.sort { $0.id < $1.id }
        library.functions.sort { $0.name < $1.name }
        library.workbooks.sort { $0.id < $1.id }
        return (library, problems)
    }

    /// Reads the workbooks of a folder with what each is to the site.
    private mutating func loadWorkbooks(_ content: String, _ problems: inout [ContentProblem]) {
        let folder = content + "/" + ContentFolder.workbooks.rawValue
        var roles: [String: WorkbookRole] = [:]
        for file in ContentFolder.workbooks.files(in: content, ending: ["yaml", "yml"]) {
            ContentProblem.collecting(in: &problems) {
                roles[WorkbookFile.id(of: file)] = try WorkbookRole(yaml: try Fields(file: file))
            }
        }
        var homes: [String] = []
        for file in ContentFolder.workbooks.files(in: content, ending: ["workbook"]) {
            ContentProblem.collecting(in: &problems) {
                let id = WorkbookFile.id(of: file)
                let role = roles.removeValue(forKey: id) ?? WorkbookRole()
                let workbook = try WorkbookFile(json: try ContentText.read(file), file: file, role: role)
                workbooks.removeAll { $0.id == id }
                workbooks.append(workbook)
                if role.isHome { homes.append(id) }
            }
        }
        for id in roles.keys.sorted() {
            problems.append(ContentProblem("\(folder)/\(id).yaml", "there is no workbook \(id).workbook beside it"))
        }
        if homes.count > 1 {
            problems.append(
                ContentProblem(folder, "one workbook can be the first page, not \(homes.joined(separator: " and "))"))
        }
        if let home = homes.first { self.home = home }
    }

    private mutating func loadCloudFunctions(_ yaml: Fields) throws {
        try yaml.only(["functions"])
        for function in try yaml.list("functions") {
            try function.only(["name", "service"])
            cloudFunctions[try function.string("name")] = try function.string("service")
        }
    }

    /// The tables of each group that shares a data collection rule, by the group's name.
    package var ruleGroups: [String: [String]] {
        var groups: [String: [String]] = [:]
        for table in tables.values { if let rule = table.rule { groups[rule, default: []].append(table.name) } }
        return groups.mapValues { $0.sorted() }
    }

    /// The tables that a name stands for: a table's own name, the one that it has in Log Analytics, or a group's.
    ///
    /// - Returns: nil when there is none of that name.
    package func tables(named name: String) -> [String]? {
        if tables[name] != nil { return [name] }
        if let table = tables.keys.first(where: { SentTable.name(of: $0) == name }) { return [table] }
        return ruleGroups[name]
    }

    /// What people are told of the tables and functions.
    package var notes: CatalogNotes {
        var notes = CatalogNotes()
        for (name, service) in cloudFunctions { notes.functions[name] = EntityNote(service: service) }
        for table in tables.values {
            notes.tables[table.name] = EntityNote(description: table.description, folder: table.kind.rawValue)
        }
        for function in functions {
            notes.functions[function.name] = EntityNote(
                description: function.description, parameters: function.parameters,
                body: "{\n" + function.body.trimmingCharacters(in: .whitespacesAndNewlines) + "\n}")
        }
        return notes
    }

    /// The watchlists as tables, by the tables' names.
    package var watchlistTables: [String: Batch] {
        Dictionary(uniqueKeysWithValues: watchlists.values.map { (WatchlistTable.name($0.alias), $0.rows) })
    }

    /// The functions' declarations by name, for binding.
    package var functionDeclarations: [String: FunctionDeclaration] {
        Dictionary(functions.map { ($0.name, $0.declaration) }) { _, new in new }
    }
}
