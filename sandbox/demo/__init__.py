"""The demo: all of Recoup on this machine, against a simulated seller and a stand-in for Slack."""
