import NIOCore
import Synchronization

/// The connections of a server, and the bytes of bodies that it holds for them.
///
/// When there is no room for one more, the connection that has waited longest without sending a whole head gives way:
/// whoever holds connections open only pushes out himself, and a client that asks is answered.
final class ConnectionTable: Sendable {
    private struct Entry {
        let channel: any Channel
        /// When it began to wait for a head; nil while a request is read or answered.
        var waitingSince: NIODeadline?
    }

    private struct State {
        var entries: [ObjectIdentifier: Entry] = [:]
        var bytesHeld = 0
    }

    private let state = Mutex(State())
    private let connectionsMax: Int
    private let bytesHeldMax: Int

    init(connectionsMax: Int, bytesHeldMax: Int) {
        self.connectionsMax = connectionsMax
        self.bytesHeldMax = bytesHeldMax
    }

    /// Takes in a connection that waits for its first head.
    ///
    /// - Returns: false when all others are being answered and there is no room.
    func admit(_ channel: any Channel) -> Bool {
        let (isAdmitted, left) = state.withLock { state -> (Bool, (any Channel)?) in
            var left: (any Channel)?
            if state.entries.count >= connectionsMax {
                let waiting = state.entries.filter { $0.value.waitingSince != nil }
                guard let (id, oldest) = waiting.min(by: { Self.isEarlier($0.value, $1.value) }) else {
                    return (false, nil)
                }
                state.entries[id] = nil
                left = oldest.channel
            }
            state.entries[ObjectIdentifier(channel)] = Entry(channel: channel, waitingSince: .now())
            return (true, left)
        }
        left?.close(promise: nil)
        return isAdmitted
    }

    private static func isEarlier(_ a: Entry, _ b: Entry) -> Bool {
        guard let a = a.waitingSince, let b = b.waitingSince else { return false }
        return a < b
    }

    /// Notes whether a connection waits for a head, or is being answered.
    func set(_ channel: any Channel, isWaiting: Bool) {
        state.withLock { $0.entries[ObjectIdentifier(channel)]?.waitingSince = isWaiting ? .now() : nil }
    }

    func remove(_ channel: any Channel) { state.withLock { $0.entries[ObjectIdentifier(channel)] = nil } }

    /// Holds bytes of a body; false, and holds none, when that would be too many.
    func hold(_ bytes: Int) -> Bool {
        state.withLock { state in
            guard state.bytesHeld + bytes <= bytesHeldMax else { return false }
            state.bytesHeld += bytes
            return true
        }
    }

    func release(_ bytes: Int) {
        state.withLock { state in
            state.bytesHeld -= bytes
            precondition(state.bytesHeld >= 0, "more bytes of bodies were released than were held")
        }
    }
}
