"""Amazon's side of the simulated days: cases, their answers, and the reports that tell of them."""
