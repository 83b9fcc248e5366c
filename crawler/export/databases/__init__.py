"""Items as rows of tables, each with the cursor in one transaction."""
