"""azure-kusto-data, the official client, against the workbench."""

import asyncio
import datetime
import json
import os
import unittest
import urllib.request

from azure.kusto.data import ClientRequestProperties, KustoClient, KustoConnectionStringBuilder
from azure.kusto.data.aio import KustoClient as AsyncKustoClient
from azure.kusto.data.exceptions import KustoApiError, KustoMultiApiError, KustoServiceError
from azure.kusto.data.helpers import dataframe_from_result_table
from azure.kusto.data.response import KustoResponseDataSetV1

URL = os.environ.get("VESTIGE_URL", "")

EVERY_TYPE = """print b = true, i = int(-7), l = 9223372036854775807, r = 1.5, m = decimal(12345678901234567.89), s = "a\\"b\\n",
    d = datetime(2026-01-02 03:04:05.1234567), t = time(1.02:03:04.5), g = guid(74be27de-1e4e-49d9-b579-fe0b331d3642), y = dynamic({"k":[1,null]}),
    nb = bool(null), ni = int(null), nl = long(null), nr = real(null), nm = decimal(null), nd = datetime(null), nt = timespan(null), ng = guid(null),
    nan = real(nan), inf = real(+inf)"""


class KustoTests(unittest.TestCase):
    def setUp(self):
        self.client = KustoClient(URL)
        self.addCleanup(self.client.close)

    def rows(self, query, properties=None):
        return list(self.client.execute("Vestige", query, properties).primary_results[0])

    def test_every_type_arrives(self):
        row = self.rows(EVERY_TYPE)[0].to_dict()
        self.assertIs(row["b"], True)
        self.assertEqual((row["i"], row["l"], row["r"]), (-7, 9223372036854775807, 1.5))
        self.assertEqual(str(row["m"]), "12345678901234567.89")
        self.assertEqual(row["s"], 'a"b\n')
        self.assertEqual(row["d"], datetime.datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=datetime.timezone.utc))
        self.assertEqual(row["t"], datetime.timedelta(days=1, hours=2, minutes=3, seconds=4.5))
        self.assertEqual(row["g"], "74be27de-1e4e-49d9-b579-fe0b331d3642")
        self.assertEqual(row["y"], {"k": [1, None]})
        self.assertTrue(all(row[name] is None for name in ["nb", "ni", "nl", "nr", "nm", "nd", "nt", "ng"]), row)

    def test_column_types(self):
        table = self.client.execute("Vestige", EVERY_TYPE).primary_results[0]
        self.assertEqual(
            [c.column_type for c in table.columns][:10], ["bool", "int", "long", "real", "decimal", "string", "datetime", "timespan", "guid", "dynamic"])

    def test_version_1_gives_the_same(self):
        second = self.rows(EVERY_TYPE)[0].to_dict()
        body = json.dumps({"db": "Vestige", "csl": EVERY_TYPE}).encode()
        with urllib.request.urlopen(urllib.request.Request(URL + "/v1/rest/query", body, {"Content-Type": "application/json"})) as answer:
            first = KustoResponseDataSetV1(json.load(answer)).primary_results[0][0].to_dict()
        differing = {k for k in first if str(first[k]) != str(second[k])}
        # Version 1 hands dynamic values over as text.
        self.assertLessEqual(differing, {"y"})

    def test_dataframe(self):
        table = self.client.execute("Vestige", "DeviceInfo | summarize Devices = dcount(DeviceId) by OSPlatform | order by Devices desc").primary_results[0]
        frame = dataframe_from_result_table(table)
        self.assertEqual(list(frame.columns), ["OSPlatform", "Devices"])
        self.assertGreater(frame["Devices"].sum(), 30)
        empty = dataframe_from_result_table(self.client.execute("Vestige", "DeviceInfo | take 0").primary_results[0])
        self.assertEqual(len(empty), 0)
        self.assertIn("DeviceName", empty.columns)

    def test_parameters(self):
        properties = ClientRequestProperties()
        properties.set_parameter("n", 7)
        properties.set_parameter("name", 'it\'s "quoted"')
        properties.set_parameter("at", "datetime(2026-01-01)")
        properties.set_parameter("span", "timespan(1.00:00:00)")
        properties.set_parameter("list", "dynamic([1,2])")
        query = (
            "declare query_parameters(n:long, name:string, at:datetime, span:timespan, list:dynamic, other:int = 5);"
            "print n + 1, name, at + span, list[1], other"
        )
        self.assertEqual(
            list(self.rows(query, properties)[0]),
            [8, 'it\'s "quoted"', datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc), 2, 5])
        properties.set_parameter("n", "seven")
        with self.assertRaisesRegex(KustoServiceError, "parameter 'n'"):
            self.rows(query, properties)

    def test_now_can_be_set(self):
        properties = ClientRequestProperties()
        properties.set_option("query_now", "2020-02-03T04:05:06Z")
        self.assertEqual(self.rows("print now(), ago(1d)", properties)[0][0].year, 2020)

    def test_errors_tell_what_is_wrong(self):
        with self.assertRaises(KustoApiError) as caught:
            self.rows("DeviceInfo | where DevicName == 'x'")
        self.assertTrue(caught.exception.is_semantic_error())
        error = caught.exception.get_api_error()
        self.assertIn("DevicName", error.description)
        self.assertIn("did you mean 'DeviceName'", error.description)
        self.assertTrue(error.permanent)
        with self.assertRaisesRegex(KustoServiceError, "Syntax error"):
            self.rows("DeviceInfo | where (")
        with self.assertRaisesRegex(KustoServiceError, "Elsewhere"):
            self.client.execute("Elsewhere", "print 1")

    def test_a_cut_result_is_an_error_with_rows(self):
        properties = ClientRequestProperties()
        properties.set_option("truncationmaxrecords", 10)
        with self.assertRaises(KustoMultiApiError) as caught:
            self.rows("range x from 1 to 100 step 1", properties)
        self.assertIn("E_QUERY_RESULT_SET_TOO_LARGE", str(caught.exception))
        self.assertEqual(len(self.rows("set notruncation; range x from 1 to 600000 step 1 | where x > 1")), 599999)
        properties = ClientRequestProperties()
        properties.set_option("query_take_max_records", 3)
        self.assertEqual(len(self.rows("range x from 1 to 100 step 1", properties)), 3)

    def test_a_time_limit_is_kept(self):
        properties = ClientRequestProperties()
        properties.set_option("servertimeout", datetime.timedelta(seconds=1))
        started = datetime.datetime.now()
        with self.assertRaises(KustoServiceError):
            self.rows("range x from 1 to 100000000000 step 1 | where x < 0 | count", properties)
        self.assertLess((datetime.datetime.now() - started).total_seconds(), 10)

    def test_management_commands(self):
        databases = self.client.execute_mgmt("Vestige", ".show databases").primary_results[0]
        self.assertEqual([r["DatabaseName"] for r in databases], ["Vestige"])
        names = [r[0] for r in self.client.execute_mgmt("Vestige", ".show tables | project TableName").primary_results[0]]
        self.assertIn("DeviceInfo", names)
        schema = json.loads(self.client.execute_mgmt("Vestige", ".show database ['Vestige'] schema as json").primary_results[0][0][0])
        columns = schema["Databases"]["Vestige"]["Tables"]["DeviceInfo"]["OrderedColumns"]
        self.assertIn({"Name": "DeviceId", "Type": "System.String", "CslType": "string"}, columns)
        functions = {r["Name"]: r["Parameters"] for r in self.client.execute_mgmt("Vestige", ".show functions").primary_results[0]}
        self.assertEqual(functions["DevicesAt"], "(at:datetime, lookback:timespan=14d)")
        for command in [
            ".show version", ".show databases entities", ".show materialized-views", ".show external tables", ".show operations", ".show tables details",
            ".show databases schema", ".show table DeviceInfo cslschema", ".show table DeviceInfo schema as json", ".show function DevicesAt",
            ".show entity_groups", ".show database identity | project DatabaseName",
        ]:
            with self.subTest(command):
                self.assertTrue(self.client.execute_mgmt("Vestige", command).primary_results[0].columns)
        with self.assertRaisesRegex(KustoServiceError, "not available"):
            self.client.execute_mgmt("Vestige", ".drop table DeviceInfo")

    def test_a_connection_string_without_sign_in(self):
        with KustoClient(KustoConnectionStringBuilder.with_no_authentication(URL)) as client:
            self.assertEqual(client.execute_query("vestige", "print 1").primary_results[0][0][0], 1)

    def test_several_results(self):
        results = self.client.execute("Vestige", "print a = 1; print b = 2; print c = 'x'").primary_results
        self.assertEqual([r[0][0] for r in results], [1, 2, "x"])

    def test_streaming(self):
        response = self.client.execute_streaming_query("Vestige", "range x from 1 to 20000 step 1")
        total = sum(row["x"] for table in response.iter_primary_results() for row in table)
        self.assertEqual(total, 200010000)

    def test_async(self):
        async def ask():
            async with AsyncKustoClient(URL) as client:
                answers = await asyncio.gather(*[client.execute("Vestige", f"DeviceInfo | take {n}") for n in range(1, 9)])
                return [len(a.primary_results[0]) for a in answers]

        self.assertEqual(asyncio.run(ask()), list(range(1, 9)))

    def test_async_error(self):
        async def ask():
            async with AsyncKustoClient(URL) as client:
                await client.execute("Vestige", "nothing_here")

        with self.assertRaisesRegex(KustoServiceError, "nothing_here"):
            asyncio.run(ask())


