/// A column's name and type.
package struct ColumnSpec: Sendable, Hashable {
    package var name: String
    package var type: ScalarType

    package init(_ name: String, _ type: ScalarType) {
        self.name = name
        self.type = type
    }
}

/// The columns of a table or a result, in order.
package struct Schema: Sendable, Hashable {
    package var columns: [ColumnSpec]

    package init(_ columns: [ColumnSpec]) { self.columns = columns }

    package init(_ columns: [(String, ScalarType)]) {
        self.columns = columns.map { ColumnSpec($0.0, $0.1) }
    }

    package var count: Int { columns.count }
    package var names: [String] { columns.map(\.name) }

    package func index(of name: String) -> Int? { columns.firstIndex { $0.name == name } }

    package subscript(i: Int) -> ColumnSpec { columns[i] }

    /// `(a:long, b:string)`, the form of a Kusto table schema.
    package var description: String {
        "(" + columns.map { "\($0.name):\($0.type.name)" }.joined(separator: ", ") + ")"
    }
}
