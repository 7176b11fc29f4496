"""Reports: the figures of runs as JSON, and the HTML page that shows them."""
