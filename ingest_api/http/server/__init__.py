"""Between the HTTP server and the routes: fast paths, and pages of other origins."""
