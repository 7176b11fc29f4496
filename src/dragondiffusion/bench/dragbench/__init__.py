"""DragBench (arXiv 2306.14435): its images dragged, and results of any software scored as the papers do."""
