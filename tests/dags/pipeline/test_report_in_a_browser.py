"""The report page in headless Chromium: whatever its texts are, it asks for nothing else and fits."""

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipeline.figures import Agent, Figures, RejectedFile, Segment
from tests.dags.pipeline.test_hostile_pages import MARKUP, WHEN
from tests.dags.pipeline.test_report import FIGURES, page
from tests.markup import parsed

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
PHONE, DESK = 390, 1280  # pixels wide
HOSTILE = " ".join(text for text in MARKUP if len(text) < 100)
# The page forbids scripts, so another one looks at each chart's box and the height of its smallest letters.
LOOK = """<!doctype html><iframe src="report.html" style="width: %dpx; height: 900px; border: 0"></iframe>
<pre id="seen"></pre>
<script>
onload = () => {
  const page = document.querySelector("iframe").contentDocument;
  const charts = [...page.querySelectorAll("main svg")].map((chart) => {
    const box = chart.getBoundingClientRect();
    const letters = [...chart.querySelectorAll("text")].map((text) => text.getBoundingClientRect().height);
    return {left: box.left, right: box.right, height: box.height, letters: Math.min(...letters, 100)};
  });
  const sections = [...page.querySelectorAll("h2")].map((title) => title.textContent);
  const inside = [...page.querySelectorAll("main *")];
  const elements = inside.map((element) => [element.localName.toLowerCase(), element.attributes.length]);
  const seen = {width: page.documentElement.scrollWidth, sections, charts, elements};
  document.querySelector("#seen").textContent = JSON.stringify(seen);
};
</script>
"""


def figures(text: str) -> Figures:
    """Figures whose every text is the same."""
    return replace(
        FIGURES,
        runs=(replace(FIGURES.runs[0], run=text, contract_version=text),),
        rejected_files=(RejectedFile(text, text, WHEN, 1),),
        customer_segments=(Segment(text, 30, Decimal(2400)),),
        agent_performance=(Agent(text, 210, Decimal(1700), 0.567, 12),),
    )


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder, and notes what it is asked for."""

    asked: list[tuple[str, str]]

    def do_GET(self) -> None:
        self.asked.append((self.headers["Host"], self.path))
        super().do_GET()

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[ThreadingHTTPServer, list[tuple[str, str]]]]:
    asked: list[tuple[str, str]] = []
    (tmp_path / "report.html").write_text(page(figures(HOSTILE), HOSTILE))
    handler = type("Asked", (Handler,), {"asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server, asked
    server.shutdown()
    server.server_close()


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed. Next: apt-get install chromium.")
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_it_fits_and_asks_for_nothing_else(
    site: tuple[ThreadingHTTPServer, list[tuple[str, str]]], tmp_path: Path, width: int
) -> None:
    server, asked = site
    (tmp_path / "look.html").write_text(LOOK % width)
    host = f"127.0.0.1:{server.server_port}"
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"]
    options += ["--disable-background-networking", "--disable-component-update", "--disable-quic"]
    options += ["--disable-features=NetworkTimeServiceQuerying"]
    # Whatever host a page would ask, this server hears of it.
    options += [f"--host-resolver-rules=MAP * {host}", f"--user-data-dir={tmp_path / 'profile'}"]
    command = [str(CHROMIUM), *options, "--window-size=1400,1000", "--virtual-time-budget=5000", "--dump-dom"]
    done = subprocess.run([*command, f"http://{host}/look.html"], capture_output=True, text=True, timeout=300)
    found = re.search(r'<pre id="seen">(.+?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stdout[-2000:] + done.stderr[-2000:]
    seen = json.loads(unescape(found[1]))

    _, plain = page(figures("a")).split("<main>")
    elements = [element for element in parsed(plain).elements if isinstance(element, tuple)]
    assert seen["elements"] == [[tag, len(attributes)] for tag, attributes in elements]
    assert sorted({path for _, path in asked} - {"/favicon.ico"}) == ["/look.html", "/report.html"]
    assert {name for name, _ in asked} == {host}
    assert {"Sales by day", "Busy hours", "Top agents", "Data quality"} <= set(seen["sections"])
    assert seen["width"] <= width
    assert len(seen["charts"]) >= 5
    for chart in seen["charts"]:
        assert chart["left"] >= 0
        assert chart["right"] <= width
        assert chart["height"] >= 8
        assert chart["letters"] >= 12
