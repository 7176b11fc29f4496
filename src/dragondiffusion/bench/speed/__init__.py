"""The cost of edits: seconds, memory and operations, measured, or counted of shapes alone."""
