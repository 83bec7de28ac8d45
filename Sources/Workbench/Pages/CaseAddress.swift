import Forensics
import Tables
import Workbooks

/// What an investigation on the site is asked, as its address says it.
struct InvestigationQuestion: Hashable, Sendable {
    var device: String?
    var from: String?
    var to: String?
    var alert: String?

    init(_ fields: [String: String]) {
        func field(_ name: String) -> String? {
            fields[name].map { $0.trimmingCharacters(in: .whitespaces) }.flatMap { $0.isEmpty ? nil : $0 }
        }
        device = field("device")
        from = field("from")
        to = field("to")
        alert = field("alert")
    }

    /// The same as fields of an address.
    var fields: [(name: String, value: String)] {
        [("device", device), ("from", from), ("to", to), ("alert", alert)].compactMap { name, value in
            value.map { (name, $0) }
        }
    }

    /// Why a question cannot be asked.
    struct Fault: Error {
        let text: String
    }

    /// - Throws: `Fault` for what is no time, or a window that ends before it begins.
    func scope() throws(Fault) -> InvestigationScope {
        func time(_ text: String?) throws(Fault) -> Int64? {
            guard let text else { return nil }
            guard let time = DateTime.parse(text) else {
                throw Fault(text: "\(text) is not a time: write 2026-09-20 or 2026-09-20T08:00:00Z")
            }
            return time
        }
        let (first, last) = (try time(from), try time(to))
        guard first != nil || last != nil else { return InvestigationScope(device: device, alert: alert) }
        let (start, end) = (first ?? 0, last ?? DateTime.maximum)
        guard start <= end else { throw Fault(text: "the time window ends before it begins") }
        return InvestigationScope(device: device, window: start...end, alert: alert)
    }

    /// In words.
    var text: String {
        let parts = [
            device.map { "from \($0)" }, alert.map { "from the alert \($0)" }, from.map { "since \($0)" },
            to.map { "until \($0)" },
        ].compactMap { $0 }
        return parts.isEmpty ? "the whole workspace" : parts.joined(separator: ", ")
    }
}

/// Where a case, or an investigation that nobody keeps, stands on the site.
struct CaseAddress: Sendable {
    /// What stands in the place of a case's name. No case is called so, since names begin with a letter or a digit.
    static let run = "-now"
    static let root = "investigations"

    let id: String
    var question = InvestigationQuestion([:])

    /// Whether nobody keeps it.
    var isRun: Bool { id == Self.run }

    var page: Link { Link(path: [Self.root, id], query: isRun ? question.fields : []) }

    func claim(_ claim: String) -> Link {
        Link(path: [Self.root, id, "claims", claim], query: isRun ? question.fields : [])
    }

    var notes: Link { Link(path: [Self.root, id, "notes"]) }

    func export(_ form: CaseExport.Form) -> Link { Link(path: [Self.root, id, "export", form.rawValue]) }

    static let list = Link(path: [root])
}

/// Forms of whoever may write in a case.
struct CaseForms {
    let note: Markup?
    let open: Markup?
    let exports: Markup?

    /// - Parameters:
    ///   - account: who the page is drawn for; nil where nobody signs in.
    init?(_ address: CaseAddress, account: PageAccount?) {
        let downloads = address.isRun ? nil : Self.downloads(address)
        let isWriter = account.flatMap { Role(rawValue: $0.role) }.map { $0 >= .analyst } ?? false
        guard let account, isWriter else {
            exports = downloads
            note = nil
            open = nil
            return
        }
        exports = downloads
        note = address.isRun ? nil : Self.note(address, account)
        open = address.isRun ? Self.open(address, account) : nil
    }

    private static func token(_ account: PageAccount) -> Markup {
        Markup(empty: .input, [.type: "hidden", .name: FormGuard.field, .value: account.formToken])
    }

    private static func note(_ address: CaseAddress, _ account: PageAccount) -> Markup {
        Markup(postTo: address.notes) {
            token(account)
            Markup(
                .textarea,
                [
                    .name: CaseField.text.rawValue, .required: "", .maxlength: "\(CaseField.lengthMax)",
                    .ariaLabel: "A note on this case", .placeholder: "A note on this case",
                ]
            ) { "" }
            Markup(.button, [.type: "submit", .class: "act-button"]) { "Write" }
        }
    }

    private static func open(_ address: CaseAddress, _ account: PageAccount) -> Markup {
        Markup(postTo: CaseAddress.list, [.class: "fields"]) {
            token(account)
            for (name, value) in address.question.fields {
                Markup(empty: .input, [.type: "hidden", .name: name, .value: value])
            }
            Markup(.label) {
                "Name of the case"
                Markup(empty: .input, [.name: CaseField.name.rawValue, .required: "", .maxlength: "100"])
            }
            Markup(.button, [.type: "submit", .class: "act-button"]) { "Keep as a case" }
        }
    }

    /// A person's word on a claim.
    static func judge(_ address: CaseAddress, _ claim: String, _ account: PageAccount) -> Markup {
        Markup(postTo: address.claim(claim), [.class: "fields"]) {
            token(account)
            Markup(.label, [.class: "long"]) {
                "Why (needed to reject)"
                Markup(empty: .input, [.name: CaseField.text.rawValue, .maxlength: "\(CaseField.lengthMax)"])
            }
            for status in [Claim.Status.confirmed, .rejected] {
                Markup(
                    .button,
                    [
                        .type: "submit", .class: "act-button", .name: CaseField.status.rawValue,
                        .value: status.rawValue,
                    ]
                ) { status == .confirmed ? "Confirm" : "Reject" }
            }
        }
    }

    private static func downloads(_ address: CaseAddress) -> Markup {
        Markup(.p, [.class: "more"]) {
            "Take it with you: "
            for (i, form) in CaseExport.Form.allCases.enumerated() {
                if i > 0 { ", " }
                Markup(link: address.export(form)) { form.title }
            }
        }
    }
}

/// The fields that forms of cases send.
enum CaseField: String {
    case name, text, status

    /// Characters that a person may write at once.
    static let lengthMax = 4_000
}
