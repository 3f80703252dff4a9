"""How containers ended, as their nodes told the API server: a pod that is gone says nothing any more."""

import json
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from support.kubernetes.control_plane import KUBECTL
from support.kubernetes.stack import NAMESPACE, Stack


class Endings:
    """Listens for as long as the block runs."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def __enter__(self) -> Self:
        self._told = tempfile.NamedTemporaryFile()  # closed with the block
        command = [KUBECTL, f"--kubeconfig={self._stack.cluster.kubeconfig}", f"--namespace={NAMESPACE}"]
        listen = [*command, "get", "pods", "--watch", "--output=json"]
        self._listening = subprocess.Popen(listen, stdin=subprocess.DEVNULL, stdout=self._told)
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.send_signal(signal.SIGTERM)
        self._listening.wait()
        self._told.close()

    def codes(self) -> dict[str, int]:
        """Exit codes of those that have ended so far, by their pods' names."""
        codes = {}
        text, decoder = Path(self._told.name).read_text(), json.JSONDecoder()
        while text := text.lstrip():
            try:
                pod, end = decoder.raw_decode(text)
            except json.JSONDecodeError:
                break  # the rest is still being written
            text = text[end:]
            for status in pod["status"].get("containerStatuses", []):
                if "terminated" in status["state"]:
                    codes[pod["metadata"]["name"]] = status["state"]["terminated"]["exitCode"]
        return codes