class FrameTests(unittest.TestCase):
    """What other official clients need of the frames, by their documents."""

    def ask(self, query, **options):
        body = json.dumps({"db": "Vestige", "csl": query, "properties": {"options": options}}).encode()
        request = urllib.request.Request(
            URL + "/v2/rest/query", body, {"Content-Type": "application/json", "x-ms-client-request-id": "KGC.execute;1"})
        with urllib.request.urlopen(request) as answer:
            self.assertEqual(answer.headers["x-ms-client-request-id"], "KGC.execute;1")
            self.assertTrue(answer.headers["x-ms-activity-id"])
            return answer.read().decode()

    def test_fragments_line_by_line(self):
        text = self.ask(
            "range x from 1 to 10000 step 1", results_v2_newlines_between_frames=True, results_v2_fragment_primary_tables=True,
            results_error_reporting_placement="end_of_table")
        lines = text.splitlines()
        self.assertTrue(lines[0].startswith('[{"FrameType":"DataSetHeader"'))
        self.assertTrue(all(line.startswith(",{") for line in lines[1:-1]))
        self.assertEqual(lines[-1], "]")
        kinds = [json.loads(line.lstrip("[,"))["FrameType"] for line in lines[:-1]]
        self.assertEqual(
            kinds, ["DataSetHeader", "DataTable", "TableHeader", "TableFragment", "TableFragment", "TableCompletion", "DataTable", "DataSetCompletion"])

    def test_progressive(self):
        frames = json.loads(self.ask("range x from 1 to 3 step 1", results_progressive_enabled=True))
        self.assertTrue(frames[0]["IsProgressive"])
        self.assertEqual([f["TableProgress"] for f in frames if f["FrameType"] == "TableProgress"], [100.0])

    def test_a_cut_table_says_so_at_its_end(self):
        frames = json.loads(
            self.ask("range x from 1 to 9 step 1", results_v2_fragment_primary_tables=True, results_error_reporting_placement="end_of_table", truncationmaxrecords=4))
        end = next(f for f in frames if f["FrameType"] == "TableCompletion")
        self.assertEqual(end["RowCount"], 4)
        self.assertIn("E_QUERY_RESULT_SET_TOO_LARGE", end["OneApiErrors"][0]["error"]["@message"])
        self.assertTrue(frames[-1]["HasErrors"])

    def test_render_is_handed_on(self):
        frames = json.loads(self.ask("print x = 1 | render barchart with (title = 'T', ycolumns = x)"))
        value = json.loads(frames[1]["Rows"][0][2]) if isinstance(frames[1]["Rows"][0][2], str) else frames[1]["Rows"][0][2]
        self.assertEqual((value["Visualization"], value["Title"], value["YColumns"]), ("barchart", "T", ["x"]))

    def test_get(self):
        with urllib.request.urlopen(URL + "/v1/rest/query?db=Vestige&csl=print%201") as answer:
            self.assertEqual(json.load(answer)["Tables"][0]["Rows"], [[1]])
        with urllib.request.urlopen(URL + "/v1/rest/ping") as answer:
            self.assertTrue(answer.read().startswith(b"Pong!"))
