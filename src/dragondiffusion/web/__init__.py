"""The web page and the HTTP API: a canvas on which one drags objects, and a server that edits. The extra `web`."""
