"""What a department may do: typed models of department and catalogue, and the compilers from them to policy.

Nothing here knows of CDK: every result is plain data that a stack, a zip, a test or a review pack can use.
"""
