"""What deploying a cloud assembly asks of the account: the rights that CloudFormation needs."""

OFFERS = ("changes", "confirmed", "policy_files", "templates")
