"""The first four acts: the firm as it stands, who may do what, and the month's end."""

from collections import Counter

from atlas_stage.cli.rendering import make_table
from atlas_stage.cli.tables import scope_of
from atlas_stage.local.demo.cast import ADMIN, AGENT, BLOCKED, BOOKKEEPER, GRANTS, Cast, seed
from atlas_stage.ops import importer, seedfile


def seed_huddle(cast: Cast) -> None:
    """Bring in the seed file."""
    rows = seed()
    cast.screen.act(
        "The seed huddle",
        f"{ADMIN} brings in how {len(rows)} clients stand: one file, one transaction, all or nothing.",
    )
    with cast.screen.progress("importing clients.csv", len(rows)) as step:
        report = importer.run(cast.desk, rows, reason="seed huddle", apply=True, on_row=step)
    for refused in (each.error for each in report.rows if each.error):
        raise refused
    _clear_leftovers(cast, rows)
    clients = cast.clients()
    cast.start = {each.id: each for each in clients}
    tiers = Counter((each.stage, each.service_tier) for each in clients)
    stages = (
        (stage, count, [f"{tiers[key]} {key[1]}" for key in tiers if key[0] == stage])
        for stage, count in Counter(each.stage for each in clients).most_common()
    )
    cast.screen.table(make_table(("stage", "clients", "tiers"), stages))


def _clear_leftovers(cast: Cast, rows: list[seedfile.Row]) -> None:
    """Clear what an earlier play left blocked: this is another month."""
    blocked = {row.cells["slug"] for row in rows if "flags" in row.cells}
    for client in cast.clients():
        if "client_blocking" in client.flags and client.slug not in blocked:
            cast.admin.clear_flag(client.id, flag="client_blocking", reason="a new month")


def grants(cast: Cast) -> None:
    """Give the bookkeeper and the agent what they need, and no more."""
    cast.screen.act(
        "Who may do what",
        f"{ADMIN} grants what the close needs, and no more: each permission has its scope.",
    )
    for actor, permission, scope in GRANTS:
        cast.admin.grant_permission(actor, permission=permission, scope=scope)
    held = (
        (actor, each.permission, scope_of(each.scope))
        for actor in (ADMIN, BOOKKEEPER, AGENT)
        for each in cast.admin.iter_permissions(actor)
    )
    cast.screen.table(make_table(("actor", "permission", "scope"), held))


def month_end(cast: Cast) -> None:
    """Open the close for all monthly clients."""
    monthly = [each for each in cast.clients("weekly") if each.close_cadence == "monthly"]
    cast.screen.act(
        "The last business day",
        f"{BOOKKEEPER} opens the close of {len(monthly)} monthly clients in one call.",
    )
    outcomes = cast.bookkeeper.set_stages(
        [
            {
                "client_id": each.id,
                "to_stage": "eom_close",
                "reason": "month end",
                "expected_version": each.version,
            }
            for each in monthly
        ]
    )
    for refused in (each.error for each in outcomes.items if each.error):
        raise refused
    cast.screen.say(f"{outcomes.done} clients: weekly → eom_close, {outcomes.refused} refused")


def blockers(cast: Cast) -> None:
    """Flag the clients that keep the firm waiting."""
    cast.screen.act(
        "What blocks",
        f"{AGENT} finds {len(BLOCKED)} clients that keep the firm waiting, and flags them.",
    )
    changes = [
        cast.agent.set_flag(cast.client(slug).id, flag="client_blocking", reason=reason)
        for slug, reason in BLOCKED.items()
    ]
    columns = {
        "client": "client.name",
        "stage": "client.stage",
        "flags": "client.flags",
        "reason": "history.reason",
    }
    cast.screen.table(make_table(columns, changes))
