"""Numbers and texts as people read them."""

_LONGEST = 160


def clock_of(seconds: float) -> str:
    """Return 3725.0 as `1:02:05`, 65.0 as `1:05`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def span_of(seconds: float) -> str:
    """Return 0.0031 as `3 ms`, 1.84 as `1.8 s`, and from a minute on what `clock_of` does."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 60 else clock_of(seconds)


def size_of(count: float) -> str:
    """Return 1234567 as `1.2 MB`."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"


def clipped(text: str) -> str:
    """Return a text that may be a 70 kB URL so that it does not fill the screen."""
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST - 40]}… ({len(text):,} characters)"


def counted(number: int, noun: str) -> str:
    """Return `1 page`, `1,200 pages`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
