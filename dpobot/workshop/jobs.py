"""The jobs, each by the name under which a case wants it, and what they are given."""

from collections.abc import Mapping
from pathlib import Path

from dpobot.clock import Clock
from dpobot.commands.registry import discover
from dpobot.commands.user.help import lines
from dpobot.config import Config
from dpobot.engine.api import JobFunction
from dpobot.jobs.copies import Copies
from dpobot.jobs.erase import Erase
from dpobot.jobs.expire import Expire
from dpobot.jobs.export import Export
from dpobot.jobs.lift import Lift
from dpobot.jobs.notifying import Notify
from dpobot.jobs.parts import Parts
from dpobot.jobs.rectify import Rectify
from dpobot.jobs.restrict import Restrict
from dpobot.jobs.survey import Survey
from dpobot.jobs.verify_erasure import VerifyErasure
from dpobot.matrix.api import Courier
from dpobot.model.ids import UserId
from dpobot.monitoring.timing import timed
from dpobot.receipt import key
from dpobot.store.database import Database
from dpobot.text import notice
from dpobot.text.render import Renderer, templates_folder
from dpobot.workshop.administration import Administration


def renderer_of(config: Config, bot: UserId) -> Renderer:
    """Return what renders sentences: those of a job name the same commands as those of the bot."""
    names = {
        "operator": config.operator,
        "bot": bot,
        "commands": lines(discover()),
        "links": config.download.url is not None,
    }
    return Renderer(templates_folder(), names)


def parts_of(
    config: Config, clock: Clock, database: Database, administration: Administration, courier: Courier
) -> Parts:
    """Return what jobs are given. Raises `ConfigurationError` if the key of receipts can't be used."""
    notices = notice.load(templates_folder() / "notice", config.operator)
    return Parts(
        database,
        administration.homeserver,
        courier,
        renderer_of(config, courier.user_id),
        clock,
        config,
        spool_of(config.data.directory),
        notices.current(clock.now().date()).id,
        administration.changes,
        administration.leftovers,
        key.load_or_create(config.data.directory, config.data.receipt_key_file),
    )


def functions_of(parts: Parts) -> Mapping[str, JobFunction]:
    """Return the jobs by name; each run is counted."""
    functions: Mapping[str, JobFunction] = {
        "export": Export(parts),
        "copies": Copies(parts),
        "expire": Expire(parts),
        "survey": Survey(parts),
        "erase": Erase(parts),
        "verify_erasure": VerifyErasure(parts),
        "restrict": Restrict(parts),
        "lift": Lift(parts),
        "rectify": Rectify(parts),
        "notify": Notify(parts),
    }
    return timed(functions)


def spool_of(folder: Path) -> Path:
    """Return where archives are in the making below the data folder."""
    spool = folder / "spool"
    spool.mkdir(mode=0o700, exist_ok=True)
    return spool
