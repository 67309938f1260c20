"""tools/generate.py makes a method of each function, or says which file it can't read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import generate

FUNCTION = """create or replace function api.remind(
  client_id bigint,
  day       date default null,  -- tomorrow, by default
  note      text default 'call'
)
returns jsonb
language plpgsql
stable
as $$
begin
  return rules.earlier_answer();
end
$$;

comment on function api.remind(bigint, date, text) is
'Remind the client''s owner.
note: a \\ or "quotes".
Returns {reminded}.';
"""
METHOD = '''
    async def remind(self, client_id: ClientName, *, day: str | None = None, note: str | None = None) -> Json:
        """Remind the client's owner.

        note: a \\\\ or \\"quotes\\"."""
        return await self._call("remind", vars(), Json, None, read=True, keyed=True)
'''


def _made(root: Path, source: str, monkeypatch: pytest.MonkeyPatch) -> str:
    (root / "sql/api/remind.sql").write_text(source)
    monkeypatch.setattr(generate, "ROOT", root)
    return generate.methods()


def test_a_function_is_a_method(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert METHOD in _made(root, FUNCTION, monkeypatch)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("date default null", "date\n    default null", "'default null'"),
        ("date default null", "date = null", "'day       date = null'"),
        ("date default null", "numeric default null", "one of the types bigint, "),
        ("date default null", "timestamp with time zone default null", "one per line"),
        ("bigint,\n  day", "bigint, day", "one per line"),
        ("day  ", "out day", "one per line"),
        ("api.remind", "api.warn", "the file's name"),
        ("\ncomment on", "\n-- comment on", "its COMMENT"),
        ("\nreturns", " returns", "line breaks"),
        ("as $$", "AS $$", "small letters"),
        ("is\n'Remind", "is 'Remind", "line breaks"),
        ("reminded}.';\n", f"reminded}}.';\n\n{FUNCTION.replace('remind', 'warn')}", "one function"),
    ],
)
def test_what_is_written_otherwise_is_an_error_that_names_the_file(
    root: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, said: str
) -> None:
    with pytest.raises(ValueError, match=r"^sql/api/remind\.sql: ") as caught:
        _made(root, FUNCTION.replace(old, new), monkeypatch)

    assert said in str(caught.value)


def test_a_record_that_answers_no_function_is_an_error(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "sql/api/settings.sql").rename(root / "sql/api/remind.sql")
    monkeypatch.setattr(generate, "ROOT", root)

    with pytest.raises(ValueError, match="named settings"):
        generate.methods()
