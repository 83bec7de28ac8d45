"""What queries reach beyond the workspace: files and addresses of externaldata, and a database of locations."""

import functools
import gzip
import http.server
import json
import os
import subprocess
import tempfile
import threading
import unittest

VESTIGE = os.environ["VESTIGE"]


class Site(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/list.csv")
            self.end_headers()
        elif self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "https://elsewhere.example/list.csv")
            self.end_headers()
        else:
            super().do_GET()


class OutsideTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        home = cls.folder.name

        def write(name, data):
            with open(os.path.join(home, name), "wb") as file:
                file.write(data)

        write("list.csv", b'Name,Score\r\n"a, or ""b""",1\r\n"two\nlines",2\r\n')
        write("list.csv.gz", gzip.compress(b"x,1\ny,2\n"))
        write("words.txt", b"one\n\ntwo\n")
        write("lines.json", b'{"Name":"n1","Data":{"Tenant":"t1"}}\n{"Name":"n2","Data":{"Tenant":"t2"}}\n')
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Site, directory=home))
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        cls.url = f"http://127.0.0.1:{cls.server.server_address[1]}"
        cls.database(os.path.join(home, "places.mmdb"))
        cls.open = cls.config("open.yaml", f"externaldata: {{files: true, hosts: ['127.0.0.1:{cls.server.server_address[1]}']}}\nlocations: {home}/places.mmdb\n")
        cls.wild = cls.config("wild.yaml", 'externaldata: {hosts: ["*"]}\n')
        cls.closed = cls.config("closed.yaml", "keyframeDays: 7\n")

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()
        cls.folder.cleanup()

    @classmethod
    def config(cls, name, text):
        path = os.path.join(cls.folder.name, name)
        with open(path, "w") as file:
            file.write(f"workspace: {cls.folder.name}/none.vestige\n" + text)
        return path

    @classmethod
    def database(cls, path):
        from mmdb_writer import MMDBWriter
        from netaddr import IPSet

        def names(text):
            return {"names": {"en": text}}

        writer = MMDBWriter(6, "GeoLite2-City", ipv4_compatible=True)
        writer.insert_network(
            IPSet(["20.53.0.0/16"]),
            {"country": names("Australia"), "subdivisions": [names("New South Wales")], "city": names("Sydney"),
             "location": {"latitude": -33.8715, "longitude": 151.2006}})
        writer.insert_network(IPSet(["2a03:2880::/32"]), {"country": names("United States")})
        writer.to_db_file(path)

    def ask(self, config, query):
        run = subprocess.run([VESTIGE, "query", "--config", config, "--format", "json", "--quiet", query], capture_output=True, text=True)
        if run.returncode:
            return run.stderr
        return json.loads(run.stdout)["rows"]

    def test_a_csv_over_http_with_quotes_and_line_ends(self):
        query = f"externaldata(Name:string, Score:long)['{self.url}/list.csv'] with(format='csv', ignoreFirstRecord=true)"
        self.assertEqual(self.ask(self.open, query), [['a, or "b"', 1], ["two\nlines", 2]])

    def test_packed_files_and_several_at_once(self):
        query = f"externaldata(Name:string, Score:long)[h@'{self.url}/list.csv.gz', h@'{self.url}/list.csv.gz?sig=x'] | summarize sum(Score) by Name | sort by Name asc"
        self.assertEqual(self.ask(self.open, query), [["x", 2], ["y", 4]])

    def test_the_format_is_told_from_the_name(self):
        self.assertEqual(self.ask(self.open, f"externaldata(Word:string)['{self.url}/words.txt;managed_identity=system']"), [["one"], ["two"]])

    def test_a_mapping_of_json(self):
        mapping = '[{"Column":"Tenant","Properties":{"Path":"$.Data.Tenant"}},{"Column":"Name","Properties":{"Path":"$.Name"}}]'
        query = f"externaldata(Tenant:string, Name:string)['{self.url}/lines.json'] with(format='multijson', ingestionMapping='{mapping}')"
        self.assertEqual(self.ask(self.open, query), [["t1", "n1"], ["t2", "n2"]])

    def test_redirects_stay_with_allowed_hosts(self):
        self.assertEqual(self.ask(self.open, f"externaldata(Name:string)['{self.url}/moved'] | count"), [[3]])
        self.assertIn("elsewhere.example is not allowed", self.ask(self.open, f"externaldata(Name:string)['{self.url}/away']"))

    def test_a_file_of_this_machine(self):
        self.assertEqual(self.ask(self.open, f"externaldata(Name:string)['{self.folder.name}/words.txt'] | count"), [[2]])

    def test_nothing_is_read_that_is_not_allowed(self):
        self.assertIn("no address is allowed here", self.ask(self.closed, f"externaldata(Name:string)['{self.url}/words.txt']"))
        self.assertIn("may not read files", self.ask(self.closed, "externaldata(Name:string)['/etc/passwd']"))
        self.assertIn("127.0.0.1 is not allowed", self.ask(self.wild, f"externaldata(Name:string)['{self.url}/words.txt']"))
        self.assertIn("in the clear", self.ask(self.wild, "externaldata(Name:string)['http://example.org/words.txt']"))

    def test_what_is_not_there_is_told(self):
        self.assertIn("answered 404", self.ask(self.open, f"externaldata(Name:string)['{self.url}/none.csv']"))
        self.assertIn("malformed JSON", self.ask(self.open, f"externaldata(Name:string)['{self.url}/words.txt'] with(format='json')"))

    def test_where_an_address_is(self):
        found = self.ask(self.open, "print geo_info_from_ip_address('20.53.203.50'), geo_info_from_ip_address('2a03:2880:f12c:83:face:b00c::25de'), geo_info_from_ip_address('10.0.0.1')")
        self.assertEqual(
            found[0],
            [{"country": "Australia", "state": "New South Wales", "city": "Sydney", "latitude": -33.8715, "longitude": 151.2006},
             {"country": "United States"}, None])
        self.assertIn("'locations'", self.ask(self.closed, "print geo_info_from_ip_address('20.53.203.50')"))


if __name__ == "__main__":
    unittest.main()
