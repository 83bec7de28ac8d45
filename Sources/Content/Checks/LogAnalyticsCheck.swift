import Tables

/// Rules of the place where tables go: what a Log Analytics workspace and its data collection rules refuse is refused
/// here first, file by file. The numbers are those of `docs/content.md`.
enum LogAnalyticsCheck {
    static func run(_ library: ContentLibrary) -> [ContentProblem] {
        let tables = library.tables.values.sorted { $0.name < $1.name }
        return tables.flatMap(names) + groups(library) + functions(library)
    }

    private static func names(of table: TableDefinition) -> [ContentProblem] {
        let sent = table.sent
        var problems: [ContentProblem] = []
        func add(_ message: String) { problems.append(ContentProblem(table.file, message)) }
        if !LogAnalytics.isTableName(sent.name) {
            add(
                "N1: Log Analytics takes no table '\(sent.name)': a letter, then letters, digits and _, "
                    + "\(LogAnalytics.nameLengthMax) characters at most with \(LogAnalytics.customSuffix)")
        }
        if sent.columns.count > LogAnalytics.columnsPerTable {
            add("I13: \(sent.columns.count) columns; Log Analytics takes \(LogAnalytics.columnsPerTable)")
        }
        for column in table.columns {
            let name = table.sentNames[column.name] ?? column.name
            switch LogAnalytics.problem(ofColumn: name) {
            case .reserved where name.lowercased() == "tenantid":
                add("N7: column '\(name)' is Log Analytics' own workspace id there; give it another name with 'as:'")
            case .reserved:
                add("N4: column '\(name)' is reserved in Log Analytics; give it another name there with 'as:'")
            case .malformed:
                add(
                    "N5: Log Analytics takes no column '\(name)': a letter, then letters, digits and _, "
                        + "2 to \(LogAnalytics.nameLengthMax) characters; another name there goes in 'as:'")
            case nil: break
            }
        }
        // Names that differ by case only are one column on some of the service's plans.
        let byName = Dictionary(grouping: sent.columns.map(\.name)) { $0.lowercased() }
        for names in byName.values.filter({ $0.count > 1 }).sorted(by: { $0[0] < $1[0] }) {
            add("N5: two columns are called '\(names[0])' in Log Analytics")
        }
        return problems
    }

    private static func groups(_ library: ContentLibrary) -> [ContentProblem] {
        library.ruleGroups.sorted { $0.key < $1.key }.compactMap { rule, tables in
            guard tables.count > LogAnalytics.streamsPerRule, let last = library.tables[tables[tables.count - 1]] else {
                return nil
            }
            return ContentProblem(
                last.file,
                "R2: \(tables.count) tables have 'rule: \(rule)'; a data collection rule takes "
                    + "\(LogAnalytics.streamsPerRule) streams (\(LogAnalytics.limitsPage))")
        }
    }

    private static func functions(_ library: ContentLibrary) -> [ContentProblem] {
        let there = LogAnalytics.ownTables.union(library.tables.values.map(\.sent.name))
        return library.functions.compactMap { function in
            guard there.contains(function.name) || library.tables[function.name] != nil else { return nil }
            return ContentProblem(
                function.file, "N3: function '\(function.name)' bears the name of a table in Log Analytics; rename it")
        }
    }
}
