"""What breaks: networks, disks, stores, brokers and workers."""
