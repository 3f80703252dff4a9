import pytest

from deploy.local.errors import CannotStart
from deploy.local.stack.data_folder import DataFolder


def test_a_second_command_that_may_not_wait_is_told_that_one_is_at_work(folder: DataFolder) -> None:
    with folder.changing(), pytest.raises(CannotStart, match="another collector command"), folder.changing(wait=False):
        pass
