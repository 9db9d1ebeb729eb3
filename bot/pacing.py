"""How fast Slack may be asked: one message a second and channel."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

SLACKS_OWN_PACE = 1.0


@dataclass
class Pacer:
    """Spaces the posts to each channel `seconds` apart, by a clock that never jumps."""

    seconds: float = SLACKS_OWN_PACE
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _free_at: dict[str, float] = field(default_factory=dict)

    def take_turn(self, channel: str) -> None:
        """Wait until the channel may get its next message."""
        left = self._free_at.get(channel, 0.0) - self.clock()
        if left > 0:
            self.sleep(left)
        self._free_at[channel] = self.clock() + self.seconds
