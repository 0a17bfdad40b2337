"""How precisely the scorecard tells what the baseline and chance would have earned, in the lab's worlds."""
