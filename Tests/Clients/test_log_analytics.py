"""azure-monitor-query, the official client of Log Analytics, against the workbench."""

import datetime
import json
import os
import unittest
import urllib.error
import urllib.request

from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.monitor.query import LogsBatchQuery, LogsQueryClient, LogsQueryStatus

URL = os.environ.get("VESTIGE_URL", "")


class NoCredential:
    """On loopback nobody signs in; the client wants a credential all the same."""

    def get_token(self, *scopes, **kwargs):
        raise AssertionError("no token is asked for")


class LogAnalyticsTests(unittest.TestCase):
    def setUp(self):
        self.client = LogsQueryClient(NoCredential(), endpoint=URL + "/v1", authentication_policy=SansIOHTTPPolicy())
        self.addCleanup(self.client.close)

    def query(self, text, timespan=None, **options):
        return self.client.query_workspace("any", text, timespan=timespan, **options)

    def test_types(self):
        table = self.query(
            "print b = true, i = int(1), l = 9007199254740993, r = 0.5, m = decimal(1.5), s = 'x', d = datetime(2026-01-02 03:04:05.1234567), "
            "t = 90m, g = guid(74be27de-1e4e-49d9-b579-fe0b331d3642), y = dynamic({'k':1}), nothing = datetime(null)").tables[0]
        self.assertEqual(
            list(table.columns_types), ["bool", "int", "long", "real", "decimal", "string", "datetime", "timespan", "guid", "dynamic", "datetime"])
        row = table.rows[0]
        self.assertEqual((row["b"], row["i"], row["l"], row["r"], row["s"]), (True, 1, 9007199254740993, 0.5, "x"))
        self.assertEqual(row["d"].replace(microsecond=0), datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc))
        self.assertEqual(row["t"], "01:30:00")
        self.assertEqual(json.loads(row["y"]), {"k": 1})
        self.assertIsNone(row["nothing"])

    def test_the_time_range_cuts(self):
        everything = self.query("DeviceInfo | count").tables[0].rows[0][0]
        self.assertGreater(everything, 0)
        now = datetime.datetime.now(datetime.timezone.utc)
        long_ago = (now - datetime.timedelta(days=900), now - datetime.timedelta(days=800))
        self.assertEqual(self.query("DeviceInfo | count", long_ago).tables[0].rows[0][0], 0)
        self.assertEqual(self.query("DeviceInfo | count", datetime.timedelta(days=30)).tables[0].rows[0][0], everything)
        self.assertEqual(self.query("DeviceInfo | count", (now - datetime.timedelta(days=30), datetime.timedelta(days=60))).tables[0].rows[0][0], everything)

    def test_statistics_and_render(self):
        answer = self.query("DeviceInfo | summarize count() by OSPlatform | render piechart", include_statistics=True, include_visualization=True)
        self.assertGreaterEqual(answer.statistics["query"]["executionTime"], 0)
        self.assertEqual(answer.visualization["visualization"], "piechart")

    def test_errors(self):
        with self.assertRaises(HttpResponseError) as caught:
            self.query("DeviceInfo | where Nothing == 1")
        self.assertEqual(caught.exception.status_code, 400)
        self.assertIn("SemanticError", str(caught.exception))
        self.assertIn("Nothing", str(caught.exception))
        with self.assertRaisesRegex(HttpResponseError, "SyntaxError"):
            self.query("DeviceInfo | where (")

    def test_a_cut_result_is_partial(self):
        answer = self.query("range x from 1 to 500001 step 1")
        self.assertEqual(answer.status, LogsQueryStatus.PARTIAL)
        self.assertEqual(len(answer.partial_data[0].rows), 500000)
        self.assertEqual(answer.partial_error.code, "PartialError")

    def test_batch(self):
        answers = self.client.query_batch([
            LogsBatchQuery("any", "print 1", timespan=None),
            LogsBatchQuery("any", "nothing_here", timespan=None),
            LogsBatchQuery("any", "print 'three'", timespan=datetime.timedelta(hours=1), include_statistics=True),
        ])
        self.assertEqual([a.status for a in answers], [LogsQueryStatus.SUCCESS, LogsQueryStatus.FAILURE, LogsQueryStatus.SUCCESS])
        self.assertEqual(answers[2].tables[0].rows[0][0], "three")
        self.assertTrue(answers[2].statistics)

    def test_server_timeout(self):
        with self.assertRaises(HttpResponseError) as caught:
            self.query("range x from 1 to 100000000000 step 1 | where x < 0 | count", server_timeout=1, retry_total=0)
        self.assertEqual(caught.exception.status_code, 504)

    def test_get_and_metadata(self):
        with urllib.request.urlopen(URL + "/v1/workspaces/any/query?query=print%20x%3D1&timespan=PT1H") as answer:
            self.assertEqual(json.load(answer)["tables"][0]["rows"], [[1]])
        with urllib.request.urlopen(URL + "/v1/workspaces/any/metadata") as answer:
            self.assertIn("DeviceInfo", [t["name"] for t in json.load(answer)["tables"]])
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(URL + "/v1/workspaces/any/query?query=print%201&timespan=yesterday")
        self.assertEqual(caught.exception.code, 400)
        caught.exception.close()
