"""The configuration: one set of frozen models, read from a TOML file (see bot.example.toml).

Every problem is reported at once with its dotted path; unknown keys are rejected; secrets are file paths only.
Nothing here has side effects beyond reading the named files when asked to.
"""

import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from dpobot import named_files
from dpobot.credentials import secret as secret
from dpobot.errors import ConfigurationError
from dpobot.model.words import Kind

Days = Annotated[int, Field(ge=1, le=365)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MatrixConfig(_Part):
    """The bot's own account."""

    homeserver_url: str = Field(
        pattern=r"^https?://", description="client API of the homeserver, e.g. https://matrix.example.org"
    )
    user_id: str = Field(pattern=r"^@[^:]+:.+$", description="the bot's full user ID, e.g. @dpo:example.org")
    password_file: Path | None = Field(
        default=None,
        description="file with the bot's password; read at the first start and to bootstrap cross-signing",
    )
    device_name: str = Field(
        default="dpobot", min_length=1, max_length=64, description="how the bot's device is listed"
    )
    recovery_key_file: Path | None = Field(
        default=None, description="file with the account's recovery key: for a standby, or after its keys were lost"
    )


class MasConfig(_Part):
    """The Matrix Authentication Service, where it keeps the homeserver's accounts."""

    url: str = Field(pattern=r"^https?://", description="base address of its admin API and of its token endpoint")
    client_id: str = Field(min_length=1, description="the bot's client, one of policy.data.admin_clients there")
    client_secret_file: Path = Field(description="file with the secret of that client")


class HomeserverConfig(_Part):
    """The administration of the homeserver."""

    kind: Literal["synapse"] = Field(default="synapse", description="what software it is")
    url: str = Field(pattern=r"^https?://", description="base address of the admin API")
    admin_token_file: Path = Field(description="file with the access token of a server admin")
    retries: int = Field(
        default=4,
        ge=0,
        le=10,
        description="how often one request is tried again at once, before the job waits",
    )
    config_files: tuple[Path, ...] = Field(
        default=(), description="its homeserver.yaml, and folders beside it, for dpobot check; in Synapse's order"
    )
    mas: MasConfig | None = Field(
        default=None, description="only where the Matrix Authentication Service keeps the accounts"
    )


class DataConfig(_Part):
    """Where dpobot keeps what it needs."""

    directory: Path = Field(description="keys, database and spool; mode 0700, on one machine only")
    database_url: str | None = Field(
        default=None,
        description="SQLAlchemy address, sqlite+aiosqlite or postgresql+psycopg; default: SQLite in the directory",
    )
    seal_key_file: Path | None = Field(
        default=None, description="keys that seal what is kept in the database; default: seal.keys in the directory"
    )
    receipt_key_file: Path | None = Field(
        default=None, description="key that signs receipts of erasures; default: receipt.key in the directory"
    )


class OperatorConfig(_Part):
    """Who runs the homeserver; fills the privacy notice and the answers."""

    name: str = Field(min_length=1, description="the controller (Art. 4(7) GDPR)")
    service: str = Field(min_length=1, description="what the homeserver is called, e.g. example.org")
    dpo_email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", description="the Data Protection Officer's address")
    security_email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", description="where vulnerabilities are reported")
    postal_address: str = Field(min_length=1, description="the controller's address, on one line")
    country: str = Field(
        default="GB", pattern=r"^[A-Z]{2}$", description="ISO 3166 code: its public holidays move deadlines"
    )
    jurisdiction: Literal["eu", "uk"] = Field(default="uk", description="whose rules count the deadlines")
    authority: str = Field(min_length=1, description="the supervisory authority's name")
    authority_url: str = Field(pattern=r"^https://", description="where to complain")
    hosting: tuple[str, ...] = Field(default=(), description="who hosts the service, by name")
    log_days: int = Field(default=180, ge=1, description="how long the homeserver's logs are kept")


class ExportConfig(_Part):
    """How archives are made."""

    at_once: int = Field(default=4, ge=1, le=64, description="exports that run at the same time")
    volume_megabytes: int = Field(
        default=90, ge=1, le=2000, description="size of a volume; the server's upload limit counts if lower"
    )
    delete_after_days: Days = Field(
        default=7, description="when a delivered archive is deleted from the server if nobody says 'received'"
    )
    progress_seconds: int = Field(
        default=4, ge=2, le=60, description="the progress message is edited at most this often"
    )
    page_events: int = Field(default=1000, ge=10, le=1000, description="events asked for at a time")
    visible: Literal["never", "staff"] = Field(
        default="never", description="whether 'export visible' may be asked for; staff decide each one"
    )
    visible_names: Literal["pseudonyms", "names"] = Field(
        default="pseudonyms", description="how other people are called in such an export"
    )


class DownloadConfig(_Part):
    """A one-time HTTPS link instead of files in the room, for archives of many volumes; none without ``url``."""

    url: str | None = Field(
        default=None, pattern=r"^https://", description="public address of it, e.g. https://dpo.example.org/archives"
    )
    host: str = Field(default="127.0.0.1", description="where the bot listens, behind a reverse proxy that speaks TLS")
    port: int = Field(default=8017, ge=1, le=65535, description="the port there")
    above_volumes: int = Field(default=10, ge=1, le=1000, description="archives of more volumes come as a link")
    hours: int = Field(default=168, ge=1, le=2160, description="so long a link is good")
    requests_per_minute: int = Field(default=60, ge=5, le=6000, description="from one address")


class PolicyConfig(_Part):
    """Which kinds of request are approved without a person, for a trusted device of a local account."""

    approve: tuple[Kind, ...] = Field(
        default=(Kind.ACCESS, Kind.EXPORT), description="kinds that need no decision of staff"
    )
    second_approver: tuple[Kind, ...] = Field(default=(), description="kinds that two members of staff must approve")

    @field_validator("approve")
    @classmethod
    def _only_what_is_safe(cls, value: tuple[Kind, ...]) -> tuple[Kind, ...]:
        unsafe = [kind for kind in value if kind not in (Kind.ACCESS, Kind.EXPORT, Kind.ERASURE)]
        if unsafe:
            raise ValueError(f"{', '.join(unsafe)} can't be approved by policy; allowed: access, export, erasure")
        return value


class StaffConfig(_Part):
    """The staff room, and how staff work in it. Without ``room_id`` and ``members`` there is none."""

    room_id: str | None = Field(
        default=None, pattern=r"^!\S+$", description="an existing encrypted room, by invitation only; else one is made"
    )
    members: tuple[Annotated[str, Field(pattern=r"^@[^:\s]+:\S+$")], ...] = Field(
        default=(), description="who is invited into the room that the bot makes; also when named later"
    )
    power_level: int = Field(default=50, ge=1, le=100, description="who has it in the room is staff")
    language: Literal["en", "de", "fr"] = Field(default="en", description="the language of the room")
    code_minutes: int = Field(default=30, ge=1, le=1440, description="how long a typed code is good")
    reply_delay_seconds: int = Field(
        default=10, ge=0, le=600, description="so long a reply to a person can be taken back with 'undo'"
    )
    digest_hour: int = Field(default=8, ge=0, le=23, description="when the daily digest comes, in the operator's zone")
    remind_days: tuple[Annotated[int, Field(ge=0, le=60)], ...] = Field(
        default=(7, 3, 1), description="so many days before a case is due its staff are reminded"
    )
    evidence_megabytes: int = Field(default=50, ge=1, le=2000, description="largest file that is taken into a case")

    @property
    def wanted(self) -> bool:
        """Whether there is a staff room at all."""
        return self.room_id is not None or bool(self.members)


class ErasureConfig(_Part):
    """The safeguards of an erasure. What loosens one of them takes effect only after ``loosening_hours``."""

    cooling_off_hours: int = Field(
        default=24, ge=0, le=720, description="between the person's code and the first irreversible step"
    )
    new_device_hours: int = Field(
        default=24, ge=0, le=720, description="so long a device must be known before it can confirm an erasure"
    )
    daily_cap: int = Field(default=20, ge=1, le=10000, description="erasures that may begin within 24 hours")
    loosening_hours: int = Field(
        default=24, ge=0, le=720, description="how long a loosened safeguard of this list, or of [policy], waits"
    )
    at_once: int = Field(default=1, ge=1, le=16, description="erasures that run at the same time")
    redactions_at_once: int = Field(default=28, ge=1, le=32, description="redactions sent side by side in one room")


class RetentionConfig(_Part):
    """How long the bot itself remembers."""

    closed_days: int = Field(
        default=365, ge=30, le=3650, description="then a closed case is reduced to its line in the register"
    )
    receipt_days: int = Field(
        default=1095, ge=30, le=36500, description="so long the receipt of an erasure can be fetched by its code"
    )


class ClusterConfig(_Part):
    """More than one machine; needs PostgreSQL. Jobs are run by `dpobot worker` on as many machines as wanted."""

    enabled: bool = Field(default=False, description="jobs are handed out through the database, to any machine")
    jobs_at_once: int = Field(default=4, ge=1, le=64, description="jobs that this machine runs at the same time")
    dead_after_seconds: int = Field(
        default=30, ge=4, le=3600, description="a machine that is silent for so long is dead: others take its jobs over"
    )
    bot_works: bool = Field(default=True, description="whether the bot's own process runs jobs, too")


class MonitoringConfig(_Part):
    """Prometheus metrics and health, over HTTP without TLS; none without ``port``."""

    host: str = Field(default="127.0.0.1", description="where it listens")
    port: int | None = Field(default=None, ge=1, le=65535, description="the port there: /metrics, /healthz, /readyz")
    lag_seconds: int = Field(
        default=120, ge=10, le=3600, description="not ready if the homeserver has not answered for so long"
    )


class NoticesConfig(_Part):
    """Erasures are told to other homeservers that hold copies (privacy notice 2.3.1.1)."""

    send: Literal["never", "staff"] = Field(
        default="never", description="whether they are told at all; staff approve each erasure's notices"
    )
    receive: Literal["never", "staff"] = Field(
        default="staff", description="whether other servers' notices open cases here; staff decide each one"
    )
    per_hour: int = Field(default=20, ge=1, le=1000, description="servers that are told within an hour")
    timeout_seconds: int = Field(default=10, ge=1, le=60, description="how long a server's contact is asked for")
    private_addresses: bool = Field(
        default=False, description="also ask servers at private addresses: only for a closed federation"
    )
    ca_file: Path | None = Field(default=None, description="certificates to trust instead of the system's, PEM")


class LimitsConfig(_Part):
    """How much one person may ask of the bot."""

    messages_per_minute: int = Field(
        default=60, ge=5, le=1000, description="beyond this a person's messages wait (none is lost)"
    )
    key_wait_seconds: int = Field(
        default=20, ge=1, le=600, description="how long the bot waits for a late key before it says so"
    )
    workers: int = Field(default=8, ge=1, le=64, description="messages handled at the same time")


class LogConfig(_Part):
    """What is logged: ids and action names, never content."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    format: Literal["console", "json"] = "json"


class Config(_Part):
    """Everything."""

    matrix: MatrixConfig
    homeserver: HomeserverConfig
    data: DataConfig
    operator: OperatorConfig
    export: ExportConfig = ExportConfig()
    download: DownloadConfig = DownloadConfig()
    policy: PolicyConfig = PolicyConfig()
    staff: StaffConfig = StaffConfig()
    erasure: ErasureConfig = ErasureConfig()
    retention: RetentionConfig = RetentionConfig()
    notices: NoticesConfig = NoticesConfig()
    cluster: ClusterConfig = ClusterConfig()
    monitoring: MonitoringConfig = MonitoringConfig()
    limits: LimitsConfig = LimitsConfig()
    log: LogConfig = LogConfig()

    @property
    def database_url(self) -> str:
        """The address of the database."""
        return self.data.database_url or f"sqlite+aiosqlite:///{self.data.directory / 'dpobot.sqlite'}"

    @property
    def volume_bytes(self) -> int:
        """The configured size of a volume, bytes."""
        return self.export.volume_megabytes * 1_000_000

    @property
    def evidence_bytes(self) -> int:
        """The largest file that is taken into a case, bytes."""
        return self.staff.evidence_megabytes * 1_000_000

    @property
    def deliveries_kept(self) -> timedelta:
        """How long a delivered archive stays on the server."""
        return timedelta(days=self.export.delete_after_days)


def load(path: Path) -> Config:
    """Read and check a configuration file.

    Relative paths in it count from the file's own folder. Raises `ConfigurationError` with every problem at once.
    """
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigurationError([f"{path}: no such file; copy bot.example.toml and fill it in"]) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError([f"{path}: can't be read as TOML: {error}"]) from error
    problems = named_files.locate(raw, path.parent)
    try:
        config = parse(raw)
    except ConfigurationError as error:
        raise ConfigurationError([*problems, *error.problems]) from None
    if problems:
        raise ConfigurationError(problems)
    return config


def parse(raw: dict[str, object]) -> Config:
    """Check what a TOML file held. Raises `ConfigurationError` with every problem at once."""
    try:
        return Config.model_validate(raw)
    except ValidationError as error:
        raise ConfigurationError(
            [_problem(item["loc"], item["type"], item["msg"]) for item in error.errors()]
        ) from None


def _problem(where: tuple[int | str, ...], type_: str, message: str) -> str:
    path = ".".join(str(part) for part in where)
    if type_ == "extra_forbidden":
        return f"{path}: unknown key; is it spelled as in bot.example.toml?"
    if type_ == "missing":
        return f"{path}: missing; bot.example.toml shows an example"
    return f"{path}: {message.removeprefix('Value error, ')}"


def bot_password(config: Config) -> str:
    """Return the password of the bot's account. Raises `ConfigurationError` if there is none to be had."""
    if config.matrix.password_file is None:
        raise ConfigurationError(
            ["matrix.password_file: the homeserver asks for the bot's password; name the file that holds it"]
        )
    return secret(config.matrix.password_file)
