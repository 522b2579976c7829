"""From catalogue and department to every lock: IAM, boundaries, endpoints, Cedar and the rule files in the zips."""

OFFERS = ("boundaries", "cedar", "compaction", "endpoint_hosts", "iam", "pages", "passed_roles", "rules")
