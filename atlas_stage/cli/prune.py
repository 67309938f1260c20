"""`atlas-stage prune`: what has been kept long enough goes."""

import typer

from atlas_stage.cli.base import session


def prune(ctx: typer.Context) -> None:
    """Delete old answers to repeatable writes and old runs of jobs, as the settings say; history stays."""
    import psycopg

    from atlas_stage.transports.psycopg import translate

    run = session(ctx)
    keys = runs = 0
    with run.connection() as connection:
        try:
            while True:
                row = connection.execute("select p.keys, p.runs from ops.prune() p").fetchone()
                connection.commit()  # each slice by itself: nothing is held for long
                if row is None or row == (0, 0):
                    break
                keys, runs = keys + row[0], runs + row[1]
        except psycopg.Error as error:
            raise translate(error) from error
    said = f"{keys} answers and {runs} runs of jobs were old enough"
    run.output.result({"keys": keys, "runs": runs}, said)
