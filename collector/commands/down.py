"""`collector down`."""

from collector.options import DEFAULT_DATA, DataOption, folder_of, report
from deploy.local.stack.stopping import stop_stack


def down(data: DataOption = DEFAULT_DATA) -> None:
    """Stops the stack in the right order, draining; its data is kept."""
    tell = report()
    stop_stack(folder_of(data), tell)
    tell.say("Everything is stopped; the data is kept")
