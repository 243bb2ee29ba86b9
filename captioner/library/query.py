"""Full-text search in a library, by words and phrases."""

import re
import sqlite3

from captioner.library.collection import Library
from captioner.text.english import FUNCTION_WORDS
from captioner.text.unspaced import has_unspaced

_TERMS = re.compile(r'(-?)(?:"([^"]*)"|(\S+))')
_WORD = re.compile(r"\w+")


def search(library: Library, query: str, limit: int = 100) -> list[sqlite3.Row]:
    """Find captions, the best match first.

    All words must occur, in any form ("dogs" finds "dog"); words such as "a" and "on" are ignored.
    "..." is a phrase, and -word excludes a word. A word of a script without spaces, such as
    Chinese, is found anywhere in a caption. Missing files are left out.

    Args:
        library: Library to search.
        query: Words; an empty query finds all captions, ordered by path.
        limit: Maximum number of rows.

    Returns:
        Rows of the view `library`.
    """
    match, counts, parts = _to_fts5(query)
    if not match and not parts:
        where = "0" if query.strip() else "removed IS NULL"
        return list(library.rows(f"{where} LIMIT ?", [limit]))
    conditions = ["removed IS NULL"]
    values: list[str | int] = []
    if match:
        conditions.append("captions_fts MATCH ?")
        values.append(match)
    for part, is_wanted in parts:
        conditions.append(f"{'' if is_wanted else 'NOT '}instr(c.text, ?)")
        values.append(part)
    return library.execute(
        'SELECT path, start, "end", c.text, caption, corrected, confidence, model, taken, width, '
        "height, size, sha256, described, removed FROM captions AS c "
        f"{'JOIN captions_fts AS f ON c.id = f.rowid ' if match else ''}"
        "JOIN files ON files.id = c.file "
        f"WHERE {' AND '.join(conditions)} "
        f"ORDER BY {'f.rank, path, start' if counts else 'c.id'} LIMIT ?",
        [*values, limit],
    )


def _to_fts5(query: str) -> tuple[str, bool, list[tuple[str, bool]]]:
    """Translate a query into FTS5 syntax, and return whether it has a word that counts.

    Without such a word, "a" and "on" are searched for, but not used for ranking. The translation
    is empty if there is no word at all. FTS5 does not find words in scripts without spaces: they
    are returned beside it, each with False if it must not occur.

    Example:
        >>> _to_fts5('dogs on a "red car" -cat')
        ('("dogs" AND "red car") NOT "cat"', True, [])
        >>> _to_fts5("the")
        ('("the")', False, [])
        >>> _to_fts5("红色 -狗")
        ('', False, [('红色', True), ('狗', False)])
    """
    wanted, unwanted, light, parts = [], [], [], []
    for minus, phrase, word in _TERMS.findall(query):
        words = _WORD.findall(phrase or word)
        if not words:
            continue
        term = '"' + " ".join(words) + '"'
        if has_unspaced(phrase or word):
            parts.append((phrase or word, not minus))
        elif minus:
            unwanted.append(term)
        elif not phrase and words[0].lower() in FUNCTION_WORDS:
            light.append(term)
        else:
            wanted.append(term)
    terms = wanted or ([] if parts else light)
    if not terms:
        # FTS5 cannot search for what must not occur alone.
        parts += [(term.strip('"'), False) for term in unwanted] if parts else []
        return "", False, parts
    return " NOT ".join([f"({' AND '.join(terms)})", *unwanted]), bool(wanted), parts
