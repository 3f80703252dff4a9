"""Sets InfluxDB 2 up at its first start, as the official image does for DOCKER_INFLUXDB_INIT_*; then becomes it."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

FOLDERS = (Path("/var/lib/influxdb2"), Path("/etc/influxdb2"))
USER = 1000
BOLT = FOLDERS[0] / "influxd.bolt"
SETUP_PORT = 9999
"""Nobody else speaks to it before it is set up."""
PREFIX = "DOCKER_INFLUXDB_INIT_"
SECONDS = 60


def value_of(name: str) -> str | None:
    """A setting, or what the file holds that NAME_FILE names."""
    file = os.environ.get(f"{PREFIX}{name}_FILE")
    return Path(file).read_text().strip() if file else os.environ.get(PREFIX + name)


def main() -> None:
    """Runs as the image's user from here on."""
    wanted = {
        "username": value_of("USERNAME"),
        "password": value_of("PASSWORD"),
        "org": value_of("ORG"),
        "bucket": value_of("BUCKET"),
        "token": value_of("ADMIN_TOKEN"),
    }
    if os.getuid() == 0:
        for folder in FOLDERS:
            os.chown(folder, USER, USER)
        os.setgid(USER)
        os.setuid(USER)
    os.environ |= {
        "HOME": str(FOLDERS[0]),
        "INFLUXD_BOLT_PATH": str(BOLT),
        "INFLUXD_ENGINE_PATH": str(FOLDERS[0] / "engine"),
        "INFLUXD_SQLITE_PATH": str(FOLDERS[0] / "influxd.sqlite"),
    }
    if os.environ.get(PREFIX + "MODE") == "setup" and not BOLT.exists():
        set_up(wanted)
    os.execvp(sys.argv[1], sys.argv[1:])


def set_up(wanted: dict[str, str | None]) -> None:
    """Ends this process where InfluxDB refuses."""
    server = subprocess.Popen(["influxd", f"--http-bind-address=127.0.0.1:{SETUP_PORT}", "--log-level=error"])
    body = json.dumps({name: value for name, value in wanted.items() if value}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{SETUP_PORT}/api/v2/setup", body)
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            urllib.request.urlopen(request).close()
            break
        except urllib.error.HTTPError as error:
            server.kill()
            BOLT.unlink(missing_ok=True)
            sys.exit(f"set-up refused: {error.code} {error.read().decode()}")
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    server.terminate()
    server.wait()


if __name__ == "__main__":
    main()
