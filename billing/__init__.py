"""The agency's bills: commission on what Amazon posted for claims that were filed, credits, and the invoices."""
