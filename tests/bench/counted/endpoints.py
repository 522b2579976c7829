"""What a department's VPC endpoints cost a month at list price, whether a call goes through them or not."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence.proofs.evidence import Evidence
from ringfence.reading.region import REGION
from tests.bench import departments
from tests.bench.table import Row

PRICES = Path(__file__).with_name("prices.toml")


@dataclass(frozen=True)
class Price:
    """The list price of an interface endpoint in eu-west-2, in US dollars; a gateway endpoint is free.

    Attributes:
        per_zone_hour: of one endpoint in one zone.
        per_gb: of data through any endpoint.
        hours_a_month: AWS's own month of 730 hours.
        source: where it is published.
        read: when it was read.
    """

    per_zone_hour: float
    per_gb: float
    hours_a_month: int
    source: str
    read: datetime.date


@dataclass(frozen=True)
class Placed:
    """One endpoint of a template.

    Attributes:
        service: such as `logs`.
        region: where the service runs.
        zones: in how many zones it stands; 0 for a gateway endpoint.
    """

    service: str
    region: str
    zones: int


def price() -> Price:
    """The price as committed."""
    return Price(**tomllib.loads(PRICES.read_text(encoding="utf-8"))["interface"])


def monthly_usd(placed: Sequence[Placed], price: Price) -> float:
    """US dollars a month for the endpoints to be there, without data."""
    return sum(each.zones for each in placed) * price.per_zone_hour * price.hours_a_month


def placed(evidence: Evidence) -> list[Placed]:
    """The endpoints of a department's templates."""
    zone_of = {
        str(subnet.ref): str(subnet.properties["AvailabilityZone"])
        for subnet in evidence.assembly.of_type("AWS::EC2::Subnet")
    }
    return [
        Placed(endpoint.service, endpoint.region, len({zone_of[str(one)] for one in _subnets(endpoint.resource)}))
        for endpoint in evidence.endpoints.values()
    ]


def rows() -> list[Row]:
    """The monthly cost of each department's endpoints."""
    listed = price()
    made = [_row(name, placed(departments.evidence(name)), listed) for name in departments.names()]
    note = f"a GB; {listed.source}, read at second hand on {listed.read} and not checked against a bill"
    return [*made, Row("data through an interface endpoint, apart", listed.per_gb, "USD", note=note)]


def _row(department: str, found: Sequence[Placed], listed: Price) -> Row:
    interface = [each for each in found if each.zones]
    zones = sum(each.zones for each in interface)
    abroad = ", ".join(f"{each.service} in {each.region}" for each in interface if each.region != REGION)
    note = f"{len(interface)} interface, in all {zones} zones x {listed.hours_a_month} h x {listed.per_zone_hour} USD"
    note += f"; {len(found) - len(interface)} gateway, free"
    note += f"; inter-region transfer on top for {abroad}" if abroad else ""
    return Row(f"endpoints of {department}, a month", monthly_usd(found, listed), "USD", note=note)


def _subnets(resource: Any) -> list[Any]:
    return list(resource.properties.get("SubnetIds", ()))
