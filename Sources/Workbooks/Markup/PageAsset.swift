import Crypto
import Foundation

/// Style sheets and scripts that are part of the program and of its pages.
enum PageAsset: CaseIterable, Sendable {
    case styleSheet
    /// Sets the theme before the page is drawn.
    case theme
    case script
    /// The style sheet of a report, which stands by itself.
    case report
    /// What investigations add to either of the two.
    case investigation

    enum Element: String, Sendable, CustomStringConvertible {
        case style, script

        var description: String { rawValue }
    }

    var element: Element {
        switch self {
        case .styleSheet, .report, .investigation: .style
        case .theme, .script: .script
        }
    }

    private var bytes: [UInt8] {
        switch self {
        case .styleSheet: PackageResources.workbook_css
        case .theme: PackageResources.theme_js
        case .script: PackageResources.workbook_js
        case .report: PackageResources.report_css
        case .investigation: PackageResources.investigation_css
        }
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The source expression by which a content security policy allows it.
    var digest: String { "'sha256-\(Data(SHA256.hash(data: bytes)).base64EncodedString())'" }
}
