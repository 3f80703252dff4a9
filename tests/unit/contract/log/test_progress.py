from contract.log.progress import LogPartition


def test_messages_name_a_partition_in_words() -> None:
    assert f"{LogPartition('eMLYkyE7Rq', 3)}: gone" == "partition 3 of log eMLYkyE7Rq: gone"
