"""Every command, as `ringfence --help` lists them."""

from __future__ import annotations

from typing import Final

from ringfence.command_line import authoring, proving

SECTIONS: Final = {
    "Write a department": (authoring.new, authoring.check),
    "Synthesise and prove": (proving.synth,),
}
