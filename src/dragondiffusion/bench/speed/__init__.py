"""What edits cost: seconds, memory and operations, measured, or counted of shapes alone."""
