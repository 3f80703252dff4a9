"""What provision is asked to make that could not work."""

import pytest
from pydantic import ValidationError

from deploy.provision import ProvisionSettings


def test_more_replicas_in_sync_than_there_are_would_take_no_record() -> None:
    with pytest.raises(
        ValidationError,
        match="COLLECTOR_PROVISION_MIN_INSYNC_REPLICAS=4 is above COLLECTOR_PROVISION_REPLICATION=3: nothing could be",
    ):
        ProvisionSettings(provision_min_insync_replicas=4, provision_replication=3)
