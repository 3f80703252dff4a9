"""All that knows Faust, mode or aiokafka, and nothing else: the consumer group, fetching, the agent, the process.

What Faust does, what is replaced, and why: docs/decisions/what-faust-does-here.md.
"""
