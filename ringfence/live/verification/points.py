"""What only a live account can show, as data: each point with its id, its owner, and how it is judged."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from ringfence.reading.documents import Strict, read_checked

DATA: Final = Path(__file__).resolve().parents[1] / "data" / "points.toml"
PAGE: Final = Path(__file__).resolve().parents[3] / "docs" / "verification.md"
BEGIN: Final = "<!-- made by `make pages` from ringfence/live/data/points.toml -->"
END: Final = "<!-- end of the points -->"
_WIDTH: Final = 128


class Point(Strict):
    """One point.

    Attributes:
        id: such as LIVE-01; never given again.
        owner: the role that closes it.
        by_hand: what the owner does besides, which no command does; empty where there is nothing.
        settled: what documents say about it already, with their date; empty where they are silent.
        check: what verify-live looks at for it; empty where the owner closes it by hand.
        drill: whether a part of it needs a deliberate fault (`--drill`).
    """

    id: Annotated[str, Field(pattern=r"^LIVE-[0-9]{2,}$")]
    claim: str
    owner: str
    command: str
    how: str
    by_hand: str = ""
    settled: str = ""
    check: Annotated[tuple[str, ...], Field(strict=False)] = ()
    drill: bool = False


class Points(Strict):
    """The whole file."""

    point: Annotated[tuple[Point, ...], Field(strict=False, min_length=1)]


def read_points(path: Path = DATA) -> list[Point]:
    """Returns the points in the order of their ids; raises as `read_checked`."""
    found = read_checked(path, Points, distinct={"point": ("id",)}).point
    return sorted(found, key=lambda point: point.id)


def as_markdown(points: list[Point]) -> str:
    """Returns the section of docs/verification.md that lists the points."""
    lines: list[str] = []
    for point in points:
        text = f"- **{point.id}** {point.claim}"
        if point.settled:
            text += f" *Documents:* {point.settled}"
        text += f" *Closed by* the {point.owner}, {_command(point)}: {point.how}"
        text += f" *By hand besides:* {point.by_hand}" if point.by_hand else ""
        lines += textwrap.wrap(text, _WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines)


def _command(point: Point) -> str:
    return f"`{point.command}`" if point.command.startswith("make ") and "," not in point.command else point.command


def with_points(page: str, points: list[Point]) -> str:
    """Returns a page with the points between its two marks.

    Raises:
        ValueError: a mark is missing.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks {BEGIN!r} or {END!r}")
    return f"{before}{BEGIN}\n\n{as_markdown(points)}\n\n{END}{after}"


def write_page(page: Path = PAGE) -> None:
    """Writes the points into docs/verification.md."""
    page.write_text(with_points(page.read_text(encoding="utf-8"), read_points()), encoding="utf-8")
