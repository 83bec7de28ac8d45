import Crypto
import Foundation
import Hummingbird
import Tables

/// The Data Collector API of a workspace, as it was before it was retired.
struct DataCollectorRoutes: Sendable {
    let lab: LabState

    func add(to router: Router<BasicRequestContext>) {
        router.post("/api/logs") { request, _ in
            let body = Array(try await request.body.collect(upTo: 30 << 20).readableBytesView)
            let date = request.headers[.init("x-ms-date") ?? .date] ?? ""
            let text = "POST\n\(body.count)\napplication/json\nx-ms-date:\(date)\n/api/logs"
            let key = SymmetricKey(data: Data(base64Encoded: lab.identity.workspaceKey) ?? Data())
            let signature = Data(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key))
                .base64EncodedString()
            guard request.headers[.authorization] == "SharedKey \(lab.identity.workspace):\(signature)" else {
                return fail(
                    403, "InvalidAuthorization", "An invalid signature was specified in the Authorization header")
            }
            guard let type = request.headers[.init("Log-Type") ?? .accept],
                type.wholeMatch(of: /[A-Za-z0-9_]{1,100}/) != nil
            else {
                return fail(400, "InvalidLogType", "The log type is missing or not valid")
            }
            guard let records = (try? JSONReader.parse(body))?.arrayValue else {
                return fail(400, "InvalidDataFormat", "The body is not a JSON array")
            }
            lab.keep(ReceivedBatch(stream: "Legacy-\(type)", records: records))
            return Response(status: .ok)
        }
    }

    private func fail(_ status: Int, _ code: String, _ message: String) -> Response {
        Reply.json(["Error": .string(code), "Message": .string(message)], status: status)
    }
}
