import Tables

/// Where the records of a JSON document are, and what they are called there.
struct JSONLayout {
    let form: JSONRecords.Form
    /// Where the values stand that hold the records.
    let parts: [Range<Int>]
    /// What the document is, in words; nil for plain records.
    var kind: String?
    /// The columns' types, where the document tells them.
    var types: [ColumnSpec] = []
    /// Only records whose member of this name has this text.
    var only: (name: String, text: String)?
    /// Whether texts may be numbers: the document writes every cell as a text.
    var textsAreUntyped = false
    /// Whether `{}` stands for nothing, as Graph writes it.
    var emptyObjectIsNull = false
    var notes: [String] = []

    init(_ form: JSONRecords.Form, _ parts: [Range<Int>], kind: String? = nil) {
        self.form = form
        self.parts = parts
        self.kind = kind
    }

    /// A document of one table: `{"columns":[{"name","type"}],"rows":[[…]]}`.
    init(table: JSONOutline.Table, kind: String) {
        self.init(.rows(table.columns.map(\.name)), table.rows, kind: kind)
        types = table.columns
    }

    private static let listNames = ["value", "results", "records", "data"]

    /// Finds the records of a document.
    ///
    /// - Parameter path: the member that holds the records, when somebody named it; `a.b` for a member of a member.
    static func find(_ bytes: UnsafeBufferPointer<UInt8>, path: String?) throws(FileProblem) -> JSONLayout {
        let whole = 0..<bytes.count
        let outline = JSONOutline(bytes)
        guard try outline.first(whole) == 123 else {
            if path != nil { throw FileProblem("--records names a member, but the document is an array") }
            if let frames = try outline.frames(whole) { return try Self.frames(frames, outline) }
            var layout = JSONLayout(.objects, [whole])
            if try outline.isCommandLineAnswer(whole) {
                layout.kind = "a saved answer of az monitor"
                layout.only = ("TableName", "PrimaryResult")
                layout.textsAreUntyped = true
            }
            return layout
        }
        let members = try outline.members(whole)
        if let path { return try named(path, members, outline) }
        func member(_ name: String) -> JSONOutline.Member? { members.first { $0.key.lowercased() == name } }
        if let error = member("error"), error.first == 123, !members.contains(where: { $0.first == 91 }) {
            let value = try outline.value(error.range)
            let reason = value["error"] ?? value
            throw FileProblem(
                "the service answered \(reason["code"]?.string ?? "an error"): "
                    + (reason["message"]?.string ?? reason.text))
        }
        if let tables = member("tables"), tables.first == 91, let found = try outline.tables(tables.range) {
            return try answer(found, members, outline)
        }
        var notes = try Self.notes(members, outline)
        if let found = Self.listNames.compactMap(member).first(where: { $0.first == 91 }) {
            var layout = JSONLayout(.objects, [found.range])
            if let schema = member("schema"), schema.first == 91 {
                layout.types = try outline.columns(schema.range)
                layout.kind = "a saved answer of advanced hunting"
                layout.emptyObjectIsNull = true
            }
            layout.notes = notes
            return layout
        }
        if let data = member("data"), data.first == 123, let table = try outline.table(data.range) {
            var layout = JSONLayout(table: table, kind: "a saved answer of Resource Graph")
            layout.notes = notes
            return layout
        }
        if let table = try outline.table(whole) { return JSONLayout(table: table, kind: "a saved answer of a query") }
        var lists: [JSONOutline.Member] = []
        for member in members where try outline.isListOfObjects(member) { lists.append(member) }
        if lists.count == 1, members.allSatisfy({ $0.key == lists[0].key || $0.first != 91 && $0.first != 123 }) {
            return JSONLayout(.objects, [lists[0].range])
        }
        if !lists.isEmpty {
            notes.append(
                "the document holds the lists \(lists.map(\.key).joined(separator: ", ")) beside other things and was "
                    + "read as one record; --records names the list to read")
        }
        var layout = JSONLayout(.objects, [whole])
        layout.notes = notes
        return layout
    }

