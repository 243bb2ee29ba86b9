"""Full-text search in a library, by words and phrases."""

import re
import sqlite3

from captioner.library.collection import Library
from captioner.text.stems import FUNCTION_WORDS

_TERMS = re.compile(r'(-?)(?:"([^"]*)"|(\S+))')
_WORD = re.compile(r"\w+")


def search(library: Library, query: str, limit: int = 100) -> list[sqlite3.Row]:
    """Find captions, the best match first.

    All words must occur, in any form ("dogs" finds "dog"); words such as "a" and "on" are ignored.
    "..." is a phrase, and -word excludes a word. Missing files are left out.

    Args:
        library: Library to search.
        query: Words; an empty query finds all captions, ordered by path.
        limit: Maximum number of rows.

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
    """Translate a query into FTS5 syntax, and return whether it has a word that counts.

    Without such a word, "a" and "on" are searched for, but not used for ranking. The translation
    is empty if there is no word at all.

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
