"""The corpus: every attack, by family."""

from __future__ import annotations

from rehearsal.ablation.answers import ANSWERS
from rehearsal.ablation.attack import Attack
from rehearsal.ablation.calls import CALLS
from rehearsal.ablation.credentials import CREDENTIALS
from rehearsal.ablation.tokens import TOKENS

ATTACKS: tuple[Attack, ...] = (*CALLS, *TOKENS, *CREDENTIALS, *ANSWERS)
