import Tables

/// A table of the lab's own, read from a CSV file that is built into the program: a header, then one record a line.
///
/// The file ships with the program, so a record that does not fit is a mistake of ours: it stops the lab with the name
/// of the file, the line and the column.
struct AssetTable {
    let records: [Record]

    init(_ bytes: [UInt8], name: String) {
        var lines = CSV.records(bytes)
        precondition(!lines.isEmpty, "\(name) has no header")
        let header = lines.removeFirst()
        records = lines.enumerated().map { i, fields in
            precondition(
                fields.count == header.count,
                "\(name), record \(i + 1): \(fields.count) fields under a header of \(header.count)")
            return Record(
                fields: Dictionary(zip(header, fields)) { first, _ in first }, place: "\(name), record \(i + 1)")
        }
    }

    /// One line; fields are asked for by the header's names.
    struct Record {
        fileprivate let fields: [String: String]
        fileprivate let place: String

        func text(_ column: String) -> String {
            guard let text = fields[column] else { preconditionFailure("\(place): there is no column '\(column)'") }
            return text
        }

        func number(_ column: String) -> Double { read(column, Double.init) }

        func integer(_ column: String) -> Int { read(column, { Int($0) }) }

        /// `true` or `false`.
        func flag(_ column: String) -> Bool { read(column, { Bool($0) }) }

        /// Texts between semicolons.
        func list(_ column: String) -> [String] { text(column).split(separator: ";").map(String.init) }

        private func read<T>(_ column: String, _ convert: (String) -> T?) -> T {
            guard let value = convert(text(column)) else {
                preconditionFailure("\(place): '\(text(column))' in column '\(column)' is no \(T.self)")
            }
            return value
        }
    }
}
