"""A month-end close of a firm with 52 clients, played under the rules on an embedded PostgreSQL.

    make demo                  in a temporary folder; nothing is left
    make demo DATA=FOLDER      in a new folder, which is kept: make serve DATA=FOLDER shows it on the board

Each actor has its own `Stage`. The database decides what each of them may do.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from atlas_stage import Stage, StageError
from atlas_stage.local.embedded import EmbeddedPostgres
from atlas_stage.local.serving import until_told_to_stop
from atlas_stage.models import Client, HistoryRow
from atlas_stage.ops import importer, seedfile
from atlas_stage.ops.deploy import migrate
from atlas_stage.ops.jobs import Jobs

CLIENTS = Path(__file__).with_name("clients.csv")
ADMIN, BOOKKEEPER, AGENT = "user:jimmie", "user:ledger-bookkeeper-1", "agent:tally"
OPEN_CLOSES = "stage_autoroll_eom_open"

GRANTS = (
    (BOOKKEEPER, "can_set_stage", {"from": ["eom_close"], "to": ["eom_review"]}),
    (BOOKKEEPER, "can_set_flag", {"flags": ["client_blocking"]}),
    (AGENT, "can_set_stage", {"from": ["eom_close"], "to": ["eom_review"]}),
    (AGENT, "can_set_flag", {"flags": ["client_blocking"]}),
)
BLOCKED = {
    "bayou-city-plumbing": "The savings account's statement is missing.",
    "cafe-nandu": "The tip report of the last week is missing.",
    "fernwood-property": "The owner hasn't confirmed two transfers.",
}
STILL_BLOCKED = "fernwood-property"
BY_MISTAKE = "juniper-row"
SENT_BACK = "frost-ember-brewing"

NAMES = {
    "onboarding": "Onboarding",
    "cleanup": "Cleanup",
    "weekly": "Weekly",
    "eom_close": "EOM close",
    "eom_review": "EOM review",
    "paused_client": "Paused by client",
    "paused_internal": "Paused internally",
    "offboarding": "Offboarding",
}

console = Console(highlight=False)


def main() -> None:
    """Play on a new database, and stop everything that was started."""
    options = argparse.ArgumentParser(description="Play a month-end close with 52 clients.")
    options.add_argument("--data", type=Path, help="A new folder, which is kept.")
    data = options.parse_args().data
    with until_told_to_stop(), ExitStack() as parts:
        if data is None:
            folder = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="atlas-demo-")))
        elif data.exists():
            options.error(f"{data} already exists. Choose a new folder.")
        else:
            folder = data
        say("Starting PostgreSQL and installing the rules …")
        server = parts.enter_context(EmbeddedPostgres(folder))
        migrate(server.dsn)
        play(server.dsn)
        say()
        if data is None:
            say("To see the result on the board, keep it: make demo DATA=.atlas-demo")
        else:
            say(f"To see it on the board: make serve DATA={data}")


def play(dsn: str) -> None:
    """Play the month on a migrated database without clients. Raises StageError if a step fails."""
    with (
        Stage.connect(dsn, ADMIN) as admin,
        Stage.connect(dsn, BOOKKEEPER) as bookkeeper,
        Stage.connect(dsn, AGENT) as agent,
        Jobs(dsn) as jobs,
    ):
        bring_in_clients(admin)
        grant(admin)
        open_closes(jobs)
        block(agent)
        see_refusals(admin, bookkeeper, agent)
        undo_a_mistake(admin, bookkeeper)
        close_the_books(bookkeeper, agent)
        review(admin, bookkeeper)
        heading("The result", "One close is still open: its client hasn't answered.")
        show_stages(admin)
        show_history(admin, STILL_BLOCKED)


def bring_in_clients(admin: Stage) -> None:
    """Import the seed file: all rows or none."""
    heading("The firm", f"{ADMIN} imports 52 clients from one file, in one transaction.")
    report = importer.run(admin, seedfile.read(CLIENTS).rows, reason="First import", apply=True)
    for error in (row.error for row in report.rows if row.error):
        raise error
    show_stages(admin)


def grant(admin: Stage) -> None:
    """Give the bookkeeper and the agent what the close needs."""
    heading("Permissions", f"{ADMIN} grants what the close needs and no more.")
    for actor, permission, scope in GRANTS:
        admin.grant_permission(actor, permission=permission, scope=scope)
    rows = (
        (actor, permission, "; ".join(f"{key}: {', '.join(scope[key])}" for key in scope))
        for actor, permission, scope in GRANTS
    )
    show(("actor", "permission", "scope"), rows)


def open_closes(jobs: Jobs) -> None:
    """Run the month-end job as a scheduler does, twice: the second start has nothing to do."""
    due = next(each for each in jobs.due() if each.job == OPEN_CLOSES).due_at
    day = f"{due:%b} {due.day}, {due.year}"
    heading("Opening", f"A job opens every close of the last business day, {day}.")
    planned = list(jobs.plan(OPEN_CLOSES, as_of=due))
    say(f"Dry run: {len(planned)} clients would go from Weekly to EOM close.")
    for start in ("First start", "Second start"):
        run = jobs.perform(OPEN_CLOSES, as_of=due, only_if_due=True)
        say(f"{start}: {run.in_words()}.")


def block(agent: Stage) -> None:
    """Flag the clients that haven't sent what their close needs."""
    heading("Blocked clients", f"{AGENT} flags {len(BLOCKED)} clients that owe the firm something.")
    for slug, reason in BLOCKED.items():
        agent.set_flag(slug, flag="client_blocking", reason=reason)
    show(("client", "why it is blocked"), BLOCKED.items())


