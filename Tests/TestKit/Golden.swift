import Foundation
import Testing

/// Texts that were looked at and found right, kept in files beside the tests.
///
/// A text that differs is written beside its file as `NAME.actual`. When the new one is right, `make golden` puts it in
/// the place of the old.
package enum Golden {
    /// - Parameter file: the place in the repository, such as `Tests/WorkbooksTests/Golden/device.html`.
    package static func expect(_ text: String, equals file: String, location: SourceLocation = #_sourceLocation) {
        let path = Repository.root + "/" + file
        let actual = path + ".actual"
        let wanted = try? String(contentsOfFile: path, encoding: .utf8)
        if wanted == text {
            try? FileManager.default.removeItem(atPath: actual)
            return
        }
        do { try FolderWriter.write(text, to: actual) } catch {
            Issue.record("\(actual) cannot be written: \(error)", sourceLocation: location)
        }
        guard let wanted else {
            Issue.record("\(file) is not there; the text is in \(file).actual", sourceLocation: location)
            return
        }
        Issue.record(
            "\(file) differs, first in \(firstDifference(wanted, text)); the new text is in \(file).actual",
            sourceLocation: location)
    }

    /// The first line that differs, both ways.
    static func firstDifference(_ wanted: String, _ text: String) -> String {
        let old = wanted.split(separator: "\n", omittingEmptySubsequences: false)
        let new = text.split(separator: "\n", omittingEmptySubsequences: false)
        let line = zip(old, new).prefix { $0 == $1 }.count
        func part(_ lines: [Substring]) -> String {
            guard line < lines.count else { return "(end)" }
            let other = line < old.count && line < new.count ? zip(old[line], new[line]).prefix { $0 == $1 }.count : 0
            return String(lines[line].dropFirst(max(0, other - 20)).prefix(80))
        }
        return "line \(line + 1): wanted …\(part(old))…, got …\(part(new))…"
    }
}
