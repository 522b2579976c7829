"""A department: the one file that says where, for whom and for what Ringfence is deployed, and what must hold in it."""

OFFERS = ("audit", "department", "department_checks", "identity", "not_held", "residency")
