"""What a browser says of itself, in words for a list of devices: "Firefox on Android". Pure.

A hint for people, never a proof: every word of it can be made up.
"""

from __future__ import annotations

BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""What the browser's line holds, and its name; the first that fits: most pretend to be another too."""

SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


def words(user_agent: str, brands: str = "") -> str:
    """Return "Chromium on Linux" from the `User-Agent` and `Sec-CH-UA` headers; "An unknown browser" from nothing."""
    browser = _first(BROWSERS, user_agent)
    if browser == "Chrome" and "Chromium" in brands and "Google Chrome" not in brands:
        browser = "Chromium"
    if browser == "Chrome" and "Headless" in user_agent:
        browser = "Chromium"
    system = _first(SYSTEMS, user_agent)
    if browser and system:
        return f"{browser} on {system}"
    return browser or (f"A browser on {system}" if system else "An unknown browser")


def _first(table: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for part, name in table if part in text), "")
