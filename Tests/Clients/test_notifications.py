"""Findings reach the receivers that people have: a mail server (aiosmtpd), a syslog server over UDP, TCP and TLS, and a webhook."""

import email
import email.policy
import hashlib
import hmac
import http.server
import json
import os
import re
import socket
import socketserver
import ssl
import subprocess
import tempfile
import threading
import unittest

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

VESTIGE, ROOT = os.environ["VESTIGE"], os.environ["VESTIGE_ROOT"]
RULE = """\
id: 5f1d2c3b-0000-4000-8000-00000000abcd
name: Ein Eintrag für den Test
description: Finds entries of the catalogue.
severity: High
queryFrequency: 5m
queryPeriod: 1h
triggerOperator: gt
triggerThreshold: 0
tactics: [InitialAccess]
relevantTechniques: [T1190]
query: |
  KnownExploitedVulnerabilities_CL | project CveId, VendorProject
entityMappings:
  - entityType: Host
    fieldMappings: [{identifier: FullName, columnName: VendorProject}]
eventGroupingSettings: {aggregationKind: AlertPerResult}
alertDetailsOverride: {alertDisplayNameFormat: 'Entry {{CveId}} für alle'}
incidentConfiguration: {createIncident: true, groupingConfiguration: {enabled: true, matchingMethod: AnyAlert}}
version: 1.0.0
kind: Scheduled
"""


class Lines(socketserver.StreamRequestHandler):
    def handle(self):
        while True:
            count = b""
            while (byte := self.rfile.read(1)) not in (b" ", b""):
                count += byte
            if not count:
                return
            self.server.received.append(self.rfile.read(int(count)))


class TLSServer(socketserver.ThreadingTCPServer):
    def get_request(self):
        connection, address = super().get_request()
        return self.tls.wrap_socket(connection, server_side=True), address


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((dict(self.headers), body))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Mails:
    def __init__(self):
        self.received, self.logins, self.refuse, self.receivers = [], [], [], {}

    async def handle_RCPT(self, server, session, envelope, address, options):
        """Answers in their turn, for each receiver."""
        answers = self.receivers.get(address)
        answer = answers.pop(0) if answers else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):
        if self.refuse:
            return self.refuse.pop(0)
        self.received.append((session.ssl is not None, envelope))
        return "250 taken"

    def authenticate(self, server, session, envelope, mechanism, login):
        self.logins.append((mechanism, bytes(login.login), bytes(login.password)))
        return AuthResult(success=bytes(login.password) == b"se cret")


