"""What `dpobot init` has to know: each question is data, for the guided way, the options and the environment."""

from dataclasses import dataclass

PREFIX = "DPOBOT_INIT_"


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to know. ``key``: the dotted path in the configuration that the answer fills.

    Secrets come from files, the environment or a prompt without echo: the shell's history would keep an option.
    """

    name: str
    ask: str
    why: str = ""
    default: str | None = None
    key: str | None = None
    secret: bool = False
    many: bool = False
    choices: tuple[str, ...] = ()

    @property
    def option(self) -> str:
        """Return the option of the command line, such as ``--user-id``; a secret's takes a file."""
        return f"--{self.name.replace('_', '-')}" + ("-file" if self.secret else "")

    @property
    def variable(self) -> str:
        """Return the environment variable that answers, such as ``DPOBOT_INIT_USER_ID``."""
        return PREFIX + self.name.upper()

    @property
    def where(self) -> str:
        """Return how to answer without being asked."""
        return f"{self.option} or {self.variable}"


HOMESERVER_URL = Question(
    "homeserver_url",
    "Where is the homeserver's client API?",
    "An address such as https://matrix.example.org, or the server's name, such as example.org.",
    key="matrix.homeserver_url",
)
ADMIN_URL = Question(
    "admin_url",
    "Where is its admin API?",
    "The address below which /_synapse/admin answers: often only from inside, such as http://localhost:8008.",
    key="homeserver.url",
)
ADMIN_TOKEN = Question(
    "admin_token",
    "An access token of a server admin",
    "Of an account for this purpose, not of the bot's. It goes into a file that only this user can read.",
    secret=True,
)
MAS_URL = Question(
    "mas_url",
    "Where is the Matrix Authentication Service?",
    "It keeps this homeserver's accounts; dpobot needs its admin API and its token endpoint.",
    key="homeserver.mas.url",
)
MAS_CLIENT_ID = Question(
    "mas_client_id",
    "The ID of the bot's client there",
    "A client of its own, listed in policy.data.admin_clients.",
    key="homeserver.mas.client_id",
)
MAS_CLIENT_SECRET = Question("mas_client_secret", "The secret of that client", secret=True)
USER_ID = Question(
    "user_id",
    "The bot's full user ID",
    "People write to this account. It needs no special rights, and must not have them.",
    key="matrix.user_id",
)
CREATE_ACCOUNT = Question(
    "create_account",
    "There is no such account. Shall it be made, with a password that nobody has to know?",
    default="yes",
    choices=("yes", "no"),
)
LOGIN = Question(
    "login",
    "How does the bot log in: with its password, with an access token, or with a login token?",
    "The password is best: with it the bot can log in again if its device is lost.",
    default="password",
    choices=("password", "access-token", "login-token"),
)
BOT_PASSWORD = Question("bot_password", "The password of the bot's account", secret=True)
BOT_ACCESS_TOKEN = Question(
    "bot_access_token",
    "An access token of the bot's account",
    "Of a device that no client has used: its keys would be somewhere else.",
    secret=True,
)
BOT_LOGIN_TOKEN = Question(
    "bot_login_token", "A login token of the bot's account", "It is good once, and only for minutes.", secret=True
)
RECOVERY_KEY = Question(
    "recovery_key",
    "The recovery key of the bot's account",
    "The account has a cryptographic identity already; without this key it could only be replaced.",
    secret=True,
)
DISPLAY_NAME = Question("display_name", "How is the bot called in rooms?", default="Data protection")
NAME = Question("name", "Who runs the homeserver (the controller, Art. 4(7) GDPR)?", key="operator.name")
SERVICE = Question("service", "What is the homeserver called?", key="operator.service")
DPO_EMAIL = Question("dpo_email", "The Data Protection Officer's e-mail address", key="operator.dpo_email")
SECURITY_EMAIL = Question(
    "security_email", "Where are vulnerabilities reported (an e-mail address)?", key="operator.security_email"
)
POSTAL_ADDRESS = Question(
    "postal_address", "The controller's postal address, on one line", key="operator.postal_address"
)
COUNTRY = Question(
    "country",
    "In which country (two letters, ISO 3166)?",
    "Its public holidays move deadlines.",
    key="operator.country",
)
JURISDICTION = Question(
    "jurisdiction", "Whose rules count the deadlines?", key="operator.jurisdiction", choices=("eu", "uk")
)
AUTHORITY = Question("authority", "The supervisory authority's name", key="operator.authority")
AUTHORITY_URL = Question(
    "authority_url", "Where do people complain to it (an https address)?", key="operator.authority_url"
)
HOSTING = Question(
    "hosting", "Who hosts the service (names, with commas)?", "", default="", key="operator.hosting", many=True
)
LOG_DAYS = Question(
    "log_days", "For how many days are the homeserver's logs kept?", default="180", key="operator.log_days"
)
STAFF = Question(
    "staff",
    "Who is staff (full user IDs, with commas)?",
    "The bot makes an encrypted room and invites them. Leave it empty to name a room of yours instead.",
    key="staff.members",
    many=True,
)
STAFF_ROOM = Question(
    "staff_room",
    "The ID of your staff room, or nothing for none",
    "Encrypted, by invitation only, the bot invited: !abcdefghijkl:example.org",
    default="",
    key="staff.room_id",
)
STAFF_LANGUAGE = Question(
    "staff_language", "Which language do staff read?", default="en", key="staff.language", choices=("en", "de", "fr")
)
DATA = Question(
    "data",
    "Which folder keeps keys, database and archives in the making?",
    "Only this user may read it. It needs twice the space of the largest archives.",
    default="data",
    key="data.directory",
)
DATABASE_URL = Question(
    "database_url",
    "A PostgreSQL database, or nothing for SQLite in that folder",
    "Such as postgresql+psycopg://dpobot@localhost/dpobot; a password belongs into ~/.pgpass.",
    default="",
    key="data.database_url",
)

OPERATOR = (
    NAME,
    SERVICE,
    DPO_EMAIL,
    SECURITY_EMAIL,
    POSTAL_ADDRESS,
    COUNTRY,
    JURISDICTION,
    AUTHORITY,
    AUTHORITY_URL,
    HOSTING,
    LOG_DAYS,
)
ALL = (
    HOMESERVER_URL,
    ADMIN_URL,
    ADMIN_TOKEN,
    MAS_URL,
    MAS_CLIENT_ID,
    MAS_CLIENT_SECRET,
    USER_ID,
    CREATE_ACCOUNT,
    LOGIN,
    BOT_PASSWORD,
    BOT_ACCESS_TOKEN,
    BOT_LOGIN_TOKEN,
    RECOVERY_KEY,
    DISPLAY_NAME,
    *OPERATOR,
    STAFF,
    STAFF_ROOM,
    STAFF_LANGUAGE,
    DATA,
    DATABASE_URL,
)
