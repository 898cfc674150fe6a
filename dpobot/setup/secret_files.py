"""Secrets in files that only their owner can read."""

from pathlib import Path

from dpobot.matrix.folder import Folder


class SecretFiles:
    """A folder of mode 0700 with one file of mode 0600 for each secret."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        """Return where a secret is kept."""
        return self.folder / name

    def read(self, name: str) -> str | None:
        """Return a secret without surrounding space, None if it is not there."""
        found = Folder(self.folder).read(name)
        return None if found is None else found.strip()

    def write(self, name: str, secret: str) -> None:
        """Keep a secret, whole or not at all."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        Folder(self.folder).write(name, secret + "\n")

    def remove(self, name: str) -> None:
        """Delete a secret, if it is there."""
        self.path(name).unlink(missing_ok=True)
