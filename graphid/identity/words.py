"""The words by which people are looked for: of their names, of identifiers, of what is typed.

Both sides are folded here and nowhere else, so what is typed meets what is stored: without
regard to case, accents and width, in any script. Whatever is neither a letter nor a digit parts
words, so no word means anything to the syntax of an index. Scripts that are written without
spaces are taken character by character.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from graphid.identity.state import Contact
from graphid.identity.values import IdentifierKey

LONGEST_WORD = 64
"""Characters of a word that count; longer ones are cut, on both sides."""

NAMES = ("firstName", "lastName")
"""The traits by which people are looked for."""

ACCENT = 10
"""Combining marks of this class and above are no part of a letter; those below are, as the voiced
marks of kana and the nukta."""

_UNSPACED = re.compile(
    "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Kana, Han, Hangul: a family name and a given name may be written as one."""

_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
"""Letters that Unicode does not take apart, and people type without."""


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text in its order, each once."""
    return tuple(dict.fromkeys(_words(_folded(text))))


def words_of_names(contact: Contact) -> str | None:
    """The words of what a contact is called; None where it has no name.

    What is an identifier is no name, so that nobody finds by its beginning what they may not see:
    not a value that the contact holds, nor an address, nor a word with a digit.
    """
    held = {identifier.partition(":")[2].casefold() for identifier in contact.holds}
    said = (contact.traits[name].value for name in NAMES if name in contact.traits)
    names = (
        name
        for name in said
        if isinstance(name, str) and "@" not in name and name.strip().casefold() not in held
    )
    return _text(w for name in names for w in words_of(name) if not any(map(str.isdigit, w)))


def words_of_identifier(identifier: IdentifierKey) -> str | None:
    """The words of an identifier's value; None where it is made of signs alone."""
    return _text(words_of(identifier.partition(":")[2]))


def begins(word: str) -> bool:
    """Whether words that begin with this one are meant, too: not by a single plain letter."""
    return len(word) > 1 or not word.isascii()


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_PLAIN)
    letters = (c for c in unicodedata.normalize("NFD", plain) if unicodedata.combining(c) < ACCENT)
    return unicodedata.normalize("NFC", "".join(letters))


def _words(folded: str) -> Iterator[str]:
    word = ""
    for c in folded:
        is_alone = c.isalnum() and _UNSPACED.match(c) is not None
        if not is_alone and (c.isalnum() or (word and unicodedata.category(c).startswith("M"))):
            word += c
            continue
        if word:
            yield word[:LONGEST_WORD]
            word = ""
        if is_alone:
            yield c
    if word:
        yield word[:LONGEST_WORD]


def _text(words: Iterable[str]) -> str | None:
    return " ".join(dict.fromkeys(words)) or None
