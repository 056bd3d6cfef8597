"""Tangga: from a company's customer data to the right people in the right campaign."""
