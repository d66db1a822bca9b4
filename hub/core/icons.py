"""The icons: line drawings on a grid of 20, by name. `{% icon "clock" %}` draws one."""

from __future__ import annotations

ICONS: dict[str, str] = {
    "home": '<path d="M3 9.5 10 4l7 5.5V17h-4.5v-4.5h-5V17H3z"/>',
    "people": '<circle cx="7" cy="7" r="3"/><path d="M1.5 17c.5-3 2.7-4.5 5.5-4.5s5 1.5 5.5 4.5M13 4.2a3 3 0 0 1 0 5.6'
    'M14.5 12.7c2.3.4 3.7 1.9 4 4.3"/>',
    "person": '<circle cx="10" cy="6.5" r="3.5"/><path d="M3.5 17.5c.6-3.5 3.2-5 6.5-5s5.9 1.5 6.5 5"/>',
    "imports": '<path d="M10 3v9m0 0 3.5-3.5M10 12 6.5 8.5M3 14v3h14v-3"/>',
    "reports": '<path d="M5 2.5h7l3.5 3.5v11.5H5zM8 10h5M8 13.5h5M12 2.5V6h3.5"/>',
    "settings": '<path d="M3 6h7m4 0h3M3 14h3m4 0h7"/><circle cx="12" cy="6" r="2"/><circle cx="8" cy="14" r="2"/>',
    "mail": '<path d="M3 5h14v10H3zM3 6l7 5 7-5"/>',
    "link": '<path d="M8.5 11.5a3.5 3.5 0 0 0 5 0l3-3a3.5 3.5 0 0 0-5-5l-1 1'
    "M11.5 8.5a3.5 3.5 0 0 0-5 0l-3 "
    '3a3.5 3.5 0 0 0 5 5l1-1"/>',
    "unlink": '<path d="m5.5 9.5-2 2a3.5 3.5 0 0 0 5 5l2-2M14.5 10.5l2-2a3.5 3.5 0 0 0-5-5l-2 2M4 4l12 12"/>',
    "clock": '<circle cx="10" cy="10" r="7.5"/><path d="M10 5.5V10l3 2"/>',
    "calendar": '<path d="M3 4.5h14V17H3zM3 8.5h14M6.5 2.5v4M13.5 2.5v4"/>',
    "tick": '<path d="m4 10.5 4 4 8-9"/>',
    "cross": '<path d="m5 5 10 10M15 5 5 15"/>',
    "warning": '<path d="M10 3 18 17H2zM10 8v4.5M10 14.7v.1"/>',
    "info": '<circle cx="10" cy="10" r="7.5"/><path d="M10 9.5V14M10 6.3v.1"/>',
    "search": '<circle cx="9" cy="9" r="5.5"/><path d="m13.2 13.2 4 4"/>',
    "download": '<path d="M10 3v9m0 0 3.5-3.5M10 12 6.5 8.5M4 16.5h12"/>',
    "upload": '<path d="M10 13V4m0 0L6.5 7.5M10 4l3.5 3.5M4 16.5h12"/>',
    "undo": '<path d="M4 8h8.5a4 4 0 0 1 0 8H8M4 8l3.5-3.5M4 8l3.5 3.5"/>',
    "refresh": '<path d="M16 10a6 6 0 1 1-1.8-4.3M16 3v4h-4"/>',
    "pause": '<path d="M7 4v12M13 4v12"/>',
    "play": '<path d="M6 4v12l10-6z"/>',
    "plus": '<path d="M10 4v12M4 10h12"/>',
    "next": '<path d="m8 5 5 5-5 5"/>',
    "back": '<path d="m12 5-5 5 5 5"/>',
    "down": '<path d="m5 8 5 5 5-5"/>',
    "arrow": '<path d="M4 10h12m-4-4 4 4-4 4"/>',
    "school": '<path d="M10 2.5v4M10 3h4v2.5h-4M3 17V9l7-3.5L17 9v8zM8 17v-4h4v4"/>',
    "schools": '<path d="M2.5 17V9.5h6V17M8.5 17V5.5L13 3l4.5 2.5V17zM1 17h18M12 9.5h2M12 13h2"/>',
    "shield": '<path d="M10 2.5 16.5 5v5c0 3.7-2.7 6.3-6.5 7.5C6.2 16.3 3.5 13.7 3.5 10V5zM7 10l2.2 2.2L13 8"/>',
    "key": '<circle cx="6.5" cy="13.5" r="3"/><path d="M8.7 11.3 16 4m-3 3 2 2m-.5-4.5 1.5 1.5"/>',
    "lock": '<path d="M4.5 9h11v8h-11zM7 9V6.5a3 3 0 0 1 6 0V9"/>',
    "filter": '<path d="M3 5h14M6 10h8M8.5 15h3"/>',
    "edit": '<path d="m4 13-.5 3.5L7 16l9-9-3-3zM11 6l3 3"/>',
    "trash": '<path d="M3.5 5.5h13M8 5.5v-2h4v2M5 5.5l.7 11.5h8.6L15 5.5"/>',
    "eye": '<path d="M2 10c2-3.5 4.7-5.2 8-5.2s6 1.7 8 5.2c-2 3.5-4.7 5.2-8 5.2S4 13.5 2 10z"/>'
    '<circle cx="10" cy="10" r="2.3"/>',
    "phone": '<path d="M6.5 2.5h7v15h-7zM9 15h2"/>',
    "computer": '<path d="M2.5 4h15v9.5h-15zM7 17h6M10 13.5V17"/>',
    "copy": '<path d="M7 7h9.5v9.5H7zM13 7V3.5H3.5V13H7"/>',
    "menu": '<path d="M3 6h14M3 10h14M3 14h14"/>',
    "out": '<path d="M8 3.5H3.5v13H8M8 10h8.5m-3-3.5 3.5 3.5-3.5 3.5"/>',
    "bell": '<path d="M4.5 14.5V9a5.5 5.5 0 0 1 11 0v5.5zM3 14.5h14M8.5 17h3"/>',
    "approve": '<path d="M5 4.5h10V17H5zM8 3h4v3H8zM7.5 11.5l1.8 1.8 3.4-3.8"/>',
    "inbox": '<path d="M3 11.5 5 4h10l2 7.5V16H3zM3 11.5h4l1 2h4l1-2h4"/>',
}
