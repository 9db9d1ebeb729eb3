"""What Amazon owes, and why: report rows, a policy and a date in; discrepancies with their evidence out."""
