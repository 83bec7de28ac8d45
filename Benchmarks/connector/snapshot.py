"""A snapshot of a hundred thousand devices and 24 million vulnerabilities: does memory stay bounded, whatever the snapshot's size?

    python3 Benchmarks/connector/snapshot.py [--records 24000000] [--vestige .build/release/vestige]

Pages are made while they are asked for, from one that is made before, so that they need no room on the disk.
"""

import argparse
import http.server
import json
import os
import pathlib
import tempfile
import threading

import run
import stand_in

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOKEN = b"@@PAGES@"


class Handler(stand_in.Handler):
    def do_GET(self):
        page = int(self.path.split("page=")[1].split("&")[0]) if "page=" in self.path else 0
        server = self.server
        body = server.template[server.day].replace(TOKEN, b"%08x" % page)
        link = f"http://{self.headers['Host']}/api/machines/SoftwareVulnerabilitiesByMachine?page={page + 1}"
        more = f',"@odata.nextLink":"{link}"' if (page + 1) * stand_in.PAGE < server.records else ""
        self.reply(200, b'{"value":[' + body + b"]" + more.encode() + b"}")


class Server(stand_in.Server):
    def __init__(self, records):
        http.server.ThreadingHTTPServer.__init__(self, ("127.0.0.1", 0), Handler)
        self.lock, self.calls, self.bytes, self.day, self.records = threading.Lock(), 0, 0, 0, records
        self.template = [self.page(day) for day in (0, 1)]

    @staticmethod
    def page(day):
        """A page whose devices' ids begin with what each page replaces by its number."""
        records = []
        for n in range(stand_in.PAGE):
            record = stand_in.record(n, day, 2)
            record["deviceId"] = TOKEN.decode() + record["deviceId"][8:]
            records.append(json.dumps(record, separators=(",", ":")))
        return ",".join(records).encode()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=24_000_000)
    parser.add_argument("--vestige", default=str(ROOT / ".build/release/vestige"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(options.records)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        collect, environment = run.stand_in_collector(folder, server.url, options.vestige)
        for name in ("every record new", "2 % changed"):
            seconds, cpu, peak = run.measured(collect, env=environment)
            size = os.path.getsize(f"{folder}/bench.vestige") / 1e6
            print(
                f"{options.records:,} records, {name}: {seconds:.0f} s, {cpu / options.records * 1e6:.2f} CPU s per million, {peak:.0f} MB at peak, "
                f"{server.calls:,} calls, {server.bytes / 1e6:,.0f} MB sent, workspace {size:,.0f} MB", flush=True)
            server.calls = server.bytes = 0
            server.day = 1


if __name__ == "__main__":
    main()
