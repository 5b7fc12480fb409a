"""The tutorial in a terminal: its commands on a server of its own, and the page's server with its tickets.

The Python of each page is run by tests/unit/test_docs.py; here is what needs a server. The page itself is driven in a browser, by
clients/typescript/tests/browser.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from tests.e2e.process import KEY, DevProcess

TUTORIAL = Path(__file__).resolve().parents[2] / "docs" / "tutorial"
_END_S = 60.0

Serving = Callable[[str], DevProcess]


def blocks(page: str, language: str) -> list[str]:
    text = (TUTORIAL / f"{page}.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def files(page: str) -> dict[str, str]:
    """The files that a page has its reader write."""
    found = {}
    for language, comment in (("python", r"# ([\w.]+)\n"), ("html", r"<!-- ([\w.]+) -->\n")):
        for block in blocks(page, language):
            name = re.match(comment, block)
            if name:
                found[name[1]] = block[name.end() :]
    return found


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    """Writes a page's files, and serves its app."""
    servers: list[DevProcess] = []

    def serve(page: str) -> DevProcess:
        for name, text in files(page).items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        server = DevProcess(tmp_path, "--app", str(tmp_path / "shop.py"))
        servers.append(server)
        server.start()
        return server

    yield serve
    for server in servers:
        server.close()


def environment(server: DevProcess) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "FLOWSTRAND_URL": server.url, "FLOWSTRAND_API_KEY": KEY}


def test_the_commands_of_the_first_page_start_follow_and_print_an_order(serving: Serving, tmp_path: Path) -> None:
    server = serving("first-workflow")
    _, _, second_terminal, curl = blocks("first-workflow", "sh")
    lines = [line for line in second_terminal.splitlines() if not line.startswith(("source", "export"))]
    script = "\n".join(["set -e", *lines, curl.replace("http://127.0.0.1:8080", server.url)])
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=environment(server),
        capture_output=True,
        text=True,
        timeout=_END_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WORKFLOW_COMPLETED" in done.stdout
    assert '["poster of the sea", "poster of a fox"]' in done.stdout
    assert re.findall(r"^id: ?(\d+)$", done.stdout, re.MULTILINE) == [str(n) for n in range(1, 13)]


def test_the_pages_server_orders_and_hands_out_tickets_that_follow(serving: Serving, tmp_path: Path) -> None:
    server = serving("live-page")
    (serve,) = [block for block in blocks("live-page", "sh") if "front.serve()" in block]
    code = serve.strip().removeprefix("python -c '").removesuffix("'").replace("serve()", "serve(0)")
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(server),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as front:
        try:
            assert front.stdout is not None
            address = front.stdout.readline().strip()
            assert "<title>Posters</title>" in httpx2.get(address).text
            order = httpx2.post(f"{address}/orders", content=json.dumps({"motifs": ["a fox"]}), timeout=30).json()
            types = followed(server, order["id"], order["ticket"])
            assert (types.count("stream.token"), types.count("state.set"), types[-1]) == (
                4,
                2,
                "workflow.completed",
            )
            renewed = httpx2.post(f"{address}/tickets", content=json.dumps({"id": order["id"]}), timeout=30).json()
            assert followed(server, order["id"], renewed["ticket"]) == types
        finally:
            front.kill()


def followed(server: DevProcess, id: str, ticket: str) -> list[str]:
    """The types of all events, as the page asks for them."""
    path = f"{server.url}/api/orgs/dev/workflow-executions/{id}/stream"
    query = {"format": "cloudevents", "after": "0", "ticket": ticket}
    with httpx2.stream("GET", path, params=query, timeout=_END_S) as response:
        lines = [line for line in response.iter_lines() if line.startswith("data:")]
    return [json.loads(line.removeprefix("data:"))["type"] for line in lines]
