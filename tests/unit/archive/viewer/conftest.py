"""The parts of the program that need no page, running in one Node."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dpobot.archive import viewer
from dpobot.text.render import Renderer, templates_folder
from tests.interop import node

NEEDS_PAGE = {"data", "source", "dom", "archive", "find", "conversation", "gallery", "panel"}
PAGELESS = tuple(part for part in viewer.PARTS if part not in NEEDS_PAGE)

Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Asks the program: ``{"said": ...}``, ``{"code": ...}`` of a Problem, or ``{"fault": ...}``: never right."""
    renderer = Renderer(templates_folder(), {})
    script = tmp_path_factory.mktemp("program") / "parts.js"
    script.write_text("\n".join(viewer.source(renderer, part) for part in PAGELESS), "utf-8")
    try:
        command = [node.find().node, str(Path(__file__).with_name("program.mjs")), str(script)]
    except node.NodeMissing as missing:
        pytest.skip(str(missing))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        to, from_ = process.stdin, process.stdout

        def one(what: str, **given: Any) -> dict[str, Any]:
            to.write(json.dumps({"ask": what, "given": given}) + "\n")
            to.flush()
            answer: dict[str, Any] = json.loads(from_.readline())
            return answer

        yield one
        to.close()
        assert process.wait(timeout=30) == 0
