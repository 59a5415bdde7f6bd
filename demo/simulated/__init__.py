"""Simulated classroom devices: real MQTT clients that use the public wire only."""

DEVICES_PER_ROOM = 7
"""Projector, motor screen, lights, air conditioner, PTZ camera, CO2 sensor, occupancy sensor."""
