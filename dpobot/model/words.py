"""The enums of the product: what can be asked, where a case stands, how far a sender is known."""

from enum import StrEnum


class Kind(StrEnum):
    """What a case asks for; the GDPR article in brackets."""

    ACCESS = "access"  # Art. 15(1), (2): the statement
    EXPORT = "export"  # Art. 15(3) and 20: the copy
    ERASURE = "erasure"  # Art. 17
    RECTIFICATION = "rectification"  # Art. 16
    RESTRICTION = "restriction"  # Art. 18
    OBJECTION = "objection"  # Art. 21
    AUTOMATED = "automated"  # Art. 22
    COMPLAINT = "complaint"  # Art. 77, UK DPA 2018 s.164A
    SECURITY = "security"
    CHILD = "child"
    QUESTION = "question"


class CaseState(StrEnum):
    """Where a case stands. The moves between them: ``cases.transitions``."""

    CONFIRMING = "confirming"  # an erasure: waits for the person's typed code under its plan
    REVIEW = "review"  # waits for a decision of staff
    PAUSED = "paused"  # waits for the person
    APPROVED = "approved"  # decided; its job is wanted
    WORKING = "working"  # its job runs
    HELD = "held"  # a safeguard stopped it; staff must look
    PARTIAL = "partial"  # an erasure: begun, and part of it has failed; staff retry
    DELIVERED = "delivered"  # the answer is in the person's room
    CLOSED = "closed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"  # the person took it back


class JobState(StrEnum):
    """Where a job stands."""

    WANTED = "wanted"  # may start when wake_at has come
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # gave up; staff must look
    HELD = "held"  # stopped by a safeguard
    CANCELLED = "cancelled"


class Trust(StrEnum):
    """How far the device that sent a message is known (MSC4153; facts.md, choice 4)."""

    SIGNED = "signed"  # the device is cross-signed by its owner, and the Megolm session is that device's
    UNSIGNED = "unsigned"  # the session is a device's of the sender, but its owner has not signed it
    IDENTITY_CHANGED = "identity_changed"  # signed, but by another master key than the one we pinned
    MISMATCH = "mismatch"  # the session belongs to no device of the sender: forged
    CLEARTEXT = "cleartext"  # the message was not encrypted
    UNKNOWN = "unknown"  # could not be established now


class Scope(StrEnum):
    """Whose events an export holds."""

    MINE = "mine"
    VISIBLE = "visible"


class Section(StrEnum):
    """Which part of the data an export holds."""

    ACCOUNT = "account"
    MESSAGES = "messages"
    MEDIA = "media"
    STATEMENT = "statement"  # Art. 15(1), (2): what is held, why, how long, who received it


class Channel(StrEnum):
    """How a request reached us."""

    MATRIX = "matrix"
    EMAIL = "email"
    POST = "post"
    PHONE = "phone"
    FEDERATION = "federation"  # another homeserver's notice: the account was there, and was erased (docs/notices.md)
    OTHER = "other"  # in person, through the authority, from a locked account by somebody who vouches for it


class Ground(StrEnum):
    """Why a request is refused: the fixed list (Art. 12(5) and 12(6), 17(3), 23 GDPR)."""

    FRAUD = "fraud"  # suspected fraud
    IDENTITY = "identity"  # identity not proven
    NO_DATA = "no_data"  # no such data
    SCOPE = "scope"  # outside the scope of the law
    LEGAL_DUTY = "legal_duty"  # a legal duty to keep
    UNFOUNDED = "unfounded"  # manifestly unfounded or excessive
    OTHER = "other"
