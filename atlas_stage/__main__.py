"""The program `atlas-stage`, also as `python -m atlas_stage`."""

import logging
import sys


def main() -> int:
    """Run the command line, or say what to install."""
    try:
        from atlas_stage.cli import app
        from atlas_stage.cli.rendering import survive_any_encoding

        survive_any_encoding()
        # It would tell of a connection that Ctrl-C cut off; who pressed it knows.
        logging.getLogger("psycopg").addHandler(logging.NullHandler())
        app(prog_name="atlas-stage")
    except SystemExit as ended:
        # Rich and Typer end with 1 when a reader has enough, as `head` has. That's no refusal.
        if not isinstance(ended.__context__, BrokenPipeError):
            raise
    except KeyboardInterrupt:  # before the CLI has started; later it handles this
        return 130
    except ModuleNotFoundError as error:
        if str(error.name).startswith("atlas_stage"):
            raise
        print(
            f"error: the command line needs {error.name}, which is not installed\n  pip install 'atlas-stage[cli]'",
            file=sys.stderr,
        )
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
