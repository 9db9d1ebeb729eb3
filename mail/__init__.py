"""E-mail: letters drawn from the database, and the way to the mail server. Rows of the outbox say what to send."""
