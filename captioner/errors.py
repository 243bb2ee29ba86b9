"""The base error for problems that the user can fix."""


class CaptionerError(Exception):
    """Error that the user can fix; its message names the file and the fix."""


def unreadable(name: str, reason: str, fix: str) -> CaptionerError:
    """Return the error for an unreadable file, with the reason and the fix.

    Example:
        >>> print(unreadable("a.jpg", "empty", "fetch it again"))
        cannot read a.jpg (empty): fetch it again
    """
    return CaptionerError(f"cannot read {name or repr(name)} ({reason}): {fix}")
