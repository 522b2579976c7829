"""Plays the corpus with every layer on, with each one off, and peels the layers off until an attack goes through."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ringfence.rehearsal.ablation.attack import Attack, Does
from ringfence.rehearsal.ablation.attack_target import AttackTarget
from ringfence.rehearsal.ablation.layers import LAYERS
from ringfence.rehearsal.ablation.seen import MADE_HARMLESS, THROUGH, Seen


@dataclass(frozen=True)
class Row:
    """How one attack went for one persona.

    Attributes:
        all_on: how it ended with every layer on.
        without: how it ended with one layer off, by layer; empty where that was not asked for.
        peeled: the layers that stopped it, one after another: each was switched off once it had.
        end: how it ended when all of those were off.
    """

    attack: Attack
    persona: str
    all_on: Seen
    without: dict[str, Seen]
    peeled: tuple[Seen, ...]
    end: Seen

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that stop it independently of one another."""
        return tuple(seen.stopped_by for seen in self.peeled)

    def problems(self) -> Iterator[str]:
        """What must not be, one sentence each."""
        where = f"{self.attack.name} ({self.persona})"
        if self.all_on.stopped_by == THROUGH:
            yield f"{where}: goes through with every layer on: {self.all_on.why}"
        if self.attack.does.needs_two:
            for layer, seen in self.without.items():
                if seen.stopped_by == THROUGH and not self.attack.alone:
                    yield f"{where}: goes through without {layer}: {seen.why}"
            if len(self.layers) < 2 and not self.attack.alone:
                yield f"{where}: only {' and '.join(self.layers) or 'nothing'} stops it, then: {self.end.why}"
        for rule in sorted(set(self.attack.meets) - {seen.why for seen in self.peeled}):
            yield f"{where}: is never stopped by {rule}, which it is about"
        if self.end.why == MADE_HARMLESS:
            yield f"{where}: does no harm with every layer off, so that it shows nothing"
        if self.attack.alone and len(self.layers) > 1:
            yield f"{where}: {' and '.join(self.layers)} stop it, so that it needs no reason to be alone: take it out"


def run_attacks(
    target: AttackTarget, attacks: Iterable[Attack], *, one_by_one: bool, on_row: Callable[[Row], None]
) -> Iterator[Row]:
    """Play attacks at one persona's gateway.

    Args:
        one_by_one: whether to play each with each layer off as well; without it the layers are only peeled off.
    """
    for attack in attacks:
        row = _row(target, attack, one_by_one=one_by_one)
        on_row(row)
        yield row


def _row(target: AttackTarget, attack: Attack, *, one_by_one: bool) -> Row:
    all_on = attack.carry_out(target)
    without = {}
    for layer in LAYERS if one_by_one else ():
        with target.switches.off([layer]):
            without[layer] = attack.carry_out(target)
    # What was changed before its answer was withheld has been changed: there the answer's own layer does not count.
    uncounted = {"response"} if attack.does is Does.CHANGES else set()
    peeled: list[Seen] = []
    while True:
        off = uncounted | {each.stopped_by for each in peeled}
        with target.switches.off(off):
            seen = attack.carry_out(target)
        if seen.stopped_by in off:
            raise RuntimeError(f"{attack.name}: {seen.stopped_by} stops it although it is switched off ({seen.why})")
        if seen.stopped_by not in LAYERS:
            return Row(attack, target.persona, all_on, without, tuple(peeled), seen)
        peeled.append(seen)


def problems(rows: Sequence[Row]) -> list[str]:
    """What must not be, over all rows."""
    found = [problem for row in rows for problem in row.problems()]
    tried = {row.attack.name for row in rows if row.layers}
    never = sorted({row.attack.name for row in rows} - tried)
    return found + [f"{name}: no layer ever stopped it, so that it shows nothing" for name in never]
