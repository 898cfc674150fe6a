"""Looks for secrets in every file of the repository (detect-secrets); `make secrets`.

What is known to be none stands in secrets.json as hashes. ``--accept`` writes that list anew: look at what it adds.
Exits with 0, or with 1 and the places of what is new.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).resolve().parent.parent
KNOWN = Path(__file__).with_name("secrets.json")
_NOT_WRITTEN_BY_HAND = (".po", ".pot", ".mo", ".lock", ".ttf", ".png", ".pdf", KNOWN.name)
_AT_ONCE = 2

# Keys and tokens of what a Matrix service and its developers use; whole words of any other kind by their randomness.
_KINDS = (
    "AWSKeyDetector", "Base64HighEntropyString", "BasicAuthDetector", "GitHubTokenDetector", "GitLabTokenDetector",
    "HexHighEntropyString", "JwtTokenDetector", "KeywordDetector", "NpmDetector", "PrivateKeyDetector",
    "PypiTokenDetector", "SlackDetector",
)  # fmt: skip
_NO_SECRETS = (
    "is_indirect_reference", "is_likely_id_string", "is_lock_file", "is_not_alphanumeric_string",
    "is_potential_uuid", "is_prefixed_with_dollar_sign", "is_sequential_string", "is_templated_secret",
)  # fmt: skip
_SETTINGS = {
    "plugins_used": [{"name": name} for name in _KINDS],
    "filters_used": [{"path": f"detect_secrets.filters.heuristic.{name}"} for name in _NO_SECRETS],
}

Found = tuple[str, str, str, int]  # file, kind, hash of the secret, line


def scan(folder: Path, files: Sequence[str]) -> list[Found]:
    """Return what looks like a secret in some files of a folder."""
    found = []
    with transient_settings(_SETTINGS):
        for name in files:
            collection = SecretsCollection(root=str(folder))
            collection.scan_file(name)
            found += [(name, each.type, each.secret_hash, each.line_number) for _, each in collection]
    return found


def new(found: Iterable[Found], known: Iterable[Sequence[str]]) -> list[str]:
    """Return the places of what is not known, one line each; never what was found there."""
    expected = {tuple(each) for each in known}
    return [f"{file}:{line}: {kind}" for file, kind, hashed, line in found if (file, kind, hashed) not in expected]


def _everything() -> list[Found]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - the developer's git
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    files = [name for name in listed.stdout.splitlines() if not name.endswith(_NOT_WRITTEN_BY_HAND)]
    files = [name for name in files if (ROOT / name).is_file()]
    parts = [files[start :: _AT_ONCE * 4] for start in range(_AT_ONCE * 4)]
    with ProcessPoolExecutor(_AT_ONCE) as pool:
        return sorted(each for part in pool.map(scan, [ROOT] * len(parts), parts) for each in part)


def main() -> int:
    """Scan this repository."""
    found = _everything()
    if "--accept" in sys.argv[1:]:
        KNOWN.write_text(json.dumps(sorted({each[:3] for each in found}), indent=1) + "\n", "utf-8")
    problems = new(found, json.loads(KNOWN.read_text("utf-8")))
    print("\n".join(problems) or f"no secrets but the {len(found)} examples that are known")
    if problems:
        print(
            "If one of these is a secret, take it out and change it; if it is none: python -m checks.secrets --accept"
        )
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
