"""A mailbox that takes every mail: an SMTP server, and a page that shows what came."""
