"""A random life of some clients, told to the database and to the model: after each step both agree.

Also after each step: every history is gapless, and replaying it gives the present state.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.model.model import Client, Grant, Model, Refused, Row
from tests.support.calls import (
    ADMIN,
    as_actor,
    begin_anew,
    call,
    client_row,
    grant,
    history_rows,
    make_client,
)
from tests.support.words import FLAGS, STAGES, TIERS, stages_after

pytestmark = pytest.mark.slow

ADA, BO, TALLY, NOBODY = "user:ada", "user:bo", "agent:tally", "user:nobody"
DETECTOR = "system:cron:stage_stuck_detector"
ROLLER = "system:cron:stage_autoroll_eom_open"
SEASONS = "system:cron:flag_seasonal"
KEYS = (0, 1, 2)

# Those who may something come more often: a life of refusals alone tells little.
actors = st.sampled_from([ADMIN, ADMIN, ADA, ADA, BO, TALLY, DETECTOR, ROLLER, SEASONS, NOBODY])
keys = st.sampled_from(KEYS)
stages = st.sampled_from([*STAGES, "weekly", "eom_close", "eom_review", "paused_client"])
flags = st.sampled_from([*FLAGS, "client_blocking", "stuck", "stuck", "nonsense"])
flag_sets = st.frozensets(st.sampled_from(FLAGS), max_size=3)
reviewers = st.sampled_from([frozenset({ADA}), frozenset({BO, ADMIN}), frozenset({ADA, ADMIN})])
permissions = st.sampled_from(
    [
        "can_set_stage",
        "can_set_stage",
        "can_set_flag",
        "can_sign_off_eom_review",
        "can_offboard",
        "can_admin",
    ]
)
scopes = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {},
        optional={
            "from": st.lists(st.sampled_from(STAGES), min_size=1, max_size=5, unique=True),
            "to": st.lists(st.sampled_from(STAGES), min_size=1, max_size=5, unique=True),
            "flags": st.lists(st.sampled_from(FLAGS), min_size=1, max_size=4, unique=True),
            "clients": st.lists(keys, min_size=1, max_size=2, unique=True),
            "service_tiers": st.lists(st.sampled_from(TIERS), min_size=1, max_size=3, unique=True),
        },
    ).map(lambda scope: scope or None),
)
changes = st.fixed_dictionaries(
    {},
    optional={
        "stage_owner": st.sampled_from([ADA, BO]),
        "stage_notes": st.sampled_from(["one", "two"]),
        "service_tier": st.sampled_from(TIERS),
        "eligible_reviewers": reviewers,
        "active": st.booleans(),
    },
)
ARGUMENTS = {
    "stage_owner": "owner",
    "stage_notes": "notes",
    "service_tier": "tier",
    "eligible_reviewers": "reviewers",
    "active": "active",
}
SEEDS = [
    Grant(ADMIN, "can_admin"),
    Grant(ADMIN, "can_sign_off_eom_review"),
    Grant(ROLLER, "can_set_stage", {"from": ["weekly"], "to": ["eom_close"]}),
    Grant(DETECTOR, "can_set_flag", {"flags": ["stuck"]}),
    Grant(SEASONS, "can_set_flag", {"flags": ["season_year_end", "season_1099", "season_tax"]}),
]


class Life(RuleBasedStateMachine):
    """Steps through the database and the model side by side, in one transaction that is rolled back."""

    def __init__(self, db: psycopg.Connection) -> None:
        super().__init__()
        self.db = db
        begin_anew(db)
        self.model = Model(grants=list(SEEDS))
        self.given: list[tuple[int, Grant]] = []
        self.ids: dict[int, int] = {}

    def teardown(self) -> None:
        self.db.rollback()

    @initialize(
        separate=st.sampled_from([True, True, False]),
        tiers=st.tuples(*[st.sampled_from(TIERS)] * len(KEYS)),
        named=st.tuples(*[st.one_of(st.none(), st.none(), reviewers)] * len(KEYS)),
    )
    def begin(self, separate: bool, tiers: tuple[str, ...], named: tuple[frozenset[str] | None, ...]) -> None:
        self.model.separate_reviewer = separate
        self.db.execute("update stage_settings set separate_reviewer = %s", (separate,))
        for key in KEYS:
            who = named[key]
            self.ids[key] = make_client(
                self.db,
                "onboarding",
                tier=tiers[key],
                reviewers=None if who is None else sorted(who),
            )
            self.model.add(key, Client(tier=tiers[key], reviewers=who))
            # Begin somewhere in the middle of things, by the admin, as the firm's seed does.
            if key:
                self.move(ADMIN, key, "weekly", False, 0)
            if key == 2:
                self.move(ADA, key, "eom_close", True, 0)  # refused, she is no admin
                self.move(ADMIN, key, "eom_close", False, 0)
        self.grant_to(ADA, "can_set_stage", None)
        self.grant_to(ADA, "can_sign_off_eom_review", None)
        self.grant_to(BO, "can_sign_off_eom_review", None)
        self.grant_to(BO, "can_set_flag", None)

    # One step: tell both, compare

    def tell_database(self, function: str, arguments: dict[str, Any]) -> Any:
        """The answer, or the rules that the database names."""
        try:
            return call(self.db, function, **arguments)
        except psycopg.Error as error:
            return self.rules_of(error)

    @staticmethod
    def rules_of(error: psycopg.Error) -> set[str]:
        assert (error.sqlstate or "").startswith("PT4"), f"{error.sqlstate} {error}"
        details = json.loads(error.diag.message_detail or "{}")
        return {refusal["rule"] for refusal in details["refusals"]}

    def step(self, key: int, tell_model: Any, function: str, **arguments: Any) -> None:
        answer = self.tell_database(function, {"client_id": self.ids[key], **arguments})
        expected: set[str] = set()
        changed = None
        try:
            changed = tell_model()
        except Refused as refused:
            expected = refused.rules
        if expected:
            assert answer == expected, f"model: {expected}, database: {answer}"
        else:
            assert isinstance(answer, dict), f"the model allows it, the database says {answer}"
            assert answer["changed"] is (changed is not False)
            assert answer["replayed"] is False
        self.compare(key)

    def compare(self, key: int) -> None:
        row = client_row(self.db, self.ids[key])
        client = self.model.clients[key]
        stored = Client(
            stage=row["stage"],
            flags=frozenset(row["flags"]),
            returning_to=row["returning_to_stage"],
            active=row["active"],
            tier=row["service_tier"],
            reviewers=None if row["eligible_reviewers"] is None else frozenset(row["eligible_reviewers"]),
            owner=row["stage_owner"],
            notes=row["stage_notes"],
            version=row["version"],
        )
        assert stored == replace(client, history=())
        assert row["flags"] == sorted(set(row["flags"]))
        rows = history_rows(self.db, self.ids[key])
        assert [r["version"] for r in rows] == list(range(client.version + 1))
        self.compare_history(client, rows)
        self.replay(row, rows)
        said = "select differs from rules.client_differences(%(id)s, %(id)s)"
        assert self.db.execute(said, {"id": self.ids[key]}).fetchall() == []

    @staticmethod
    def compare_history(client: Client, rows: list[dict[str, Any]]) -> None:
        version_of = {row["id"]: row["version"] for row in rows}
        for mine, row in zip(client.history[1:], rows[1:], strict=True):
            moved = row["from_stage"] is not None
            if mine.trigger_type != "system":
                assert row["trigger_type"] == mine.trigger_type
            undone = row["payload"].get("rolls_back")
            stored = Row(
                version=row["version"],
                actor=row["actor_id"],
                trigger_type=mine.trigger_type,
                from_stage=row["from_stage"],
                to_stage=row["to_stage"],
                flag_added=None if moved else row["flag_added"],
                flag_removed=None if moved else row["flag_removed"],
                fields=frozenset(row["payload"].get("changed", {})),
                came_from=mine.came_from,
                took_stuck=moved and row["flag_removed"] == "stuck",
                gave_stuck=moved and row["flag_added"] == "stuck",
                rolls_back=None if undone is None else version_of[undone],
            )
            assert stored == mine

    @staticmethod
    def replay(row: dict[str, Any], rows: list[dict[str, Any]]) -> None:
        """History alone gives the present state."""
        stage = None
        present: set[str] = set()
        fields: dict[str, Any] = {}
        for entry in rows:
            if entry["to_stage"] is not None:
                assert entry["from_stage"] == stage
                stage = entry["to_stage"]
            present |= {entry["flag_added"]} - {None}
            present -= {entry["flag_removed"]}
            fields |= {name: change["to"] for name, change in entry["payload"].get("changed", {}).items()}
        assert stage == row["stage"]
        assert sorted(present) == row["flags"]
        for name, value in fields.items():
            assert row[name] == value, name

    # What may happen

    def grant_to(self, actor: str, permission: str, scope: dict[str, Any] | None) -> None:
        given = Grant(actor, permission, scope)
        if any(g == given for _, g in self.given):
            return
        told = dict(scope) if scope else None
        if told and "clients" in told:
            told["clients"] = [self.ids[key] for key in told["clients"]]
        self.given.append((grant(self.db, actor, permission, told), given))
        self.model.grants.append(given)

    @rule(actor=st.sampled_from([ADA, BO, TALLY]), permission=permissions, scope=scopes)
    def give(self, actor: str, permission: str, scope: dict[str, Any] | None) -> None:
        self.grant_to(actor, permission, scope)

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        row = data.draw(st.sampled_from(self.given))
        self.given.remove(row)
        self.model.grants.remove(row[1])
        assert call(self.db, "revoke_permission", permission_id=row[0])["changed"]

    @rule(
        actor=actors,
        key=keys,
        to_stage=stages,
        override=st.sampled_from([False, False, False, True]),
        stale=st.sampled_from([0] * 9 + [-1, 1]),
    )
    def move(self, actor: str, key: int, to_stage: str, override: bool, stale: int) -> None:
        expected = self.model.clients[key].version + stale
        self.step(
            key,
            lambda: self.model.move(actor, key, to_stage, expected, override=override),
            "set_stage",
            actor=actor,
            to_stage=to_stage,
            expected_version=expected,
            override=override,
            reason="why",
        )

    def target(self, key: int, data: st.DataObject) -> str | None:
        """A stage that the table allows now, so that lives go somewhere."""
        client = self.model.clients[key]
        targets = sorted(stages_after(client.stage, client.returning_to) - {"offboarding"})
        return data.draw(st.sampled_from(targets)) if targets else None

    @rule(key=keys, data=st.data(), actor=st.sampled_from([ADMIN, ADA, ADA]))
    def move_on(self, key: int, data: st.DataObject, actor: str) -> None:
        if to_stage := self.target(key, data):
            self.move(actor, key, to_stage, False, 0)

    @rule(
        key=keys,
        mover=st.sampled_from([ADMIN, ADA, ADA]),
        signer=st.sampled_from([ADMIN, ADA, ADA, BO, BO, TALLY]),
        to_stage=st.sampled_from(["weekly", "eom_close"]),
        pause=st.sampled_from([False, False, True]),
    )
    def close_and_sign_off(self, key: int, mover: str, signer: str, to_stage: str, pause: bool) -> None:
        """The month's end of one client, as far as it goes."""
        if self.model.clients[key].stage == "weekly":
            self.move(mover, key, "eom_close", False, 0)
        if self.model.clients[key].stage == "eom_close":
            self.move(mover, key, "eom_review", False, 0)
        if pause and self.model.clients[key].stage == "eom_review":
            self.move(mover, key, "paused_client", False, 0)
            self.move(ADMIN, key, "eom_review", False, 0)
        self.dry_run(signer, key, to_stage)
        self.move(signer, key, to_stage, False, 0)

    @rule(actor=actors, key=keys, to_stage=stages)
    def dry_run(self, actor: str, key: int, to_stage: str) -> None:
        answer = call(self.db, "check_stage", actor=actor, client_id=self.ids[key], to_stage=to_stage)
        expected = self.model.move_refusals(actor, key, to_stage)
        assert {refusal["rule"] for refusal in answer["refusals"]} == expected
        assert answer["allowed"] is (not expected)

    @rule(actor=actors, key=keys, flag=flags, on=st.booleans())
    def flag(self, actor: str, key: int, flag: str, on: bool) -> None:
        self.step(
            key,
            lambda: self.model.set_flag(actor, key, flag, on),
            "set_flag" if on else "clear_flag",
            actor=actor,
            flag=flag,
            reason="why",
        )

    @precondition(lambda self: any(c.flags for c in self.model.clients.values()))
    @rule(data=st.data(), actor=st.sampled_from([ADMIN, BO, DETECTOR, SEASONS]))
    def clear(self, data: st.DataObject, actor: str) -> None:
        key = data.draw(st.sampled_from([k for k in KEYS if self.model.clients[k].flags]))
        flag = data.draw(st.sampled_from(sorted(self.model.clients[key].flags)))
        self.flag(actor, key, flag, False)

    @rule(key=keys)
    def get_stuck(self, key: int) -> None:
        self.flag(DETECTOR, key, "stuck", True)

    @rule(actor=actors, key=keys, values=changes)
    def update(self, actor: str, key: int, values: dict[str, Any]) -> None:
        arguments = {
            ARGUMENTS[name]: sorted(value) if isinstance(value, frozenset) else value for name, value in values.items()
        }
        self.step(
            key,
            lambda: self.model.update(actor, key, values),
            "update_client",
            actor=actor,
            reason="why",
            **arguments,
        )

    @rule(key=keys, active=st.booleans())
    def activate(self, key: int, active: bool) -> None:
        self.update(ADMIN, key, {"active": active})

    @rule(actor=st.sampled_from([ADMIN, ADMIN, ADMIN, ADA]), key=keys, data=st.data())
    def rollback(self, actor: str, key: int, data: st.DataObject) -> None:
        versions = range(len(self.model.clients[key].history))
        recent = st.sampled_from(list(versions)[-3:])
        version = data.draw(st.one_of(recent, recent, st.sampled_from(versions)))
        row = history_rows(self.db, self.ids[key])[version]
        self.step(
            key,
            lambda: self.model.rollback(actor, key, version),
            "rollback",
            actor=actor,
            history_id=row["id"],
            reason="a slip",
        )

    @rule(
        actor=actors,
        some=st.sets(keys, min_size=1),
        stage=st.one_of(st.none(), stages),
        carried=st.one_of(st.none(), st.none(), flag_sets),
        values=changes,
    )
    def plain_update(
        self,
        actor: str,
        some: set[int],
        stage: str | None,
        carried: frozenset[str] | None,
        values: dict[str, Any],
    ) -> None:
        """One UPDATE of one client or several, of anything at once."""
        before = dict(self.model.clients)
        failing = self.tell_model_of_update(actor, some, stage, carried, values)
        rules = self.tell_database_of_update(actor, some, stage, carried, values)
        if failing:
            self.model.clients = before
            assert rules, f"the database allows it, the model says {failing}"
        assert rules <= failing, f"model: {failing}, database: {rules}"
        for key in some:
            self.take_order_of_flags(key, before[key].version)
            self.compare(key)

    @rule(
        actor=st.sampled_from([ADMIN, ADMIN, ADA, BO]),
        key=keys,
        data=st.data(),
        moves=st.booleans(),
        toggled=st.frozensets(st.sampled_from(["client_blocking", "advisory_due", "sales_tax_due"])),
        values=st.one_of(st.just({}), changes),
    )
    def plain_update_that_may_pass(
        self,
        actor: str,
        key: int,
        data: st.DataObject,
        moves: bool,
        toggled: frozenset[str],
        values: dict[str, Any],
    ) -> None:
        stage = self.target(key, data) if moves else None
        self.plain_update(actor, {key}, stage, self.model.clients[key].flags ^ toggled, values)

    @rule(actor=st.sampled_from([ADMIN, ADA]), some=st.sets(keys, min_size=2), data=st.data())
    def bulk_move(self, actor: str, some: set[int], data: st.DataObject) -> None:
        """Several clients into one stage that at least one of them may go to."""
        if stage := self.target(min(some), data):
            self.plain_update(actor, some, stage, None, {})

    def tell_model_of_update(
        self,
        actor: str,
        some: set[int],
        stage: str | None,
        carried: frozenset[str] | None,
        values: dict[str, Any],
    ) -> set[str]:
        failing: set[str] = set()
        for key in some:
            client = self.model.clients[key]
            wanted = client.flags if carried is None else carried
            try:
                self.model.plain_update(actor, key, stage or client.stage, wanted, values)
            except Refused as refused:
                failing |= refused.rules
        return failing

    def tell_database_of_update(
        self,
        actor: str,
        some: set[int],
        stage: str | None,
        carried: frozenset[str] | None,
        values: dict[str, Any],
    ) -> set[str]:
        sets: dict[str, Any] = {"stage": stage} if stage else {}
        sets |= {} if carried is None else {"flags": sorted(carried)}
        sets |= {n: sorted(v) if isinstance(v, frozenset) else v for n, v in values.items()}
        assignments = ", ".join(f"{name} = %({name})s" for name in sets) or "name = name"
        try:
            with self.db.transaction():
                as_actor(self.db, actor, "by hand")
                self.db.execute(
                    f"update clients set {assignments} where id = any(%(ids)s)",
                    sets | {"ids": [self.ids[key] for key in some]},
                )
        except psycopg.Error as error:
            return self.rules_of(error)
        return set()

    def take_order_of_flags(self, key: int, since: int) -> None:
        """In which order one statement's flag changes are counted is not the page's business."""
        client = self.model.clients[key]
        rows = history_rows(self.db, self.ids[key])[since + 1 :]
        new = {
            (mine.flag_added, mine.flag_removed): mine
            for mine in client.history[since + 1 :]
            if not mine.from_stage and not mine.fields
        }
        ordered = [
            new.get((row["flag_added"], row["flag_removed"])) if row["from_stage"] is None else None for row in rows
        ]
        history = list(client.history)
        for row, mine in zip(rows, ordered, strict=True):
            if mine is not None and row["version"] < len(history):
                history[row["version"]] = replace(mine, version=row["version"])
        self.model.clients[key] = replace(client, history=tuple(history))


@pytest.mark.timeout(600)  # a failure is shrunk for up to five minutes
def test_a_random_life_is_judged_and_recorded_alike(db: psycopg.Connection) -> None:
    run_state_machine_as_test(
        lambda: Life(db),
        settings=settings(
            max_examples=80,
            stateful_step_count=50,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
