"""What Help says of the installation: its checks, its licences, a newer version."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from core.errors import DownloadError
from core.installation_check import Check, carried_out, run_checks
from core.licences import all_licences, bundled
from core.versions import newest_version, releases_page


def test_this_installation_works() -> None:
    found = list(run_checks())
    assert [one for one in found if one.error] == []
    assert len(found) == 9


def test_a_part_that_fails_is_said() -> None:
    def fail() -> None:
        raise OSError("no room")

    found = carried_out("labels are kept", fail)
    assert isinstance(found, Check)
    assert found.error == "OSError: no room"


def test_every_part_has_a_licence() -> None:
    found = {one.name.split(" ")[0].lower(): one for one in all_licences()}
    for name in ("torch", "torchvision", "pyside6_essentials", "pillow", "numpy", "onnxruntime"):
        assert found[name].licence or found[name].text, name
    assert "BSD" in found["torch"].text or "BSD" in found["torch"].licence
    names = [one.metadata["Name"].lower() for one in bundled()]
    assert "pytest" not in names
    assert "filelock" in names


class Answer(BaseHTTPRequestHandler):
    said = b"{}"

    def do_GET(self) -> None:
        self.send_response(200 if self.path.endswith("/latest") else 404)
        self.end_headers()
        self.wfile.write(Answer.said)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    made = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}/releases"
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.mark.parametrize(("tag", "is_newer"), [("v99.0.0", True), ("v0.0.1", False)])
def test_a_newer_version(server: str, tag: str, is_newer: bool) -> None:
    Answer.said = json.dumps({"tag_name": tag}).encode()
    found = newest_version(server)
    assert (found.version, found.is_newer) == (tag[1:], is_newer)


@pytest.mark.parametrize("said", [b"", b"[]", b"{}", b"nonsense"])
def test_a_page_that_says_something_else_is_a_sentence(server: str, said: bytes) -> None:
    Answer.said = said
    with pytest.raises(DownloadError, match="was not reached"):
        newest_version(server)


def test_the_page_stands_in_the_metadata() -> None:
    assert releases_page().startswith("https://")
