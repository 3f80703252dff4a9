"""`python -m deploy.dashboards`: writes the dashboards beside the others of deploy/grafana."""

from pathlib import Path

from deploy.dashboards.written import texts

_FOLDER = Path(__file__).parents[1] / "grafana" / "dashboards"


def main() -> None:
    """Over those that are there."""
    for name, text in texts().items():
        (_FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
