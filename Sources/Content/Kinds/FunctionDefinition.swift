import Foundation
import KQL
import Tables

/// A stored function: `Content/Functions/*.kql`, a header of comments and a body.
package struct FunctionDefinition: Sendable {
    package let name: String
    package let description: String
    package let parameters: String
    package let body: String
    package let declaration: FunctionDeclaration
    package let file: String

    init(text: String, file: String) throws {
        self.file = file
        var header: [String: String] = [:]
        for line in text.split(separator: "\n") {
            guard line.hasPrefix("//") else { break }
            let content = line.dropFirst(2)
            guard let colon = content.firstIndex(of: ":") else { continue }
            header[content[..<colon].trimmed] = content[content.index(after: colon)...].trimmed
        }
        guard let name = header["name"] else { throw ContentProblem(file, "the header needs a line '// name: …'") }
        self.name = name
        description = header["description"] ?? ""
        parameters = header["parameters"] ?? "()"
        body = text
        let wrapped = "let \(name) = \(parameters) {\n\(text)\n};\n0"
        do {
            let statements = try Parser.parse(wrapped)
            guard case .letValue(_, let expr)? = statements.first, case .lambda(var declaration) = expr.kind else {
                throw ContentProblem(file, "is not a function body")
            }
            declaration.setsRange = try Self.setsRange(header["range"], file)
            self.declaration = declaration
        } catch let problem as Diagnostic {
            let (line, column) = problem.position(in: wrapped)
            throw ContentProblem("\(file):\(max(1, line - 1)):\(column)", "\(problem.code): \(problem.message)")
        }
    }

    /// Whether a head says that the function sets its own range of time.
    private static func setsRange(_ text: String?, _ file: String) throws -> Bool {
        switch text {
        case nil: false
        case "own": true
        default:
            throw ContentProblem(
                file, "'// range:' must be own, for a function that says itself of which time it reads, or left out")
        }
    }
}
