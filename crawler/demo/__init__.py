"""A shop to crawl, served by ourselves."""
