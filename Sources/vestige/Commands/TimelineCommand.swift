import ArgumentParser
import Forensics
import Pipeline
import Tables

struct TimelineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "timeline",
        abstract: "Prints what happened on devices, in order of time, with what hunts say of it.",
        discussion: "vestige timeline pc-109 fs01 --from 2026-09-25 --to 2026-09-26")

    @Argument(help: "Devices: id, name or address.") var devices: [String]
    @Option(help: ArgumentHelp("Only what happened from this time on.", valueName: "time")) var from: String?
    @Option(help: ArgumentHelp("Only what happened up to this time.", valueName: "time")) var to: String?
    @Option(help: "text or json.") var format = TextOrJSON.text
    @OptionGroup var session: SessionOptions

    static func device(_ text: String, _ timeline: Timeline) throws -> String {
        guard let id = timeline.device(text) else { throw OperatorError(ScopeError.noDevice(text)) }
        return id
    }

    func run() async throws {
        let opened = try Session.open(session, for: .reading)
        let window = try TimeOptions.window(from: from, to: to)
        let timeline = try Timeline(provider: opened.provider(), library: opened.library, window: window)
        let ids = try devices.map { try Self.device($0, timeline) }
        let marks = timeline.marks()
        for id in ids {
            for line in try timeline.lines(of: id, marks) {
                switch format {
                case .json: Console.out(line: line.json)
                case .text: Console.out(line.text + "\n")
                }
            }
        }
    }
}

struct WhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Tells the state of a control or flaw on a device at a time: since when, from which row.",
        discussion: """
            vestige why fs01 scid-2508 --at 2026-09-25T01:08:00Z
            vestige why fs01 CVE-2024-38063 --at 2026-09-25
            """)

    @Argument(help: "The device: id, name or address.") var device: String
    @Argument(help: "A control (scid-2508, av.mode, cfg.uac_prompt) or a CVE.") var control: String
    @Option(help: "The time; now when not given.") var at: String?
    @Option(help: "text or json.") var format = TextOrJSON.text
    @OptionGroup var session: SessionOptions

    func run() async throws {
        let opened = try Session.open(session, for: .reading)
        let time = try TimeOptions.time(at, option: "--at") ?? DateTime.maximum
        let timeline = try Timeline(provider: opened.provider(), library: opened.library, window: nil)
        let id = try TimelineCommand.device(device, timeline)
        guard let answer = try timeline.why(control, on: id, at: time) else {
            throw OperatorError(
                "the content knows no control \(control)", next: "name one of Content/Controls, or a CVE",
                isConfiguration: true)
        }
        switch format {
        case .json: Console.out(line: answer.json)
        case .text: Console.out(answer.text + "\n")
        }
    }
}
