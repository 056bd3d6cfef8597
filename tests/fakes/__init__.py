"""The tools that Tangga talks to, as local servers: each keeps its data in memory and answers as documented."""
