import KQL
import Tables

extension ManagementCommands {
    /// An id that stays the same for the same name.
    private static func id(_ name: String) -> Value {
        func hash(_ text: String) -> UInt64 {
            var bytes = Array(text.utf8)
            return bytes.withUnsafeMutableBufferPointer { ByteHash.hash(UnsafeBufferPointer($0)) }
        }
        return .guid(GUID(high: hash(name), low: hash(name + "#")))
    }

    var versionRow: [Value] {
        [.string(version), .null, .string("Engine"), .string("Vestige \(version)"), .string("{\"Type\":\"Vestige\"}")]
    }

    func databaseRow(isIdentity: Bool) -> [Value] {
        [
            .string(database), .string(""), .string("v1.0"), .bool(true), .string("ReadOnly"), .string(""),
            .bool(isIdentity), Self.id(database), .string(""),
            .string(""),
        ]
    }

    func tableRow(_ name: String) -> [Value] {
        let note = provider.note(ofTable: name)
        return [.string(name), .string(database), .string(note.folder), .string(note.description)]
    }

    func detailRow(_ name: String) throws -> [Value] {
        let s = try provider.statistics(ofTable: name)
        let extents = Value.long(Int64(s.extents))
        let bytes = Value.real(Double(s.bytes))
        let rows = Value.long(Int64(s.rows))
        return tableRow(name) + [extents, bytes, bytes, rows, extents, bytes, bytes, rows]
            + Array(repeating: .string(""), count: 7) + [
                s.created.map { .datetime($0.first) } ?? .null, s.created.map { .datetime($0.last) } ?? .null,
                .string(""), Self.id("table " + name),
            ]
    }

    private func columns(_ name: String) -> [ColumnSpec] { provider.schema(ofTable: name)?.columns ?? [] }

    func schemaRow(_ name: String) throws -> [Value] {
        let note = provider.note(ofTable: name)
        let text = columns(name).map { "\(EntityName.written($0.name)):\($0.type.name)" }.joined(separator: ", ")
        return [.string(name), .string(text), .string(database), .string(note.folder), .string(note.description)]
    }

    func columnRows() -> [[Value]] {
        func row(_ table: String, _ column: String, _ type: String, _ version: String) -> [Value] {
            [
                .string(database), .string(table), .string(column), .string(type), .bool(false), .bool(false),
                .string(""), .string(version),
            ]
        }
        var rows = [row("", "", "", "v.1.0")]
        for table in tableNames {
            rows.append(row(table, "", "", ""))
            for c in columns(table) { rows.append(row(table, c.name, "System.\(c.type.dotNetName)", "")) }
        }
        return rows
    }

    func functionRow(_ name: String) -> [Value] {
        let note = provider.note(ofFunction: name)
        return [name, note.parameters, note.body, note.folder, note.description].map { .string($0) }
    }

    func entities() throws -> Batch {
        func row(_ kind: String, _ name: String, _ note: EntityNote, input: String, content: String, output: String)
            -> [Value]
        {
            [
                .string(database), .string(kind), .string(name), .string(note.description), .string(note.folder),
                .string(input), .string(content),
                .string(output), .bag(Bag([(String, Value)]())),
            ]
        }
        let tables = tableNames.map { name in
            row(
                "Table", name, provider.note(ofTable: name), input: "", content: "",
                output: columns(name).map { "\(EntityName.written($0.name)):\($0.type.name)" }.joined(separator: ", "))
        }
        let functions = functionNames.map { name in
            let note = provider.note(ofFunction: name)
            return row("Function", name, note, input: note.parameters, content: note.body, output: "")
        }
        return Self.batch(CommandSchemas.entities, tables + functions)
    }

    // MARK: JSON

    private func columnJSON(_ c: ColumnSpec) -> Value {
        .bag(
            Bag([
                ("Name", .string(c.name)), ("Type", .string("System.\(c.type.dotNetName)")),
                ("CslType", .string(c.type.name)),
            ]))
    }

    func tableJSON(_ name: String) -> Value {
        let note = provider.note(ofTable: name)
        return .bag(
            Bag([
                ("Name", .string(name)), ("Folder", .string(note.folder)), ("DocString", .string(note.description)),
                ("OrderedColumns", .array(columns(name).map(columnJSON))),
            ]))
    }

    func functionJSON(_ name: String) -> Value {
        let note = provider.note(ofFunction: name)
        let inputs: [Value] = (provider.function(named: name)?.parameters ?? []).map { parameter in
            switch parameter.kind {
            case .scalar(let type): return columnJSON(ColumnSpec(parameter.name.text, type))
            case .table(let columns):
                return .bag(
                    Bag([
                        ("Name", .string(parameter.name.text)),
                        ("Columns", .array(columns.map { columnJSON(ColumnSpec($0.name.text, $0.type)) })),
                    ]))
            }
        }
        return .bag(
            Bag([
                ("Name", .string(name)), ("InputParameters", .array(inputs)), ("Body", .string(note.body)),
                ("Folder", .string(note.folder)),
                ("DocString", .string(note.description)), ("FunctionKind", .string("Unknown")),
                ("OutputColumns", .array(outputColumns(name).map(columnJSON))),
            ]))
    }

    /// The whole database, as language services read it.
    func schemaJSON() -> Value {
        let empty = Value.bag(Bag([(String, Value)]()))
        let one = Bag([
            ("Name", .string(database)), ("Tables", .bag(Bag(tableNames.map { ($0, tableJSON($0)) }))),
            ("ExternalTables", empty),
            ("MaterializedViews", empty), ("EntityGroups", empty), ("MajorVersion", .long(1)),
            ("MinorVersion", .long(0)),
            ("Functions", .bag(Bag(functionNames.map { ($0, functionJSON($0)) }))),
            ("DatabaseAccessMode", .string("ReadOnly")), ("PrettyName", .string("")),
        ])
        return .bag(Bag([("Databases", .bag(Bag([(database, .bag(one))])))]))
    }
}
