import Hummingbird
import NIOCore
import NIOHTTP1

/// A request that the door did not let in, for whoever writes down what is asked of the server.
package struct DoorRefusal: Sendable, Equatable {
    /// As the client wrote it; empty when no head was read.
    package let method: String
    /// Without what follows the question mark; empty when no head was read.
    package let path: String
    /// The other end's address; empty where it has none.
    package let peer: String
    /// What the request says of the addresses that it came by (`X-Forwarded-For`), in the order of its fields.
    package let forwardedFor: [String]
    /// Of the answer.
    package let status: Int
    /// As the client is told.
    package let reason: String

    static let forwardedForName = "X-Forwarded-For"

    /// Of a request whose head was read, or of a connection.
    init(_ refusal: Refusal, of head: HTTPRequestHead?, on channel: any Channel) {
        method = head?.method.rawValue ?? ""
        path = head.map { String($0.uri.prefix { $0 != "?" }) } ?? ""
        peer = channel.remoteAddress?.ipAddress ?? ""
        forwardedFor = head.map { $0.headers[Self.forwardedForName] } ?? []
        (status, reason) = (Int(refusal.status.code), refusal.reason)
    }

    /// Of a request that a middleware answered itself.
    init(_ status: HTTPResponse.Status, _ reason: String, of request: Request, in context: some RequestContext) {
        method = request.method.rawValue
        path = request.uri.path
        peer = (context as? any RemoteAddressRequestContext)?.remoteAddress?.ipAddress ?? ""
        forwardedFor = request.headers[values: PolicyFields.name(Self.forwardedForName)]
        (self.status, self.reason) = (status.code, reason)
    }
}

/// Takes every refusal of a door.
package typealias DoorWatch = @Sendable (DoorRefusal) -> Void
