"""Administration: topics, consumer groups, brokers, single messages. What each part does is in `administration`.

Changes go to every master concerned, one after the other; the first that refuses ends the change with its
error, and what was changed before stays changed. Repeating a change does no harm. Questions go to all brokers
at once.
"""

from __future__ import annotations

from typing import final

from rocketmq_lite.client.administration.brokers import BrokerAdmin
from rocketmq_lite.client.administration.dead_letters import DeadLetterAdmin
from rocketmq_lite.client.administration.direct import DirectAdmin
from rocketmq_lite.client.administration.doctor import DoctorAdmin
from rocketmq_lite.client.administration.groups import GroupAdmin
from rocketmq_lite.client.administration.members import MemberAdmin
from rocketmq_lite.client.administration.messages import MessageAdmin
from rocketmq_lite.client.administration.positions import PositionAdmin
from rocketmq_lite.client.administration.topics import TopicAdmin

__all__ = ["Admin"]


@final
class Admin(
    TopicAdmin,
    GroupAdmin,
    MemberAdmin,
    PositionAdmin,
    BrokerAdmin,
    MessageAdmin,
    DeadLetterAdmin,
    DirectAdmin,
    DoctorAdmin,
):
    """What administers a cluster; reached by ``client.admin``.

    Cancelling a change leaves it done on some brokers and not on others; repeat it.
    """
