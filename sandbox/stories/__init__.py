"""What can happen to a seller's stock: mistakes of Amazon's, and what only looks like one."""
