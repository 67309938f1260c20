"""How long signing in takes with 2,000 clients in all stages, and how much is in the page then."""

from __future__ import annotations

import time

from playwright.sync_api import expect

from tests.board.conftest import House, OpenPage

CLIENTS = 2_000
MOST_NODES = 900
# The best of some: other work on the machine is not the board's.
TRIES = 12
SECONDS = 1.5

_FIRM = """
set local session_replication_role = replica;
insert into clients (name, slug, stage, stage_owner, close_period, returning_to_stage)
select
  'Client ' || n, 'quick-' || n, s.stage, 'user:owner-' || n % 12,
  case when s.stage like 'eom%' then '2035-01' end,
  case when s.kind = 'pause' then 'weekly' end
from generate_series(1, 2000) n
join stages s on s.position = (select (array_agg(position))[1 + n % 8] from stages);
insert into stage_history (
  client_id, version, to_stage, actor_type, actor_id, channel, trigger_type, reason, close_period
)
select c.id, 0, c.stage, 'system', 'system:install', 'psql', 'manual', 'made', c.close_period
from clients c;
"""


def test_the_board_is_there_in_a_moment(open_page: OpenPage, house: House) -> None:
    with house.database() as db:
        db.execute(_FIRM)
    took, nodes = [], []
    for _ in range(TRIES):
        page = open_page()
        page.get_by_label("Your token").fill(house.stack.token())
        begun = time.monotonic()
        page.get_by_role("button", name="Sign in").click()
        page.locator("[data-card]").first.wait_for()
        took.append(time.monotonic() - begun)
        expect(page.locator("section.column:not(.empty)")).to_have_count(8)
        page.wait_for_load_state("networkidle")
        nodes.append(page.evaluate("document.querySelectorAll('*').length"))
        if min(took) < SECONDS:
            break
    print(f"\n{CLIENTS:,} clients: {min(took):.2f} s of {len(took)} tries, {max(nodes)} nodes")
    assert min(took) < SECONDS, took
    assert max(nodes) <= MOST_NODES, nodes