class Notifications(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = self.folder.name
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", f"{self.path}/key.pem", "-out", f"{self.path}/cert.pem",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(f"{self.path}/cert.pem", f"{self.path}/key.pem")
        os.makedirs(f"{self.path}/content/Rules")
        with open(f"{self.path}/content/Rules/test.yaml", "w") as file:
            file.write(RULE)
        self.servers = []

    def tearDown(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()
        self.folder.cleanup()

    def mail_server(self, mails, **settings):
        """A mail server on a free port."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        controller = Controller(mails, hostname="127.0.0.1", port=port, **settings)
        controller.start()
        self.addCleanup(controller.stop)
        return port

    def serve(self, server):
        server.received = []
        self.servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def collect(self, sinks, expected=0, entries=("CVE-2026-1", "CVE-2026-2")):
        with open(f"{self.path}/kev.json", "w") as file:
            json.dump({"title": "CISA Catalog of Known Exploited Vulnerabilities", "catalogVersion": "1", "dateReleased": "2026-01-01T00:00:00Z", "count": len(entries),
                       "vulnerabilities": [{"cveID": c, "vendorProject": "Acme", "product": "Widget", "vulnerabilityName": c, "dateAdded": "2026-01-01",
                                            "shortDescription": "x", "requiredAction": "y", "dueDate": "2026-01-22"} for c in entries]}, file)
        config = {"workspace": f"{self.path}/w.db", "content": [f"{self.path}/content"], "sources": ["cisa-kev"],
                  "feeds": {"cisa-kev": f"file:{self.path}/kev.json"}, "sinks": sinks}
        with open(f"{self.path}/vestige.yaml", "w") as file:
            json.dump(config, file)
        done = subprocess.run(
            [VESTIGE, "collect", "--once", "--config", f"{self.path}/vestige.yaml"], cwd=ROOT, capture_output=True, text=True,
            env={k: v for k, v in os.environ.items() if k != "VESTIGE_WORKSPACE"} | {"SMTP_PASSWORD": "se cret", "HOOK_TOKEN": "to ken", "HOOK_KEY": "k"})
        self.assertEqual(done.returncode, expected, done.stderr)
        self.assertNotIn("se cret", done.stdout + done.stderr)
        return done.stderr

    def dead_letters(self):
        """Why rows will never be told."""
        done = subprocess.run(
            [VESTIGE, "query", "VestigeDeadLetters_CL | distinct Reason", "--workspace", f"{self.path}/w.db", "--format", "csv"], cwd=ROOT,
            capture_output=True, text=True, check=True)
        return done.stdout

    def test_mail_with_starttls_and_a_password(self):
        mails = Mails()
        port = self.mail_server(mails, require_starttls=True, auth_required=True, authenticator=mails.authenticate, tls_context=self.tls)
        sink = {"name": "mail", "kind": "mail", "host": "127.0.0.1", "port": port, "user": "vestige", "password": "env:SMTP_PASSWORD", "from": "vestige@corp.example",
                "to": ["duty@corp.example", "soc@corp.example"], "certificate": f"{self.path}/cert.pem"}
        # The first time the server has no room: nothing is lost.
        mails.refuse.append("451 later")
        self.assertIn("451", self.collect([sink], expected=1))
        self.assertEqual(mails.received, [])
        self.collect([sink])
        self.assertEqual(len(mails.received), 1, "one message for the incident")
        encrypted, envelope = mails.received[0]
        self.assertTrue(encrypted)
        self.assertEqual(mails.logins[-1][1:], (b"vestige", b"se cret"))
        self.assertEqual(envelope.rcpt_tos, ["duty@corp.example", "soc@corp.example"])
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.assertEqual(message["Subject"], "[Vestige] High: Entry CVE-2026-1 für alle and 1 more")
        text = message.get_content()
        self.assertIn("Entry CVE-2026-2 für alle", text)
        self.assertIn("Acme", text)
        self.collect([sink])
        self.assertEqual(len(mails.received), 1, "nothing is told twice")

    def test_each_receiver_has_a_mail_once(self):
        """One does not exist, one is to be tried again later: the others have the mail at once, and not twice."""
        mails = Mails()
        port = self.mail_server(mails)
        mails.receivers = {"gone@corp.example": ["550 no such user"] * 9, "grey@corp.example": ["451 greylisted"]}
        sink = {"name": "mail", "kind": "mail", "host": "127.0.0.1", "port": port, "security": "none", "from": "vestige@corp.example",
                "to": ["duty@corp.example", "gone@corp.example", "grey@corp.example"]}
        told = self.collect([sink], expected=1)
        self.assertIn("grey@corp.example", told)
        self.assertIn("451 greylisted", told)
        # A new process: who had the mail is not known any more, so that they may have it twice, but nobody is left out.
        self.assertIn("refused 2 rows for good", self.collect([sink]))
        self.assertIn("gone@corp.example: 550 no such user", self.dead_letters())
        got = [address for _, envelope in mails.received for address in envelope.rcpt_tos]
        self.assertEqual(got.count("grey@corp.example"), 1)
        self.assertNotIn("gone@corp.example", got)
        self.assertIn("duty@corp.example", got)
        self.collect([sink])
        self.assertEqual(len(got), len([a for _, e in mails.received for a in e.rcpt_tos]), "nothing waits any more")

    def test_a_refused_mail_does_not_keep_the_next_from_going(self):
        mails = Mails()
        port = self.mail_server(mails)
        mails.receivers = {"duty@corp.example": ["550 not this one"]}
        sink = {"name": "mail", "kind": "mail", "host": "127.0.0.1", "port": port, "security": "none", "from": "vestige@corp.example", "to": ["duty@corp.example"]}
        # An incident for each finding: two messages.
        with open(f"{self.path}/content/Rules/test.yaml", "w") as file:
            file.write(RULE.replace("enabled: true", "enabled: false"))
        self.assertIn("refused 1 rows for good", self.collect([sink]))
        self.assertIn("550 not this one", self.dead_letters())
        self.assertEqual(len(mails.received), 1)

    def test_mail_refuses_a_server_without_encryption_and_an_unknown_certificate(self):
        mails = Mails()
        port = self.mail_server(mails)
        sink = {"name": "mail", "kind": "mail", "host": "127.0.0.1", "port": port, "from": "a@b.example", "to": "c@d.example"}
        self.assertIn("does not offer encryption", self.collect([sink], expected=1))
        sink["port"] = self.mail_server(mails, tls_context=self.tls)
        self.assertIn("is not trusted", self.collect([sink], expected=1))
        self.assertEqual(mails.received, [])

    def test_answers_from_before_encryption_are_not_taken(self):
        """Whoever is on the way adds lines to the answer in the clear; they would count as the first of the encrypted session."""
        heard = []

        class Injector(socketserver.StreamRequestHandler):
            def handle(self):
                self.wfile.write(b"220 hello\r\n")
                while line := self.rfile.readline():
                    heard.append(line)
                    if line.startswith(b"EHLO"):
                        self.wfile.write(b"250-here\r\n250 STARTTLS\r\n")
                    elif line.startswith(b"STARTTLS"):
                        self.wfile.write(b"220 go\r\n250-here\r\n250 AUTH PLAIN\r\n")
                        return

        server = self.serve(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Injector))
        sink = {"name": "mail", "kind": "mail", "host": "127.0.0.1", "port": server.server_address[1], "user": "vestige", "password": "env:SMTP_PASSWORD",
                "from": "vestige@corp.example", "to": ["duty@corp.example"], "certificate": f"{self.path}/cert.pem"}
        self.assertIn("before encryption began", self.collect([sink], expected=1))
        self.assertTrue(any(line.startswith(b"STARTTLS") for line in heard), heard)

    def test_syslog_over_udp_tcp_and_tls(self):
        class Datagrams(socketserver.BaseRequestHandler):
            def handle(self):
                self.server.received.append(self.request[0])

        udp = self.serve(socketserver.UDPServer(("127.0.0.1", 0), Datagrams))
        tcp = self.serve(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Lines))
        tls = TLSServer(("127.0.0.1", 0), Lines)
        tls.tls = self.tls
        self.serve(tls)
        sinks = [{"name": kind, "kind": "syslog", "host": "127.0.0.1", "port": server.server_address[1], "transport": kind, "certificate": f"{self.path}/cert.pem"}
                 for kind, server in (("udp", udp), ("tcp", tcp), ("tls", tls))]
        self.collect(sinks)
        pattern = re.compile(
            r'^<130>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \S+ vestige - finding \[vestige@32473 id="[0-9a-f]{32}" rule="\S+" incident="[0-9a-f]{32}" '
            r'severity="High" events="1"\] \ufeffEntry CVE-2026-[12] für alle ')
        for name, server in (("udp", udp), ("tcp", tcp), ("tls", tls)):
            with self.subTest(name):
                for _ in range(200):
                    if len(server.received) == 2:
                        break
                    threading.Event().wait(0.05)
                self.assertEqual(len(server.received), 2)
                for line in server.received:
                    self.assertRegex(line.decode(), pattern)

    def test_webhook_is_signed_and_tried_again(self):
        hook = self.serve(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook))
        hook.statuses = [403]
        sink = {"name": "hook", "kind": "webhook", "address": f"http://127.0.0.1:{hook.server_address[1]}/in", "token": "env:HOOK_TOKEN", "key": "env:HOOK_KEY"}
        self.assertIn("check the secret", self.collect([sink], expected=1))
        self.collect([sink])
        self.assertEqual(len(hook.received), 2)
        headers, body = hook.received[1]
        self.assertEqual(body, hook.received[0][1], "the same notice, and the same id")
        self.assertEqual(headers["Idempotency-Key"], hook.received[0][0]["Idempotency-Key"])
        self.assertEqual(headers["Authorization"], "Bearer to ken")
        self.assertEqual(headers["X-Vestige-Signature"], "sha256=" + hmac.new(b"k", body, hashlib.sha256).hexdigest())
        notice = json.loads(body)
        self.assertEqual(notice["severity"], "High")
        self.assertEqual([f["title"] for f in notice["findings"]], ["Entry CVE-2026-1 für alle", "Entry CVE-2026-2 für alle"])
        self.assertEqual(notice["findings"][0]["entities"], [{"type": "Host", "FullName": "Acme"}])


if __name__ == "__main__":
    unittest.main()
