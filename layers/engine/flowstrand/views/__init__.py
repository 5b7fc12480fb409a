"""Views: pure projections of one event. Every transport shows the same log; only the clothes differ (law 1).

All take events whose payloads are inlined, and know nothing of stores, clocks or transports.
"""
