"""Runs the SAM CLI, which stays as it was published, with the words of `arguments.completed`."""

from __future__ import annotations

import os
import runpy
import sys

from ringfence_sam.arguments import completed

sys.argv[1:] = completed(sys.argv[1:], os.environ)
runpy.run_module("samcli", run_name="__main__")
