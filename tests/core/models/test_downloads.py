from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from core.cli.main import main
from core.errors import DownloadError
from core.models.recognition.presets import own_file
from core.models.weights import downloads
from core.models.weights.downloads import Download, Progress
from core.models.weights.files import delete_file, sizes_on_disk, take_file
from core.models.weights.named import Weights, find_weights, known_hash

CONTENT = os.urandom(3_000_000)
HASH = hashlib.sha256(CONTENT).hexdigest()
QUICK = (0.01, 0.01)


class Server(ThreadingHTTPServer):
    """Serves one file, as badly as a test wants.

    Attributes:
        cuts: after how many bytes each of the next answers breaks off.
        ranges: whether it goes on in the middle of the file.
        statuses: answered instead, one a request.
        gate: bytes beyond the first megabyte wait for it.
        asked: the Range header of each request.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.cuts: list[int] = []
        self.ranges = True
        self.statuses: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.asked: list[str | None] = []
        self.reached = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/models"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        if self.server.statuses:
            self.send_error(self.server.statuses.pop(0))
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        whole = self.server.content
        if asked and self.server.ranges and start >= len(whole):
            self.send_error(416)
            return
        partial = bool(asked) and self.server.ranges
        body = whole[start:] if partial else whole
        self.send_response(206 if partial else 200)
        self.send_header("Content-Length", str(len(body)))
        if partial:
            self.send_header("Content-Range", f"bytes {start}-{len(whole) - 1}/{len(whole)}")
        self.end_headers()
        cut = self.server.cuts.pop(0) if self.server.cuts else len(body)
        try:
            self.wfile.write(body[: min(cut, 1_000_000)])
            self.server.reached.set()
            self.server.gate.wait(30)
            self.wfile.write(body[1_000_000:cut])
        except OSError:
            pass
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.gate.set()
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Weights:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "Jörg 张伟"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    url = f"https://example.invalid/models/tiny-{HASH[:8]}.pth"
    return Weights("Tiny.V1", "resnet18", "Tiny", 70, 90, 3_000_000, 5, "BSD", url)


def get(weights: Weights, server: Server, told: list[Progress] | None = None) -> Path | None:
    on_progress = (lambda _: None) if told is None else told.append
    return Download(weights, server.address, on_progress, QUICK).run()


def test_a_download_with_progress(weights: Weights, server: Server) -> None:
    told: list[Progress] = []
    path = get(weights, server, told)
    assert path == weights.path
    assert path.read_bytes() == CONTENT
    assert not weights.part_path.exists()
    done = [one.done_bytes for one in told]
    assert done == sorted(done)
    assert len(done) > 5
    assert (told[-1].state, told[-1].done_bytes, told[-1].total_bytes) == (
        "done",
        3 * 10**6,
        3 * 10**6,
    )


def test_cut_connections_go_on_where_they_broke(weights: Weights, server: Server) -> None:
    server.cuts = [700_000, 900_000, 500_000]
    told: list[Progress] = []
    path = get(weights, server, told)
    assert path is not None
    assert path.read_bytes() == CONTENT
    assert server.asked == [None, "bytes=700000-", "bytes=1600000-", "bytes=2100000-"]
    assert [one.problem for one in told if one.state == "waiting"] == [
        "The connection was cut; trying again."
    ] * 3


def test_a_server_without_ranges_sends_all_again(weights: Weights, server: Server) -> None:
    server.cuts, server.ranges = [700_000], False
    path = get(weights, server)
    assert path is not None
    assert path.read_bytes() == CONTENT
    assert server.asked == [None, "bytes=700000-"]


def test_a_wrong_hash_is_deleted(weights: Weights, server: Server) -> None:
    server.content = b"something else" * 1000
    with pytest.raises(DownloadError, match="hash does not begin"):
        get(weights, server)
    assert not weights.path.exists()
    assert not weights.part_path.exists()


def test_a_part_of_another_file_is_not_trusted(weights: Weights, server: Server) -> None:
    for part in (b"x" * 1000, b"x" * 3_000_000, b"x" * 4_000_000):
        weights.part_path.parent.mkdir(parents=True, exist_ok=True)
        weights.part_path.write_bytes(part)
        path = get(weights, server)
        assert path is not None
        assert path.read_bytes() == CONTENT
        path.unlink()


def test_a_whole_part_needs_no_more_than_a_look(weights: Weights, server: Server) -> None:
    weights.part_path.parent.mkdir(parents=True)
    weights.part_path.write_bytes(CONTENT)
    assert get(weights, server) == weights.path


@pytest.mark.parametrize(
    ("statuses", "said"),
    [([404], "no file at http"), ([403], "refuses"), ([503] * 3, "answers 503")],
)
def test_refusals_say_what_to_do(
    statuses: list[int], said: str, weights: Weights, server: Server
) -> None:
    server.statuses = list(statuses)
    told: list[Progress] = []
    with pytest.raises(DownloadError, match=said):
        get(weights, server, told)
    assert told[-1].state == "failed"
    assert len(server.asked) == len(statuses)
    assert not weights.path.exists()


def test_a_busy_server_is_asked_again(weights: Weights, server: Server) -> None:
    server.statuses = [503, 429]
    assert get(weights, server) == weights.path


def test_no_server_at_all(weights: Weights, server: Server) -> None:
    address = server.address
    gone = Server()
    gone.server_close()
    with pytest.raises(DownloadError, match="check the connection"):
        Download(weights, gone.address, waits_s=QUICK).run()
    with pytest.raises(DownloadError, match="web address"):
        Download(weights, "file:///etc", waits_s=QUICK).run()
    assert address


def test_a_proxy_of_the_system(
    weights: Weights, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.address.removesuffix("/models"))
    path = Download(weights, "http://mirror.invalid/models", waits_s=QUICK).run()
    assert path is not None
    assert path.read_bytes() == CONTENT


def test_a_certificate_that_nobody_trusts(weights: Weights, server: Server, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ["-subj", "/CN=localhost", "-days", "2", "-nodes", "-newkey", "rsa:2048"]
    made = ["-x509", *subject, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", "req", *made], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with pytest.raises(DownloadError, match="certificate that this computer does not trust"):
        Download(weights, server.address.replace("http:", "https:"), waits_s=QUICK).run()


def test_a_full_disk(weights: Weights, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = downloads.shutil.disk_usage("/")
    monkeypatch.setattr(downloads.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(DownloadError, match="make room in"):
        get(weights, server)


def test_a_disk_that_fills_up_meanwhile(
    weights: Weights, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    weights.part_path.parent.mkdir(parents=True)
    weights.part_path.symlink_to("/dev/full")
    with pytest.raises(DownloadError, match="the disk is full"):
        get(weights, server)


def test_pause_keeps_and_resume_goes_on(weights: Weights, server: Server) -> None:
    server.gate.clear()
    told: list[Progress] = []
    enough = threading.Event()

    def watch(progress: Progress) -> None:
        told.append(progress)
        if progress.done_bytes >= 1_000_000:
            enough.set()

    stop = threading.Event()
    download = Download(weights, server.address, watch, QUICK, stop.is_set)
    thread = threading.Thread(target=download.run)
    thread.start()
    assert enough.wait(10)
    stop.set()
    server.gate.set()
    thread.join(10)
    assert told[-1].state == "paused"
    kept = weights.part_path.stat().st_size
    assert kept >= 1_000_000
    assert sizes_on_disk((weights,)) == {"Tiny.V1": (kept, False)}
    path = get(weights, server)
    assert path is not None
    assert path.read_bytes() == CONTENT
    assert server.asked[-1] == f"bytes={kept}-"


def test_a_file_that_the_user_has_already(weights: Weights, tmp_path: Path) -> None:
    given = tmp_path / "renamed by hand.pth"
    given.write_bytes(CONTENT)
    assert take_file(weights, given) == weights.path
    assert weights.path.read_bytes() == CONTENT
    assert sizes_on_disk((weights,)) == {"Tiny.V1": (len(CONTENT), True)}
    assert take_file(weights, weights.path) == weights.path
    delete_file(weights)
    assert not weights.path.exists()
    given.write_bytes(b"another")
    with pytest.raises(DownloadError, match=r"is not Tiny\.V1"):
        take_file(weights, given)
    with pytest.raises(DownloadError, match="not there"):
        take_file(weights, tmp_path / "gone.pth")


def test_the_command_line_downloads_and_classifies(
    weights: Weights,
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import torch

    import resources
    from core import settings
    from tests.networks import trained

    file = tmp_path / "trained.pth"
    torch.save(trained("squeezenet1_1", 1000).state_dict(), file)
    server.content = file.read_bytes()
    start = hashlib.sha256(server.content).hexdigest()[:8]
    known = replace(
        weights,
        architecture="squeezenet1_1",
        url=f"https://example.invalid/s-{start}.pth",
        size_bytes=len(server.content),
    )
    monkeypatch.setattr("core.cli.model_options.find_weights", lambda _: known)
    own = tmp_path / "settings.json"
    settings.save(settings.Settings(mirror=server.address), own)
    monkeypatch.setattr(settings, "default_path", lambda: own)
    photo = sorted(resources.path("samples").glob("*.jpg"))[0]
    assert main(["classify", str(photo), "--weights", "Tiny.V1"]) == 0
    assert known.path.is_file()
    assert main(["classify", str(photo), "--weights", "Tiny.V1"]) == 0
    assert len(server.asked) == 1
    server.statuses = [404]
    known.path.unlink()
    assert main(["classify", str(photo), "--weights", "Tiny.V1"]) == 2
    assert "no file at" in capsys.readouterr().err


def test_a_server_that_sends_for_ever(
    weights: Weights, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        with contextlib.suppress(OSError):
            while True:
                handler.wfile.write(b"\0" * 2**18)

    monkeypatch.setattr(Handler, "do_GET", endless)
    with pytest.raises(DownloadError, match="larger than"):
        get(weights, server)
    assert weights.part_path.stat().st_size <= weights.largest_bytes


@pytest.mark.parametrize("length", ["5000000000", "9" * 5000, "-1", "x"])
def test_a_length_that_cannot_be(
    length: str, weights: Weights, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def claims(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", length)
        handler.end_headers()
        handler.wfile.write(b"short")

    monkeypatch.setattr(Handler, "do_GET", claims)
    with pytest.raises(DownloadError):
        get(weights, server)


def test_a_server_that_cuts_and_then_refuses_the_rest(
    weights: Weights, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cuts_or_refuses(handler: Handler) -> None:
        server.asked.append(handler.headers.get("Range"))
        if handler.headers.get("Range"):
            handler.send_error(416)
            return
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(CONTENT)))
        handler.end_headers()
        handler.wfile.write(CONTENT[:1000])
        handler.close_connection = True

    monkeypatch.setattr(Handler, "do_GET", cuts_or_refuses)
    with pytest.raises(DownloadError):
        get(weights, server)
    assert len(server.asked) <= 10


def test_a_redirect_that_runs_in_a_circle(
    weights: Weights, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def circle(handler: Handler) -> None:
        handler.send_response(302)
        handler.send_header("Location", handler.path)
        handler.end_headers()

    monkeypatch.setattr(Handler, "do_GET", circle)
    with pytest.raises(DownloadError):
        get(weights, server)


@pytest.mark.parametrize("status", [403, 404, 418])
def test_no_password_stands_in_a_sentence(weights: Weights, server: Server, status: int) -> None:
    server.statuses = [status]
    mirror = server.address.replace("//", "//jo:secret@")
    with pytest.raises(DownloadError) as refused:
        Download(weights, mirror, waits_s=QUICK).run()
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("mirror", ["ftp://jo:secret@host/x", "jo:secret@host", "file:///etc"])
def test_no_password_of_what_is_not_an_address(weights: Weights, mirror: str) -> None:
    with pytest.raises(DownloadError) as refused:
        Download(weights, mirror, waits_s=QUICK).run()
    assert "//jo" not in str(refused.value)


def test_files_that_whole_hashes_are_known_of(weights: Weights) -> None:
    known = find_weights("ResNet50_Weights.IMAGENET1K_V1")
    assert len(known.hash_start) == 64
    assert own_file(known.url, known.hash_start)
    forged = known.hash_start[:8] + "0" * 56  # such a file is made in minutes
    assert not own_file(known.url, forged)
    assert not own_file(known.url, known.hash_start[:63] + "0")
    unknown = find_weights("ResNet50_Weights.IMAGENET1K_V2")
    assert known_hash("resnet18-00000000.pth") == "00000000"
    assert unknown.largest_bytes < 1.2 * unknown.size_bytes
