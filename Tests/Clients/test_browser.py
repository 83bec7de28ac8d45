"""The pages in a browser: they work under their policy, and pages of other sites cannot use them."""

import http.server
import os
import threading
import unittest
import urllib.parse

import browser

URL = os.environ.get("VESTIGE_URL", "")


@unittest.skipUnless(browser.PROGRAM, "there is no Chromium here: the pages are not tried in a browser")
class BrowserTests(unittest.TestCase):
    def setUp(self):
        self.browser = browser.Browser()
        self.addCleanup(self.browser.close)

    def test_pages_work_under_their_policy(self):
        for tab in ["health", "activity", "compliance", "vulnerabilities"]:
            self.browser.open(f"{URL}/workbooks/posture?Tab={tab}")
            self.assertEqual(self.browser.complaints(), [], tab)
            self.assertTrue(self.browser.run("document.querySelectorAll('.tile').length > 0"), tab)
        self.browser.open(f"{URL}/nowhere")
        self.assertEqual([c for c in self.browser.complaints() if "404" not in c], [])

    def test_styles_and_drawings_are_there(self):
        self.browser.open(f"{URL}/workbooks/posture?Tab=compliance")
        self.assertEqual(self.browser.run("getComputedStyle(document.querySelector('.row')).display"), "flex")
        # A bar is as wide as its share, a cell of a heatmap has a colour, a panel the width that the workbook gives it.
        self.assertTrue(self.browser.run(
            "[...document.querySelectorAll('.share rect')].some(r => { const w = r.getBoundingClientRect().width; return w > 5 && w < 2000; })"))
        self.assertTrue(self.browser.run(
            "[...document.querySelectorAll('.heat')].some(c => !/^(rgba\\(0, 0, 0, 0\\)|transparent)$/.test(getComputedStyle(c).backgroundColor))"))
        self.assertTrue(self.browser.run("document.querySelectorAll('section.item').length > 3"))

    def test_filters_sorting_and_theme(self):
        self.browser.open(f"{URL}/workbooks/posture?Tab=vulnerabilities")
        rows = "[...document.querySelector('input.filter').nextElementSibling.querySelectorAll('tbody tr')]"
        before = self.browser.run(f"{rows}.length")
        after = self.browser.run(
            "(() => { const i = document.querySelector('input.filter'); i.value = 'firefox'; i.dispatchEvent(new Event('input'));"
            f" return {rows}.filter(r => !r.hidden).length; }})()")
        self.assertTrue(0 < after < before, (after, before))
        self.assertEqual(
            self.browser.run(
                "(() => { const t = document.querySelector('table.grid'); t.tHead.rows[0].cells[0].click(); return t.tHead.rows[0].cells[0].ariaSort; })()"),
            "ascending")
        theme = "document.documentElement.dataset.theme"
        first = self.browser.run(f"(document.getElementById('theme').click(), {theme})")
        self.assertNotEqual(first, self.browser.run(f"(document.getElementById('theme').click(), {theme})"))
        # A parameter applies as soon as it changes, and keeps the tab.
        self.browser.events = []
        self.browser.run(
            "(() => { const s = [...document.querySelectorAll('form.parameters select')].find(s => s.options.length > 1);"
            " s.selectedIndex = s.options.length - 1; s.dispatchEvent(new Event('change', {bubbles: true})); })()")
        self.assertTrue(self.browser.until(lambda: self.browser.of("Page.loadEventFired")))
        self.assertIn("Tab=vulnerabilities", self.browser.run("location.search"))
        self.assertEqual(self.browser.complaints(), [])

    def test_a_hostile_page_of_another_port_asks_nothing(self):
        query = urllib.parse.urlencode({"db": "Vestige", "csl": "print 1"})
        ways = "".join(
            [
                f"<img src='{URL}/v1/rest/query?{query}'><script src='{URL}/v2/rest/query?{query}'></script>",
                f"<link rel=stylesheet href='{URL}/v1/rest/mgmt?{query}'><iframe src='{URL}/workbooks/posture'></iframe>",
                f"<video src='{URL}/v1/workspaces/x/query?query=print%201'></video><object data='{URL}/metrics'></object>",
                f"<iframe name=f></iframe><form id=p target=f method=post enctype=text/plain action='{URL}/v1/rest/query'>"
                "<input name='{\"db\":\"Vestige\",\"csl\":\"print 1\",\"x\":\"' value='\"}'></form>",
                "<script>document.getElementById('p').submit();"
                f"for (const mode of ['no-cors', 'cors']) fetch('{URL}/v1/rest/query?{query}', {{mode}}).catch(() => 0);"
                f"fetch('{URL}/v1/rest/query', {{method: 'POST', mode: 'no-cors', body: '{{}}'}}).catch(() => 0);"
                f"navigator.sendBeacon('{URL}/v2/rest/query', '{{}}');</script>",
            ])

        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(ways.encode())

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.browser.open(f"http://localhost:{server.server_port}/")

        def asked():
            return {e["requestId"] for e in self.browser.of("Network.requestWillBeSent") if e["request"]["url"].startswith(URL)}

        def answers():
            # What the browser keeps from the page, it still tells us: `ExtraInfo` is what came over the wire.
            return {e["requestId"]: e["statusCode"] for e in self.browser.of("Network.responseReceivedExtraInfo")}

        self.browser.until(lambda: len([i for i in asked() if i in answers()]) >= 9, seconds=15)
        statuses = [answers()[i] for i in asked() if i in answers()]
        self.assertGreaterEqual(len(statuses), 6, statuses)
        self.assertEqual(set(statuses), {403}, statuses)

    def test_a_link_of_another_site_leads_to_a_page(self):
        self.browser.open("data:text/html,<a id=a href='" + URL + "/workbooks/posture'>x</a>")
        self.browser.events = []
        self.browser.call("Runtime.evaluate", expression="document.getElementById('a').click()", userGesture=True)
        self.assertTrue(self.browser.until(lambda: self.browser.of("Page.loadEventFired")))
        self.assertTrue(self.browser.run("document.querySelector('.brand') !== null"))
