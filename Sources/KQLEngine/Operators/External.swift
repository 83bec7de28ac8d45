import Foundation
import KQL
import Tables

extension Executor {
    /// `externaldata` over files, when the operator allowed it.
    func external(_ urls: [BoundExpr], _ format: String, _ ignoreFirst: Bool, _ schema: Schema) throws -> BatchIterator {
        guard context.options.allowsExternalFiles else {
            throw QueryError.runtime(
                "externaldata is switched off here; 'externaldata: true' in the configuration lets 'vestige query' read files of this machine")
        }
        var batches: [Batch] = []
        for url in urls {
            let text = try evaluator.constant(url).text
            let path = text.hasPrefix("file://") ? String(text.dropFirst(7)) : text
            guard !path.contains("://") else { throw QueryError.notSupported("externaldata over the network (\(path.prefix(80)))") }
            guard let data = FileManager.default.contents(atPath: path) else { throw QueryError.runtime("externaldata cannot read \(path)") }
            let content = String(decoding: data, as: UTF8.self)
            var rows: [[Value]] = []
            for (i, line) in content.split(whereSeparator: \.isNewline).enumerated() {
                if i == 0, ignoreFirst { continue }
                let fields: [String]
                switch format {
                case "txt", "raw": fields = [String(line)]
                case "tsv": fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
                case "multijson", "json":
                    let value = (try? JSONReader.parse(line)) ?? .null
                    rows.append(schema.columns.map { OperatorKernels.element(value, .string($0.name)).converted(to: $0.type) })
                    continue
                default: fields = ScalarFunctions.csv(String(line))
                }
                rows.append(
                    schema.columns.enumerated().map { c, spec in
                        c < fields.count ? Value.string(fields[c]).converted(to: spec.type) : .null
                    })
            }
            batches.append(Batch(schema: schema, rows: rows))
        }
        return many(batches)
    }
}
