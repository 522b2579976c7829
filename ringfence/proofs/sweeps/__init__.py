"""What a role, or one call's session, could ever do: sweeps over all of AWS's actions that the proofs share."""
