import ArgumentParser
struct DemoCommand: AsyncParsableCommand { static let configuration = CommandConfiguration(commandName: "demo") }
struct ServeCommand: AsyncParsableCommand { static let configuration = CommandConfiguration(commandName: "serve") }
struct WorkbookCommand: AsyncParsableCommand { static let configuration = CommandConfiguration(commandName: "workbook") }
