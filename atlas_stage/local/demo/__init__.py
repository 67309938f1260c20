"""A month-end close of a firm with 52 clients, played under the rules in nine acts.

The acts know nothing but `Stage`, so they play over any transport; only the seed file needs the database. They start
from that file by importing it as an admin's override, which puts every client where the file says: the play can run
again on the same database.
"""

from collections.abc import Callable
from contextlib import ExitStack

from atlas_stage.local.demo import closing, opening
from atlas_stage.local.demo.cast import ADMIN, AGENT, BOOKKEEPER, Cast
from atlas_stage.local.demo.screen import Screen
from atlas_stage.stage import Stage

ACTS = (
    opening.seed_huddle,
    opening.grants,
    opening.month_end,
    opening.blockers,
    closing.refusals,
    closing.closing,
    closing.review,
    closing.rollback,
    closing.all_stories,
)


def play(desk: Stage, connect: Callable[[str], Stage], screen: Screen) -> None:
    """Play all acts. `desk` is the admin's stage on the database, `connect` gives an actor's over any transport.

    Raises StageError where the play goes wrong.
    """
    with ExitStack() as stages:
        admin, bookkeeper, agent = (
            stages.enter_context(connect(actor)) for actor in (ADMIN, BOOKKEEPER, AGENT)
        )
        cast = Cast(desk, admin, bookkeeper, agent, screen)
        for act in ACTS:
            act(cast)
