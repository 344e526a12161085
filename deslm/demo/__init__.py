"""`deslm demo`: the whole network end to end on real facts.

Four phases, each in its file, each of which leaves what it finished on disk so that an interrupted demo goes on:
`training` (bundles), `network` (the ledger), `scoring` (summary.json) and `story` (report.html, from the replayed
ledger alone).
"""
