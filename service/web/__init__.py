"""What is served beside the API itself: its documentation; and for whom: hosts."""
