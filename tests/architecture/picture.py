"""Draws the wings and their rooms from the imports: `python -m tests.architecture.picture` (`make pages`).

A room stands on the floor that its imports allow: all it uses is below it, so that every line leads down. A line that
others together already say (A uses B, B uses C, and A uses C) is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from tests.architecture.imports import HOUSE, ROOT, WINGS, arrows, floors

PICTURE = ROOT / "docs" / "architecture.svg"
_WIDTH, _BOX, _HIGH, _GAP, _RISE = 1080, 124, 34, 26, 66
_LEFT, _INNER = 190, 20
_MACHINE = "what runs on your machine"
# From top to bottom.
_COLOURS = {
    "what CDK makes": "#e8f1fb",
    _MACHINE: "#eef6ea",
    "what runs in AWS": "#fdf1e3",
    "what people edit": "#f4f0f8",
}


def needed(graph: Mapping[str, Iterable[str]]) -> set[tuple[str, str]]:
    """The arrows of a graph without circles that no way over others says already."""
    below: dict[str, set[str]] = {}
    for floor in floors(graph):
        for name in floor:
            below[name] = set(graph[name]).union(*(below[used] for used in graph[name]))
    return {
        (name, used)
        for name, all_used in graph.items()
        for used in all_used
        if not any(used in below[other] for other in all_used if other != used)
    }


def _rows() -> list[tuple[str, list[list[str]]]]:
    """Wings from top to bottom, each with its floors from top to bottom."""
    graph = arrows()
    found = []
    for wing, names in WINGS.items():
        rooms = {room: used for room, used in graph.items() if room.split(".")[0] in names}
        found.append((wing, floors(rooms)[::-1] if rooms else [list(names)]))
    return sorted(found, key=lambda each: list(_COLOURS).index(each[0]))


def _placed(rows: list[tuple[str, list[list[str]]]]) -> dict[str, tuple[float, float]]:
    """The middle of each room's box: those used from the left stand left, and no floor's right below the last one's."""
    graph, found, y, aside = arrows(), {}, 30.0, _BOX * 0.6
    for wing, rising in rows:
        y += _INNER
        for floor in rising:
            users = {room: [found[each][0] for each in found if room in graph.get(each, ())] for room in floor}
            ordered = sorted(floor, key=lambda room: (sum(users[room]) / len(users[room]) if users[room] else 0, room))
            step = (_WIDTH - _LEFT) / len(ordered)
            shift = aside if wing == _MACHINE and step > 2 * _BOX else 0.0
            for index, room in enumerate(ordered):
                found[room] = (_LEFT + step * (index + 0.5) + shift, y + _HIGH / 2)
            y, aside = y + _RISE, -aside
        y += _GAP - (_RISE - _HIGH) + _INNER
    return found


def drawn() -> str:
    """The picture as SVG, the same bytes for the same imports."""
    rows = _rows()
    at = _placed(rows)
    bottom = max(y for _, y in at.values()) + _HIGH / 2 + _INNER + 10
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {bottom:.0f}" font-family="sans-serif">',
        "<!-- made by `make generate` from the imports -->",
        "<title>The four wings of Ringfence, their rooms, and which room uses which</title>",
        f'<rect width="{_WIDTH}" height="{bottom:.0f}" fill="#fff"/>',
    ]
    for wing, floors_of in rows:
        ys = [at[room][1] for floor in floors_of for room in floor]
        top, foot = min(ys) - _HIGH / 2 - _INNER, max(ys) + _HIGH / 2 + _INNER
        size = f'width="{_WIDTH - 20}" height="{foot - top:.0f}"'
        out.append(f'<rect x="10" y="{top:.0f}" {size} rx="8" fill="{_COLOURS[wing]}"/>')
        out.append(f'<text x="22" y="{top + 24:.0f}" font-size="14" font-weight="bold">{escape(wing)}</text>')
        if wing == _MACHINE:
            out.append(f'<text x="22" y="{top + 44:.0f}" font-size="13">{HOUSE}/</text>')
    for user, used in sorted(needed(arrows())):
        (x1, y1), (x2, y2) = at[user], at[used]
        y1, y2 = y1 + _HIGH / 2, y2 - _HIGH / 2
        path = f"M{x1:.0f} {y1:.0f}C{x1:.0f} {y1 + 28:.0f} {x2:.0f} {y2 - 28:.0f} {x2:.0f} {y2:.0f}"
        out.append(f'<path d="{path}" fill="none" stroke="#5b6770" stroke-width="1.2"/>')
        out.append(f'<circle cx="{x2:.0f}" cy="{y2:.0f}" r="3" fill="#5b6770"/>')
    for room, (x, y) in sorted(at.items()):
        label = "app.py" if room == "app" else f"{room.removeprefix(f'{HOUSE}.')}/"
        out.append(
            f'<rect x="{x - _BOX / 2:.0f}" y="{y - _HIGH / 2:.0f}" width="{_BOX}" height="{_HIGH}" rx="4" fill="#fff" '
            f'stroke="#5b6770"/><text x="{x:.0f}" y="{y + 5:.0f}" font-size="13" text-anchor="middle">{label}</text>'
        )
    return "\n".join([*out, "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(drawn(), encoding="utf-8")
    print(f"picture: wrote {PICTURE.relative_to(ROOT)}")
