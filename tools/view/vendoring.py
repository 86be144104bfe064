"""Brings the front-end libraries of the page from npm into `vendor/`, byte for byte, so that the page works offline.

    python -m tools.view.vendoring            # fetch the pinned versions again; says which files changed
    python -m tools.view.vendoring --check    # compare the files with the stored hashes, without network

`vendor/parts.json` pins each package: version, the registry's own integrity hash of the tarball, licence, and the
sha256 of every file that is kept. To move to another version, change "version", delete "integrity", run, and commit.
Needs npm only to fetch; nothing else of the toolkit uses this module.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tools.errors import FetchError, StorageError, run_command
from tools.records import JsonObject

VENDOR_FOLDER = Path(__file__).parent / "vendor"
PARTS_FILE = VENDOR_FOLDER / "parts.json"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.view.vendoring", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the stored hashes; no network")
    if parser.parse_args().check:
        differences = changed_files()
        print("\n".join(differences) or "all vendored files are as recorded")
        return 1 if differences else 0
    parts = read_parts()
    for part in parts:
        fetch_part(part)
        print(f"{part['package']} {part['version']}: {len(part['files'])} files")
    PARTS_FILE.write_text(json.dumps(parts, indent=1) + "\n", encoding="utf-8")
    return 0


def read_parts() -> list[JsonObject]:
    """The pinned packages: {"package", "version", "licence", "folder", "integrity", "files": {kept as: {...}}}."""
    parts: list[JsonObject] = json.loads(PARTS_FILE.read_text(encoding="utf-8"))
    return parts


def changed_files() -> list[str]:
    """One sentence per vendored file that is absent, altered, or not recorded."""
    differences = []
    recorded = {PARTS_FILE}
    for part in read_parts():
        for name, kept in part["files"].items():
            path = VENDOR_FOLDER / part["folder"] / name
            recorded.add(path)
            if not path.is_file():
                differences.append(f"{path.name}: missing")
            elif hashlib.sha256(path.read_bytes()).hexdigest() != kept["sha256"]:
                differences.append(f"{path.name}: not the file of {part['package']} {part['version']}")
    strangers = {path for path in VENDOR_FOLDER.rglob("*") if path.is_file()} - recorded
    return differences + [f"{path.name}: not recorded in parts.json" for path in sorted(strangers)]


def fetch_part(part: JsonObject) -> None:
    """Packs one package with npm, checks the tarball against its pinned integrity, keeps the listed files."""
    with tempfile.TemporaryDirectory() as folder:
        tarball = _npm_pack(f"{part['package']}@{part['version']}", Path(folder))
        integrity = "sha512-" + base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
        if part.setdefault("integrity", integrity) != integrity:
            raise FetchError(f"{part['package']} {part['version']}: the tarball is not the pinned one; fetched nothing")
        with tarfile.open(tarball) as archive:
            for name, kept in part["files"].items():
                _keep_file(archive, kept, VENDOR_FOLDER / part["folder"] / name)


def _keep_file(archive: tarfile.TarFile, kept: dict[str, str], path: Path) -> None:
    try:
        member = archive.extractfile("package/" + kept["from"])
    except KeyError:
        member = None
    if member is None:
        raise FetchError(f"{kept['from']} is not in the package any more; correct parts.json")
    content = member.read()
    kept["sha256"] = hashlib.sha256(content).hexdigest()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _npm_pack(package: str, folder: Path) -> Path:
    command = ["npm", "pack", "--silent", "--pack-destination", str(folder), package]
    try:
        finished = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FetchError(
            f"npm could not be run ({error}); install Node.js to fetch the front-end parts again"
        ) from None
    tarballs = list(folder.glob("*.tgz"))
    if finished.returncode != 0 or len(tarballs) != 1:
        reason = (finished.stderr.strip().splitlines() or ["no message"])[-1]
        raise FetchError(f"npm pack {package} failed: {reason}")
    return tarballs[0]


def total_bytes() -> int:
    """Size of everything vendored, for the test that keeps it small."""
    if not VENDOR_FOLDER.is_dir():
        raise StorageError(f"{VENDOR_FOLDER.name}/ is missing; run python -m tools.view.vendoring")
    return sum(path.stat().st_size for path in VENDOR_FOLDER.rglob("*") if path.is_file())


if __name__ == "__main__":
    sys.exit(run_command(main))
