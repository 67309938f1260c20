"""`atlas-stage watch` posts what happened to a real receiver, whatever fails and whenever it is killed."""

from __future__ import annotations

import json
import os
import random
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from atlas_stage import Stage
from atlas_stage.errors import InvalidInput, Unavailable
from atlas_stage.ops import notices
from atlas_stage.ops.notices import ReceiverError, Watch
from atlas_stage.ops.schedule import Place, write
from tests.http.webhooks import SECRET, Receiver, launched, receiver
from tests.support.stack import Stack

WATCH = [sys.executable, "-m", "atlas_stage", "watch", "--every", "0.1"]


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.fixture
def firm(running: Stack) -> Iterator[Stage]:
    """An admin's stage."""
    with running.stage() as stage:
        yield stage


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests don't wait minutes for a retry."""
    monkeypatch.setattr(notices, "_pause", lambda _tried: 0.05)


class Desk:
    """A watch with its state file, for what happens from now on."""

    def __init__(self, stage: Stage, hook: Receiver, file: Path, **options: Any) -> None:
        self.said: list[str] = []
        self.file = file
        self._make = lambda: Watch(stage, hook.url, SECRET, file, tell=self.said.append, **options)
        self.post()
        hook.accepted.clear()  # what was wrong before

    def post(self) -> None:
        """What one start with --once does."""
        self._make().run(once=True)


def client(stage: Stage, **fields: Any) -> int:
    slug = f"watched-{time.monotonic_ns()}"
    return stage.create_client(slug, slug, stage="weekly", **fields).client.id


def test_each_kind_of_change_is_posted_once_and_in_order(firm: Stage, hook: Receiver, tmp_path: Path) -> None:
    desk = Desk(firm, hook, tmp_path / "state")
    one = client(firm, owner="user:ana", reviewers=["user:jimmie"])
    for stage in ("eom_close", "eom_review", "eom_close", "eom_review", "weekly"):
        firm.move(one, stage, "as the month goes")
    firm.set_flag(one, "advisory_due")
    firm.clear_flag(one, "advisory_due")
    firm.update_client(one, notes="sends paper")
    desk.post()
    desk.post()
    assert hook.kinds() == [
        *("moved", "moved", "sign_off_wanted", "sent_back", "sign_off_wanted", "signed_off"),
        *("flagged", "unflagged", "changed"),
    ]
    assert len(hook.accepted) == 9
    data = hook.notices[2]["data"]
    assert data["change"]["to_stage"] == "eom_review"
    assert data["client"]["eligible_reviewers"] == ["user:jimmie"]


def test_what_no_change_tells_is_posted_when_it_begins(
    fresh_dsn: str, running: Stack, hook: Receiver, tmp_path: Path
) -> None:
    with Stage.connect(fresh_dsn, "user:jimmie") as firm, psycopg.connect(fresh_dsn) as db:
        desk = Desk(firm, hook, tmp_path / "state")
        last = f"{datetime.now(UTC) - timedelta(days=70):%Y-%m}"
        one = client(firm, owner="user:ana")
        db.execute("alter table stage_history disable trigger user")
        db.execute("update stage_history set occurred_at = occurred_at - interval '1 year'")
        db.commit()
        firm.move(one, "eom_close", "late", close_period=last)
        firm.issue_token("agent:tally", expires_at=datetime.now(UTC) + timedelta(days=3))
        desk.post()
        desk.post()
        kinds = [kind for kind in hook.kinds() if kind in ("late", "token_expires", "moved")]
        assert sorted(kinds) == ["late"] * kinds.count("late") + ["moved"] * 2 + ["token_expires"]
        late = [each["data"] for each in hook.notices if each["type"] == "late"]
        assert last in [each["month"] for each in late]
        assert {each["close"]["client_id"] for each in late} == {one}
        (expires,) = (each for each in hook.notices if each["type"] == "token_expires")
        assert expires["data"]["actor_id"] == "agent:tally"


def test_filters_leave_out_the_rest(firm: Stage, hook: Receiver, tmp_path: Path) -> None:
    only = {"kind": ["sign_off_wanted", "moved"], "stage": ["eom_review"], "owner": ["user:ana"]}
    desk = Desk(firm, hook, tmp_path / "state", only=only)
    for owner in ("user:ana", "user:ben"):
        one = client(firm, owner=owner)
        firm.move(one, "eom_close", "May is over")
        firm.move(one, "eom_review", "reconciled")
    desk.post()
    (notice,) = hook.notices
    assert notice["type"] == "sign_off_wanted"
    assert notice["data"]["client"]["stage_owner"] == "user:ana"


