"""What follows from a run: postings, and those told whom it concerns."""

from sqlalchemy.ext.asyncio import AsyncEngine

from activities.heartbeat import heartbeating
from activities.once import Once
from connectors.capabilities import Mail
from workflows.reconciliation.messages import Post, Posted, Tell
from workflows.reconciliation.steps import PostSteps
from workflows.step import implements
