"""How long something takes, in words."""


def format_duration(seconds: float) -> str:
    """Write how long something takes, as roughly as it is known.

    Example:
        >>> [format_duration(seconds) for seconds in (40, 700, 11_000)]
        ['40 s', '12 min', '3 h 3 min']
    """
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
