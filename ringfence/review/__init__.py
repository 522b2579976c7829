"""What a reviewer gets of a cloud assembly: findings as SARIF, every waiver with its reason, a change in words."""

OFFERS = ("written",)
