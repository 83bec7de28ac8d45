import Hummingbird
import Logging
import ServiceLifecycle
import Serving

extension Door {
    /// The door of a server that may be shared: it knows the names that the others reach it by.
    init(_ options: WorkbenchOptions, _ access: ServerAccess?, pages: [RouterPath] = []) {
        let host = options.host.contains(":") ? "[\(options.host)]" : options.host
        var watch: DoorWatch?
        if let access { watch = { access.note($0) } }
        let others = options.otherNames.union((access?.authorities ?? []).compactMap { Authority($0) })
        self.init(
            names: .named(["localhost", "127.0.0.1", "[::1]", host], and: others), pages: pages,
            isSecure: access?.isSecure == true, onRefusal: watch)
    }

    /// The server, over TLS where there is a certificate; `onRunning` gets its port once it listens.
    func service(
        _ router: Router<BasicRequestContext>, _ options: WorkbenchOptions, access: ServerAccess?, logger: Logger,
        onRunning: @escaping @Sendable (Int) async -> Void
    ) -> some Service {
        service(
            router, over: access?.secured(channels) ?? channels, host: options.host, port: options.port, logger: logger,
            onRunning: onRunning)
    }
}
