"""Where data comes to rest: a spool, what follows it, and pages."""
