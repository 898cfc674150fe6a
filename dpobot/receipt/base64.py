"""Unpadded Base64 (Matrix specification, Appendices, "Unpadded Base64"), one text for one value. Pure."""

import base64
import binascii


def encoded(raw: bytes) -> str:
    """Return Base64 without ``=``."""
    return base64.b64encode(raw).decode().rstrip("=")


def decoded(text: str) -> bytes:
    """Return the bytes. Raises `ValueError` for anything that `encoded` would not have written."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("not unpadded Base64") from error
    if encoded(raw) != text:  # the last sign has bits to spare: another text for the same bytes
        raise ValueError("not unpadded Base64")
    return raw
