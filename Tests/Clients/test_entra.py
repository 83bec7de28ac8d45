"""Sign-in judged by Microsoft's own client: MSAL takes people and programs through the lab's Entra ID, and what it brings back
opens a workbench that is shared over TLS."""

import json
import os
import re
import ssl
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.parse
import urllib.request

import msal

# With either of these set, requests looks at no other certificates, whatever its caller says.
for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
    os.environ.pop(name, None)
VESTIGE = os.environ["VESTIGE"]
TENANT = "6f1d6d6a-0000-4000-8000-1ab000000001"
COLLECTOR = "6f1d6d6a-0000-4000-8000-1ab000000002"
WEB = "6f1d6d6a-0000-4000-8000-1ab000000004"
REDIRECT = "https://client.example/callback"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


class EntraTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        config = os.path.join(cls.folder.name, "lab.yaml")
        cls.lab = subprocess.Popen(
            [VESTIGE, "lab", "serve", "--devices", "5", "--ot-devices", "5", "--port", "0", "--sensor-port", "0", "--tls-port", "0",
             "--write-config", config], cwd=os.environ["VESTIGE_ROOT"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        found = {}
        for line in cls.lab.stderr:
            words = line.split()
            if len(words) > 1 and words[1].startswith("http"):
                found[words[0] + words[1].split(":")[0]] = words[1]
            if len(found) == 3 and os.path.exists(config):
                break
        cls.plain, cls.secure = found["tenanthttp"], found["tenanthttps"]
        cls.trust = os.path.join(cls.folder.name, "lab-sensor.pem")
        cls.opener = urllib.request.build_opener(
            NoRedirect, urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=cls.trust)))
        cls.register([REDIRECT])

    @classmethod
    def tearDownClass(cls):
        cls.lab.terminate()
        cls.lab.wait(timeout=20)
        cls.lab.stderr.close()
        cls.folder.cleanup()

    @classmethod
    def register(cls, redirects):
        body = json.dumps({"redirects": redirects}).encode()
        urllib.request.urlopen(urllib.request.Request(f"{cls.plain}/lab/app", data=body, method="POST")).close()

    def application(self, client=WEB, secret="lab-web-secret"):
        return msal.ConfidentialClientApplication(
            client, client_credential=secret, authority=f"{self.secure}/{TENANT}", verify=self.trust,
            instance_discovery=False, validate_authority=False)

    def get(self, address, headers={}):
        try:
            with self.opener.open(urllib.request.Request(address, headers=headers)) as answer:
                return answer.status, dict(answer.headers), answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, dict(answer.headers), answer.read().decode()

    def visit(self, flow, person="anna@plant.lab.example"):
        status, headers, body = self.get(flow["auth_uri"] + "&login_hint=" + urllib.parse.quote(person))
        self.assertEqual(status, 302, body)
        return {k: v[0] for k, v in urllib.parse.parse_qs(urllib.parse.urlsplit(headers["location" if "location" in headers else "Location"]).query).items()}

    def test_msal_signs_somebody_in(self):
        application = self.application()
        flow = application.initiate_auth_code_flow([], redirect_uri=REDIRECT)
        result = application.acquire_token_by_auth_code_flow(flow, self.visit(flow))
        self.assertNotIn("error", result, result)
        claims = result["id_token_claims"]
        self.assertEqual(claims["preferred_username"], "anna@plant.lab.example")
        self.assertEqual(claims["roles"], ["Vestige.Analyst"])
        self.assertEqual((claims["aud"], claims["tid"]), (WEB, TENANT))

    def test_msal_is_refused_as_by_entra(self):
        application = self.application()
        flow = application.initiate_auth_code_flow([], redirect_uri=REDIRECT)
        answer = self.visit(flow)
        again = dict(flow)
        self.assertNotIn("error", application.acquire_token_by_auth_code_flow(flow, answer))
        used = application.acquire_token_by_auth_code_flow(again, answer)
        self.assertIn("AADSTS54005", used["error_description"])
        # The verifier of another flow.
        one, other = (application.initiate_auth_code_flow([], redirect_uri=REDIRECT) for _ in range(2))
        answer = self.visit(one)
        one["code_verifier"] = other["code_verifier"]
        self.assertIn("AADSTS501481", application.acquire_token_by_auth_code_flow(one, answer)["error_description"])
        wrong = self.application(secret="wrong")
        flow = wrong.initiate_auth_code_flow([], redirect_uri=REDIRECT)
        self.assertIn("AADSTS7000215", wrong.acquire_token_by_auth_code_flow(flow, self.visit(flow))["error_description"])
        status, _, body = self.get(application.initiate_auth_code_flow([], redirect_uri=REDIRECT + "/")["auth_uri"])
        self.assertEqual(status, 400)
        self.assertIn("AADSTS50011", body)

    def test_what_msal_brings_opens_the_workbench(self):
        folder = self.folder.name
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
             "subjectAltName=IP:127.0.0.1", "-keyout", f"{folder}/server.key", "-out", f"{folder}/server.pem"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.chmod(f"{folder}/server.key", 0o600)
        config = f"{folder}/serve.yaml"
        with open(config, "w") as file:
            json.dump({
                "workspace": f"{folder}/shared.vestige",
                "server": {"listen": "127.0.0.1:0", "tls": {"certificate": f"{folder}/server.pem", "key": f"{folder}/server.key"},
                           "entra": {"tenantId": TENANT, "clientId": WEB, "clientSecret": "env:WEB_SECRET", "loginHost": self.plain}}}, file)
        environment = {k: v for k, v in os.environ.items() if k != "VESTIGE_WORKSPACE"} | {"WEB_SECRET": "lab-web-secret"}
        server = subprocess.Popen(
            [VESTIGE, "serve", "--config", config], cwd=os.environ["VESTIGE_ROOT"], env=environment, stderr=subprocess.PIPE, text=True)
        try:
            base = None
            for line in server.stderr:
                if match := re.search(r"https://[0-9.]+:[0-9]+", line):
                    base = match.group()
                    break
            self.assertIsNotNone(base)
            opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=f"{folder}/server.pem")))
            token = self.application(COLLECTOR, "lab-client-secret").acquire_token_for_client([f"api://{WEB}/.default"])
            self.assertIn("access_token", token, token)

            def query(headers):
                body = json.dumps({"db": "Vestige", "csl": "print x = 6 * 7"}).encode()
                request = urllib.request.Request(
                    f"{base}/v1/rest/query", data=body, headers={"Content-Type": "application/json"} | headers)
                try:
                    with opener.open(request) as answer:
                        return answer.status, json.load(answer)
                except urllib.error.HTTPError as answer:
                    return answer.code, answer.read().decode()

            status, answer = query({"Authorization": f"Bearer {token['access_token']}"})
            self.assertEqual(status, 200, answer)
            self.assertEqual(answer["Tables"][0]["Rows"], [[42]])
            self.assertEqual(query({})[0], 401)
            self.assertEqual(query({"Authorization": f"Bearer {token['access_token'][:-8]}AAAAAAAA"})[0], 401)
        finally:
            server.terminate()
            server.wait(timeout=20)
            server.stderr.close()
        # What was asked stands in the audit, whole, after the server has ended.
        audit = f"{folder}/shared.vestige.audit"
        verify = subprocess.run([VESTIGE, "audit", "verify", audit, "--format", "json"], capture_output=True, text=True)
        self.assertEqual(verify.returncode, 0, verify.stdout + verify.stderr)
        with open(audit) as file:
            text = file.read()
        entries = [json.loads(line) for line in text.splitlines()]
        self.assertEqual([e["QueryText"] for e in entries if e["Action"] == "Query" and e["Outcome"] == "Success"], ["print x = 6 * 7"])
        self.assertNotIn(token["access_token"], text)


if __name__ == "__main__":
    unittest.main()
