"""What every HTTP face shares: request ids, arrival times, reading a body within its limit."""
