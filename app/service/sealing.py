"""What is kept encrypted: sealed under the service's secret, opened only by who has it."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.fernet import Fernet


class Seal:
    """Seals bytes as text, and opens them again. One secret, one purpose per label, as in tokens.py.

    The library is loaded with the first of them: a service without form builders starts without it.
    """

    def __init__(self, secret: str, purpose: str = "deliveries") -> None:
        self._secret = secret
        self._purpose = purpose

    @cached_property
    def _fernet(self) -> Fernet:
        from cryptography.fernet import Fernet
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"leadring {self._purpose}".encode())
        return Fernet(urlsafe_b64encode(derive.derive(self._secret.encode())))

    def close(self, content: bytes) -> str:
        """Unreadable without the secret, and any change of it is noticed."""
        return self._fernet.encrypt(content).decode()

    def open(self, sealed: str) -> bytes | None:
        """The content; None when it was sealed under another secret, or changed."""
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(sealed.encode())
        except InvalidToken:
            return None
