"""The stack every other stack of a department is."""

from __future__ import annotations

import re

import aws_cdk as cdk

from constructs import Construct
from ringfence.department.department import Department
from ringfence.reading.region import REGION

# Names CDK gives to the one thing inside a construct; they say nothing to a reader of the template.
SILENT = {"Default", "Resource"}
EXAMPLE = "An example, not to be deployed."
BOOTSTRAP_VERSION = "BootstrapVersion"  # the parameter of the CDK's synthesizer
LONGEST = 255  # CloudFormation's limit for a logical id


class DepartmentStack(cdk.Stack):
    """A stack in one department's account, whose template a person can read.

    Logical ids are the words of the construct path (`AuditorIamRuntime`), without a hash. Zones come from the
    department, so that synthesis asks AWS nothing. A production stack cannot be deleted before someone lifts its
    protection.
    """

    def __init__(self, scope: Construct, construct_id: str, *, department: Department, description: str) -> None:
        """Opens the stack.

        Args:
            construct_id: also the stack's name, `ringfence-<department>-<part>`.
            description: what the stack holds, for the CloudFormation console.
        """
        # Set before the base class runs: its constructor already makes elements that need a logical id.
        self.department = department
        self._path = f"{scope.node.path}/{construct_id}".removeprefix("/")
        self._path_by_id: dict[str, str] = {}
        super().__init__(
            scope,
            construct_id,
            env=cdk.Environment(account=department.account, region=REGION),
            description=f"{EXAMPLE} {description}" if department.is_example else description,
            termination_protection=department.environment == "production",
            analytics_reporting=False,
            tags={"ringfence:department": department.name, "ringfence:environment": department.environment},
            synthesizer=cdk.DefaultStackSynthesizer(qualifier=department.bootstrap.qualifier),
        )
        if department.is_example:
            self._refuse_deployment()

    def _refuse_deployment(self) -> None:
        """Adds a rule that CloudFormation decides before it makes anything, and that never holds.

        It has the form of the CDK's own rule about the bootstrap version: that is a number, and never this word.
        """
        rule = cdk.CfnRule(self, "ExampleIsNotDeployed")
        rule.override_logical_id("ExampleIsNotDeployed")
        rule.add_assertion(
            cdk.Fn.condition_contains(["example"], cdk.Fn.ref(BOOTSTRAP_VERSION)),
            "This department is an example with made-up values. Copy its file to a name that does not begin with "
            "example, give it values of its own, and deploy that one.",
        )

    def tell(self, key: str, value: str, meaning: str) -> None:
        """Adds an output: what a runbook asks for, under a name that stays.

        Args:
            key: the output's key, in PascalCase.
            meaning: one sentence for whoever reads the stack's outputs.
        """
        cdk.CfnOutput(self, key, value=value, description=meaning)

    @property
    def availability_zones(self) -> list[str]:
        """The department's zones: CDK's own property would look them up in the account."""
        return list(self.department.availability_zones)

    def _allocate_logical_id(self, cfn_element: cdk.CfnElement) -> str:
        path = cfn_element.node.path.removeprefix(f"{self._path}/")
        name = self._claim(logical_id(path), path)
        # Otherwise CDK asks again at every resolution, thousands of times, each a call from its process to this one.
        cfn_element.override_logical_id(name)
        return name

    def _claim(self, name: str, path: str) -> str:
        owner = self._path_by_id.setdefault(name, path)
        if owner != path:
            raise ValueError(f'"{owner}" and "{path}" would both have the logical id {name}: rename one of them')
        return name


def logical_id(path: str) -> str:
    """Returns the logical id of a construct path below its stack: its words, joined in PascalCase.

    Raises:
        ValueError: the path leaves no word, or too many.
    """
    parts = [part for part in path.split("/") if part not in SILENT]
    words = [word for part in parts for word in re.findall("[A-Za-z0-9]+", part)]
    name = "".join(word[0].upper() + word[1:] for word in words)
    if not 0 < len(name) <= LONGEST:
        raise ValueError(f'"{path}" makes no logical id of 1 to {LONGEST} letters and digits: choose another name')
    return name
