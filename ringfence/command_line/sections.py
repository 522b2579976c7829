"""Every command, as `ringfence --help` lists them."""

from __future__ import annotations

from typing import Final

from ringfence.command_line import authoring, connecting, deploying, maintaining, proving, reviewing

SECTIONS: Final = {
    "Write a department's file": (authoring.new, authoring.check),
    "Synthesise, prove and rehearse": (
        proving.assets,
        proving.synth,
        proving.prove,
        proving.rehearse,
        proving.ablate,
        proving.record,
        proving.smoke,
    ),
    "Review a change": (reviewing.changes, reviewing.findings, reviewing.waivers, reviewing.comment),
    "Deploy": (
        deploying.deploy_policy,
        deploying.preflight,
        deploying.diff,
        deploying.deploy,
        deploying.verify_live,
    ),
    "Connect": (connecting.connect, connecting.hosts),
    "Keep": (maintaining.lock, maintaining.actions, maintaining.pages, maintaining.completion),
}
