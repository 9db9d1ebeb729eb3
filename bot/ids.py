"""The ids that Slack sends back with a press. Cards live for years: an id that was once posted keeps its meaning."""

APPROVE = "discrepancy:approve"
REJECT = "discrepancy:reject"
CLEAR = "discrepancy:clear"
UNDO = "discrepancy:undo"
WHAT_TO_FILE = "claim:packet"
FILED = "claim:filed"
REPLIED = "claim:replied"
ASK = "claim:ask"
OPEN_PAGE = "page:open"

REJECT_VIEW = "discrepancy:reject:view"
CLEAR_VIEW = "discrepancy:clear:view"

FILED_VIEW = "claim:filed:view"
REPLIED_VIEW = "claim:replied:view"
ASK_VIEW = "claim:ask:view"

# Fields of the modals: the block and the element in it have the same id.
REASON = "reason"
NOTE = "note"
CAVEAT = "caveat"
CASE_ID = "case_id"
OUTCOME = "outcome"
REPLY = "reply"
NEXT_ON = "next_action_on"
KIND = "kind"
QUESTION = "question"

COMMAND = "/claims"

# What marks a posted message as one of the outbox's, so that it can be found again after a lost answer.
METADATA_TYPE = "recoup_outbox"
