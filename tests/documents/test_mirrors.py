"""A mirror takes effect without another lock: no lock names where packages come from, and each has its hash."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "ci" / "mirrors.md").read_text()


def test_no_lock_of_python_names_an_index_and_every_package_has_a_hash() -> None:
    locks = [*ROOT.glob("requirements*.lock"), *ROOT.glob("*/**/requirements.lock")]
    locks = [path for path in locks if not {"build", ".venv", "node_modules"} & set(path.relative_to(ROOT).parts)]
    assert len(locks) > 8
    for path in locks:
        text = path.read_text()
        assert "://" not in text, path
        for line in text.replace("\\\n", " ").splitlines():
            if re.match(r"[a-zA-Z0-9]", line):
                assert "--hash=sha256:" in line, f"{path}: {line[:60]}"


def test_no_lock_of_npm_names_a_registry_and_every_package_has_its_digest() -> None:
    for name in ("package-lock.json", "tests/peers/package-lock.json"):
        packages = json.loads((ROOT / name).read_text())["packages"]
        fetched = {place: each for place, each in packages.items() if place and not each.get("link")}
        assert fetched
        assert [place for place, each in fetched.items() if "resolved" in each] == []
        assert [place for place, each in fetched.items() if not each.get("integrity", "").startswith("sha512-")] == []
    assert (ROOT / ".npmrc").read_text() == "omit-lockfile-registry-resolved=true\n"


def test_the_settings_are_ones_that_the_clients_know() -> None:
    told = set(re.findall(r"^export (\w+)=", PAGE, re.M)) | set(re.findall(r"`(\w+)=", PAGE))
    uv = subprocess.run([ROOT / ".venv/bin/uv", "pip", "sync", "--help"], capture_output=True, text=True, check=True)
    npm = subprocess.run(
        [ROOT / ".venv/bin/npm", "config", "list", "--long"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in told:
        if name.startswith("UV_"):
            assert name in uv.stdout, name
        elif name.startswith("npm_config_"):
            assert re.search(rf"^;? ?{name.removeprefix('npm_config_')} = ", npm.stdout, re.M), name
    assert {"UV_DEFAULT_INDEX", "PIP_INDEX_URL", "npm_config_registry", "NO_PROXY", "NODE_EXTRA_CA_CERTS"} <= told


def test_the_addresses_of_the_page_are_nobodys() -> None:
    hosts = re.findall(r"://([^/:\s`]+)", PAGE)
    assert set(hosts) == {"mirror.example.org", "proxy.example.org"}
