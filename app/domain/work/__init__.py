"""Work that nobody waits for: taken up, run, retried, recovered."""
