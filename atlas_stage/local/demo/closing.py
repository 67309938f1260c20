"""The last five acts: what is refused, the close, the review, a mistake, and all the stories."""

from atlas_stage.cli.tables import queue_table
from atlas_stage.errors import StageError
from atlas_stage.local.demo import stories
from atlas_stage.local.demo.cast import (
    ADMIN,
    AGENT,
    BLOCKED,
    BOOKKEEPER,
    CHANGED_MEANWHILE,
    MOVED_BY_MISTAKE,
    SENT_BACK,
    STILL_BLOCKED,
    Cast,
    move,
)
from atlas_stage.models import Client
from atlas_stage.ops.lookup import firm_zone
from atlas_stage.stage import Stage


def refusals(cast: Cast) -> None:
    """Two moves that the database refuses, as their users see it."""
    cast.screen.act(
        "Two moves that are refused",
        "The database decides, whoever asks and however; it says which rule, and what to do next.",
    )
    in_review = cast.clients("eom_review")[0]
    cast.screen.say(f"{AGENT} would like to sign off {in_review.name} by itself:")
    _refused(cast, AGENT, cast.agent, in_review, "weekly", "looks fine to me")

    seen = cast.client(CHANGED_MEANWHILE)
    cast.agent.set_flag(seen.id, flag="client_blocking", reason="one receipt unreadable")
    cast.agent.clear_flag(seen.id, flag="client_blocking", reason="receipt came in again")
    cast.screen.say(
        f"{BOOKKEEPER} read {seen.name} at version {seen.version}; {AGENT} changed it since:"
    )
    _refused(cast, BOOKKEEPER, cast.bookkeeper, seen, "eom_review", "books are closed")
    cast.screen.say("Read again, and it goes:")
    now = cast.client(CHANGED_MEANWHILE)
    _move(cast, BOOKKEEPER, cast.bookkeeper, now, "eom_review", "books are closed")


def _refused(
    cast: Cast, actor: str, stage: Stage, client: Client, to_stage: str, reason: str
) -> None:
    try:
        _move(cast, actor, stage, client, to_stage, reason)
    except StageError as error:
        cast.screen.error(error)
    else:
        raise AssertionError(f"{actor} moved {client.slug} to {to_stage}, against the rules")


def _move(cast: Cast, actor: str, stage: Stage, client: Client, to_stage: str, reason: str) -> None:
    cast.screen.command(
        f"atlas-stage --as {actor} client move {client.slug} {to_stage}"
        f" --reason '{reason}' --expected-version {client.version}"
    )
    change = move(stage, client, to_stage, reason)
    cast.screen.say(
        f"{client.name}: {client.stage} → {to_stage} (version {change.client.version})", "green"
    )


def closing(cast: Cast) -> None:
    """Close the books: most by the agent, the late ones by the bookkeeper once their clients answer."""
    cast.screen.act(
        "The books are closed",
        f"{AGENT} sends to review what reconciles; three of the blocked clients answer, two do not.",
    )
    ready = [each for each in cast.clients("eom_close") if each.slug not in BLOCKED]
    for client in cast.screen.each(ready, f"{AGENT}: eom_close → eom_review"):
        event = "qbo_reconciliation_complete"
        move(cast.agent, client, "eom_review", "all accounts reconcile", event)
    answered = [slug for slug in BLOCKED if slug not in STILL_BLOCKED]
    for slug in cast.screen.each(answered, "answered: eom_close → eom_review"):
        client = cast.bookkeeper.clear_flag(
            cast.client(slug).id, flag="client_blocking", reason="the client answered"
        ).client
        move(cast.bookkeeper, client, "eom_review", "closed after the client's answer")


def review(cast: Cast) -> None:
    """Sign off the reviews, all but one; that one goes back and comes again."""
    waiting = [each for each in cast.admin.queue() if "review" in each.why]
    cast.screen.act(
        "Review and sign-off",
        f"{len(waiting)} reviews wait in the queue of {ADMIN}. One goes back, the others are signed off.",
    )
    cast.screen.table(queue_table(waiting[:5], firm_zone(cast.admin)))
    back = cast.client(SENT_BACK)
    back = move(cast.admin, back, "eom_close", "inventory count is last month's").client
    signed = cast.clients("eom_review")
    for client in cast.screen.each(signed, f"{ADMIN}: eom_review → weekly"):
        move(cast.admin, client, "weekly", "signed off")
    again = move(cast.bookkeeper, back, "eom_review", "count corrected").client
    move(cast.admin, again, "weekly", "signed off the second time")
    cast.screen.say(f"{back.name} went back, was corrected, and is signed off too.")


def rollback(cast: Cast) -> None:
    """Take back a move that was a mistake."""
    cast.screen.act(
        "A mistake, taken back",
        f"{BOOKKEEPER} opens a quarterly client; {ADMIN} takes it back. The history keeps both.",
    )
    client = cast.client(MOVED_BY_MISTAKE)
    mistake = move(cast.bookkeeper, client, "eom_close", "month end")
    assert mistake.history is not None
    reason = "closes by the quarter, not now"
    cast.screen.command(
        f"atlas-stage --as {ADMIN} client rollback {client.slug} {mistake.history.id}"
        f" --reason '{reason}'"
    )
    cast.admin.rollback(client.id, history_id=mistake.history.id, reason=reason)
    cast.screen.table(stories.history(client, cast.story_of(client)))


def all_stories(cast: Cast) -> None:
    """Every client's story in a line, and three of them in full."""
    clients = cast.clients()
    cast.screen.act(
        f"{len(clients)} stories",
        f"Everything is on record. A line for each client: {stories.LEGEND}.",
    )
    told = [
        (cast.start[each.id], each, cast.story_of(each))
        for each in cast.screen.each(clients, "reading the histories")
    ]
    cast.screen.table(stories.overview(told))
    cast.screen.say("Three of them in full:")
    for slug in (STILL_BLOCKED[0], SENT_BACK, CHANGED_MEANWHILE):
        client = cast.client(slug)
        cast.screen.table(stories.history(client, cast.story_of(client)))
