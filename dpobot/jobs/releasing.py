"""Releasing: volumes are packed, read back by other code, and only then carried into the person's room, one by one."""

import asyncio
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dpobot import log
from dpobot.archive.inspect import inspect
from dpobot.archive.package import Operator, PackageFacts, package
from dpobot.archive.spool import Spool
from dpobot.delivery import volume as parcel
from dpobot.delivery.messages import Address, key, post
from dpobot.delivery.rooms import find
from dpobot.engine.api import StepResult, Steps
from dpobot.errors import Unavailable
from dpobot.jobs.parts import Parts
from dpobot.model.ids import RoomId
from dpobot.model.records import Case, ExportOptions, Reply
from dpobot.store import people, volumes

_ASK_AGAIN = 60.0  # seconds until we look whether the person has come into a safe room
_RESERVE = 0.98  # of the server's limit: the encrypted file is no larger, but proxies count headers
_logger = log.get(__name__)


@dataclass(frozen=True, slots=True)
class _Packed:
    number: int
    path: Path
    size: int
    sha256: str


class Releasing:
    """One case's archive on its way out."""

    def __init__(self, parts: Parts, case: Case, options: ExportOptions, spool: Spool, steps: Steps) -> None:
        self._parts = parts
        self._case = case
        self._options = options
        self._spool = spool
        self._steps = steps
        self._folder = spool.folder / "volumes"
        self._generation = (spool.folder / "generation").read_text("ascii")
