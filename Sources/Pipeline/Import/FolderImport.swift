import Foundation

/// The files of a folder, by the tables that their names tell.
package struct FolderImport: Sendable {
    /// Files that belong to one table, in the order of their names.
    package struct Group: Sendable, Equatable {
        package let table: String
        package var files: [String]
    }

    package private(set) var groups: [Group] = []
    /// What is in the folder and was not taken, with the reason.
    package private(set) var passedOver: [(name: String, reason: String)] = []

    /// Looks at a folder; subfolders are not entered.
    ///
    /// - Parameters:
    ///   - table: the table that takes all files; nil for the one of each file's name.
    ///   - known: the tables of the content.
    package init(_ folder: String, table: String?, known: Set<String> = []) throws(OperatorError) {
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted() } catch {
            throw OperatorError(
                "the folder \(folder) cannot be read", got: error.localizedDescription, next: "check its permissions",
                isConfiguration: true)
        }
        for name in names where !name.hasPrefix(".") && !name.hasSuffix(ExportSchema.suffix) {
            let path = (folder.hasSuffix("/") ? folder : folder + "/") + name
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue else {
                passedOver.append((name, "it is a folder"))
                continue
            }
            let file = FileName(name)
            guard file.format != nil else {
                passedOver.append((name, "its name ends in none of .ndjson, .jsonl, .json, .csv and .tsv"))
                continue
            }
            let target = table ?? file.table(of: known)
            if let i = groups.firstIndex(where: { $0.table == target }) {
                groups[i].files.append(path)
            } else {
                groups.append(Group(table: target, files: [path]))
            }
        }
        if groups.isEmpty {
            throw OperatorError(
                "there is nothing to import in \(folder)",
                got: passedOver.isEmpty ? "the folder is empty" : "\(passedOver[0].name): \(passedOver[0].reason)",
                next: "check the path", isConfiguration: true)
        }
    }
}
