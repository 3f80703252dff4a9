"""What readers ask over HTTP, and the forms in which they are answered."""
