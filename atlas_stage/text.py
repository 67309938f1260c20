"""Text that people typed, made safe to print: one line, nothing that can steer a terminal."""

import unicodedata

# Control, format (among them the bidirectional overrides), surrogate, line and paragraph separators.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Joiners stand inside ordinary names (emoji, Persian, Indic scripts) and steer nothing.
_JOINERS = frozenset("\u200c\u200d")


def plain(value: object) -> str:
    """Return `value` as one printable line; characters that do not print become escapes (`\\x1b`)."""
    return "".join(map(_shown, str(value)))


def _shown(character: str) -> str:
    if character in _JOINERS or unicodedata.category(character) not in _UNPRINTABLE:
        return character
    return character.encode("unicode_escape").decode("ascii")
