import Forensics
import KQLEngine
import Tables
import Workspace

/// Opens a case for each device that triage calls an investigation for: once, with what is known then.
struct TriageCases {
    private let session: Session
    private let store: CaseStore
    /// Cases that one collect opens at most: a catalogue that is read for the first time calls for many.
    private static let casesMax = 20

    init(_ session: Session) {
        self.session = session
        store = CaseStore(workspace: session.configuration.workspace)
    }

    /// What a case is called.
    static func name(_ call: InvestigationCall) -> String {
        let device = call.deviceName.isEmpty ? call.device : String(call.deviceName.prefix { $0 != "." })
        let plain = "triage-\(device)-\(call.cve)".map { c in
            c.isASCII && (c.isLetter || c.isNumber || c == "-" || c == ".") ? c : "-"
        }
        return String(plain.prefix(100))
    }

    /// - Parameters:
    ///   - calls: the oldest first.
    ///   - now: ticks.
    /// - Returns: the names of the cases that were opened.
    func open(_ calls: [InvestigationCall], now: Int64) throws -> [String] {
        let new = try calls.filter { try store.find(Self.name($0)) == nil }.prefix(Self.casesMax)
        guard !new.isEmpty else { return [] }
        let provider = try session.provider()
        // One investigation serves all: it looks at the whole estate anyway.
        let result = try InvestigateCommand.investigate(session, provider, InvestigationScope())
        let notes = CallNotes(provider: provider)
        let actor = "vestige \(Vestige.version)"
        for call in new {
            let name = Self.name(call)
            let texts = try notes.texts(call, result, at: now)
            try store.update(name, new: CaseFile(id: name, opened: now)) { file in
                for text in texts {
                    let body: JSON = [
                        "text": .string(text), "author": .string(actor), "time": .string(DateTime.format(now)),
                    ]
                    file.add(
                        .note, id: String(Digest.hex(body).prefix(16)), body: body, now: now, actor: actor,
                        action: "write")
                }
                guard result.devices[call.device] != nil else { return }
                try CaseBuilder(provider: provider, library: session.library).add(
                    result, to: &file, now: now, author: actor)
            }
        }
        return new.map(Self.name)
    }
}
