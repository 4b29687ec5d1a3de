"""Temporal's namespace and its search attributes: what must be there before a worker starts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    RegisterNamespaceRequest,
)
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from workers.obstacle import Obstacle
from workflows import search_attributes

Answer = TypeVar("Answer")

PATIENCE = 60.0
"""Seconds for which a server that has just started, or has not yet heard of a change, is asked."""
_NOT_YET = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.NOT_FOUND)
_NOT_OURS = (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED)


class NamespaceNotReady(Obstacle):
    """The namespace is not what it should be. The text says what is missing."""


async def apply(client: Client, *, retention: timedelta) -> bool:
    """Make the client's namespace unless it is there, and register the search attributes it lacks.

    Ended workflows of a new namespace are kept for `retention`; one that is there keeps its own.
    Answers whether it was made. Raises NamespaceNotReady.
    """
    request = RegisterNamespaceRequest(
        namespace=client.namespace,
        workflow_execution_retention_period=Duration(seconds=int(retention.total_seconds())),
        description="Customer onboarding and payment reconciliation that are never half done.",
    )
    made = not await _exists(client)
    if made:
        try:
            await client.workflow_service.register_namespace(request)
        except RPCError as error:
            if error.status in _NOT_OURS:
                raise NamespaceNotReady(
                    f"There is no namespace {client.namespace}, and we may not make it. Have it "
                    "made by whoever looks after Temporal, then try again."
                ) from error
            if error.status != RPCStatusCode.ALREADY_EXISTS:
                raise NamespaceNotReady(_said(client, error.message)) from error
    await register_search_attributes(client, search_attributes.ALL)
    return made


# Any: each key says itself of which type its values are.
async def register_search_attributes(
    client: Client, keys: Sequence[SearchAttributeKey[Any]]
) -> None:
    """Add those that the namespace does not have yet: a later release may bring new ones.

    Returns once they can be used. Raises NamespaceNotReady.
    """
    known = await _names_of_attributes(client)
    missing = {
        key.name: IndexedValueType.ValueType(key.indexed_value_type.value)
        for key in keys
        if key.name not in known
    }
    if not missing:
        return
    try:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        )
    except RPCError as error:
        if error.status in _NOT_OURS:
            kinds = ", ".join(
                f"{key.name} ({key.indexed_value_type.name})" for key in keys if key.name in missing
            )
            raise NamespaceNotReady(
                f"We may not register search attributes in {client.namespace}. Have these made by "
                f"whoever looks after Temporal, then try again: {kinds}."
            ) from error
        if error.status != RPCStatusCode.ALREADY_EXISTS:
            raise NamespaceNotReady(_said(client, error.message)) from error
    await _names_of_attributes(client, at_least=missing.keys())


async def _exists(client: Client) -> bool:
    request = DescribeNamespaceRequest(namespace=client.namespace)

    async def ask() -> bool:
        try:
            await client.workflow_service.describe_namespace(request)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return False
            raise
        return True

    return await _patiently(client, ask)


async def _names_of_attributes(
    client: Client, *, at_least: Collection[str] = frozenset()
) -> Collection[str]:
    request = ListSearchAttributesRequest(namespace=client.namespace)

    async def ask() -> Collection[str] | None:
        listed = await client.operator_service.list_search_attributes(request)
        names = set(listed.custom_attributes)
        return names if names.issuperset(at_least) else None

    return await _patiently(client, ask)


async def _patiently(client: Client, ask: Callable[[], Awaitable[Answer | None]]) -> Answer:
    """What the server answers, once it does; None is no answer yet.

    A server may still be starting, and what is new is not known in all its parts at once.
    """
    limit = asyncio.get_running_loop().time() + PATIENCE
    while True:
        said = "it does not know yet what we told it"
        try:
            if (answer := await ask()) is not None:
                return answer
        except RPCError as error:
            if error.status not in _NOT_YET:
                raise NamespaceNotReady(_said(client, error.message)) from error
            said = error.message
        if asyncio.get_running_loop().time() > limit:
            raise NamespaceNotReady(_said(client, said))
        await asyncio.sleep(0.1)


def _said(client: Client, message: str) -> str:
    return f"Temporal says of the namespace {client.namespace}: {message}"
