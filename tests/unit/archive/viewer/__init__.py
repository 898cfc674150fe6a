"""The program of index.html: its parts in Node, the whole of it in a browser."""
