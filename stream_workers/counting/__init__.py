"""From the mailbox to a flush: what a worker does with the partitions that it was assigned."""
