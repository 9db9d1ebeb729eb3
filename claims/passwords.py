"""Passwords: argon2 hashes, and what a password must have. A hash takes 64 MiB and a tenth of a second: limit tries."""

import string

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from errors import InvalidInput

LENGTH = 12
LONGEST = 200
KINDS = 2

_hasher = PasswordHasher()
# What an unknown user's password is compared with, so that both answers take as long.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$K7pPNrIUZTydgSOUv2pikg$8iJgA6xb6CiWSDpT0M+mEKyfPyo9cypPGj6bFdayhqU"


def hashed(password: str) -> str:
    """Return the hash to keep. Raises InvalidInput, which says what a password must have."""
    if not LENGTH <= len(password) <= LONGEST or _kinds(password) < KINDS:
        raise InvalidInput(
            "The password is too easy to guess.",
            field="password",
            todo=f"Use {LENGTH} to {LONGEST} characters of at least {KINDS} kinds: "
            "small letters, capitals, digits, other signs.",
        )
    return _hasher.hash(password)


def verify(password_hash: str | None, password: str) -> bool:
    """Whether this is the password; never for a person who has none. Takes as long either way."""
    try:
        return _hasher.verify(password_hash or _NOBODY, password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def _kinds(password: str) -> int:
    plain = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
    known = sum(any(letter in kind for letter in password) for kind in plain)
    return known + any(letter not in "".join(plain) for letter in password)
