"""The ten landing contracts: the one definition that landing validates and staging relies on.

Columns are Tangga's own names; `tangga.yml` maps each source onto them. A module holds a dataset.
"""

from tangga.contracts.contact import CONSENTS, CONTACTS, REFERRALS
from tangga.contracts.contract import CHANNELS, SQL_TYPE, Column, Contract
from tangga.contracts.engagement import EVENTS, MESSAGES
from tangga.contracts.feedback import SURVEY_RESPONSES, SURVEY_SCORES, TICKETS
from tangga.contracts.transaction import ORDER_LINES, ORDERS, REFUNDS

__all__ = ["CHANNELS", "CONTRACTS", "SQL_TYPE", "SURVEY_SCORES", "Column", "Contract"]

CONTRACTS: dict[str, Contract] = {
    contract.entity: contract
    for contract in (
        CONTACTS, CONSENTS, REFERRALS, ORDERS, ORDER_LINES, REFUNDS, EVENTS, MESSAGES, SURVEY_RESPONSES, TICKETS,
    )
}  # fmt: skip
