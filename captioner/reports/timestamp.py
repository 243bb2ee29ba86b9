"""Times in a film, as people and players read them."""


def format_time(seconds: float, decimals: int = 1, point: str = ".", hour_digits: int = 1) -> str:
    """Write a time as hours, minutes and seconds.

    Example:
        >>> format_time(3725.25), format_time(59.9996, decimals=3, point=",", hour_digits=2)
        ('1:02:05.3', '00:01:00,000')
    """
    # Rounded up to the next tenth or thousandth where it is half: 59.96 is 1:00.0, not 0:60.0.
    units = int(seconds * 10**decimals + 0.5)
    whole, fraction = divmod(units, 10**decimals)
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:0{hour_digits}}:{minute:02}:{second:02}{point}{fraction:0{decimals}}"
