"""Waiting for the person in a device flow."""

from gateway.device_flow import DeviceFlow, Identity, Pending


async def decided(flow: DeviceFlow) -> Identity:
    """Polls until the person has decided. Raises what `poll` raises."""
    while isinstance(outcome := await flow.poll(), Pending):
        pass
    return outcome
