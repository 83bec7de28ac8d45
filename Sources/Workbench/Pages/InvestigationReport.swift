import Forensics
import Workbooks

/// A case as one self-contained page that prints: what the workbench shows, with the rows folded in.
package enum InvestigationReport {
    /// The page.
    package static func page(_ file: CaseFile) -> HTMLPage {
        let story = CaseStory(file)
        return ReportShell.page(
            title: "\(file.id): \(story.headline)", body: CasePage(story: story, place: .report).body)
    }

    /// A case in the form of another tool, the report among them.
    package static func export(_ file: CaseFile, as form: CaseExport.Form) -> CaseExport {
        CaseExport.make(file, as: form) { page($0).text }
    }
}
