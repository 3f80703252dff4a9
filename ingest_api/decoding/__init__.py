"""What was sent becomes actions: a query's parameters, a batch's lines, what SDKs send."""
