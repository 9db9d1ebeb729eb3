"""Secrets at rest: encrypted with the first of the keys, and bound to the one row and field they were written for."""

import json

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from config import settings
from errors import RecoupError


class SecretUnreadable(RecoupError):
    """A stored secret cannot be decrypted, or was written for another row."""


def encrypted(secret: str, *, table: str, row_id: int, field: str) -> str:
    """Return the text to store. Only `decrypted` with the same table, row and field gives the secret back."""
    bound = {"table": table, "row": row_id, "field": field, "secret": secret}
    return _keys().encrypt(json.dumps(bound).encode()).decode()


def decrypted(stored: str, *, table: str, row_id: int, field: str) -> str:
    """Return the secret. Raises SecretUnreadable, which names the row and the setting but never the secret."""
    place = f"{field.replace('_', ' ')} of {table} {row_id}"
    try:
        bound = json.loads(_keys().decrypt(stored.encode()))
    except InvalidToken:
        raise SecretUnreadable(
            f"The {place} cannot be decrypted.", todo="Put the key it was written with back into ENCRYPTION_KEYS."
        ) from None
    if (bound["table"], bound["row"], bound["field"]) != (table, row_id, field):
        raise SecretUnreadable(f"The {place} was written for another row.", todo="Enter it again.")
    secret: str = bound["secret"]
    return secret


def _keys() -> MultiFernet:
    keys = [key.strip() for key in settings().secret("encryption_keys").split(",") if key.strip()]
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise SecretUnreadable(
            "ENCRYPTION_KEYS cannot be used.", todo="Give Fernet keys, the newest first, with commas between them."
        ) from None
