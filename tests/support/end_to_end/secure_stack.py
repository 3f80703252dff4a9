"""`collector up --secure`, as tests use it."""

import ssl
from pathlib import Path

import httpx

from support.end_to_end.local_stack import LocalStack


class SecureStack(LocalStack):
    """Its gateway speaks TLS and asks for keys."""

    def __init__(self, data: Path) -> None:
        """Starts nothing."""
        super().__init__(data)
        self.url = f"https://localhost:{self.port}"
        self.key_file = data / "keys/operator.key"

    @property
    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.data / "gateway/caddy/pki/authorities/local/root.crt")

    @property
    def key(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key_file.read_text().strip()}"}

    def client(self, **headers: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(verify=self.trusting, headers=headers, timeout=60, trust_env=False)

    def up(self, *arguments: str) -> None:
        """Returns when all is ready."""
        super().up("--secure", *arguments)
