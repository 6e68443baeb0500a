"""Text forms of durations: exact (`4:10`), approximate (`about 12 minutes`) and short (`0.9 s`); and of times of day.

The command line and all pages use these forms.
"""

from __future__ import annotations

import math
import time
from datetime import datetime

MINUTE, HOUR, DAY = 60, 3600, 86400
"""Number of seconds in a minute, an hour and a day."""


def clock(seconds: float | None) -> str:
    """A duration, rounded to seconds, as `4:10` or `1:04:10`; a dash if it is None or not finite.

    >>> clock(249.5), clock(3850), clock(0.4), clock(None)
    ('4:10', '1:04:10', '0:00', '–')
    """
    if seconds is None or not math.isfinite(seconds):
        return "–"
    minutes, rest = divmod(math.floor(max(0.0, seconds) + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def about(seconds: float) -> str:
    """An estimated duration, rounded to about two digits, in the best unit.

    The unit is seconds below 90 seconds, minutes below 100 minutes, hours below 36 hours, else days. `seconds` must be
    finite.

    >>> about(40), about(720), about(6500), about(172_800)
    ('about 40 seconds', 'about 12 minutes', 'about 1.8 hours', 'about 2 days')
    """
    if seconds < 1.5:
        return "about a second"
    if seconds < 90:
        return f"about {round(seconds)} seconds"
    if seconds < 100 * MINUTE:
        return f"about {round(seconds / MINUTE)} minutes"
    if seconds < 36 * HOUR:
        return f"about {seconds / HOUR:.2g} hours"
    days = seconds / DAY
    return f"about {days:.2g} days" if days < 99.5 else f"about {days:,.0f} days"


def short(seconds: float) -> str:
    """A short duration in milliseconds or seconds, for lists of figures.

    >>> short(0.09), short(0.9), short(12)
    ('90 ms', '0.9 s', '12 s')
    """
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"


def time_of_day_words(when: datetime, before: str = "about ") -> str:
    """A time of day as text, with the day if it is not today: `about 14:05`, `tomorrow about 09:30`.

    `before` is the text between the day and the time; it is empty for a time that is not an estimate.
    """
    today = datetime.now(when.tzinfo).date()
    time_of_day = f"{before}{when:%H:%M}"
    days = (when.date() - today).days
    if days == 0:
        return time_of_day
    if days == 1:
        return f"tomorrow {time_of_day}"
    return f"on {when:%a} {when.day} {when:%B} {time_of_day}"


def day_and_time(at: float) -> str:
    """A time (seconds since 1970) as text for a sentence: `today at 12:04`, `on 29 Nov 2026`."""
    then = time.localtime(at)
    if then[:3] == time.localtime()[:3]:
        return f"today at {time.strftime('%H:%M', then)}"
    return f"on {then.tm_mday} {time.strftime('%b %Y', then)}"
