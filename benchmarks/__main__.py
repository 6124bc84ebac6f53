"""`make benchmark`: the request benchmark, whose ratios hold on any machine."""

from benchmarks.requests_per_second import main

main()
