"""The storage of the hot path and of work: keys, quota, jobs, leases, deliveries.

Each operation is one atomic step, so that nothing is half done whatever dies in between. Nothing
here is cached: a revoked key or a changed plan is seen by every process on its next request.

Invariant: a month's `used` is the number of its completed, waiting and running jobs.
"""
