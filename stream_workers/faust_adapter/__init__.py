"""All that knows Faust, mode or aiokafka: membership, assignment, fetching, the agent and the process."""
