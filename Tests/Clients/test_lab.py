"""The lab judged by Microsoft's own clients: they get tokens from its Entra ID and send to its ingestion endpoint, where what
they send and what Vestige sends pass the same checks."""

import json
import logging
import os
import re
import subprocess
import tempfile
import unittest
import urllib.request

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.identity import ClientSecretCredential
from azure.monitor.ingestion import LogsIngestionClient

VESTIGE = os.environ["VESTIGE"]
TENANT = "6f1d6d6a-0000-4000-8000-1ab000000001"
CLIENT = "6f1d6d6a-0000-4000-8000-1ab000000002"
STREAM = "Custom-MDEMachines_CL"


class LabTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Refusals are expected here, and tested.
        logging.getLogger("azure").setLevel(logging.CRITICAL)
        cls.folder = tempfile.TemporaryDirectory()
        cls.config = os.path.join(cls.folder.name, "lab.yaml")
        cls.lab = subprocess.Popen(
            [VESTIGE, "lab", "serve", "--devices", "40", "--ot-devices", "10", "--port", "0", "--sensor-port", "0", "--tls-port", "0",
             "--write-config", cls.config], cwd=os.environ["VESTIGE_ROOT"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        found = {}
        for line in cls.lab.stderr:
            words = line.split()
            if len(words) > 1 and words[1].startswith("http"):
                found[words[0] + words[1].split(":")[0]] = words[1]
            if len(found) == 3 and os.path.exists(cls.config):
                break
        cls.plain, cls.secure = found["tenanthttp"], found["tenanthttps"]
        cls.trust = os.path.join(cls.folder.name, "lab-sensor.pem")
        with open(cls.config) as file:
            # Each group of tables has a rule of its own.
            cls.rules = {group: rule for rule, group in re.findall(r"rule: (dcr-\w+), tables: (\w+)", file.read())}

    @classmethod
    def tearDownClass(cls):
        cls.lab.terminate()
        cls.lab.wait(timeout=20)
        cls.lab.stderr.close()
        cls.folder.cleanup()

    def credential(self, secret="lab-client-secret", tenant=TENANT):
        return ClientSecretCredential(
            tenant, CLIENT, secret, authority=self.secure, disable_instance_discovery=True, connection_verify=self.trust)

    def client(self):
        return LogsIngestionClient(self.secure, self.credential(), connection_verify=self.trust, retry_total=0)

    def received(self, stream=STREAM):
        with urllib.request.urlopen(f"{self.plain}/lab/received/{stream}") as answer:
            return json.load(answer)

    def test_azure_identity_gets_a_token_that_the_services_take(self):
        token = self.credential().get_token("https://api.securitycenter.microsoft.com/.default")
        self.assertGreater(token.expires_on, 0)
        request = urllib.request.Request(f"{self.plain}/api/machines", headers={"Authorization": f"Bearer {token.token}"})
        with urllib.request.urlopen(request) as answer:
            self.assertEqual(len(json.load(answer)["value"]), 40)

    def test_azure_identity_is_refused_as_by_entra(self):
        with self.assertRaises(ClientAuthenticationError) as refused:
            self.credential(secret="wrong").get_token("https://monitor.azure.com/.default")
        self.assertIn("AADSTS7000215", str(refused.exception))

    def test_azure_monitor_ingestion_uploads_rows_of_any_number(self):
        before = len(self.received())
        # More than one call's worth: the client cuts them itself.
        rows = [{"TimeGenerated": "2026-11-25T10:00:00.1234567Z", "MachineId": f"sdk-{i}", "ComputerDnsName": "n" * 900, "NoSuchColumn": 1} for i in range(3000)]
        with self.client() as client:
            client.upload(self.rules["posture"], STREAM, rows)
        arrived = self.received()[before:]
        self.assertEqual(len(arrived), 3000)
        self.assertEqual({row["MachineId"] for row in arrived}, {row["MachineId"] for row in rows})
        self.assertNotIn("NoSuchColumn", arrived[0])

    def test_azure_monitor_ingestion_is_refused_as_by_azure(self):
        with self.client() as client:
            with self.assertRaises(HttpResponseError) as refused:
                client.upload(self.rules["posture"], "Custom-Nowhere_CL", [{"A": 1}])
            self.assertEqual((refused.exception.status_code, refused.exception.error.code), (400, "InvalidStream"))
            with self.assertRaises(HttpResponseError) as refused:
                client.upload("dcr-00000000000000000000000000000000", STREAM, [{"A": 1}])
            self.assertEqual(refused.exception.status_code, 404)

    def test_vestige_and_the_official_client_send_the_same(self):
        source = "mde-recommendations"
        run = subprocess.run(
            [VESTIGE, "collect", "--once", "--quiet", "--config", self.config, "--source", source], cwd=os.environ["VESTIGE_ROOT"],
            # The configuration names its own workspace.
            env={k: v for k, v in os.environ.items() if k != "VESTIGE_WORKSPACE"}, capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stderr)
        stream = "Custom-MDERecommendations_CL"
        ours = self.received(stream)
        self.assertGreater(len(ours), 3, run.stdout + run.stderr)
        with self.client() as client:
            client.upload(self.rules["vulnerability"], stream, ours)
        theirs = self.received(stream)[len(ours):]
        self.assertEqual(theirs, ours)


if __name__ == "__main__":
    unittest.main()
