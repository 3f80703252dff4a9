"""The file of keys as those change it who give keys out."""
