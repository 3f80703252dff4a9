"""What the SDKs of Segment and RudderStack send."""
