"""What Kafka must hold before the services start: topics, and who may do what with them."""
