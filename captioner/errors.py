"""The one error that this package raises for what its user can mend."""


class CaptionerError(Exception):
    """An error that the user can mend; its message names the file and the mend."""


def unreadable(name: str, reason: str, fix: str) -> CaptionerError:
    """Return the error that says which file cannot be read, why, and what to do.

    Example:
        >>> print(unreadable("a.jpg", "empty", "fetch it again"))
        cannot read a.jpg (empty): fetch it again
    """
    return CaptionerError(f"cannot read {name or repr(name)} ({reason}): {fix}")
