import Hummingbird
import Logging
import NIOCore
import NIOHTTP1

/// Makes answers of errors, here and not outside of the door, so that they carry what every answer carries. What went
/// wrong inside is for the log; a client is told that it did.
struct ErrorAnswers<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do { return try await next(request, context) } catch let error as HTTPParserError {
            // The connection cannot be read any further, and whoever reads it has to know.
            throw error
        } catch let error as HTTPError {
            return PlainAnswer.make(error.status, error.body ?? error.status.reasonPhrase.lowercased(), error.headers)
        } catch let error as any HTTPResponseError {
            return try error.response(from: request, context: context)
        } catch is CancellationError {
            return PlainAnswer.make(.serviceUnavailable, "the request was given up")
        } catch {
            context.logger.error(
                "a request failed",
                metadata: ["path": "\(request.uri.path)", "method": "\(request.method)", "error": "\(error)"])
            return PlainAnswer.make(.internalServerError, "the server failed to answer; its log says why")
        }
    }
}

/// An answer of one line.
enum PlainAnswer {
    static func make(_ status: HTTPResponse.Status, _ text: String, _ headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers[.contentType] = "text/plain; charset=utf-8"
        headers[.cacheControl] = "no-store"
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text + "\n")))
    }
}
