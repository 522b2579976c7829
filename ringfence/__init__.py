"""What runs on your machine: it reads what people write, compiles every lock from it, and proves, rehearses and asks an
account about what comes of it.

Each folder is a room. Its `OFFERS` names the modules that other rooms may use; `tests/architecture` holds that, and who
may use whom. Nothing here knows of CDK: every result is plain data.
"""
