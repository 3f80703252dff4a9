"""Keys: who may write, read, backfill or administer, how fast, and until when."""
