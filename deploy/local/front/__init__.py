"""One door for both APIs: what a gateway that routes by method does in a cluster."""
