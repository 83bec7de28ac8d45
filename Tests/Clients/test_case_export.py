"""What leaves a case, read by the tools that it is for, and stamped by an authority that OpenSSL is."""

import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import unittest

import pymisp
import stix2

VESTIGE, ROOT = os.environ["VESTIGE"], os.environ["VESTIGE_ROOT"]
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "VESTIGE_WORKSPACE"}
TSA = """
[tsa]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
[stamp]
extendedKeyUsage = critical,timeStamping
basicConstraints = CA:FALSE
"""


class CaseExport(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory()
        cls.folder = cls.holder.name
        subprocess.run(
            [sys.executable, f"{ROOT}/Tests/Estates/generate.py", cls.folder, "--style", "a", "--only", "iso-ransom"], check=True, capture_output=True)
        cls.make_authority()
        handler = cls.handler()
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        with open(f"{cls.folder}/vestige.yaml", "w") as file:
            file.write(
                f"workspace: {cls.folder}/w.vestige\ncontent: [{ROOT}/Content]\nevidence:\n  timestamp:\n"
                f"    url: http://127.0.0.1:{cls.server.server_address[1]}/\n    authority: {cls.folder}/root.pem\n")
        cls.vestige("import", f"{cls.folder}/a/iso-ransom", "--config", f"{cls.folder}/vestige.yaml")
        cls.vestige("case", "open", "ransom", "--config", f"{cls.folder}/vestige.yaml")

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()
        cls.holder.cleanup()

    @classmethod
    def openssl(cls, *arguments):
        return subprocess.run(["openssl", *arguments], cwd=cls.folder, capture_output=True, check=True)

    @classmethod
    def make_authority(cls):
        for name, text in [("tsa.cnf", TSA), ("serial", "01\n")]:
            with open(f"{cls.folder}/{name}", "w") as file:
                file.write(text)
        for name in ["root", "other"]:
            cls.openssl(
                "req", "-x509", "-nodes", "-days", "2", "-newkey", "rsa:2048", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
        cls.openssl("req", "-nodes", "-newkey", "rsa:2048", "-subj", "/CN=stamper", "-keyout", "tsa.key", "-out", "tsa.csr")
        cls.openssl(
            "x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "2", "-extfile", "tsa.cnf",
            "-extensions", "stamp", "-out", "tsa.pem")

    @classmethod
    def handler(cls):
        class Handler(http.server.BaseHTTPRequestHandler):
            asked = []

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                Handler.asked.append((self.headers["Content-Type"], len(body)))
                with open(f"{cls.folder}/query.tsq", "wb") as file:
                    file.write(body)
                cls.openssl(
                    "ts", "-reply", "-queryfile", "query.tsq", "-config", "tsa.cnf", "-section", "tsa", "-signer", "tsa.pem", "-inkey", "tsa.key",
                    "-out", "answer.tsr")
                with open(f"{cls.folder}/answer.tsr", "rb") as file:
                    answer = file.read()
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        cls.asked = Handler.asked
        return Handler

    @classmethod
    def vestige(cls, *arguments, code=0):
        done = subprocess.run([VESTIGE, *arguments], cwd=cls.folder, capture_output=True, text=True, env=ENVIRONMENT)
        if done.returncode != code:
            raise AssertionError(f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout + done.stderr

    def export(self, form, name=None):
        path = f"{self.folder}/{name or 'out.' + form}"
        said = self.vestige("case", "export", "ransom", path, "--as", form, "--config", f"{self.folder}/vestige.yaml")
        return path, said

    def test_indicators_are_read_as_stix(self):
        path, _ = self.export("stix")
        with open(path) as file:
            bundle = stix2.parse(file.read())
        kinds = [thing["type"] for thing in bundle.objects]
        self.assertGreater(kinds.count("indicator"), 0)
        self.assertEqual(kinds.count("indicator"), kinds.count("sighting"))

    def test_an_attack_flow_is_read_as_stix(self):
        path, said = self.export("attack-flow")
        with open(path) as file:
            bundle = stix2.parse(file.read(), allow_custom=True)
        self.assertIn("attack-flow", [thing["type"] for thing in bundle.objects])
        self.assertIn("left out", said)

    def test_indicators_are_read_by_misp(self):
        path, _ = self.export("misp")
        event = pymisp.MISPEvent()
        event.load_file(path)
        self.assertGreater(len([a for a in event.attributes if a.to_ids]), 0)
        self.assertFalse(event.published)

    def test_tables_are_a_folder(self):
        path, _ = self.export("csv", "tables")
        self.assertIn("ransom-indicators.csv", os.listdir(path))

    def test_a_case_and_its_export_are_stamped(self):
        config = f"{self.folder}/vestige.yaml"
        self.assertIn("stamped", self.vestige("case", "stamp", "ransom", "--config", config))
        self.vestige("case", "note", "ransom", "after the stamp", "--config", config)
        self.assertIn("vouches for", self.vestige("case", "verify", "ransom", "--config", config))
        path, _ = self.export("evidence", "ransom.case")
        self.assertTrue(all(kind == "application/timestamp-query" for kind, _ in self.asked))
        said = self.vestige("evidence", "verify", path, "--authority", f"{self.folder}/root.pem")
        self.assertEqual(said.count("vouches for"), 2)
        # OpenSSL says the same of the stamp beside the file.
        self.openssl("ts", "-verify", "-data", path, "-in", path + ".tsr", "-CAfile", "root.pem")
        # An authority that is not believed, and a file that is not the stamped one.
        self.assertIn("not believed", self.vestige("evidence", "verify", path, "--authority", f"{self.folder}/other.pem", code=1))
        html, _ = self.export("html", "report.html")
        with open(html + ".tsr", "rb") as source, open(path + ".tsr", "wb") as target:
            target.write(source.read())
        self.assertIn("ransom.case.tsr: it is the stamp of something else", self.vestige("evidence", "verify", path, code=1))

    def test_json_is_json(self):
        for form in ["json", "afb", "navigator"]:
            path, _ = self.export(form)
            with open(path) as file:
                self.assertTrue(json.load(file), form)


if __name__ == "__main__":
    unittest.main()
