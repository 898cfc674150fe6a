"""Where everything lies, in the spool and in the archive, and names that are safe on every machine. Pure."""

import re
import unicodedata

SCHEMA_VERSION = "1.1"
SCHEMAS = ("manifest", "account", "event", "room", "rooms", "media", "portable", "statement", "recipients")

INDEX = "index.html"
MANIFEST = "manifest.json"
README = "README.txt"
ROOMS = "rooms.json"
MEDIA = "media.json"
MEDIA_LINES = "media.jsonl"  # the spool's journal of media
ADDED_LINES = "other.jsonl"  # the same of files that staff added

_LONGEST = 48  # characters of the part of a name that came from people
_ENDING = re.compile(r"\.([A-Za-z0-9]{1,8})$")
_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", "clock$", *(f"com{n}" for n in range(10)), *(f"lpt{n}" for n in range(10))}
)
# Endings that neither a browser nor a desktop runs; anything else gets a harmless one appended.
_HARMLESS = frozenset(
    [
        "png",
        "jpg",
        "jpeg",
        "gif",
        "webp",
        "avif",
        "bmp",
        "tif",
        "tiff",
        "heic",
        "heif",
        "mp4",
        "m4v",
        "webm",
        "mov",
        "mkv",
        "avi",
        "3gp",
        "mp3",
        "m4a",
        "aac",
        "ogg",
        "oga",
        "ogv",
        "opus",
        "flac",
        "wav",
        "pdf",
        "txt",
        "md",
        "csv",
        "json",
        "log",
        "rtf",
        "odt",
        "ods",
        "odp",
        "docx",
        "xlsx",
        "pptx",
        "epub",
        "zip",
        "gz",
        "bz2",
        "xz",
        "7z",
        "tar",
        "bin",
    ]
)
_TEXT = frozenset(
    [
        "html",
        "htm",
        "xhtml",
        "shtml",
        "mhtml",
        "mht",
        "svg",
        "svgz",
        "xml",
        "xsl",
        "xslt",
        "js",
        "mjs",
        "cjs",
        "ts",
        "css",
        "vbs",
        "vbe",
        "wsf",
        "ps1",
        "psm1",
        "sh",
        "bash",
        "bat",
        "cmd",
        "py",
        "rb",
        "pl",
        "php",
        "hta",
        "url",
        "desktop",
        "reg",
        "inf",
        "htaccess",
    ]
)
_BY_TYPE = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/avif": "avif",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "application/pdf": "pdf",
    "text/plain": "txt",
    "application/json": "json",
    "application/zip": "zip",
}
# What a page may show in place: raster images, sound and film; never SVG, which is a document.
IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp", "image/apng"})
VIDEOS = frozenset({"video/mp4", "video/webm", "video/ogg"})
AUDIOS = frozenset(
    {"audio/mpeg", "audio/mp4", "audio/aac", "audio/ogg", "audio/wav", "audio/x-wav", "audio/webm", "audio/flac"}
)


def slug(name: str, otherwise: str = "unnamed") -> str:
    """Return letters and digits of ``name`` (any script, NFC), parted by ``-``, at most 48; else ``otherwise``.

    Control and format characters, emoji, separators, dots and white space never survive.
    """
    composed = unicodedata.normalize("NFC", name[: _LONGEST * 8])
    kept = [character if unicodedata.category(character)[0] in "LN" else "-" for character in composed]
    short = re.sub("-+", "-", "".join(kept)).strip("-")[:_LONGEST].strip("-")
    return otherwise if not short or short.casefold() in _DEVICES else short


def category_name(category: str) -> str:
    """Return ``category`` if it can be a file name as it is. Raises ValueError otherwise: their names are ours."""
    if not _SLUG.fullmatch(category) or category in _DEVICES:
        raise ValueError("a category's name is lower-case ASCII letters, digits, '-' and '_'")
    return category


def spool_room(number: int) -> str:
    """Return the spool's file of a room's events."""
    return f"rooms/{number}.jsonl"


def spool_medium(number: int) -> str:
    """Return the spool's file of a medium's bytes."""
    return f"media/{number}"


def spool_added(number: int) -> str:
    """Return the spool's file of the bytes of something that staff added."""
    return f"other/{number}"


def spool_category(category: str) -> str:
    """Return the spool's file of an account category."""
    return f"account/{category_name(category)}.json"


