"""A synthesised cloud assembly, read as the account would see it after deployment."""

OFFERS = ("assembly", "gateways", "intrinsics", "problems", "resource_policies", "roles")
