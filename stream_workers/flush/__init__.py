"""What leaves a worker: results, progress, full segments and rejected lines."""
