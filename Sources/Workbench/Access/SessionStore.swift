import Synchronization

/// Who is signed in with a browser. Sessions live in memory: a server that starts again asks everybody to sign in.
final class SessionStore: Sendable {
    /// Somebody's stay.
    struct Session: Sendable {
        let identity: Identity
        /// What a form must send along, so that no other site can send it.
        let formToken: String
        /// What the identity was proved by; when it is another now, the session has ended.
        let proof: String
        fileprivate let began: Double
        fileprivate var seen: Double
    }

    private let clock: Stopwatch
    private let idleSeconds: Double
    private let lifeSeconds: Double
    /// By the digest of the cookie: who reads the memory of a session store cannot walk in with it.
    private let sessions = Mutex<[String: Session]>([:])
    private static let perIdentityMax = 20
    private static let sessionsMax = 10_000

    init(idleMinutes: Int, lifeHours: Int, clock: Stopwatch) {
        idleSeconds = Double(idleMinutes) * 60
        lifeSeconds = Double(lifeHours) * 3_600
        self.clock = clock
    }

    /// Begins a session under a name that nobody had before.
    ///
    /// - Returns: the cookie's value.
    func begin(_ identity: Identity, proof: String) -> String {
        let value = SecretText.random()
        let now = clock.now()
        let session = Session(
            identity: identity, formToken: SecretText.random(), proof: proof, began: now, seen: now)
        sessions.withLock { sessions in
            sessions = sessions.filter { isAlive($0.value, now) }
            let own = sessions.filter { $0.value.identity.id == identity.id && $0.value.identity.name == identity.name }
            for (key, _) in own.sorted(by: { $0.value.seen < $1.value.seen }).dropLast(Self.perIdentityMax - 1) {
                sessions[key] = nil
            }
            if sessions.count >= Self.sessionsMax, let oldest = sessions.min(by: { $0.value.seen < $1.value.seen }) {
                sessions[oldest.key] = nil
            }
            sessions[SecretText.digest(value)] = session
        }
        return value
    }

    /// The session of a cookie, which has now been seen; nil when there is none, or it has ended.
    func find(_ value: String) -> Session? {
        let key = SecretText.digest(value)
        let now = clock.now()
        return sessions.withLock { sessions in
            guard var session = sessions[key] else { return nil }
            guard isAlive(session, now) else {
                sessions[key] = nil
                return nil
            }
            session.seen = now
            sessions[key] = session
            return session
        }
    }

    func end(_ value: String) { sessions.withLock { $0[SecretText.digest(value)] = nil } }

    private func isAlive(_ session: Session, _ now: Double) -> Bool {
        now - session.seen < idleSeconds && now - session.began < lifeSeconds
    }
}