def test_a_digest_is_one_message_per_person_when_the_day_is_over(firm: Stage, hook: Receiver, tmp_path: Path) -> None:
    desk = Desk(firm, hook, tmp_path / "state", digest="daily", only={"stage": ["eom_close"]})
    ana, ben = client(firm, owner="user:ana"), client(firm, owner="user:ben")
    for one in (ana, ben):
        firm.move(one, "eom_close", "May is over")
    firm.set_flag(ana, "client_blocking", reason="statements missing")
    desk.post()
    desk.post()
    assert not hook.accepted
    state = json.loads(desk.file.read_text())
    desk.file.write_text(json.dumps(state | {"day": "2026-01-01"}))  # as if that was yesterday
    desk.post()
    desk.post()
    found = {each["data"]["person"]: each["data"]["notices"] for each in hook.notices}
    assert {person: [n["type"] for n in of] for person, of in found.items()} == {
        "user:ana": ["moved", "flagged"],
        "user:ben": ["moved"],
    }
    assert len(hook.accepted) == 2


def test_a_receiver_that_fails_for_a_while_gets_the_same_message_again(
    firm: Stage, hook: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(firm, hook, tmp_path / "state")
    bodies: list[int] = []
    answers = iter([500, 503, 429, None, 404])  # an error, busy, too fast, a timeout, a typing error
    hook.answer = lambda nth: bodies.append(nth) or next(answers, 204)  # type: ignore[func-returns-value]
    monkeypatch.setattr(notices.httpx, "Timeout", lambda *_args, **_more: 0.5)
    one = client(firm)
    firm.move(one, "eom_close", "May is over")
    desk.post()
    assert hook.kinds() == ["moved", "moved"]
    assert len(bodies) == 7
    assert len(desk.said) == 5
    assert "HTTP 500" in desk.said[0]


def test_a_receiver_that_is_gone_ends_it_loudly_and_skips_nothing(firm: Stage, hook: Receiver, tmp_path: Path) -> None:
    desk = Desk(firm, hook, tmp_path / "state")
    hook.answer = lambda _nth: 410
    before = hook.requests
    client(firm)
    with pytest.raises(ReceiverError, match="HTTP 410"):
        desk.post()
    assert hook.requests == before + 1
    hook.answer = lambda _nth: 204
    desk.post()
    assert hook.kinds() == ["moved"]


def test_refusals_for_long_end_it_and_outages_don_t(
    firm: Stage, hook: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(firm, hook, tmp_path / "state")
    monkeypatch.setattr(notices, "PATIENCE_SECONDS", 0.3)
    monkeypatch.setattr(notices, "ONCE_SECONDS", 0.3)
    client(firm)
    hook.answer = lambda _nth: 403
    with pytest.raises(ReceiverError, match="HTTP 403"):
        desk.post()
    hook.answer = lambda _nth: 502
    with pytest.raises(Unavailable):  # with --once; without it, never
        desk.post()
    hook.answer = lambda _nth: 204
    desk.post()
    assert hook.kinds() == ["moved"]


def start(line: list[str], running: Stack, hook: Receiver) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "ATLAS_URL": running.url,
        "ATLAS_TOKEN": running.token(),
        "ATLAS_WEBHOOK_URL": hook.url,
        "ATLAS_WEBHOOK_SECRET": SECRET,
    }
    return subprocess.run([*line, "--once"], env=environment, capture_output=True, text=True, timeout=90, check=False)


def test_the_command_ends_with_1_when_the_receiver_is_gone(
    running: Stack, firm: Stage, hook: Receiver, tmp_path: Path
) -> None:
    line = [*WATCH, "--state", str(tmp_path / "state"), "--kind", "moved"]
    assert start(line, running, hook).returncode == 0
    client(firm)
    hook.answer = lambda _nth: 410
    done = start(line, running, hook)
    assert done.returncode == 1
    assert "refuses notices (HTTP 410)" in done.stderr
    assert SECRET not in done.stderr
    assert json.loads((tmp_path / "state").read_text())["outbox"]


def test_the_unit_of_systemd_starts_a_wrapper_that_reads_the_settings_file(
    running: Stack, firm: Stage, hook: Receiver, tmp_path: Path
) -> None:
    write("systemd", {}, Place(tmp_path, Path(sys.executable)), tmp_path)
    unit = (tmp_path / "atlas-watch.service").read_text()
    (command,) = (each for each in unit.splitlines() if each.startswith("ExecStart="))
    line = shlex.split(command.removeprefix("ExecStart="))
    settings = tmp_path / "atlas-stage.toml"
    settings.write_text('[watch]\nkinds = ["sign_off_wanted"]\n')
    assert start(line, running, hook).returncode == 0
    one = client(firm)
    firm.move(one, "eom_close", "May is over")
    firm.move(one, "eom_review", "reconciled")
    assert start(line, running, hook).returncode == 0
    assert hook.kinds() == ["sign_off_wanted"]
    hook.answer = lambda _nth: 410
    firm.move(one, "eom_close", "a typing error")
    firm.move(one, "eom_review", "corrected")
    assert start(line, running, hook).returncode == 1
    assert "HTTP 410" in (tmp_path / "cron-watch.log").read_text()
    settings.write_text("[watch")
    hook.url = ""
    assert start(line, running, hook).returncode == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--stage", "nowhere"), '"nowhere" isn\'t a stage.'),
        (("--stage", "eom_close", "--stage", "EOM review"), "use one of cleanup, eom_close, eom_review"),
        (("--owner", "ana"), '"ana" isn\'t a person, agent or system.'),
    ],
)
def test_a_filter_that_nothing_can_match_is_refused(
    running: Stack, hook: Receiver, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    done = start([*WATCH, "--state", str(tmp_path / "state"), "--once", *words], running, hook)
    assert done.returncode == 1
    assert said in done.stderr
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("code", "table", "said"),
    [
        (2, '[watch]\nkind = ["late"]', "[watch] has no setting kind; there are url, token, post, secret, kinds"),
        (2, '[watch]\nkinds = "late"', "kinds below [watch] has to be a list"),
        (2, "[watch]\nowners = [5]", "owners below [watch] has to be a list"),
        (1, '[watch]\nstages = ["nowhere"]', '"nowhere" isn\'t a stage.'),
        (2, '[watch]\ndigest = "weekly"', "The digest can't be weekly. Use daily."),
        (2, 'watch = "late"', "watch has to be a table"),
    ],
)
def test_a_settings_file_that_would_post_something_else_is_refused(
    running: Stack, hook: Receiver, tmp_path: Path, code: int, table: str, said: str
) -> None:
    write("systemd", {}, Place(tmp_path, Path(sys.executable)), tmp_path)
    (tmp_path / "atlas-stage.toml").write_text(f"{table}\n")
    done = start([sys.executable, str(tmp_path / "watch.py")], running, hook)
    assert done.returncode == code
    assert said in (tmp_path / "cron-watch.log").read_text()
    assert not (tmp_path / "atlas-watch.json").exists()


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "secret"])
def test_a_secret_that_is_none_is_refused(firm: Stage, hook: Receiver, tmp_path: Path, secret: str) -> None:
    with pytest.raises(InvalidInput, match="ATLAS_WEBHOOK_SECRET"):
        Watch(firm, hook.url, secret, tmp_path / "state")


