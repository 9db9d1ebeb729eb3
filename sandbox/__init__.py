"""A simulated seller's trade and local stand-ins, for the demo, the tests and the benchmarks."""
