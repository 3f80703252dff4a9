"""The thin producer: takes actions over HTTP and answers once Kafka has acknowledged them."""
