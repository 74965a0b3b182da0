"""What is kept encrypted: sealed under the service's secret, opened only by who has it."""

from __future__ import annotations

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Seal:
    """Seals bytes as text, and opens them again. One secret, one purpose per label, as in tokens.py."""

    def __init__(self, secret: str, purpose: str = "deliveries") -> None:
        derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"leadring {purpose}".encode())
        self._fernet = Fernet(urlsafe_b64encode(derive.derive(secret.encode())))

    def close(self, content: bytes) -> str:
        """Unreadable without the secret, and any change of it is noticed."""
        return self._fernet.encrypt(content).decode()

    def open(self, sealed: str) -> bytes | None:
        """The content; None when it was sealed under another secret, or changed."""
        try:
            return self._fernet.decrypt(sealed.encode())
        except InvalidToken:
            return None
