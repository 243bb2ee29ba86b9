"""Durations as text."""


def format_duration(seconds: float) -> str:
    """Format a duration, rounded to minutes if it is longer than two.

    Example:
        >>> [format_duration(seconds) for seconds in (40, 700, 11_000)]
        ['40 s', '12 min', '3 h 3 min']
    """
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
