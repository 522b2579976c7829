"""How an account was bootstrapped for the CDK, and the names that follow from it.

`cdk bootstrap` names its bucket and roles after a qualifier (CDK developer guide, "Customize AWS CDK bootstrapping",
read 28 November 2026). A landing zone may have its own.
"""

from __future__ import annotations

from typing import Annotated, Final

from ringfence.reading.documents import Strict
from ringfence.reading.region import REGION
from ringfence.reading.values import shaped

DEFAULT_QUALIFIER: Final = "hnb659fds"

Qualifier = Annotated[
    str,
    shaped(
        r"[a-z0-9]{1,10}",
        "A bootstrap qualifier has 1 to 10 lower-case letters and digits.",
        "Write what `cdk bootstrap --qualifier` was given, or remove the key for the CDK's default.",
    ),
]
KeyArn = Annotated[
    str,
    shaped(
        rf"arn:aws:kms:{REGION}:[0-9]{{12}}:key/[0-9a-f-]{{36}}",
        "This is not the ARN of a KMS key in eu-west-2; an alias does not do in a policy.",
        "Write the ARN of the key that encrypts the bootstrap bucket, or remove it if S3's own key does.",
    ),
]


class Bootstrap(Strict):
    """What `cdk bootstrap` was given.

    Attributes:
        qualifier: Part of every name that bootstrapping makes.
    """

    qualifier: Qualifier = DEFAULT_QUALIFIER

    def asset_bucket(self, account: str) -> str:
        """Returns the bucket that holds the code zips."""
        return f"cdk-{self.qualifier}-assets-{account}-{REGION}"

    def deployment_role(self, account: str) -> str:
        """Returns the name of the role that CloudFormation works as."""
        return f"cdk-{self.qualifier}-cfn-exec-role-{account}-{REGION}"

    def command(self, account: str) -> str:
        """Returns the command that bootstraps, to which the policies of the deployment role are still to be added.

        Two bootstraps of one account need two stacks: by default each would be `CDKToolkit`.
        """
        own = f" --qualifier {self.qualifier} --toolkit-stack-name CDKToolkit-{self.qualifier}"
        return f"npx cdk bootstrap aws://{account}/{REGION}{'' if self.qualifier == DEFAULT_QUALIFIER else own}"


class DepartmentBootstrap(Bootstrap):
    """What `cdk bootstrap` was given in a department's account.

    Attributes:
        key_arn: Customer-managed key of the asset bucket; None where S3 encrypts it with a key of its own.
    """

    key_arn: KeyArn | None = None