def see_refusals(admin: Stage, bookkeeper: Stage, agent: Stage) -> None:
    """Try two moves that the rules refuse."""
    heading("Refusals", "The database refuses what the rules don't allow, and says why.")
    waiting = next(iter(admin.iter_clients("eom_review")))
    say(f"{AGENT} tries to sign off {waiting.name}:")
    with refused("permission_missing"):
        move(agent, waiting, "weekly", "Looks fine")

    seen = bookkeeper.client("koan-software").client
    agent.set_flag(seen.id, flag="client_blocking", reason="A receipt is unreadable")
    agent.clear_flag(seen.id, flag="client_blocking", reason="A readable one came")
    say(f"{BOOKKEEPER} moves {seen.name}, which {AGENT} has just changed:")
    with refused("version_conflict"):
        move(bookkeeper, seen, "eom_review", "The books are closed")


def undo_a_mistake(admin: Stage, bookkeeper: Stage) -> None:
    """Undo one move. The history keeps the move and its undo."""
    client = bookkeeper.client(BY_MISTAKE).client
    heading("Undo", f"{BOOKKEEPER} sends {client.name} to review too early. {ADMIN} undoes it.")
    move(bookkeeper, client, "eom_review", "Wrong client")
    mistake = next(admin.iter_history(client.id))
    admin.rollback(client.id, history_id=mistake.id, reason="Its books aren't closed")
    show_history(admin, BY_MISTAKE)


def close_the_books(bookkeeper: Stage, agent: Stage) -> None:
    """Send every client to review except the one that is still blocked."""
    heading("Closing", f"{AGENT} sends what reconciles to review, in one call. Two clients answer.")
    ready = [each for each in agent.iter_clients("eom_close") if each.slug not in BLOCKED]
    move_all(agent, ready, "eom_review", "All accounts reconcile")
    for slug in BLOCKED:
        if slug != STILL_BLOCKED:
            cleared = bookkeeper.clear_flag(slug, flag="client_blocking", reason="It answered")
            move(bookkeeper, cleared.client, "eom_review", "Closed after the answer")
            say(f"{cleared.client.name} answered and is in EOM review.")


def review(admin: Stage, bookkeeper: Stage) -> None:
    """Send one client back, sign off the others, then sign off that one too."""
    heading("Sign-off", f"{ADMIN} sends one client back and signs off the others.")
    back = admin.client(SENT_BACK).client
    back = move(admin, back, "eom_close", "The inventory count is last month's")
    say(f"{back.name} is back in EOM close.")
    move_all(admin, admin.iter_clients("eom_review"), "weekly", "Signed off")
    corrected = move(bookkeeper, back, "eom_review", "The count is corrected")
    move(admin, corrected, "weekly", "Signed off")
    show_history(admin, SENT_BACK)


def move(stage: Stage, client: Client, to_stage: str, reason: str) -> Client:
    """Move a client, unless it has changed since it was read."""
    change = stage.set_stage(client, to_stage, reason, client.version)
    return change.client


def move_all(stage: Stage, clients: Iterable[Client], to_stage: str, reason: str) -> None:
    """Move clients in one call, and say what became of them."""
    wanted = {"to_stage": to_stage, "reason": reason}
    items = [{"client_id": each.id, "expected_version": each.version, **wanted} for each in clients]
    outcomes = stage.set_stages(items)
    say(f"{outcomes.done} clients moved to {NAMES[to_stage]}, {outcomes.refused} refused.")


@contextmanager
def refused(rule: str) -> Iterator[None]:
    """Print the refusal that the block must end in."""
    try:
        yield
    except StageError as error:
        if error.rule != rule:
            raise
        say(f"  refused ({error.rule}): {error}", "red")
        say(f"  {error.hint}", "dim")
    else:
        raise AssertionError(f"the rule {rule} did not refuse")


def heading(title: str, story: str) -> None:
    say(f"\n{title}", "bold cyan")
    say(story)


def say(text: str = "", style: str = "") -> None:
    console.print(text, style=style, markup=False, soft_wrap=True)


def show(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    table = Table(*columns, header_style="dim")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    console.print(table)


def show_stages(stage: Stage) -> None:
    counts = Counter(each.stage for each in stage.iter_clients(active=None))
    show(("stage", "clients"), ((NAMES[name], counts[name]) for name in NAMES if counts[name]))


def show_history(stage: Stage, slug: str) -> None:
    changes = list(stage.iter_history(slug))[::-1]
    show((slug, "by", "why"), ((change_of(row), row.actor_id, row.reason) for row in changes))


def change_of(row: HistoryRow) -> str:
    if row.to_stage:
        undo = "undo: " if row.trigger_type == "rollback" else ""
        begin = f"{NAMES[row.from_stage]} to " if row.from_stage else "added in "
        return undo + begin + NAMES[row.to_stage]
    return f"{row.flag_added} set" if row.flag_added else f"{row.flag_removed} cleared"


if __name__ == "__main__":
    main()
