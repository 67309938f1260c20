"""Who plays: the actors, the clients of the seed file, and what happens to which of them."""

from importlib import resources
from pathlib import Path

from atlas_stage.local.demo import stories
from atlas_stage.local.demo.screen import Screen
from atlas_stage.models import Change, Client, HistoryRow
from atlas_stage.ops import seedfile
from atlas_stage.stage import Stage

ADMIN = "user:jimmie"
BOOKKEEPER = "user:ledger-bookkeeper-1"
AGENT = "agent:tally"

BLOCKED = {
    "bayou-city-plumbing": "no bank statement for the savings account yet",
    "cafe-nandu": "tip reports missing for the last week",
    "fernwood-property": "owner has not confirmed two transfers",
    "galvan-tile": "three uncategorised checks, asked by e-mail",
    "northbound-trucking": "fuel card statement missing",
}
STILL_BLOCKED = ("fernwood-property", "galvan-tile")
SENT_BACK = "frost-ember-brewing"
CHANGED_MEANWHILE = "juniper-row"
MOVED_BY_MISTAKE = "quillfeather-books"

GRANTS = (
    (
        BOOKKEEPER,
        "can_set_stage",
        {"from": ["weekly", "eom_close"], "to": ["eom_close", "eom_review"]},
    ),
    (BOOKKEEPER, "can_set_flag", {"flags": ["client_blocking", "advisory_due"]}),
    (AGENT, "can_set_stage", {"from": ["eom_close"], "to": ["eom_review"]}),
    (AGENT, "can_set_flag", {"flags": ["client_blocking"]}),
)


class Cast:
    """The three actors, each with a stage of its own, and the clients as the seed huddle left them.

    `desk` is the admin's stage on the database itself: the seed file comes in as one transaction.
    """

    def __init__(
        self, desk: Stage, admin: Stage, bookkeeper: Stage, agent: Stage, screen: Screen
    ) -> None:
        self.desk = desk
        self.admin = admin
        self.bookkeeper = bookkeeper
        self.agent = agent
        self.screen = screen
        self.slugs = [row.cells["slug"] for row in seed()]
        self.start: dict[int, Client] = {}

    def clients(self, stage: str | None = None) -> list[Client]:
        """The play's own clients, in the order of the seed file; the database may hold others."""
        found = {each.slug: each for each in self.admin.iter_clients(stage, active=None)}
        return [found[slug] for slug in self.slugs if slug in found]

    def client(self, slug: str) -> Client:
        """One of them, as it is now."""
        return next(each for each in self.clients() if each.slug == slug)

    def story_of(self, client: Client) -> list[HistoryRow]:
        """What the play has recorded of a client after the seed huddle."""
        return stories.rows_since(self.admin, self.start[client.id])


def move(
    stage: Stage, client: Client, to_stage: str, reason: str, event: str | None = None
) -> Change:
    """Move a client that was just read."""
    return stage.set_stage(
        client.id,
        to_stage=to_stage,
        reason=reason,
        expected_version=client.version,
        triggered_by=event,
    )


def seed() -> list[seedfile.Row]:
    """The 52 clients of the seed file."""
    with resources.as_file(resources.files("atlas_stage.local.demo") / "clients.csv") as path:
        return seedfile.read(Path(path))