    /// The list of a name that somebody gave.
    private static func named(
        _ path: String, _ members: [JSONOutline.Member], _ outline: JSONOutline
    ) throws(FileProblem) -> JSONLayout {
        var level = members
        var steps = path.split(separator: ".").map(String.init)
        if members.contains(where: { $0.key == path }) { steps = [path] }
        var lists = level.filter { $0.first == 91 }.map(\.key)
        for member in level where member.first == 123 {
            for inner in try outline.members(member.range) where inner.first == 91 {
                lists.append("\(member.key).\(inner.key)")
            }
        }
        let there = lists.isEmpty ? "there is no list in it" : "the lists in it are \(lists.joined(separator: ", "))"
        for (i, step) in steps.enumerated() {
            guard let found = level.first(where: { $0.key == step }) else { break }
            if i == steps.count - 1 {
                guard found.first == 91 else {
                    throw FileProblem("\"\(path)\" is no list; \(there)")
                }
                return JSONLayout(.objects, [found.range])
            }
            guard found.first == 123 else { break }
            level = try outline.members(found.range)
        }
        throw FileProblem("there is no list \"\(path)\"; \(there)")
    }

    /// An answer of several tables: Log Analytics, or Kusto's first version.
    private static func answer(
        _ tables: [JSONOutline.Table], _ members: [JSONOutline.Member], _ outline: JSONOutline
    ) throws(FileProblem) -> JSONLayout {
        let isKusto = members.contains { $0.key == "Tables" }
        var primary = 0
        // Kusto's last table tells what each of the others is
        // (https://learn.microsoft.com/kusto/api/rest/response-http).
        var kinds: [String] = []
        if isKusto, tables.count > 2, let contents = tables.last,
            contents.columns.contains(where: { $0.name == "Kind" })
        {
            kinds = try outline.texts(contents, column: "Kind")
            primary = kinds.firstIndex(of: "QueryResult") ?? 0
        } else if let named = tables.firstIndex(where: { $0.name == "PrimaryResult" }) {
            primary = named
        }
        guard tables.indices.contains(primary) else { throw FileProblem("the answer has no table") }
        var layout = JSONLayout(
            table: tables[primary], kind: isKusto ? "a saved answer of Kusto (v1)" : "a saved answer of Log Analytics")
        let others = tables.indices.filter { i in
            i != primary
                && (kinds.isEmpty
                    ? !(isKusto && i == tables.count - 1) : kinds.indices.contains(i) && kinds[i] == "QueryResult")
        }
        if !others.isEmpty {
            layout.notes.append(
                "the answer holds other tables, which were left out: "
                    + others.map { tables[$0].name }.joined(separator: ", "))
        }
        if let error = members.first(where: { $0.key == "error" }) {
            layout.notes.append("the answer says that it is not whole: \(try outline.value(error.range).text)")
        }
        return layout
    }

    /// An answer in frames: Kusto's second version
    /// (https://learn.microsoft.com/kusto/api/rest/response-http-v2).
    private static func frames(_ frames: [JSONOutline.Frame], _ outline: JSONOutline) throws(FileProblem) -> JSONLayout
    {
        var found: [(id: Int64, table: JSONOutline.Table)] = []
        var notes: [String] = []
        for frame in frames {
            switch frame.type {
            case "DataTable", "TableHeader":
                if frame.kind == "PrimaryResult", let table = frame.table { found.append((frame.id, table)) }
            case "TableFragment":
                guard let i = found.firstIndex(where: { $0.id == frame.id }), let rows = frame.rows else { continue }
                if frame.replaces { found[i].table.rows = [] }
                found[i].table.rows.append(rows)
            case "DataSetCompletion":
                if frame.hasErrors { notes.append("the answer says that the query had errors: it may not be whole") }
            default: continue
            }
        }
        guard let first = found.first else { throw FileProblem("the answer has no frame of a primary result") }
        var layout = JSONLayout(table: first.table, kind: "a saved answer of Kusto (v2)")
        if found.count > 1 {
            notes.append(
                "the answer holds other tables, which were left out: "
                    + found.dropFirst().map(\.table.name).joined(separator: ", "))
        }
        layout.notes = notes
        return layout
    }

    /// What a page says about pages that are not in the file.
    private static func notes(_ members: [JSONOutline.Member], _ outline: JSONOutline) throws(FileProblem) -> [String] {
        let links: Set = ["@odata.nextlink", "nextlink", "$skiptoken", "skip_token", "skiptoken"]
        for member in members {
            let isLink = links.contains(member.key.lowercased()) && member.first == 34
            let isCut = member.key.lowercased() == "resulttruncated"
            guard isLink || isCut else { continue }
            let text = try outline.value(member.range)
            if isCut ? text.string == "true" || text.bool == true : text.string?.isEmpty == false {
                return ["the answer goes on where \(member.key) says; the rest is not in this file"]
            }
        }
        return []
    }
}
