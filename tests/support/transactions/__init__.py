"""Transactional producers of librdkafka and of Java, and the actions that they commit."""
