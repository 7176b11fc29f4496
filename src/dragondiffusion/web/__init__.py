"""The web page and the HTTP API: a canvas on which one drags things, and a server that edits. The extra `web`."""
