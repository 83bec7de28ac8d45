import Foundation
import KQL

/// The folders of content, and how the names of their files end.
package enum ContentFolder: String, CaseIterable {
    case tables = "Tables"
    case sources = "Sources"
    case functions = "Functions"
    case watchlists = "Watchlists"
    case workbooks = "Workbooks"
    case hunts = "Hunts"
    case controls = "Controls"
    case havoc = "Havoc"
    case triage = "Triage"
    case rules = "Rules"
    case scenarios = "Scenarios"

    /// The one file that stands in no folder.
    static let cloudFunctions = "CloudFunctions.yaml"

    /// Without the dot, in small letters; the first is the one to use.
    var endings: [String] {
        switch self {
        case .tables, .sources, .hunts, .controls, .havoc, .triage, .rules, .scenarios: ["yaml", "yml"]
        case .functions: ["kql"]
        case .watchlists: ["csv"]
        // A YAML file says what the workbook of its name is to the site.
        case .workbooks: ["workbook", "yaml", "yml"]
        }
    }

    /// The folder's files inside a content folder, in the order of their names.
    ///
    /// - Parameter ending: only files that end so; all that the folder takes when nil.
    func files(in content: String, ending: [String]? = nil) -> [String] {
        let folder = content + "/" + rawValue
        let wanted = ending ?? endings
        return Self.names(in: folder).filter { wanted.contains(Self.ending(of: $0)) }.map { folder + "/" + $0 }
    }

    /// Files and folders inside a content folder that nobody reads: most often a slip of the pen.
    ///
    /// - Parameter isOverlay: whether the folder is a user's own; only there unknown folders are looked at.
    static func strays(in content: String, isOverlay: Bool) -> [ContentProblem] {
        var found: [ContentProblem] = []
        for kind in allCases {
            let folder = content + "/" + kind.rawValue
            for name in names(in: folder) where !kind.endings.contains(ending(of: name)) && !isAside(name) {
                let takes = "\(kind.rawValue) takes files that end in .\(kind.endings[0])"
                found.append(ContentProblem("\(folder)/\(name)", "is not read: \(takes)", isNotice: true))
            }
        }
        guard isOverlay else { return found }
        let known = allCases.map(\.rawValue)
        let inside = names(in: content)
        for name in inside where !known.contains(name) && name != cloudFunctions && !isAside(name) {
            if isFolder(content + "/" + name) {
                let meant = known.first { $0.lowercased() == name.lowercased() } ?? NearMiss.find(name, in: known)
                guard let meant else { continue }
                found.append(
                    ContentProblem("\(content)/\(name)", "is not read: did you mean \(meant)?", isNotice: true))
            } else if allCases.contains(where: { $0.endings.contains(ending(of: name)) }) {
                // What a YAML file says of a workbook is rarely what was meant.
                let kinds = allCases.filter { $0.endings.contains(ending(of: name)) }
                let places = kinds.filter { $0 != .workbooks || kinds.count == 1 }.map { $0.rawValue + "/" }
                let place = places.joined(separator: " or ")
                found.append(
                    ContentProblem("\(content)/\(name)", "is not read: put it into \(place)", isNotice: true))
            }
        }
        if !inside.contains(where: { known.contains($0) || $0 == cloudFunctions }) {
            found.append(
                ContentProblem(
                    content, "has none of the folders of content: \(known.joined(separator: ", "))", isNotice: true))
        }
        return found
    }

    private static func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    private static func ending(of name: String) -> String { (name as NSString).pathExtension.lowercased() }

    /// What lies beside content in any folder: hidden files, editors' copies, and what explains the folder.
    private static func isAside(_ name: String) -> Bool {
        name.hasPrefix(".") || name.hasSuffix("~") || ending(of: name) == "md"
            || ["readme", "license"].contains((name as NSString).deletingPathExtension.lowercased())
    }
}
