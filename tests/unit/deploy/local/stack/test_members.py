from deploy.local.stack.data_folder import DataFolder
from deploy.local.stack.members import Role
from deploy.local.stack.state_file import read_state


def test_a_stack_that_was_started_with_a_front_has_a_gateway(folder: DataFolder) -> None:
    folder.state.write_text('{"members": [{"name": "front", "role": "front", "port": 1, "pid": 1, "started": 0}]}')

    assert [member.role for member in read_state(folder.state).members] == [Role.GATEWAY]
