"""The SDK's own models of AWS's services, by the prefix of their IAM actions."""

from __future__ import annotations

from functools import cache

import botocore.session
from botocore.exceptions import UnknownServiceError
from botocore.model import ServiceModel

from ringfence.assets.pruning import read_rules


@cache
def service_model(prefix: str) -> ServiceModel:
    """A service's model; of the names that differ, the table that builds the zips knows.

    Raises:
        AssertionError: it does not.
    """
    try:
        return botocore.session.get_session().get_service_model(read_rules().aws_services.get(prefix, prefix))
    except UnknownServiceError:
        raise AssertionError(
            f"the SDK has no service {prefix}: say what botocore calls it under [aws_services] of "
            "ringfence/assets/left_out.toml"
        ) from None
