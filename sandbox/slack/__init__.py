"""A stand-in for Slack on this machine: its Web API, and a page that shows what a person would see."""
