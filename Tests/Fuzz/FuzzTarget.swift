import KQL
import KQLEngine
import Tables

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ argc: UnsafeMutablePointer<CInt>,
    _ argv: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// libFuzzer over the KQL engine (https://llvm.org/docs/LibFuzzer.html#using-libfuzzer-as-a-library).
@main
struct Fuzzer {
    static func main() {
        var argc = CommandLine.argc
        var argv = CommandLine.unsafeArgv
        exit(runDriver(&argc, &argv) { testOneInput($0, $1) })
    }
}

/// What the fuzzer calls with every input it thinks of: a query, from the bytes to the rows.
///
/// A crash, a hang or memory without bound is a defect; every error that is thrown is fine.
private func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let text = String(decoding: UnsafeBufferPointer(start: data, count: size), as: UTF8.self)
    _ = try? Lexer.tokens(of: text)
    _ = Completer(catalog: FuzzWorld.tables).complete(text, at: text.utf8.count)
    var options = QueryOptions()
    options.durationMax = 0.5
    options.rowCountMax = 1_000
    options.memoryBytesMax = 64 << 20
    options.now = 638_500_000_000_000_000
    options.workerCountMax = 1
    if ManagementCommands.isCommand(text) {
        _ = try? ManagementCommands(provider: FuzzWorld.tables, version: "0").run(text, options: options)
    } else if let result = try? Engine(provider: FuzzWorld.tables).run(text, options: options) {
        for table in result.tables { _ = try? ResultEncoding.compact(table) }
    }
    return 0
}

/// A small table of every type.
private enum FuzzWorld {
    static let tables: MemoryTables = {
        let schema = Schema(ScalarType.allCases.map { ColumnSpec("c_\($0.name)", $0) })
        let values: [[Value]] = (0..<24).map { i in
            ScalarType.allCases.map { type in
                if i % 5 == 4 { return .null }
                switch type {
                case .bool: return .bool(i % 2 == 0)
                case .int, .long: return .long(Int64(i * i - 50))
                case .real: return .real(Double(i) / 3)
                case .decimal: return .decimal(Decimal(Int64(i)))
                case .datetime: return .datetime(638_400_000_000_000_000 + Int64(i) * 36_000_000_000)
                case .timespan: return .timespan(Int64(i) * 600_000_000)
                case .string: return .string(["", "a b", "cmd.exe /c dir", "10.0.0.\(i)", "naïve"][i % 5])
                case .guid: return .guid(GUID(high: UInt64(i), low: 1))
                case .dynamic:
                    return i % 2 == 0 ? .array([.long(Int64(i)), .string("x")]) : .bag(Bag([("k", .long(Int64(i)))]))
                }
            }
        }
        let tables = MemoryTables()
        tables.set(
            "T", schema: schema,
            batches: [
                Batch(schema: schema, rows: Array(values[..<10])), Batch(schema: schema, rows: Array(values[10...])),
            ])
        return tables
    }()
}
