"""Which adapters of the homeserver's administration there are: chosen here and nowhere else, by the configuration."""

from dataclasses import dataclass

from dpobot.config import Config, secret
from dpobot.homeserver.api import Homeserver
from dpobot.homeserver.changes import Changes
from dpobot.homeserver.erasing.synapse_changes import SynapseChanges
from dpobot.homeserver.leftovers import Leftovers
from dpobot.homeserver.mas.admin import MasAdmin
from dpobot.homeserver.mas.changes import MasChanges
from dpobot.homeserver.mas.homeserver import MasHomeserver
from dpobot.homeserver.mas.leftovers import MasLeftovers
from dpobot.homeserver.synapse import SynapseHomeserver
from dpobot.homeserver.verifying.synapse_leftovers import SynapseLeftovers


@dataclass(frozen=True, slots=True)
class Administration:
    """The homeserver's administration: what reads, what changes, and what looks afterwards."""

    homeserver: Homeserver
    changes: Changes
    leftovers: Leftovers


def adapters(config: Config) -> tuple[SynapseHomeserver, SynapseChanges, SynapseLeftovers]:
    """Return what reads, what changes and what looks afterwards, as the configuration names where accounts are kept.

    Raises `ConfigurationError` if a secret can't be read.
    """
    again = config.homeserver.retries
    where = (config.homeserver.url, admin_token(config))
    mas = delegated(config, again)
    if mas is None:
        return SynapseHomeserver(*where, again), SynapseChanges(*where, again), SynapseLeftovers(*where, again)
    return MasHomeserver(*where, mas, again), MasChanges(*where, mas, again), MasLeftovers(*where, mas, again)


def admin_token(config: Config) -> str:
    """Return the server admin's token: nothing else reads it. Raises `ConfigurationError`."""
    return secret(config.homeserver.admin_token_file)


def delegated(config: Config, retries: int) -> MasAdmin | None:
    """Return a client of what keeps the accounts, None if the homeserver does. Raises `ConfigurationError`."""
    chosen = config.homeserver.mas
    if chosen is None:
        return None
    return authentication_service(chosen.url, chosen.client_id, secret(chosen.client_secret_file), retries)


def authentication_service(url: str, client_id: str, client_secret: str, retries: int) -> MasAdmin:
    """Return a client of a Matrix Authentication Service."""
    return MasAdmin(url, client_id, client_secret, retries)
