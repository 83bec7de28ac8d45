import NIOCore
import NIOHTTP1

/// Watches one connection: lets in only requests that are well formed and for this server, and ends what takes too
/// long or too much. It stands right behind the decoder, where a request is still as the client wrote it.
final class ConnectionGate: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum Phase {
        /// Nothing of a request has come.
        case idle
        /// Bytes of a head have come.
        case head
        case body
        /// The request is whole, its answer is not.
        case answer
        /// A refusal was written; what still comes is thrown away.
        case closing
    }

    private let form: RequestForm
    private let limits: DoorLimits
    private let table: ConnectionTable
    private let onRefusal: DoorWatch?
    private var phase = Phase.idle
    private var isAdmitted = false
    private var timer: Scheduled<Void>?
    private var unreadTimer: Scheduled<Void>?
    private var headBytes = 0
    private var bodyBytes = 0
    private var bodyBegan = NIODeadline.now()
    private var bodyBytesCame = NIODeadline.now()
    /// Bytes held for each request whose answer is not yet whole, in their order.
    private var held: [Int] = []
    private var isAnswerBegun = false
    /// What is told once the answers before it are whole.
    private var waitingRefusal: Refusal?
    private var context: ChannelHandlerContext?
    /// The request that is read now, for telling of its refusal.
    private var head: HTTPRequestHead?

    init(form: RequestForm, limits: DoorLimits, table: ConnectionTable, onRefusal: DoorWatch? = nil) {
        self.form = form
        self.limits = limits
        self.table = table
        self.onRefusal = onRefusal
    }

    // MARK: Life

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { begin(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    private func begin(_ context: ChannelHandlerContext) {
        guard !isAdmitted, phase == .idle else { return }
        isAdmitted = table.admit(context.channel)
        guard isAdmitted else { return refuse(.full, context) }
        wait(limits.idleSeconds, context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(context)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end(context)
        self.context = nil
    }

    private func end(_ context: ChannelHandlerContext) {
        timer?.cancel()
        unreadTimer?.cancel()
        table.release(held.reduce(0, +))
        held = []
        if isAdmitted { table.remove(context.channel) }
        isAdmitted = false
        phase = .closing
    }

    // MARK: Requests

    /// Bytes came, before the decoder reads them.
    func bytesCome() {
        guard phase == .idle, let context else { return }
        phase = .head
        head = nil
        headBytes = 0
        wait(limits.headSeconds, context)
    }

    /// Bytes were read by the decoder, and did or did not complete a head.
    func bytesWent(_ count: Int) {
        guard phase == .head, waitingRefusal == nil, let context else { return }
        headBytes += count
        if headBytes > limits.headBytesMax { refuse(.headTooLarge, context) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard phase != .closing, waitingRefusal == nil else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            if onRefusal != nil { self.head = head }
            do throws(Refusal) {
                guard head.headers.count <= limits.headerCountMax else { throw .headTooLarge }
                try form.check(head, port: context.channel.localAddress?.port ?? 0)
            } catch { return refuse(error, context) }
            phase = .body
            (bodyBytes, bodyBegan, bodyBytesCame) = (0, .now(), .now())
            held.append(0)
            table.set(context.channel, isWaiting: false)
            wait(limits.bodySeconds, context)
        case .body(let bytes):
            bodyBytes += bytes.readableBytes
            bodyBytesCame = .now()
            guard bodyBytes <= limits.bodyBytesMax else { return refuse(.bodyTooLarge, context) }
            // The body of a request that was answered early is read and thrown away.
            if let last = held.indices.last {
                guard table.hold(bytes.readableBytes) else { return refuse(.bodiesFull, context) }
                held[last] += bytes.readableBytes
            }
        case .end:
            phase = held.isEmpty ? .idle : .answer
            timer?.cancel()
            if held.isEmpty { becomeIdle(context) }
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        if phase == .closing { context.read() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard phase != .closing else { return }
        guard let error = error as? HTTPParserError else { return context.fireErrorCaught(error) }
        switch error {
        case .headerOverflow: refuse(.headTooLarge, context)
        case .invalidMethod: refuse(.unknownMethod, context)
        case .invalidVersion: refuse(.unknownVersion, context)
        default: refuse(.malformed, context)
        }
    }

    // MARK: Answers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard phase != .closing else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(let head):
            isAnswerBegun = head.status.code >= 200
            context.write(data, promise: promise)
        case .body: context.write(data, promise: promise)
        case .end:
            context.write(data, promise: promise)
            isAnswerBegun = false
            if !held.isEmpty { table.release(held.removeFirst()) }
            guard held.isEmpty else { return }
            if let refusal = waitingRefusal {
                refuse(refusal, context)
            } else if phase == .answer {
                becomeIdle(context)
            }
        }
    }

    private func becomeIdle(_ context: ChannelHandlerContext) {
        phase = .idle
        table.set(context.channel, isWaiting: true)
        wait(limits.idleSeconds, context)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        unreadTimer?.cancel()
        unreadTimer = nil
        if !context.channel.isWritable {
            let channel = context.channel
            unreadTimer = context.eventLoop.scheduleTask(in: .seconds(limits.unreadSeconds)) {
                channel.close(promise: nil)
            }
        }
        context.fireChannelWritabilityChanged()
    }

    // MARK: Ends

    private func wait(_ seconds: Double, _ context: ChannelHandlerContext) {
        timer?.cancel()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(seconds)) { self.timeIsUp(context) }
    }

    private func timeIsUp(_ context: ChannelHandlerContext) {
        switch phase {
        case .idle: context.close(promise: nil)
        case .head: refuse(.tooSlow, context)
        case .body:
            let allowed = limits.bodySeconds + Double(bodyBytes) / Double(limits.bodyBytesPerSecond)
            let left = min(
                allowed - Self.seconds(since: bodyBegan), limits.bodySeconds - Self.seconds(since: bodyBytesCame))
            if left > 0 { wait(left, context) } else { refuse(.tooSlow, context) }
        case .answer, .closing: break
        }
    }

    private static func seconds(since time: NIODeadline) -> Double {
        Double((NIODeadline.now() - time).nanoseconds) / 1e9
    }

    /// A server that is asked to end answers what it has, and does not wait for the rest of a body.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent, phase == .body { refuse(.ending, context) }
        context.fireUserInboundEventTriggered(event)
    }

    /// Tells the client why, and ends the connection.
    private func refuse(_ refusal: Refusal, _ context: ChannelHandlerContext) {
        switch phase {
        case .closing: return
        case .body:
            // A request that has its answer, or half of it, or waits behind others has no place for another.
            guard held.count == 1, !isAnswerBegun else {
                phase = .closing
                onRefusal?(DoorRefusal(refusal, of: head, on: context.channel))
                return linger(context)
            }
        case .idle, .head, .answer:
            guard held.isEmpty else {
                waitingRefusal = refusal
                timer?.cancel()
                return
            }
        }
        phase = .closing
        timer?.cancel()
        onRefusal?(DoorRefusal(refusal, of: head, on: context.channel))
        var body = context.channel.allocator.buffer(capacity: refusal.reason.utf8.count + 1)
        body.writeString(refusal.reason + "\n")
        var headers = HTTPHeaders(PolicyFields.base.map { ($0.name.rawName, $0.value) })
        headers.add(name: "Content-Type", value: "text/plain; charset=utf-8")
        headers.add(name: "Content-Length", value: String(body.readableBytes))
        headers.add(name: "Connection", value: "close")
        if let seconds = refusal.retryAfterSeconds { headers.add(name: "Retry-After", value: String(seconds)) }
        let head = HTTPResponseHead(version: .http1_1, status: refusal.status, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        linger(context)
    }

    /// Ends the connection so that the client can still read what was written: a connection that is closed while
    /// bytes come in is reset, and the answer with it.
    private func linger(_ context: ChannelHandlerContext) {
        context.close(mode: .output, promise: nil)
        context.read()
        let channel = context.channel
        timer?.cancel()
        timer = context.eventLoop.scheduleTask(in: .milliseconds(500)) { channel.close(promise: nil) }
    }
}

/// Tells the gate of bytes before and after the decoder has read them.
final class ByteWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let gate: ConnectionGate

    init(_ gate: ConnectionGate) { self.gate = gate }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let count = unwrapInboundIn(data).readableBytes
        gate.bytesCome()
        context.fireChannelRead(data)
        gate.bytesWent(count)
    }
}

extension TimeAmount {
    fileprivate static func seconds(_ seconds: Double) -> TimeAmount { .nanoseconds(Int64(seconds * 1e9)) }
}
