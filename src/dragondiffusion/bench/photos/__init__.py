"""The truth on photographs and on flat art: edits whose exact answer is known, and how far results are from it."""
