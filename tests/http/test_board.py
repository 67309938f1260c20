"""The board's files: a page for a browser at the root, strictly confined, and the API beside it as before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from atlas_stage.local.serving.gateway import gateway
from atlas_stage.ops import resources
from tests.http.api import Api, is_an_error_in_shape, refusal
from tests.support.databases import Databases

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
FILES = {
    "index.html": "<!doctype html><title>board</title>",
    "board.js": "export {}",
    "vendor/table.css": "td {}",
    "icon.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
}


@pytest.fixture(scope="module")
def with_files(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A gateway with a board of these files."""
    root: Path = tmp_path_factory.mktemp("root")
    (root / "gateway").symlink_to(resources.root() / "gateway")
    for name, text in FILES.items():
        (root / "board" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "board" / name).write_text(text)
    (root / "secret").write_text("not a file of the board")
    with (
        pytest.MonkeyPatch.context() as patch,
        databases.clone() as dsn,
    ):
        patch.setattr(resources, "root", lambda: root)
        with (
            gateway(dsn, tmp_path_factory.mktemp("logs"), 0, lambda _: None) as running,
            Api(running.url, "") as made,
        ):
            yield made


def test_a_browser_finds_the_page_at_the_root_whatever_its_query(with_files: Api) -> None:
    for path in ("/", "/?view=report&month=2026-05", "/board/"):
        answer = with_files.send("GET", path, None, headers=BROWSER)
        assert (answer.status_code, answer.text) == (200, FILES["index.html"])
        assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_a_program_finds_the_openapi_document_at_the_root(with_files: Api) -> None:
    for accept in ("application/json", "*/*", "application/openapi+json"):
        answer = with_files.send("GET", "/", None, headers={"Accept": accept})
        assert json.loads(answer.text)["openapi"] == "3.0.3"


@pytest.mark.parametrize(
    ("file", "content_type"),
    [
        ("board.js", "text/javascript; charset=utf-8"),
        ("vendor/table.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ],
)
def test_its_files_have_the_types_that_a_browser_runs(with_files: Api, file: str, content_type: str) -> None:
    answer = with_files.send("GET", f"/board/{file}", None)
    assert (answer.status_code, answer.text) == (200, FILES[file])
    assert answer.headers["content-type"] == content_type


def test_nothing_but_its_own_files_and_the_api_may_be_loaded(with_files: Api) -> None:
    for path in ("/", "/board/board.js"):
        headers = with_files.send("GET", path, None, headers=BROWSER).headers
        policy = dict(each.strip().split(" ", 1) for each in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert {policy[of] for of in ("script-src", "style-src", "connect-src")} == {"'self'"}
        assert {policy[of] for of in ("base-uri", "form-action", "frame-ancestors")} == {"'none'"}
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_a_file_is_asked_for_again_and_sent_once(with_files: Api) -> None:
    first = with_files.send("GET", "/board/board.js", None)
    assert first.headers["cache-control"] == "no-cache"
    again = with_files.send("GET", "/board/board.js", None, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path",
    ["/board/none.js", "/board/../secret", "/board/%2e%2e/secret", "/board/..%2fsecret", "/boards"],
)
def test_what_is_no_file_of_it_is_no_path(with_files: Api, path: str) -> None:
    answer = with_files.send("GET", path, "wrong", headers=BROWSER)
    assert answer.status_code in (401, 404)
    assert is_an_error_in_shape(answer)
    assert answer.headers["cache-control"] == "no-store"


def test_it_is_read_only(with_files: Api) -> None:
    for method in ("POST", "PUT", "DELETE"):
        for path in ("/", "/board/board.js"):
            answer = with_files.send(method, path, None, headers=BROWSER)
            refusal(answer, 405, "method_not_allowed")
