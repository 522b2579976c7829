"""Physical ids of network resources (EC2, Route 53 Resolver, WAF)."""

from __future__ import annotations

from ringfence.deployed.physical.shapes import Maker, Naming, Shape


def _ec2(prefix: str) -> Maker:
    return lambda r: f"{prefix}-{r.hex(17)}"


def _identified(prefix: str) -> Shape:
    return Shape(lambda r: f"{prefix}-{r.hex(16)}", {"Id": lambda r: f"{prefix}-{r.hex(16)}"})


def _resolver(prefix: str, arn_kind: str) -> Shape:
    return Shape(
        lambda r: f"{prefix}-{r.hex(16)}",
        {
            "Id": lambda r: f"{prefix}-{r.hex(16)}",
            "Arn": lambda r: r.arn("route53resolver", f"{arn_kind}/{prefix}-{r.hex(16)}"),
        },
    )


def _waf(kind: str) -> Shape:
    def arn(r: Naming) -> str:
        scope = "global" if r.text("Scope") == "CLOUDFRONT" else "regional"
        return r.arn("wafv2", f"{scope}/{kind}/{r.name('Name')}/{r.uuid()}")

    return Shape(
        lambda r: f"{r.name('Name')}|{r.uuid()}|{r.text('Scope')}",
        {"Arn": arn, "Id": lambda r: r.uuid()},
    )


NETWORK: dict[str, Shape] = {
    "AWS::EC2::VPC": Shape(
        _ec2("vpc"),
        {
            "VpcId": _ec2("vpc"),
            "CidrBlock": lambda r: r.text("CidrBlock"),
            "DefaultSecurityGroup": lambda r: f"sg-{r.hex(17, 'default-sg')}",
            "DefaultNetworkAcl": lambda r: f"acl-{r.hex(17, 'default-acl')}",
        },
    ),
    "AWS::EC2::Subnet": Shape(
        _ec2("subnet"),
        {
            "SubnetId": _ec2("subnet"),
            "VpcId": lambda r: r.text("VpcId"),
            "CidrBlock": lambda r: r.text("CidrBlock"),
            "AvailabilityZone": lambda r: r.text("AvailabilityZone"),
        },
    ),
    "AWS::EC2::RouteTable": Shape(_ec2("rtb"), {"RouteTableId": _ec2("rtb")}),
    "AWS::EC2::SubnetRouteTableAssociation": Shape(_ec2("rtbassoc"), {"Id": _ec2("rtbassoc")}),
    "AWS::EC2::SecurityGroup": Shape(
        _ec2("sg"), {"GroupId": _ec2("sg"), "Id": _ec2("sg"), "VpcId": lambda r: r.text("VpcId")}
    ),
    "AWS::EC2::SecurityGroupIngress": Shape(_ec2("sgr"), {"Id": _ec2("sgr")}),
    "AWS::EC2::SecurityGroupEgress": Shape(_ec2("sgr"), {"Id": _ec2("sgr")}),
    "AWS::EC2::VPCEndpoint": Shape(
        _ec2("vpce"),
        {
            "Id": _ec2("vpce"),
        },
    ),
    "AWS::EC2::FlowLog": Shape(_ec2("fl"), {"Id": _ec2("fl")}),
    "AWS::Route53Resolver::FirewallDomainList": _resolver("rslvr-fdl", "firewall-domain-list"),
    "AWS::Route53Resolver::FirewallRuleGroup": _resolver("rslvr-frg", "firewall-rule-group"),
    "AWS::Route53Resolver::FirewallRuleGroupAssociation": _resolver(
        "rslvr-frgassoc", "firewall-rule-group-association"
    ),
    "AWS::Route53Resolver::ResolverQueryLoggingConfig": _resolver("rqlc", "resolver-query-log-config"),
    "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation": _identified("rqlca"),
    "AWS::WAFv2::WebACL": _waf("webacl"),
    "AWS::WAFv2::IPSet": _waf("ipset"),
    "AWS::WAFv2::WebACLAssociation": Shape(lambda r: f"{r.text('WebACLArn')}|{r.text('ResourceArn')}"),
    "AWS::WAFv2::LoggingConfiguration": Shape(lambda r: r.text("ResourceArn")),
}
