"""Measures the audit log and the compliance desk: events a second, beside a hash chain, and pages over a large log."""