def spool_note(name: str) -> str:
    """Return the spool's file of what was found out beside the data, such as who received it."""
    return f"notes/{category_name(name)}.json"


def volume_name(reference: str, number: int) -> str:
    """Return the file name of a volume: ``DPO-2026-0042-01.zip``."""
    return f"{slug(reference, 'archive')}-{number:02d}.zip"


def room_folder(number: int, name: str | None) -> str:
    """Return the archive's folder of a room; its number keeps it unique on file systems that ignore case."""
    return f"rooms/{number:04d}-{slug(name or '', 'room')}"


def events_file(folder: str, part: int) -> str:
    """Return a room's events file; later parts, in later volumes, have other names: volumes can unpack together."""
    return f"{folder}/events.jsonl" if part == 1 else f"{folder}/events-{part}.jsonl"


def room_file(folder: str, part: int) -> str:
    """Return the file that says which room the events of a part belong to."""
    return f"{folder}/room.json" if part == 1 else f"{folder}/room-{part}.json"


def room_page(folder: str, page: int) -> str:
    """Return a page of a room's messages."""
    return f"{folder}/page-{page:04d}.html"


def viewer_events(room: int, part: int, chunk: int) -> str:
    """Return a data file of a room's events; its name is unique in the archive."""
    return f"viewer/room{room:04d}-{part}-{chunk}.js"


def viewer_keys(room: int, part: int) -> str:
    """Return the data file of the backed up keys that open a room's events."""
    return f"viewer/keys{room:04d}-{part}.js"


def viewer_secrets(volume: int) -> str:
    """Return a volume's data file of the key backup's versions and the person's secret storage."""
    return f"viewer/secrets{volume:02d}.js"


def viewer_media(volume: int) -> str:
    """Return a volume's data file of where its media lie."""
    return f"viewer/media{volume:02d}.js"


def category_page(category: str, page: int) -> str:
    """Return a page of an account category's table."""
    return f"account/{category_name(category)}{'' if page == 1 else f'-{page}'}.html"


def list_page(what: str, page: int) -> str:
    """Return a page of the list of all rooms or all media."""
    return f"{what}{'' if page == 1 else f'-{page}'}.html"


def medium_file(number: int, name: str | None, media_type: str) -> str:
    """Return a medium's file in the archive. Its ending is never one that a browser or a desktop would run."""
    return f"media/{number:05d}-{_harmless_name(name, media_type)}"


def other_file(number: int, name: str | None, media_type: str) -> str:
    """Return the archive's file of something that staff added from another system; as harmless as a medium's."""
    return f"other/{number:04d}-{_harmless_name(name, media_type)}"


def _harmless_name(name: str | None, media_type: str) -> str:
    given = _ENDING.search((name or "").strip())
    ending = given[1].lower() if given else ""
    stem = (name or "")[: given.start()] if given and name else (name or "")
    wanted = _BY_TYPE.get(plain_type(media_type), "bin")
    if not ending or not ending.isascii():
        harmless = wanted
    elif ending in _HARMLESS:
        harmless = ending
    else:
        harmless = f"{ending}.txt" if ending in _TEXT else f"{ending}.bin"
    return f"{slug(stem, 'file')}.{harmless}"


def part_file(name: str, part: int) -> str:
    """Return the name of a piece of a file that is larger than a volume."""
    return f"{name}.part{part:03d}"


def plain_type(media_type: str) -> str:
    """Return a media type without parameters, in lower case."""
    return media_type.split(";", 1)[0].strip().lower()


def shown_as(media_type: str) -> str:
    """Return how a page shows a medium: ``image``, ``video``, ``audio`` or ``file``."""
    plain = plain_type(media_type)
    if plain in IMAGES:
        return "image"
    if plain in VIDEOS:
        return "video"
    return "audio" if plain in AUDIOS else "file"


def safe_entry(name: str) -> bool:
    """Whether a ZIP entry of this name stays inside the folder it is unpacked into, on every machine."""
    if not name or name.startswith("/") or "\\" in name or ":" in name or len(name.encode()) > 240:
        return False
    if any(unicodedata.category(character)[0] == "C" for character in name):
        return False
    return all(_safe_part(part) for part in name.split("/"))


def _safe_part(part: str) -> bool:
    stem = part.split(".", 1)[0].casefold()
    return bool(part.strip(". ")) and not part.endswith((".", " ")) and stem not in _DEVICES
