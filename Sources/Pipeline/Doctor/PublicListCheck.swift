import Azure
import Content
import Foundation
import KQLEngine
import Tables

/// Whether a public list is where the configuration, or the source's file, says it is.
struct PublicListCheck: Sendable {
    let client: ServiceClient

    /// - Returns: nil for a list that is not wanted.
    func run(_ source: SourceDefinition, _ configuration: Configuration) async -> Finding? {
        guard case .web(let request) = source.request,
            let place = configuration.feeds[source.id] ?? request.address
        else { return nil }
        let subject = "source \(source.id)"
        guard place.hasPrefix("https://") || place.hasPrefix("http://") else {
            let isThere = FileManager.default.isReadableFile(atPath: place)
            return Finding(
                subject, "file", isThere ? .ok : .failed,
                isThere ? "\(place) is there" : "the file \(place) is not there, or not readable",
                next: isThere ? nil : "put the list there, or correct 'feeds' in the configuration")
        }
        do {
            let now = SystemClock.now()
            var answer = try await ask(place.replacing("{month}", with: WebFeed.month(now, before: 0)))
            if answer == 404, place.contains("{month}") {
                // Early in a month there is nothing of it.
                answer = try await ask(place.replacing("{month}", with: WebFeed.month(now, before: 1)))
            }
            let isFine = (200..<400).contains(answer)
            return Finding(
                subject, "address", isFine ? .ok : .failed, "\(place) answers\(isFine ? "" : " \(answer)")",
                next: isFine
                    ? nil : "check the address; without a way to the internet, set 'feeds' to a file, or to off")
        } catch { return Finding(subject, "address", error) }
    }

    /// The answer's status. The list itself is not fetched where the server can answer without it.
    private func ask(_ address: String) async throws -> Int {
        var head = ServiceRequest("HEAD", address, timeoutSeconds: 30)
        // Where a list has moved to is followed when it is collected.
        head.takesRedirects = true
        do {
            let answer = try await client.send(head).status
            if (200..<400).contains(answer) { return answer }
        } catch let error as ServiceError where error.status != nil {
            // Not every server knows the question.
        }
        let first = ServiceRequest("GET", address, headers: [("Range", "bytes=0-0")], timeoutSeconds: 60)
        return try await client.send(first).status
    }
}
