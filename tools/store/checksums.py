"""SHA-256, for all that --help imports: OpenSSL is loaded when something is hashed, since it takes as long as many of our files.

>>> sha256(b"rows").hexdigest()[:12]
'bc51e9e65d79'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import hashlib


def sha256(data: bytes = b"") -> hashlib._Hash:
    """The hash of `data`, to which more can be added."""
    import hashlib

    return hashlib.sha256(data)
