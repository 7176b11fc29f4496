"""DragBench (arXiv 2306.14435): its pictures dragged, and results of any software scored as the papers do."""
