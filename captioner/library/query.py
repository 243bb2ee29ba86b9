"""Search in a library, by words and phrases."""

import re
import sqlite3

from captioner.library.collection import Library
from captioner.text.stems import FUNCTION_WORDS

_TERMS = re.compile(r'(-?)(?:"([^"]*)"|(\S+))')
_WORD = re.compile(r"\w+")


def search(library: Library, query: str, limit: int = 100) -> list[sqlite3.Row]:
    """Find captions, the best first.

    All words must be there, in any form ("dogs" finds "dog"); words such as "a" and "on" do not
    count. "..." is a phrase, and -word must not be there. Files that are gone are left out.

    Args:
        library: Where to look.
        query: Words; empty for all captions, by path.
        limit: Most rows.

    Returns:
        Rows of the view `library`.
    """
    match, counts = _to_fts5(query)
    if not match:
        where = "0" if query.strip() else "removed IS NULL"
        return list(library.rows(f"{where} LIMIT ?", [limit]))
    return library.execute(
        'SELECT path, start, "end", c.text, caption, corrected, confidence, model, taken, width, '
        "height, size, sha256, described, removed FROM captions_fts AS f "
        "JOIN captions AS c ON c.id = f.rowid JOIN files ON files.id = c.file "
        "WHERE captions_fts MATCH ? AND removed IS NULL "
        f"ORDER BY {'f.rank, path, start' if counts else 'f.rowid'} LIMIT ?",
        [match, limit],
    )


def _to_fts5(query: str) -> tuple[str, bool]:
    """Write a query in the language of FTS5, and tell whether a word of it counts.

    Where none does, "a" and "on" are looked for, but rank nothing. Empty if there is no word.

    Example:
        >>> _to_fts5('dogs on a "red car" -cat')
        ('("dogs" AND "red car") NOT "cat"', True)
        >>> _to_fts5("the")
        ('("the")', False)
    """
    wanted, unwanted, light = [], [], []
    for minus, phrase, word in _TERMS.findall(query):
        words = _WORD.findall(phrase or word)
        if not words:
            continue
        term = '"' + " ".join(words) + '"'
        if minus:
            unwanted.append(term)
        elif not phrase and words[0].lower() in FUNCTION_WORDS:
            light.append(term)
        else:
            wanted.append(term)
    terms = wanted or light
    if not terms:
        return "", False
    return " NOT ".join([f"({' AND '.join(terms)})", *unwanted]), bool(wanted)
