import Foundation
import KQL
import Tables

/// What a workbook is to the site: `Content/Workbooks/NAME.yaml` beside `NAME.workbook`, which stays as Azure takes it.
package struct WorkbookRole: Sendable, Hashable {
    /// Whether the site begins with it.
    package var isHome = false
    /// Whether it shows one thing that a link names, and so is left out of the navigation.
    package var isDetail = false

    /// One workbook of many.
    package init() {}

    init(yaml: Fields) throws {
        try yaml.only(["home", "detail"])
        isHome = try yaml.optionalBool("home") ?? false
        isDetail = try yaml.optionalBool("detail") ?? false
        if isHome, isDetail { throw yaml.fail("the first page cannot be one that needs a link: 'home' and 'detail'") }
    }
}

/// A workbook: `Content/Workbooks/*.workbook`, in Azure Workbook JSON.
package struct WorkbookFile: Sendable {
    /// The file's name without its ending.
    package let id: String
    /// The workbook as it stands in the file.
    package let document: JSON
    /// The file's path.
    package let file: String
    /// What it is to the site.
    package let role: WorkbookRole

    init(json: String, file: String, role: WorkbookRole) throws {
        self.file = file
        self.role = role
        id = Self.id(of: file)
        do { document = try JSON(parsing: json) } catch {
            throw ContentProblem(file, "is not valid JSON: \(error.description)")
        }
        guard document["version"] == "Notebook/1.0" else {
            throw ContentProblem(file, "is not an Azure Workbook (\"version\": \"Notebook/1.0\" is missing)")
        }
    }

    /// The workbook that a file's name means.
    static func id(of file: String) -> String {
        ((file as NSString).lastPathComponent as NSString).deletingPathExtension
    }

    /// Charts that nobody draws, by the names that the workbook gives them.
    package var unknownCharts: [String] {
        var unknown: [String] = []
        func look(_ json: JSON) {
            if let name = json["visualization"]?.string, !name.isEmpty, ChartKind(named: name) == nil {
                unknown.append(name)
            }
            for child in json.array ?? json.members?.values ?? [] { look(child) }
        }
        look(document)
        return unknown
    }
}
