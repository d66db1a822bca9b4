"""Judging pages by axe: accessible by every rule, and nothing wider than the screen.

The page that is judged was opened by another, and axe stays in that one: what it compiled serves page after page.
"""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1280, "height": 900}
RULES: dict[str, Any] = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "reporter": "no-passes",
}
LOOKS: dict[str, Any] = {
    "runOnly": ["color-contrast", "target-size", "scrollable-region-focusable"],
    "reporter": "no-passes",
}
"""The rules that a size or a colour scheme decides; the others read the same page."""
_JUDGE = f"""() => {{ window.axeFor = function (window, document = window.document) {{
    {Axe().axe_script}
    return window.axe;
}} }}"""
"""The names that axe takes for its own page's are given to it as those of the page to judge."""
_LOOK = """([rules, everything]) => {
    const it = window.judged, document = it.document, known = new Map(), numbers = new Map(), asked = new Map();
    if (!it.axe) window.axeFor(it).configure({rules: [{id: 'color-contrast', selector: '*:not([data-alike])'}]});

    const kindOf = node => {
        if (!node) return '';
        if (known.has(node)) return known.get(node);
        const style = getComputedStyle(node);
        const kind = [kindOf(node.parentElement), style.color, style.backgroundColor, style.backgroundImage,
            style.backgroundClip, style.opacity, style.filter, style.mixBlendMode, style.textShadow, style.fontSize,
            style.fontWeight, ['static', 'relative'].includes(style.position) ? '' : `${style.position} ${known.size}`,
            node.matches('[disabled], [aria-disabled=true]'), node.getAttribute('role')].join('|');
        if (!numbers.has(kind)) numbers.set(kind, numbers.size);
        known.set(node, numbers.get(kind));
        return known.get(node);
    };
    for (const node of document.body.querySelectorAll('*')) {
        node.removeAttribute('data-alike');
        const text = [...node.childNodes].filter(one => one.nodeType === 3).map(one => one.data).join('').trim();
        if (everything || !text || node.closest('input, select, textarea, button, label, svg')) continue;
        if (!node.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
        const kind = `${kindOf(node)} ${/\\p{L}.*\\p{L}/u.test(text)}`;
        asked.set(kind, (asked.get(kind) || 0) + 1);
        if (asked.get(kind) > 3) node.setAttribute('data-alike', '');
    }
    return it.axe.run(document, rules).then(found => ({
        wrong: found.violations.map(rule => `${rule.id}: ${rule.nodes[0].html.slice(0, 120)}`),
        wide: [document.documentElement.scrollWidth, document.documentElement.clientWidth],
    }));
}"""
"""Only what is wrong leaves the browser: the rest is megabytes. Of texts in the same colour, size and weight on the
same backgrounds (table rows, links of a list), three a page are asked for their contrast; the answer is the same."""


def opened_by(judge: Page) -> Page:
    """Return a page to go to and judge, which this one opens and watches."""
    judge.evaluate(_JUDGE)
    with judge.expect_popup() as opened:
        judge.evaluate("() => { window.judged = window.open('about:blank') }")
    return opened.value


def problems_of(page: Page, rules: dict[str, Any] = RULES, *, everything: bool = False) -> list[str]:
    """Return what is wrong with the page, which `open_page(…, judged=True)` gave, as it is seen now."""
    judge = page.opener()
    assert judge
    said: dict[str, Any] = judge.evaluate(_LOOK, [rules, everything])
    found: list[str] = said["wrong"]
    if said["wide"][0] > said["wide"][1]:
        found.append(f"wider than the screen: {said['wide']}")
    return found


def problems_in_both(page: Page, *, everything: bool = False) -> list[str]:
    """Look at the page that is open, at a desk in light and on a phone in the dark, and leave it as seen last.

    The next page is then opened the other way round: each change of size costs as much as opening one.
    """
    found: list[str] = []
    at_desk = page.viewport_size == DESK
    for desk in (at_desk, not at_desk):
        if desk is not at_desk:
            page.set_viewport_size(DESK if desk else PHONE)
            page.emulate_media(color_scheme="light" if desk else "dark")
        rules = RULES if desk or everything else LOOKS
        problems = problems_of(page, rules, everything=everything)
        found += problems if desk else [f"on a phone, dark: {problem}" for problem in problems]
    return found
