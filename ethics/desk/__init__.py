"""The compliance desk: what officers read of the log, its alerts, and what they hand out of it."""
