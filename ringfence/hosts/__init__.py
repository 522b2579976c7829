"""What an MCP host is told: how it connects, and what whoever manages staff's computers can hold it to.

`connection` is what there is to connect to, `entries` what a person puts into one host, `managed` the files that are
laid out centrally, `programs` what a library or a bridge is told, `pages` docs/hosts.md.
"""

OFFERS = ("commands",)
