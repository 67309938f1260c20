"""What the wrapper reads and changes, over every way there is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from atlas_stage import (
    ClientInactive,
    InvalidInput,
    NotFound,
    RuleViolation,
    Stage,
    TransitionNotAllowed,
)
from atlas_stage.models import Client
from tests.support.stack import ADMIN, As
from tests.support.words import NUMBERS
from tests.wrapper.conftest import also_with_coroutines


@pytest.fixture
def stage(shared_stage: Stage) -> Stage:
    return shared_stage


@pytest.fixture
def client(another_client: Client) -> Client:
    return another_client


@also_with_coroutines
class TestReading:
    def test_a_client_is_read_with_its_latest_history(self, stage: Stage, client: Client) -> None:
        view = stage.client(client.id)
        assert view.client == client
        assert view.history is not None
        assert (view.history.from_stage, view.history.to_stage) == ("onboarding", "weekly")
        assert view.client.stage_entered_at.tzinfo is not None

    def test_pages_are_walked_to_the_end(self, as_actor: As) -> None:
        stage = as_actor(ADMIN)
        made = [stage.create_client(f"C{n}", slug=f"c{n}").client.id for n in range(5)]
        assert [each.id for each in stage.iter_clients(page_size=2)] == made
        assert len(stage.clients(page_size=2)) == 2

    def test_a_search_that_finds_nobody_is_an_empty_page(self, stage: Stage, client: Client) -> None:
        assert not stage.clients(search="qqq")
        assert client in stage.clients(search=client.slug)

    def test_active_none_takes_inactive_clients_too(self, stage: Stage, client: Client) -> None:
        stage.update_client(client.id, active=False)
        assert stage.clients(client_ids=[client.id]).items == ()
        assert [each.id for each in stage.clients(client_ids=[client.id], active=None)] == [client.id]

    def test_history_is_walked_from_newest_to_oldest(self, stage: Stage, client: Client) -> None:
        for number in range(5):
            call = stage.set_flag if number % 2 == 0 else stage.clear_flag
            call(client.id, flag="advisory_due")
        versions = [row.version for row in stage.iter_history(client.id, page_size=2)]
        assert versions == list(range(6, -1, -1))

    def test_a_dry_run_names_every_rule_and_the_allowed_stages(self, stage: Stage, client: Client) -> None:
        stage.update_client(client.id, active=False)
        check = stage.check_stage(client.id, to_stage="eom_review")
        assert not check.allowed
        assert {each.rule for each in check.refusals} == {
            "transition_not_allowed",
            "client_inactive",
        }
        assert {type(each.as_error()) for each in check.refusals} == {
            TransitionNotAllowed,
            ClientInactive,
        }
        assert "eom_close" in check.allowed_stages

    def test_the_queue_says_why(self, stage: Stage, client: Client) -> None:
        stage.update_client(client.id, owner=ADMIN)
        (item,) = (each for each in stage.queue() if each.client.id == client.id)
        assert "owner" in item.why

    def test_whoami_is_the_actor(self, stage: Stage) -> None:
        actor = stage.whoami()
        assert (actor.actor_id, actor.actor_type) == (ADMIN, "human")
        assert {each.permission for each in actor.permissions} == {
            "can_admin",
            "can_sign_off_eom_review",
        }


class TestPages:
    def test_any_list_is_walked_page_by_page(self, stage: Stage) -> None:
        for number in range(3):
            stage.grant_permission(f"agent:a{number}", "can_set_flag")
        pages = list(stage.pages(stage.permissions, page_size=2))
        assert [each.next != {} for each in pages] == [True] * (len(pages) - 1) + [False]
        assert [row for page in pages for row in page] == list(stage.iter_permissions())
        records = [row.id for page in stage.pages(stage.administration, page_size=2) for row in page]
        assert records == sorted(records, reverse=True)
        assert sum(page.records for page in stage.pages(stage.verify)) == len(records)

    def test_the_feed_is_walked_to_its_end(self, as_actor: As) -> None:
        stage = as_actor(ADMIN)
        for number in range(5):
            stage.create_client(f"C{number}", f"c{number}")
        pages = list(stage.pages(stage.changes, page_size=2))
        assert [len(page) for page in pages] == [2, 2, 1]
        assert [row.client_slug for page in pages for row in page] == [f"c{n}" for n in range(5)]
        assert not stage.changes(pages[-1].cursor).items


@also_with_coroutines
class TestChanging:
    def test_a_move_answers_with_client_and_history(self, stage: Stage, client: Client) -> None:
        change = stage.set_stage(
            client.id,
            to_stage="eom_close",
            reason="month end",
            expected_version=client.version,
            on_behalf_of="user:ledger-bookkeeper-1",
            payload={"period": "2026-05"},
        )
        assert change.changed
        assert not change.replayed
        assert change.client.stage == "eom_close"
        assert change.history is not None
        assert change.history.reason == "month end"
        assert change.history.on_behalf_of == "user:ledger-bookkeeper-1"
        assert change.history.payload == {"period": "2026-05"}

    def test_move_reads_the_version_itself(self, stage: Stage, client: Client) -> None:
        assert stage.move(client, "eom_close", "why").client.stage == "eom_close"
        moved = stage.move(client.id, "eom_review", "done", payload={"n": 1})
        assert moved.history is not None
        assert (moved.history.reason, moved.history.payload) == ("done", {"n": 1})
        assert stage.move(client.slug, "eom_close", "one more entry").changed

    def test_required_arguments_can_be_positional(self, stage: Stage, client: Client) -> None:
        assert stage.set_flag(client.id, "client_blocking").client.flags == ("client_blocking",)
        change = stage.set_stage(client.id, "eom_close", "why", client.version + 1)
        assert change.history is not None
        assert stage.rollback(client, change.history.id, "mistake").client.stage == "weekly"
        with pytest.raises(TypeError):
            stage.set_flag(client.id, "client_blocking", "no reason by position")  # type: ignore[misc]
        with pytest.raises(TypeError):
            stage.set_flag(client.id, "client_blocking", colour="blue")  # type: ignore[call-arg]

    def test_a_flag_set_twice_is_no_change(self, stage: Stage, client: Client) -> None:
        assert stage.set_flag(client.id, flag="client_blocking").changed
        again = stage.set_flag(client.id, flag="client_blocking")
        assert not again.changed
        assert again.client.flags == ("client_blocking",)

    def test_the_same_key_replays_the_first_answer(self, stage: Stage, client: Client) -> None:
        first = stage.set_flag(client.id, flag="advisory_due", external_id=client.slug)
        again = stage.set_flag(client.id, flag="advisory_due", external_id=client.slug)
        assert again.replayed
        assert again.history == first.history

    def test_each_item_of_a_bulk_move_has_its_own_outcome(self, stage: Stage, client: Client) -> None:
        item = {
            "client_id": client.id,
            "to_stage": "eom_close",
            "reason": "x",
            "expected_version": 1,
        }
        outcomes = stage.set_stages([item, {**item, "client_id": 999}])
        assert (outcomes.done, outcomes.refused) == (1, 1)
        good, bad = outcomes.items
        assert good.change is not None
        assert good.change.client.stage == "eom_close"
        assert isinstance(bad.error, NotFound)

    def test_fields_are_changed_and_emptied(self, stage: Stage, client: Client) -> None:
        changed = stage.update_client(client.id, owner=ADMIN, reviewers=[ADMIN], collaborators=["agent:tally"]).client
        assert changed.stage_owner == ADMIN
        assert changed.eligible_reviewers == (ADMIN,)
        emptied = stage.update_client(client.id, clear=["owner", "reviewers", "collaborators"]).client
        assert emptied.stage_owner is None
        assert emptied.eligible_reviewers is None
        assert emptied.stage_collaborators == ()

    def test_a_change_is_rolled_back(self, stage: Stage, client: Client) -> None:
        change = stage.set_flag(client.id, flag="advisory_due")
        assert change.history is not None
        undone = stage.rollback(client.id, history_id=change.history.id, reason="mistake")
        assert undone.client.flags == ()
        assert undone.history is not None
        assert undone.history.trigger_type == "rollback"

    def test_grants_come_and_go(self, stage: Stage, way: str) -> None:
        agent = f"agent:granted-{way}"
        scope = {"flags": ["advisory_due"]}
        granted = stage.grant_permission(agent, permission="can_set_flag", scope=scope)
        assert granted.permission.scope == scope
        assert stage.revoke_permission(granted.permission.id).permission.revoked_at is not None
        assert list(stage.iter_permissions(agent)) == []
        assert len(list(stage.iter_permissions(agent, include_revoked=True))) == 1

    def test_a_grant_is_on_record(self, stage: Stage, way: str) -> None:
        granted = stage.grant_permission(f"agent:recorded-{way}", permission="can_set_flag")
        (record,) = stage.administration("agent_permissions", page_size=1)
        assert (record.actor_id, record.key, record.before) == (
            ADMIN,
            {"id": granted.permission.id},
            None,
        )

    def test_tokens_come_and_go(self, stage: Stage, way: str) -> None:
        agent = f"agent:with-a-token-{way}"
        soon = datetime.now(UTC) + timedelta(days=1)
        issued = stage.issue_token(agent, description="test", expires_at=soon)
        assert issued.token.startswith("atl_")
        assert issued.token not in repr(issued)
        (listed,) = stage.iter_tokens(agent)
        assert (listed.id, listed.state, listed.expires_at) == (issued.id, "active", soon)
        assert stage.revoke_token(issued.id).state == "revoked"
        assert stage.adopt_legacy_token("0" * 64).actor_id == "system:legacy"


@also_with_coroutines
class TestByTheSlug:
    def test_a_slug_stands_wherever_an_id_does(self, stage: Stage, client: Client) -> None:
        flagged = stage.set_flag(client.slug, flag="advisory_due")
        moved = stage.set_stage(
            client.slug,
            to_stage="eom_close",
            reason="month end",
            expected_version=flagged.client.version,
        ).client
        assert (moved.id, moved.stage) == (client.id, "eom_close")
        assert stage.client(client.slug) == stage.client(str(client.id)) == stage.client(client.id)
        assert len(list(stage.iter_history(client.slug))) == moved.version + 1

    def test_lists_take_ids_only(self, stage: Stage, client: Client) -> None:
        for call in (stage.check_stages, lambda ids: stage.clients(client_ids=ids)):
            with pytest.raises(InvalidInput, match="client_ids"):
                call([client.id, client.slug])

    def test_only_ascii_digits_are_an_id(self, stage: Stage, client: Client, dsn: str) -> None:
        # what PostgreSQL 16 reads as the client's id
        slugs = [f"0x{client.id:x}", f"+{client.id}", f" {client.id} ", f"0_{client.id}"]
        with psycopg.connect(dsn) as host:
            for slug in slugs:
                host.execute("insert into clients (name, slug) values (%s, %s)", [slug, slug])
        for slug in slugs:
            found = stage.client(slug).client
            assert (found.name, found.id != client.id) == (slug, True)
            flagged = stage.set_flag(slug, flag="advisory_due").client
            assert flagged.id == found.id
        assert stage.client(f"00{client.id}").client == stage.client(client.id).client

    def test_what_is_no_client_is_not_found(self, stage: Stage) -> None:
        for name in ("", "9999", "9" * 19, "9" * 300, "٢", "²"):
            with pytest.raises(NotFound):
                stage.client(name)

    def test_a_slug_that_reads_as_a_number_cannot_be_created(self, stage: Stage) -> None:
        for slug in NUMBERS:
            with pytest.raises(RuleViolation) as refused:
                stage.create_client("Number", slug=slug)
            assert refused.value.rule == "slug_not_valid"
            assert refused.value.details["slug"] == slug.lower()

    def test_an_unknown_slug_is_not_found(self, stage: Stage) -> None:
        with pytest.raises(NotFound) as refused:
            stage.set_flag("no-such-slug", flag="advisory_due")
        assert refused.value.rule == "client_not_found"
        assert refused.value.details["client_id"] == "no-such-slug"
        assert "no-such-slug" not in refused.value.message
