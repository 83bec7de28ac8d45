import Tables

/// `cvss_score()` and `cvss_parse()`, which Kusto has not.
extension ScalarFunctions {
    static var cvss: [String: ScalarKernel] {
        [
            "cvss_score": .strict { a, _ in (try? CVSS(a[0].text)).map { .real($0.score) } ?? .null },
            "cvss_parse": .strict { a, _ in
                do throws(CVSS.Problem) { return parsed(try CVSS(a[0].text)) } catch {
                    return .bag(Bag([("valid", .bool(false)), ("problem", .string(error.message))]))
                }
            },
        ]
    }

    private static func parsed(_ vector: CVSS) -> Value {
        .bag(
            Bag([
                ("version", .string(vector.version.rawValue)), ("base", .real(vector.base)),
                ("temporal", vector.temporal.map { .real($0) } ?? .null),
                ("environmental", vector.environmental.map { .real($0) } ?? .null),
                ("score", .real(vector.score)), ("severity", .string(vector.severity)),
                ("nomenclature", vector.nomenclature.map { .string($0) } ?? .null),
                ("automatable", .bool(vector.isAutomatable)), ("total", .bool(vector.isTotal)), ("valid", .bool(true)),
            ]))
    }
}
