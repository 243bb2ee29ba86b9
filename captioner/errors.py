"""The one error that this package raises for what its user can mend."""


class CaptionerError(Exception):
    """An error that the user can mend; its message names the file and the mend."""
