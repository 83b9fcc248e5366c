"""What is still to be crawled."""
