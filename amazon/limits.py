"""How much a packed file may grow: enough for any real report, too little for a bomb."""

from amazon.problems import FileRefused

MAX_BYTES = 32 << 30
MAX_RATIO = 200
# Small files may be as repetitive as they like.
_HARMLESS_BYTES = 64 << 20


def check_growth(packed: int, unpacked: int) -> None:
    """Raise FileRefused where `packed` bytes have become too many."""
    if unpacked > MAX_BYTES:
        raise FileRefused("too_large", f"It unpacks to more than {MAX_BYTES >> 30} GB. Download shorter periods.")
    if unpacked > _HARMLESS_BYTES and unpacked > MAX_RATIO * max(packed, 1):
        raise FileRefused(
            "too_large",
            f"It unpacks to more than {MAX_RATIO} times its size, which no report does. Left out as unsafe.",
        )
