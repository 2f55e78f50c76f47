"""Whether the brokers can serve what a consumer is about to subscribe to.

Tags need no question. A broker that does not evaluate conditions, or finds a mistake in one, says so here: a heartbeat
would be taken all the same, and only each pull refused.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from rocketmq_lite.client.routing import UNREACHABLE
from rocketmq_lite.errors import BrokerError
from rocketmq_lite.protocol.codes import ResponseCode
from rocketmq_lite.protocol.conditions import SQL92

if TYPE_CHECKING:
    from rocketmq_lite.client.remote import Remote
    from rocketmq_lite.client.routing import Routing
    from rocketmq_lite.protocol.bodies import ConsumerData

__all__ = ["check_conditions"]

_log: Final = logging.getLogger(__name__)


async def check_conditions(wanted: ConsumerData, *, client_id: str, remote: Remote, routing: Routing) -> None:
    """Ask each broker of each topic that is filtered by a condition. One that is away is not waited for.

    Raises:
        BrokerError: A broker cannot evaluate the condition.
    """
    for subscription in wanted.subscription_data_set:
        if subscription.expression_type != SQL92:
            continue
        for address in routing.table.brokers_of(subscription.topic):
            try:
                await remote.check_subscription(address, client_id, wanted.group_name, subscription)
            except UNREACHABLE as error:
                _log.warning("broker %s was not asked about the condition: %s", address, error)
            except BrokerError as error:
                if error.code == ResponseCode.SYSTEM_ERROR:
                    error.hint = (
                        "set enablePropertyFilter=true in the broker's configuration, or filter by tags"
                    )
                raise
