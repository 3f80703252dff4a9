"""The page as people meet it in a browser, and what it runs on."""
