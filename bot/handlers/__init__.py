"""What a person does in Slack: acknowledged first, then parsed, handed to a service, and answered in words."""
