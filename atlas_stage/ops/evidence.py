"""All pages of `verify` and `digest`: whether everything is as recorded, and a digest that proves it later."""

import time
from dataclasses import replace

from atlas_stage.models import DigestPage, Verification
from atlas_stage.stage import Stage

# How long a new digest waits for open transactions.
PATIENCE_SECONDS = 5.0


def verify(stage: Stage) -> Verification:
    """Verify all clients and all administration records; one result for all pages."""
    page = total = stage.verify()
    while page.next:
        page = stage.verify(**page.next)
        sums = ("clients", "rows", "records", "breaks", "erasures")
        total = Verification(**{name: getattr(total, name) + getattr(page, name) for name in sums})
    return total


def digest(stage: Stage, as_of: str | None = None, *, patience: float | None = None) -> DigestPage:
    """Digest everything up to now, or up to the moment of an earlier digest.

    A new digest waits up to `patience` seconds (None: PATIENCE_SECONDS) for transactions that are open when it is
    requested; `open` lists those that are open even then.
    """
    first = page = stage.digest(as_of)
    held_up_by = {each.transaction for each in first.open}
    until = time.monotonic() + (PATIENCE_SECONDS if patience is None else patience)
    while held_up_by and time.monotonic() < until:
        time.sleep(0.1)
        first = page = stage.digest()
        held_up_by &= {each.transaction for each in first.open}
    while page.next:
        page = stage.digest(**page.next)
    still_open = tuple(each for each in first.open if each.transaction in held_up_by)
    return replace(first, digest=page.digest, open=still_open, next={})
