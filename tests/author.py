"""A person's client, made with vodozemac: what it encrypts, the keys that it exports, the backup that it keeps."""

import base64
import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from vodozemac import Curve25519SecretKey, GroupSession, InboundGroupSession, PkDecryption, PkEncryption

from dpobot.matrix import secret_storage

ALICE = "@alice:example.org"
MEGOLM = "m.megolm.v1.aes-sha2"
BACKUP = "m.megolm_backup.v1.curve25519-aes-sha2"
VERSION = "3"


def unpadded(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


@dataclass(frozen=True)
class Sealed:
    """An encrypted file: what lies on the server, and what the event says of it."""

    ciphertext: bytes
    file: dict[str, Any]


def seal_file(plain: bytes, url: str) -> Sealed:
    """Encrypt a file (spec, "Sending encrypted attachments")."""
    key, iv = os.urandom(32), os.urandom(8) + bytes(8)
    cipher = Cipher(AES(key), CTR(iv)).encryptor()
    ciphertext = cipher.update(plain) + cipher.finalize()
    secret = {"kty": "oct", "alg": "A256CTR", "ext": True, "key_ops": ["encrypt", "decrypt"]}
    secret["k"] = base64.urlsafe_b64encode(key).decode().rstrip("=")
    digest = unpadded(hashlib.sha256(ciphertext).digest())
    return Sealed(ciphertext, {"v": "v2", "key": secret, "iv": unpadded(iv), "hashes": {"sha256": digest}, "url": url})


class Author:
    """Somebody who writes into encrypted rooms; `turn` begins a new Megolm session in a room."""

    def __init__(self, user_id: str = ALICE) -> None:
        self.user_id = user_id
        self.recovery = secrets.token_bytes(32)
        self.written = 0
        self._now: dict[str, GroupSession] = {}
        self.sessions: list[tuple[str, GroupSession, InboundGroupSession]] = []

    @property
    def recovery_key(self) -> str:
        return secret_storage.recovery_key(self.recovery)

    def turn(self, room_id: str) -> str:
        """Begin a new session; return its ID."""
        session = GroupSession()
        self._now[room_id] = session
        self.sessions.append((room_id, session, InboundGroupSession(session.session_key)))
        return str(session.session_id)

    def write(self, room_id: str, body: str, **content: Any) -> dict[str, Any]:
        """Return a message as the server has it."""
        return self.seal(room_id, {"msgtype": "m.text", "body": body, **content})

    def seal(self, room_id: str, content: Any, payload: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return an event as the server has it, its relation outside; ``payload``: what else is inside, or instead."""
        if room_id not in self._now:
            self.turn(room_id)
        session = self._now[room_id]
        said = {"type": "m.room.message", "content": content, "room_id": room_id} | (payload or {})
        outside = {"m.relates_to": content["m.relates_to"]} if "m.relates_to" in content else {}
        sealed = session.encrypt(json.dumps(said).encode()).to_base64()
        self.written += 1
        return {
            "type": "m.room.encrypted",
            "event_id": f"$sealed{self.written}",
            "room_id": room_id,
            "sender": self.user_id,
            "origin_server_ts": 1_790_000_000_000 + self.written * 60_000,
            "content": {
                "algorithm": MEGOLM,
                "ciphertext": sealed,
                "session_id": session.session_id,
                "sender_key": "c2VuZGVy",
                "device_id": "DEVICE",
                **outside,
            },
        }

    def exported(self, first: int = 0) -> list[dict[str, Any]]:
        """Return all sessions from a message index on, as a client exports them."""
        found = []
        for room_id, _, session in self.sessions:
            exported = session.export_at(first)
            if exported is not None:
                found.append(
                    {
                        "algorithm": MEGOLM,
                        "room_id": room_id,
                        "session_id": session.session_id,
                        "session_key": exported.to_base64(),
                        "sender_key": "c2VuZGVy",
                        "sender_claimed_keys": {"ed25519": "ZWQ"},
                        "forwarding_curve25519_key_chain": [],
                    }
                )
        return found

    def account_data(self, passphrase: str | None = None, rounds: int = 1000) -> list[dict[str, Any]]:
        """Return secret storage as records of the category ``account_data``; made of a passphrase if there is one."""
        master, description = self.recovery, dict[str, Any]()
        if passphrase is not None:
            master = hashlib.pbkdf2_hmac("sha512", passphrase.encode(), b"salt", rounds, 32)
            description = {"passphrase": {"algorithm": "m.pbkdf2", "salt": "salt", "iterations": rounds, "bits": 256}}
        check = secret_storage.seal(master, "", bytes(32))
        description |= {"algorithm": secret_storage.ALGORITHM, "iv": check["iv"], "mac": check["mac"]}
        name = "m.megolm_backup.v1"
        sealed = secret_storage.seal(master, name, unpadded(self._backup_key()).encode())
        return [
            {"type": secret_storage.DEFAULT, "content": {"key": "main"}},
            {"type": "m.secret_storage.key.main", "content": description},
            {"type": name, "content": {"encrypted": {"main": sealed}}},
        ]

    def key_backup(self, *, direct: bool = False, first: int = 0) -> list[dict[str, Any]]:
        """Return the backup as records of the category ``key_backup``.

        ``direct``: the recovery key is the backup's own private key, as with clients before secret storage.
        """
        private = self.recovery if direct else self._backup_key()
        public = PkDecryption.from_key(Curve25519SecretKey.from_bytes(private)).public_key
        data = {"public_key": public.to_base64(), "signatures": {}}
        records = [{"kind": "version", "version": VERSION, "algorithm": BACKUP, "auth_data": data, "count": 1}]
        lock = PkEncryption.from_key(public)
        return [*records, *(_backed_up(key, lock) for key in self.exported(first))]

    def _backup_key(self) -> bytes:
        return hashlib.sha256(b"backup" + self.recovery).digest()


def _backed_up(key: dict[str, Any], lock: PkEncryption) -> dict[str, Any]:
    named = {"kind": "session", "version": VERSION, "room_id": key["room_id"], "session_id": key["session_id"]}
    rest = {name: value for name, value in key.items() if name not in ("room_id", "session_id")}
    message = lock.encrypt(json.dumps(rest).encode())
    sealed = {
        "ciphertext": unpadded(message.ciphertext),
        "mac": unpadded(message.mac),
        "ephemeral": unpadded(message.ephemeral_key),
    }
    return named | {"first_message_index": 0, "forwarded_count": 0, "is_verified": True, "session_data": sealed}


def key_file(keys: object, passphrase: str, rounds: int = 1000) -> bytes:
    """Return a key export (spec, "Key export format")."""
    salt, iv = os.urandom(16), os.urandom(8) + bytes(8)
    both = hashlib.pbkdf2_hmac("sha512", passphrase.encode(), salt, rounds, 64)
    cipher = Cipher(AES(both[:32]), CTR(iv)).encryptor()
    body = b"\x01" + salt + iv + rounds.to_bytes(4)
    body += cipher.update(json.dumps(keys).encode()) + cipher.finalize()
    body += hmac.digest(both[32:], body, "sha256")
    text = base64.encodebytes(body)
    return b"-----BEGIN MEGOLM SESSION DATA-----\n" + text + b"-----END MEGOLM SESSION DATA-----\n"
