"""The log as a plain reader sees it: for those who count again what workers counted."""
