"""What must outlive everything else: keys, the boundary and the record."""

from __future__ import annotations

from aws_cdk import aws_iam as iam

from constructs import Construct
from constructs.audit.audit_trail import AuditTrail, trail_arn
from constructs.audit.encryption_keys import EncryptionKeys
from constructs.audit.log_delivery_permission import LogDeliveryPermission
from constructs.london_models import LondonModels
from constructs.service_boundary import ServiceBoundary
from constructs.switch_off import SwitchOffRole
from ringfence.department.department import Department
from stacks.department_stack import DepartmentStack


class AuditStack(DepartmentStack):
    """Keys, service boundary, log delivery and the CloudTrail trail. Every other stack stands on this one."""

    def __init__(self, scope: Construct, construct_id: str, *, department: Department) -> None:
        """Composes the stack."""
        super().__init__(
            scope,
            construct_id,
            department=department,
            description=f"Ringfence {department.name}: keys, service boundary and audit trail.",
        )
        keys = EncryptionKeys(
            self, "Default", department=department.name, trail_arn=trail_arn(department.name, department.account)
        )
        self.log_key = keys.log_key
        self.data_key = keys.data_key
        self.boundary: iam.IManagedPolicy = ServiceBoundary(self, "ServiceBoundary", department=department).policy
        LogDeliveryPermission(self, "LogDelivery", department=department.name)
        self.trail = AuditTrail(
            self,
            "Trail",
            department=department.name,
            log_key=self.log_key,
            data_key=self.data_key,
            boundary=self.boundary,
            compliance=department.environment == "production",
            audit=department.audit,
        )
        self.tell(
            "AuditBucketName", self.trail.bucket.bucket.ref, "Where CloudTrail's log files are kept for two years."
        )
        self.tell("TrailLogGroupName", self.trail.log_group.name, "Where CloudTrail's events can be searched.")
        if department.security:
            switch_off = SwitchOffRole(
                self,
                "SwitchOff",
                department=department.name,
                personas=department.personas,
                trusted=department.security.roles,
            )
            self.tell("SwitchOffRoleArn", switch_off.arn, "The role with which security stops a persona's calls.")
        if department.models:
            models = LondonModels(
                self,
                "Models",
                department=department.name,
                models=department.models,
                log_key=self.log_key,
                boundary=self.boundary,
            )
            self._tell_models(models)

    def _tell_models(self, models: LondonModels) -> None:
        self.tell("ModelPolicyArn", models.policy.ref, "To be attached to the roles of staff who ask models.")
        self.tell("ModelLogGroupName", models.log_group.name, "Where Bedrock records what its models are asked.")
        self.tell("ModelLogRoleArn", models.role_arn, "The role as which Bedrock writes there.")
        meaning = "To be run once: it makes Bedrock record every call of this account in London."
        self.tell("ModelLoggingCommand", models.logging_command, meaning)