@pytest.mark.parametrize("url", ["", "hook", "https://a..b/hook", "https://[x"])
def test_an_address_that_is_none_is_refused(firm: Stage, tmp_path: Path, url: str) -> None:
    with pytest.raises(InvalidInput, match="the receiver's address"):
        Watch(firm, url, SECRET, tmp_path / "state")


def test_a_state_that_can_t_be_read_is_refused_and_kept(firm: Stage, hook: Receiver, tmp_path: Path) -> None:
    file = tmp_path / "state"
    file.write_text('{"cursor"')
    with pytest.raises(InvalidInput, match="Can't read the state"):
        Watch(firm, hook.url, SECRET, file).run(once=True)
    assert file.read_text() == '{"cursor"'


@pytest.mark.parametrize("kills", [25, pytest.param(100, marks=pytest.mark.slow)])
def test_killed_at_any_point_it_loses_nothing_and_keeps_each_client_s_order(
    running: Stack, firm: Stage, hook: Receiver, tmp_path: Path, kills: int
) -> None:
    desk = Desk(firm, hook, tmp_path / "state")
    clients = [client(firm) for _ in range(4)]
    stop = threading.Event()

    def work() -> None:
        with running.stage() as stage:
            while not stop.wait(0.05):
                change = random.choice([stage.set_flag, stage.clear_flag])
                change(random.choice(clients), random.choice(["client_blocking", "advisory_due"]))

    worker = threading.Thread(target=work)
    worker.start()
    with launched(running.url, running.token(), hook, desk.file) as start_one:
        for _ in range(kills):
            before = hook.requests
            pid = start_one()
            if random.random() < 0.8:  # most often in the middle of its work, else while it begins
                hook.wait_for(before + random.randint(1, 4))
            time.sleep(random.uniform(0, 0.03))
            os.kill(pid, signal.SIGKILL)
    stop.set()
    worker.join()
    desk.post()
    recorded = {one: [row.version for row in firm.iter_history(one)][::-1] for one in clients}
    assert hook.versions() == recorded
    again = len(hook.accepted) - len(hook.notices)
    assert again <= kills  # at most the one message under way


def test_a_change_that_was_made_first_is_told_first_though_its_transaction_is_younger(
    running: Stack, firm: Stage, hook: Receiver, tmp_path: Path
) -> None:
    desk = Desk(firm, hook, tmp_path / "state")
    one = client(firm)
    desk.post()
    with psycopg.connect(running.dsn) as older, psycopg.connect(running.dsn) as other:
        older.execute("select pg_current_xact_id()")  # as a key that is taken before the client
        for each in (older, other):
            each.execute("select rules.act_as('user:jimmie')")
        other.execute("select api.set_flag(%s, 'advisory_due')", [one])
        other.commit()
        older.execute("select api.clear_flag(%s, 'advisory_due')", [one])
        older.commit()
    desk.post()

    assert hook.versions()[one] == [0, 1, 2]
