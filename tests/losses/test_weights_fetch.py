"""Downloads: resumed, verified, whole or not at all. A server of this process stands for the network."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tonedeaf.losses import weights, weights_table
from tonedeaf.losses.weights import (
    FromHub,
    FromPackage,
    FromUrl,
    WeightFile,
    Weights,
    WeightsUnavailableError,
    downloads_allowed,
    locate,
)
from tonedeaf.losses.weights_fetch import fetch

CONTENT = bytes(range(256)) * 4096
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Site:
    """What the server holds, how far it gets before the line drops, and which ranges it was asked for."""

    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    drops_after: int | None = None
    knows_ranges: bool = True
    asked: list[str | None] = field(default_factory=list[str | None])
    address: str = ""


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            site.asked.append(wanted)
            content = site.files.get(self.path)
            if content is None:
                self.send_error(404, "Not Found")
                return
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and site.knows_ranges else 0
            if start >= len(content):
                self.send_error(416, "Range Not Satisfiable")
                return
            self.send_response(206 if wanted and site.knows_ranges else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start : None if site.drops_after is None else start + site.drops_after])

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    site.address = f"http://127.0.0.1:{server.server_port}"
    yield site
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def folder(tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache's folder of the only weights there are: one file, pinned."""
    monkeypatch.setenv(weights.CACHE_VARIABLE, str(tmp_path))
    register(monkeypatch, site, DIGEST)
    site.files["/one/w.bin"] = CONTENT
    return tmp_path / "net"


def register(monkeypatch: pytest.MonkeyPatch, site: Site, digest: str | None) -> None:
    row = Weights("net", (WeightFile("w.bin", digest, len(CONTENT)),), FromUrl(f"{site.address}/one"), "MIT")
    monkeypatch.setattr(weights_table, "WEIGHTS", (row,))


def test_a_file_is_fetched_once_and_verified(site: Site, folder: Path):
    seen: list[tuple[int, int | None]] = []
    found = fetch("net", progress=lambda done, total: seen.append((done, total)))
    assert found == locate("net")
    assert found.paths == (folder / "w.bin",)
    assert found.paths[0].read_bytes() == CONTENT
    assert found.sha256 == DIGEST
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [each.name for each in folder.iterdir()] == ["w.bin"]
    fetch("net")
    assert site.asked == [None]


def test_a_broken_download_goes_on_where_it_broke_off(site: Site, folder: Path):
    site.drops_after = 1000
    with pytest.raises(WeightsUnavailableError, match="what is here is kept: tonedeaf weights fetch net, or put http"):
        fetch("net")
    assert (folder / "w.bin.part").read_bytes() == CONTENT[:1000]
    assert not (folder / "w.bin").exists()
    with pytest.raises(WeightsUnavailableError, match="weights that are not here"):
        locate("net")
    site.drops_after = None
    assert fetch("net").paths[0].read_bytes() == CONTENT
    assert site.asked == [None, "bytes=1000-"]


def test_a_server_without_ranges_starts_again(site: Site, folder: Path):
    folder.mkdir()
    (folder / "w.bin.part").write_bytes(b"something else")
    site.knows_ranges = False
    assert fetch("net").paths[0].read_bytes() == CONTENT


def test_a_complete_part_is_taken(site: Site, folder: Path):
    folder.mkdir()
    (folder / "w.bin.part").write_bytes(CONTENT)
    assert fetch("net").paths[0].read_bytes() == CONTENT


def test_another_content_is_not_kept(site: Site, folder: Path):
    site.files["/one/w.bin"] = CONTENT + b"!"
    with pytest.raises(WeightsUnavailableError) as caught:
        fetch("net")
    found = hashlib.sha256(CONTENT + b"!").hexdigest()
    assert f"its SHA-256 is {found}, expected {DIGEST}" in str(caught.value)
    assert list(folder.iterdir()) == []


def test_a_damaged_file_is_fetched_again(site: Site, folder: Path):
    folder.mkdir()
    (folder / "w.bin").write_bytes(b"damaged")
    assert fetch("net").paths[0].read_bytes() == CONTENT


def test_a_file_that_is_not_there(site: Site, folder: Path):
    del site.files["/one/w.bin"]
    with pytest.raises(WeightsUnavailableError, match=r"/one/w\.bin answered 404 Not Found"):
        fetch("net")


def test_no_connection(monkeypatch: pytest.MonkeyPatch, folder: Path):
    row = Weights("net", (WeightFile("w.bin"),), FromUrl("http://127.0.0.1:9"), "MIT")
    monkeypatch.setattr(weights_table, "WEIGHTS", (row,))
    with pytest.raises(WeightsUnavailableError, match=r"could not be fetched \(.+\); what is here is kept: ") as caught:
        fetch("net")
    assert "\n" not in str(caught.value)


def test_the_hub_is_an_address_too(site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv(weights.CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setenv("HF_ENDPOINT", f"{site.address}/")
    row = Weights("net", (WeightFile("sub/w.bin"), WeightFile("config.json")), FromHub("some/one", "v2"), "MIT")
    monkeypatch.setattr(weights_table, "WEIGHTS", (row,))
    site.files |= {"/some/one/resolve/v2/sub/w.bin": CONTENT, "/some/one/resolve/v2/config.json": b"{}"}
    assert [path.read_bytes() for path in fetch("net").paths] == [CONTENT, b"{}"]


def test_locating_downloads_only_where_that_is_allowed(site: Site, folder: Path):
    with pytest.raises(WeightsUnavailableError):
        locate("net")
    assert site.asked == []
    with downloads_allowed():
        assert locate("net").sha256 == DIGEST
    (folder / "w.bin").unlink()
    with downloads_allowed(False), pytest.raises(WeightsUnavailableError):
        locate("net")
    assert site.asked == [None]


def test_what_a_package_brings_is_not_fetched(monkeypatch: pytest.MonkeyPatch):
    row = Weights("net", (WeightFile("w.bin", DIGEST, 1),), FromPackage("nosuchpackage", "", "no-such"), "MIT")
    monkeypatch.setattr(weights_table, "WEIGHTS", (row,))
    with pytest.raises(WeightsUnavailableError, match="pip install no-such"):
        fetch("net")
